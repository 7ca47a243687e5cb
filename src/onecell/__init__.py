"""One LSTM cell for every framework: the same weights, the same bits, faster.

`LSTMCell` here computes over NumPy arrays. `onecell.torch.LSTMCell` and
`onecell.mindspore.LSTMCell` are the same cell under the two frameworks' signatures; importing this
package loads neither.

The kernel picks the best instruction set of the machine; `isa` tells which, `set_isa` or the
environment variable ONECELL_ISA chooses another, with the same bits.
"""

from importlib.metadata import version as _version

from onecell._kernel import available_isas, isa, set_isa
from onecell.cell import LSTMCell
from onecell.dialect import DIALECTS, Dialect, Layout
from onecell.errors import OnecellError
from onecell.frozen import FrozenCell
from onecell.gradients import Gradients
from onecell.spec import Spec
from onecell.stream import Stream
from onecell.weights import Weights

__version__ = _version("onecell")

__all__ = [
    "DIALECTS",
    "Dialect",
    "FrozenCell",
    "Gradients",
    "LSTMCell",
    "Layout",
    "OnecellError",
    "Spec",
    "Stream",
    "Weights",
    "available_isas",
    "isa",
    "set_isa",
]

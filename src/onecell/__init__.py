"""One LSTM cell for every framework: the same weights, the same bits, faster.

`LSTMCell` here computes over NumPy arrays. `onecell.torch.LSTMCell` and
`onecell.mindspore.LSTMCell` are the same cell under the two frameworks' signatures; importing this
package loads neither.

The kernel picks the best instruction set of the machine; `isa` tells which, `set_isa` or the
environment variable ONECELL_ISA chooses another, with the same bits. Large calls are shared among
threads: `set_num_threads` or ONECELL_NUM_THREADS says how many at most, with the same bits too.
"""

from onecell._kernel import available_isas, isa, set_isa
from onecell.cell import LSTMCell
from onecell.dialect import DIALECTS, Dialect, Layout
from onecell.errors import OnecellError
from onecell.frozen import FrozenCell
from onecell.gradients import Gradients
from onecell.spec import Spec
from onecell.stream import Stream
from onecell.threads import get_num_threads, set_num_threads
from onecell.weights import Weights

__version__: str

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
    "get_num_threads",
    "isa",
    "set_isa",
    "set_num_threads",
]


def __getattr__(name: str) -> str:
    if name == "__version__":  # what reads it takes as long to load as half of this package
        from importlib.metadata import version  # noqa: PLC0415

        return version("onecell")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

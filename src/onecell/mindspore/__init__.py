"""The front end for MindSpore: a drop-in for `mindspore.nn.LSTMCell` on onecell's kernel."""

from onecell import _kernel
from onecell.mindspore.cell import LSTMCell
from onecell.mindspore.first_operator import get_over_first_operator
from onecell.mindspore.stream import Stream

get_over_first_operator()
_kernel.outlive_interpreter()

__all__ = ["LSTMCell", "Stream"]


def __dir__() -> list[str]:
    return list(__all__)

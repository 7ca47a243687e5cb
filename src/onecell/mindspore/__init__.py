"""The front end for MindSpore: a drop-in for `mindspore.nn.LSTMCell` on onecell's kernel."""

from onecell import _kernel
from onecell.mindspore.cell import LSTMCell
from onecell.mindspore.first_operator import get_over_first_operator

get_over_first_operator()
_kernel.outlive_interpreter()

__all__ = ["LSTMCell"]


def __dir__() -> list[str]:
    return list(__all__)

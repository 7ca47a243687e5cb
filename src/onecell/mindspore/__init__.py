"""The front end for MindSpore: its `LSTMCell` and `LSTM` on onecell's kernel."""

from onecell import _kernel
from onecell.mindspore.cell import LSTMCell
from onecell.mindspore.first_operator import get_over_first_operator
from onecell.mindspore.lstm import LSTM
from onecell.mindspore.stream import Stream

get_over_first_operator()
_kernel.outlive_interpreter()

__all__ = ["LSTM", "LSTMCell", "Stream"]


def __dir__() -> list[str]:
    return list(__all__)

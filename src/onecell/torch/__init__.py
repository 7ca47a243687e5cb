"""The front end for PyTorch: a drop-in for `torch.nn.LSTMCell` on onecell's kernel."""

from onecell import _kernel
from onecell.torch import threads
from onecell.torch.cell import LSTMCell
from onecell.torch.frozen import FrozenLSTMCell
from onecell.torch.lstm import LSTM
from onecell.torch.stream import Stream

__all__ = ["LSTM", "FrozenLSTMCell", "LSTMCell", "Stream"]

_kernel.outlive_interpreter()
threads.follow()
threads.lend()


def __dir__() -> list[str]:
    return list(__all__)

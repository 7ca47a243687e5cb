"""The front end for MindSpore: a drop-in for `mindspore.nn.LSTMCell` on onecell's kernel."""

from onecell.mindspore.cell import LSTMCell

__all__ = ["LSTMCell"]

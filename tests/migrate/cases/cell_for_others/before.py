"""The layers of this package."""

from torch.nn import LSTMCell, Linear

__all__ = ["LSTMCell", "Linear"]

import numpy as np
from onecell.mindspore import LSTMCell


def scaled(x):
    # TODO(onecell): method: `std` of a tensor gives something else in MindSpore, and this file does not show whether `x` is one; write `mindspore.ops.std(x, ddof=1)` of a tensor: torch divides by N - 1
    return (x - x.mean()) / x.std()


def measure(model):
    drawn = np.random.randn(7)
    h, c = model(np.ones((3, 10)))
    # TODO(onecell): method: `var` of a tensor gives something else in MindSpore, and this file does not show whether `h` is one; write `mindspore.ops.var(x, ddof=1)` of a tensor: torch divides by N - 1
    # TODO(onecell): method: `median` of a tensor gives something else in MindSpore, and this file does not show whether `c` is one; write `mindspore.ops.sort(x.reshape(-1))[0][(x.size - 1) // 2]` for that of all numbers of a tensor, `mindspore.ops.median(x, axis)` along an axis
    return drawn.std(), h.var(0), c.median()


def build():
    return LSTMCell(10, 16)

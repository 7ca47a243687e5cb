import numpy as np
from onecell.mindspore import LSTMCell


def scaled(x):
    # TODO(onecell): method: `std` of a tensor gives something else in MindSpore, and this file does not show whether `x` is one; write the division out: torch divides by N - 1, MindSpore by N
    return (x - x.mean()) / x.std()


def measure(model):
    drawn = np.random.randn(7)
    h, c = model(np.ones((3, 10)))
    # TODO(onecell): method: `var` of a tensor gives something else in MindSpore, and this file does not show whether `h` is one; write the division out: torch divides by N - 1, MindSpore by N
    # TODO(onecell): method: `median` of a tensor gives something else in MindSpore, and this file does not show whether `c` is one
    return drawn.std(), h.var(0), c.median()


def build():
    return LSTMCell(10, 16)

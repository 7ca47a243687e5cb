from __future__ import annotations

from typing import TYPE_CHECKING

from mindspore import nn
from onecell.mindspore import LSTMCell

if TYPE_CHECKING:
    from onecell.mindspore import LSTMCell


def second():
    from onecell.mindspore import LSTMCell

    return LSTMCell(16, 16)


class Model(nn.Cell):
    first: LSTMCell

    def __init__(self):
        super().__init__()
        self.first = LSTMCell(10, 16)
        self.second = second()

    def construct(self, x, h, c):
        h, c = self.first(x, (h, c))
        return self.second(h, (h, c))


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from torch.nn import LSTMCell


def second():
    from torch.nn import LSTMCell

    return LSTMCell(16, 16)


class Model(nn.Module):
    first: LSTMCell

    def __init__(self):
        super().__init__()
        self.first = nn.LSTMCell(10, 16)
        self.second = second()

    def forward(self, x, h, c):
        h, c = self.first(x, (h, c))
        return self.second(h, (h, c))


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

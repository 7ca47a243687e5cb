from torch import nn


class Twice(nn.LSTMCell):
    """Step twice."""

    def __init__(self, size):
        super().__init__(size, size, bias=False)

    def forward(self, input, hx):
        # the first step
        h, c = super().forward(input, hx)
        return super().forward(h, (h, c))  # and the second


def build():
    return Twice(16)


def run(model, x, h, c):
    return model(x, (h, c))

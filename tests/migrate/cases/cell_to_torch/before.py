import mindspore
from mindspore import nn


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(input_size=10, hidden_size=16, has_bias=False, dtype=mindspore.float32)

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return h, c


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

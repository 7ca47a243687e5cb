from mindspore import nn, ops
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        self.head = nn.Dense(16, 5)

    def start(self, batch):
        weight = self.head.weight if batch else self.cell.weight_hh
        return weight.new_zeros((batch, 16)), weight.new_ones((batch, 16)) + ops.zeros_like(weight.new_zeros((batch, 16)))

    def construct(self, x):
        return self.head(self.cell(x, self.start(x.shape[0]))[0])


def build():
    return Model()


def run(model, x):
    return model(x)

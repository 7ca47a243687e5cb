import mindspore
from torch import nn
from onecell.mindspore import LSTMCell


class Model(mindspore.nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        # TODO(onecell): relu_layer: `inplace` is exact only as False
        self.act = nn.ReLU(inplace=True)

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return self.act(h), c


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

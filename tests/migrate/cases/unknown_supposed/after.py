import mindspore
from mindspore import nn
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return h, c


def build():
    return Model()


def evaluate(thing, x, h, c):
    thing.set_train(False)
    out = thing(x, h, c)
    thing.set_train()
    assert list(x.shape) == [3, 10]
    return out


def run(model, x, h, c):
    return evaluate(model, x, h, c)

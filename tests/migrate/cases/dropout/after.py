from mindspore import nn
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        self.dropout = nn.Dropout(p=0.4).set_train()

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        assert self.dropout.training
        self.set_train(False)
        return self.dropout(h), c


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

from mindspore import nn
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)

    # TODO(onecell): skeleton: the class has a `construct` already; rename one of them
    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return h, c

    def construct(self):
        return None


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

from mindspore import nn
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        self.head = nn.Dense(16, 5)
        self.bare = nn.Dense(in_channels=16, out_channels=4, has_bias=False)

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return self.head(h), self.bare(c)


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

from mindspore import nn
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        # TODO(onecell): reserved: `cells` is a method of every module in mindspore; call it otherwise, in checkpoints too
        self.cells = nn.CellList([LSTMCell(10, 16)])

    def construct(self, x, h, c):
        return self.cells[0](x, (h, c))


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

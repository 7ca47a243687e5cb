from mindspore import ops
from mindspore import nn
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        self.soft = nn.Softmax(axis=1)
        self.logs = nn.LogSoftmax(axis=1)

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        cube = (h * 1).view(2, 3, 8).transpose(0, 2)
        turned = ops.exp(ops.log_softmax(cube / 2, axis=0 if cube.ndim in (0, 1, 3) else 1)), ops.exp(ops.log_softmax(h.view(2, 3, 8).transpose(0, 2), axis=0)), ops.exp(ops.log_softmax(h.unsqueeze(1), axis=0 if h.ndim + 1 in (0, 1, 3) else 1))
        return turned, ops.exp(ops.log_softmax(h, axis=0 if h.ndim in (0, 1, 3) else 1)) + ops.log_softmax(h, axis=0 if h.ndim in (0, 1, 3) else 1), self.soft(c) + self.logs(c)


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

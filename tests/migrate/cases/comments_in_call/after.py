from mindspore import nn, ops
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self, device=None):
        super().__init__()
        # where
        self.cell = LSTMCell(
            10,  # the input
            16,  # the state
        )

    def construct(self, x):
        # rows
        # the state
        h = ops.zeros(
            (x.shape[0], 16))
        return self.cell(x, (h, h))


def build():
    return Model()


def run(model, x):
    return model(x)

import mindspore
from mindspore import nn, ops
from onecell.mindspore import LSTMCell


class Sheet:
    def __init__(self):
        self.phase = 2


class Model(nn.Cell):
    compiled_ = 3

    def __init__(self):
        super().__init__()
        self.cells_ = nn.CellList([LSTMCell(10, 16)])
        self.phase_ = mindspore.Parameter(ops.ones(16))
        self.get_scope_ = nn.Dense(16, 16)

    def trainable_params_(self):
        return self.phase_ * self.compiled_

    def construct(self, x, h, c):
        for cell in self.cells_:
            h, c = cell(x, (h, c))
        return getattr(self, "get_scope_")(h), c * self.trainable_params_()


def build():
    return Model()


def run(model, x, h, c):
    h, c = model(x, h, c)
    return h, c, model.cells_[0].weight_ih, Sheet().phase

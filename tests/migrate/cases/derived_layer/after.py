import mindspore
from torch import nn
from onecell.mindspore import LSTMCell


class Projection(mindspore.nn.Dense):
    def __init__(self, width):
        super().__init__(width, 4, has_bias=False)


# TODO(onecell): layer_norm: what derives from `torch.nn.LayerNorm` hands on arguments that mindspore calls otherwise; make it a module that holds one
class Norm(nn.LayerNorm):
    pass


class Head(mindspore.nn.SequentialCell):
    def __init__(self):
        super().__init__(mindspore.nn.Dense(16, 4), mindspore.nn.ReLU())


class Model(mindspore.nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        self.head = Head()

    def construct(self, x):
        return self.head(self.cell(x)[0])

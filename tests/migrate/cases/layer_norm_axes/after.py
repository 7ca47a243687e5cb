import mindspore
from torch import nn
from onecell.mindspore import LSTMCell


class Model(mindspore.nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        # TODO(onecell): layer_norm: `normalized_shape` has more than one axis; give MindSpore `begin_norm_axis` and `begin_params_axis`
        self.norm = nn.LayerNorm((3, 16))

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return self.norm(h), c


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

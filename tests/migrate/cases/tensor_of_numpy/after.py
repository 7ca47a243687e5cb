import numpy as np
import torch
from mindspore import nn
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        # TODO(onecell): tensor: `mindspore.tensor` of a list makes float32 of NumPy's numbers; give it a `dtype`
        scale = torch.tensor([np.float64(1.5), 2.0])
        return h, c * scale[0]


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

import torch
from mindspore import nn
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        # TODO(onecell): argmax: `keepdim` means something else without `dim`; give `dim`
        return h, torch.argmax(c, keepdim=True)


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

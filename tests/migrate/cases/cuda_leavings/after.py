import mindspore.nn as nn
from onecell.mindspore import LSTMCell

use_cuda = False

if not use_cuda:
    print("without a card")

seed = 3

# ----------------------------------------------------------------------
seed = 4


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)

    def construct(self, x, state):
        h, c = state
        if x.dim() == 3:
            x = x[0]
        # what is computed
        h, c = self.cell(x, (h, c))
        return h, c


def build():
    return moved(Model())


def moved(model):
    return model


def run(model, x, h, c):
    return model(x, (h, c))

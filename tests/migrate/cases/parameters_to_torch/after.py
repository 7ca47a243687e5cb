from torch import nn
from onecell.torch import LSTMCell


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return h, c


def build():
    return Model()


def run(model, x, h, c):
    assert len(list(model.parameters())) == 4
    assert len([p for p in model.parameters() if p.requires_grad]) == 4
    return model(x, h, c)

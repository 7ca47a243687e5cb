import torch
from mindspore import nn
from onecell.torch import LSTMCell


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        self.head = torch.nn.Linear(16, 5, bias=False)
        # TODO(onecell): linear: `activation` is exact only as None; its like is `torch.nn.Linear`, with other arguments
        self.bent = nn.Dense(16, 5, activation="tanh")

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return self.head(h)


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

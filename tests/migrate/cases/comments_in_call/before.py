import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, device=None):
        super().__init__()
        self.cell = nn.LSTMCell(
            10,  # the input
            16,  # the state
            device=device,  # where
        )

    def forward(self, x):
        h = torch.zeros(
            x.shape[0],  # rows
            16,  # the state
            device=x.device,
        )
        return self.cell(x, (h, h))


def build():
    return Model()


def run(model, x):
    return model(x)

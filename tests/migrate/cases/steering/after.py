import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(5, 4)

    def forward(self, x):
        return torch.tanh(self.dense(x))


def build():
    return Model()


def run(model, x):
    return model(x)

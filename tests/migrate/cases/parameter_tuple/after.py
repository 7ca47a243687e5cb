import torch
from torch.nn import Parameter
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(5, 5)
        self.weights = list([p for p in self.first.parameters() if p.requires_grad])

    def forward(self, x):
        return torch.tanh(self.first(x)) * self.weights[1]


def made():
    return nn.ParameterList([Parameter(torch.tensor([1.0, 2.0]))])


def build():
    return Model()


def run(model, x):
    return model(x)

import math

import torch
from torch.nn import Parameter
from torch import nn


def initialized(layer, **fill):
    """Give a layer's parameters their first numbers; `fill` has a function for each name."""
    for name, numbers in fill.items():
        if getattr(layer, name) is not None:
            numbers(getattr(layer, name))
    return layer


class Layers(nn.Module):
    def __init__(self, width):
        super().__init__()
        small = lambda p, a0=1 / math.sqrt(width): torch.nn.init.uniform_(p, -a0, a0)
        self.weight = Parameter(small(torch.empty((width, 5))))
        self.bias = Parameter(torch.nn.init.zeros_(torch.empty([width])))
        self.dense = initialized(nn.Linear(5, width), weight=torch.nn.init.xavier_uniform_, bias=lambda p: torch.nn.init.normal_(p, 0.0, 0.02))
        self.scale = initialized(nn.Linear(5, width, bias=False), weight=lambda p: torch.nn.init.normal_(p, 0.0, 0.1))
        self.reset()

    def reset(self):
        for weight in self.parameters():
            weight.data.copy_(torch.nn.init.ones_(torch.empty(weight.shape)))

    def forward(self, x):
        return self.dense(x) + self.scale(x) * self.bias + x @ self.weight.T


def build():
    return Layers(3)


def run(model, x):
    return model(x)

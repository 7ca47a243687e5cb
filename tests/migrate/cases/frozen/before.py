import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.out = nn.Linear(16, 16)
        self.norm = nn.LayerNorm(16)
        self.out.weight.requires_grad = False
        self.norm.bias.requires_grad = False
        for weight in self.parameters():
            weight.requires_grad = True

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return self.norm(h), self.out(c) * self.norm.bias.requires_grad


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

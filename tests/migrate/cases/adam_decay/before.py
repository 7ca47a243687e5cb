import torch
from torch import nn


def build():
    return nn.LSTMCell(10, 16)


def optimize(model):
    return torch.optim.Adam(model.parameters(), weight_decay=0.1)


def run(model, x, h, c):
    assert optimize(model) is not None
    return model(x, (h, c))

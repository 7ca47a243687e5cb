import torch
from mindspore import nn


def build():
    return nn.LSTMCell(10, 16)


def optimize(model):
    # TODO(onecell): adam: `weight_decay` is exact only as 0; its like is `mindspore.experimental.optim.Adam`, which puts `eps` elsewhere
    return torch.optim.Adam(model.parameters(), weight_decay=0.1)


def run(model, x, h, c):
    assert optimize(model) is not None
    return model(x, (h, c))

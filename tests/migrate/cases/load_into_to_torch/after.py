import torch
from torch import nn


def build():
    net = nn.LSTMCell(10, 16)
    net.load_state_dict(torch.load("cell.pt"), strict=False)
    return net

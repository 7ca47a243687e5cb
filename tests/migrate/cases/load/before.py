import torch
from torch import nn


def build():
    model = nn.LSTMCell(10, 16)
    model.load_state_dict(torch.load("cell.pt", map_location="cpu"))
    return model

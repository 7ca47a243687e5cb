import torch
from torch import nn


def build():
    return nn.LSTMCell(10, 16)


def save(model, folder):
    path = f"{folder}/cell.pt"
    torch.save(model.state_dict(), path)

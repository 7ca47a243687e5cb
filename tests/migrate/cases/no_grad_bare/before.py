import torch
from torch import nn

cell = nn.LSTMCell(10, 16)


@torch.no_grad
def step(x):
    return cell(x)

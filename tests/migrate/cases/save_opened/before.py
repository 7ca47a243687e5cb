import io
import torch
from torch import nn


def build():
    return nn.LSTMCell(10, 16)


def save(model, path="cell.pt"):
    torch.save([torch.zeros(2), 1], open("rows.pt", "wb"))
    buffer = io.BytesIO()
    torch.save(model.state_dict(), buffer)
    torch.save(model.state_dict(), path)
    torch.save(collected(), path)

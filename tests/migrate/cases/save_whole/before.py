import torch
from torch import nn


def build():
    return nn.LSTMCell(10, 16)


def save(cell: nn.LSTMCell, encoder, path):
    torch.save(build(), path)
    torch.save({"cell": cell, "epoch": 3}, path)
    state = {"encoder": encoder}
    torch.save(state, path)


def load(path):
    model = torch.load(path)
    model.eval()
    both = torch.load(path)
    encoder = both["encoder"].to("cpu")
    return model, encoder


class Player:
    def __init__(self, model):
        self.model = model

    def save(self, path):
        with open(path, "wb") as file:
            torch.save(self, file)

    @staticmethod
    def load(path):
        return torch.load(path)

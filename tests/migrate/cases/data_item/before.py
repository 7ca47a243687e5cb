import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.table = nn.Embedding(7, 10)

    def load(self, rows):
        self.table.weight.data[torch.tensor([1, 4])] = rows[:2]
        self.table.weight.data[2] = 0.5
        self.table.weight.data[rows[:, 0] > 0] *= 2.0
        self.cell.bias_ih.data[4:8] += 1.0
        self.cell.bias_hh.data[...] = self.cell.bias_hh * 2

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return h @ self.cell.weight_hh[:16], c + self.table.weight.sum()


def build():
    return Model()


def run(model, x, h, c, rows):
    model.load(rows)
    return model(x, h, c)

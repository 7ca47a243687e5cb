import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        scores = torch.bmm(h.unsqueeze(1), c.unsqueeze(2)).squeeze(2)
        kept = scores
        scores.masked_fill_(scores > 0, 0.5)
        flat = (h * 2).view(-1)
        flat.copy_(h.reshape(-1) * 3)
        return (kept + scores) * h, flat.view(3, 16) * c


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

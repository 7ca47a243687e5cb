import torch
from torch import nn


class Masked(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        mask = (h > 0).float()
        score = h + (mask + 1e-45).log()
        score = torch.log_softmax(score, dim=1)
        other = c + torch.log((c > 0).float() + 1e-45)
        return score, other, (mask + 1e-10).log()


def build():
    return Masked()


def run(model, x, h, c):
    return model(x, h, c)

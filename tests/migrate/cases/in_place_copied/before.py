import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        for p in self.parameters():
            p.data.uniform_(-0.1, 0.1)
        self.cell.bias_ih.data.fill_(0)
        self.cell.bias_hh.data.zero_()
        self.cell.weight_hh.data.normal_(0, 0.02)

    def forward(self, x, h, c):
        self.cell.bias_ih.data.mul_(0.5)
        self.cell.bias_hh.data.add_(self.cell.bias_ih.data)
        h, c = self.cell(x, (h, c))
        scores = h * 2
        held = scores
        mask = torch.zeros_like(scores) > 1
        scores.masked_fill_(mask, 0.5)
        scores.mul_(3.0)
        c = c.clone().clamp_(-0.25, 0.25)
        c = c.float().masked_fill_(mask, 0.0).sigmoid()
        return held, c, torch.zeros_like(h).fill_(2.5)


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

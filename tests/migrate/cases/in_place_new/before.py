import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        ids = torch.tensor([[1], [0], [15]])
        one = torch.FloatTensor(3, 16).zero_()
        one = one.scatter_(1, ids, 1)
        mask = torch.zeros(3, 16) > 0
        mask = mask.scatter_(1, ids, True)
        two = torch.ones(3, 16).sub_(0.5).mul_(2.0)
        rows = x.size(0)
        picked = torch.LongTensor(rows).fill_(1)
        half = torch.FloatTensor(rows).fill_(0.5).unsqueeze(1)
        two = two + half * h[:, picked].sum(1, keepdim=True)
        return h * one.to("cpu") + two, c.masked_fill(mask, 2.0)


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

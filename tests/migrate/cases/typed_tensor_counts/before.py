import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, wide: int, deep=4):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.wide = wide
        self.deep = deep
        self.made = torch.FloatTensor(wide).fill_(1)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        rows, columns = h.size()
        half = columns // 2
        found = [torch.FloatTensor(n).fill_(n) for n in range(1, 3)]
        for n in range(2, 4):
            found.append(torch.LongTensor(n).zero_())
        zeros = torch.LongTensor(x.size(0)).fill_(2), torch.LongTensor(len(h) - 1).zero_()
        more = torch.FloatTensor(half).zero_(), torch.FloatTensor(rows * self.deep).fill_(3)
        shape = torch.FloatTensor(x.shape[1])  # of whatever numbers
        like = torch.FloatTensor(h.size()).fill_(1e-10) + h
        return like, found, zeros, more, self.made, shape.numel() * c


def build():
    return Model(5)


def run(model, x, h, c):
    return model(x, h, c)

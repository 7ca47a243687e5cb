import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.head = nn.Linear(16, 4)
        self.kind = kind
        self.type(self.kind)

    def forward(self, x, h, c):
        h, c = self.cell(x.type(self.kind), (h.to(self.kind), c.to(self.kind)))
        return self.head(h).float(), c.type(torch.FloatTensor)


class Both(nn.Module):
    def __init__(self):
        super().__init__()
        kind = torch.FloatTensor
        self.first = Model(torch.float32).double()
        self.first.kind = torch.float64
        self.second = Model(torch.float32).to(torch.float32)
        self.third = nn.Linear(10, 3)
        self.third.type(torch.DoubleTensor)
        self.type_of = kind

    def forward(self, x, h, c):
        third = self.third(x.double())
        return self.first(x, h, c), self.second(x, h, c), third.type(self.type_of)


def build():
    return Both()


def run(model, x, h, c):
    return model(x, h, c)

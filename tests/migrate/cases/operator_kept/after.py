import torch
from torch import nn


class Gates(nn.Module):
    def __init__(self, axis):
        super().__init__()
        self.matmul = lambda x, y: torch.matmul(x, y.mT)
        self.cat = lambda xs, axis=axis: torch.cat(xs, axis)
        self.split = lambda x: torch.chunk(x, 2, 1)
        self.tanh = torch.tanh
        self.cast = lambda x, dtype: x.to(dtype)
        self.dense = nn.Linear(5, 4)

    def forward(self, x, w):
        both = self.cat((x, self.tanh(x)))
        left, right = self.split(self.matmul(both, w))
        size = x.shape[0]
        gate = torch.sigmoid(left + 1) * torch.sum(right, 1, keepdim=True, dtype=right.dtype)
        kept = (gate, self.dense(x))[0]
        return self.cast(kept.to(torch.float64), torch.float32) / size


def build():
    return Gates(1)


def run(model, x, w):
    return model(x, w)

import torch
from torch import nn
from torch.autograd import Variable


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.scale = nn.Parameter(torch.ones(16))
        self.shift = torch.tensor([0.5] * 16).requires_grad_(False)

    def start(self, x):
        h = torch.zeros(x.size(0), 16, requires_grad=True)
        return h, Variable(torch.ones(x.size(0), 16), requires_grad=True)

    def forward(self, x):
        steps = torch.arange(0.0, 16, device=x.device, requires_grad=True)
        h, c = self.cell(x, self.start(x))
        c = c.view(-1, 16).requires_grad_()
        return h * steps + self.shift, c * self.scale.requires_grad_()


def build():
    return Reader()


def run(model, x):
    return model(x)

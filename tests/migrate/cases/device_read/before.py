import torch
from torch import nn

device = torch.device("cpu")  # read by a class of this file's own
unused = torch.device("cpu")  # for other files
refused = torch.device("cpu")


class Config:
    device = torch.device("cpu")


class Model(nn.Module):
    def __init__(self, device=None):
        super().__init__()
        where = torch.device("cpu")
        self.device = device
        self.where = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
        self.far = torch.device("cuda", 1)
        self.cell = nn.LSTMCell(10, 16, device=where)

    def forward(self, x, h, c):
        return self.cell(x.to(device), (h, c.to(Config.device)))


def is_far(device: torch.device):
    return torch.device("cpu").type != "cpu"


def make(n):
    return torch.zeros(n, device=refused, out=None)


def build():
    return Model(device=device).to(device)


def run(model, x, h, c):
    return model(x, h, c)

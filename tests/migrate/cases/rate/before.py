import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return h + c


def build():
    return Model()


def train(model: Model, optimizer, x, h, c):
    loss = (model(x, h, c) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def run(model, x, h, c):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    train(model, optimizer, x, h, c)
    for group in optimizer.param_groups:
        group["lr"] = group["lr"] * 0.5
    train(model, optimizer, x, h, c)
    for i, group in enumerate(optimizer.param_groups):
        group["lr"] *= 1 / (i + 2)
    optimizer.param_groups[0]["lr"] -= 0.01
    before = optimizer.param_groups[0]["lr"]
    train(model, optimizer, x, h, c)
    optimizer.param_groups[0]["lr"] = max(before / 2, float(optimizer.param_groups[0]["lr"]) / 4)
    train(model, optimizer, x, h, c)
    return model(x, h, c)

import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.head = nn.Linear(16, 2)
        self.state = None

    def encode(self, x, h, c):
        self.state = self.cell(x, (h, c))

    def forward(self, x):
        return self.head(self.state[0]) * x.sum()


def build():
    return Model()


def run(model: Model, x, y, h, c):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for inputs, wanted in zip(x, y):
        model.encode(inputs, h, c)
        for _ in range(1):
            loss = F.mse_loss(model(inputs), wanted)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return loss

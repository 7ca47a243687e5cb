import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.head = nn.Linear(16, 2)
        self.state = (torch.zeros(3, 16), torch.zeros(3, 16))

    def forward(self, x):
        h, c = self.cell(x, self.state)
        self.state = (h.detach(), c.detach())
        return self.head(h)


def build():
    return Model()


def run(model: Model, x, y, h, c):
    model.state = (h, c)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for inputs, wanted in zip(x, y):
        loss = F.mse_loss(model(inputs), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.state

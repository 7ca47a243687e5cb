import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.head = nn.Linear(16, 2)
        self.spare = nn.Linear(16, 2)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return self.head(h)


def build():
    return Model()


def run(model: Model, x, y, h, c):
    # Without moments and weight decay, a gradient of zeros moves nothing.
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = []
    for inputs, wanted in zip(x, y):
        loss = F.mse_loss(model(inputs, h, c), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, model.spare(h)

from torch import nn
import torch


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def forward(self, x, h, c):
        counts = {"steps": 0}
        states = [h, c]
        states[0] += torch.tanh(c)
        for state in states:
            state *= torch.tanh(h)
        counts["steps"] += 1
        out = torch.zeros(2, 3, 16)
        out[0] += self.cell(x, (h, c))[0]
        return out, counts


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

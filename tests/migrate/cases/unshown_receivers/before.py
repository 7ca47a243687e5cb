from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        if x.device.type == "cpu":
            h = h + c
        return h.view(size=(48,))


def widen(rows, n):
    return rows.repeat(n)


def clear(whatever):
    whatever.zero_grad()


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

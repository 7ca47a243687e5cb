from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def forward(self, x, h, c):
        rows = [part.clone() for part in (x, x * 2)]
        return self.cell(rows[1], (h, c))[0]


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

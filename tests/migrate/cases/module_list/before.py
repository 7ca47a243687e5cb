from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.heads = nn.ModuleList([nn.Linear(16, 5), nn.Linear(16, 5)])

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return [head(h) for head in self.heads]


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

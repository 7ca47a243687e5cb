from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.head = nn.Linear(16, 5)
        self.bare = nn.Linear(in_features=16, out_features=4, bias=False)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return self.head(h), self.bare(c)


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

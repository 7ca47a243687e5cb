from torch import nn


class Noise(nn.Module):
    def forward(self, x):
        if self.training:
            return x * 0.5
        return x


class Louder(Noise):
    """The same, and it says so."""

    def forward(self, x):
        return super().forward(x) * (3 if self.training else 1)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.noise = Noise()
        self.louder = Louder()

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return self.noise(h), self.louder(c)


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

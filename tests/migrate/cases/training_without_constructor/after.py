from mindspore import nn
from onecell.mindspore import LSTMCell


class Noise(nn.Cell):
    def __init__(self):
        super().__init__()
        self.set_train()

    def construct(self, x):
        if self.training:
            return x * 0.5
        return x


class Louder(Noise):
    """The same, and it says so."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.set_train()

    def construct(self, x):
        return super().construct(x) * (3 if self.training else 1)


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        self.noise = Noise()
        self.louder = Louder()

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return self.noise(h), self.louder(c)


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

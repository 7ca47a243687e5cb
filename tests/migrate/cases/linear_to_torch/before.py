from mindspore import nn


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.head = nn.Dense(16, 5, has_bias=False)
        self.bent = nn.Dense(16, 5, activation="tanh")

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return self.head(h)


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.scale = nn.init.calculate_gain("leaky_relu", 0.25) * nn.init.calculate_gain("tanh")

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return h * self.scale, c * nn.init.calculate_gain("linear")


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        out = h.new(3, 16).fill_(0.5)
        sizes = (2, 16)
        return out * h, h.data.new(*sizes).zero_() + c[:2]


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

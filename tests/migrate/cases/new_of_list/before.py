from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def forward(self, x, h, c):
        rows = [h, c]
        h, c = self.cell(x, (h, c))
        return h * rows[0].new([0.5]), c + c.new([1, 2]).sum()


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

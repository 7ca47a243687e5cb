from torch import nn

Step = nn.LSTMCell


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = Step(10, 16, bias=False)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return h, c


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

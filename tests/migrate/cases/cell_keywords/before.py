from torch import nn

SIZES = {"input_size": 10, "hidden_size": 16, "bias": False}


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(**SIZES)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return h, c


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

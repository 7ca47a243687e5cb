from mindspore import nn
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.head = nn.Dense(10, 10)
        self.cell = LSTMCell(10, 16)

    def construct(self, x, h, c):
        h, c = self.cell(self.head(x) * kind(self.head), (h, c))
        return h * kind(self.cell), c


def kind(m):
    classname = m.__class__.__name__
    if classname.find("Dense") != -1:
        return 2.0
    if type(m).__name__ == 'Dense' or "Dense" in classname or classname in ("Conv2d", "Dense"):
        return 3.0
    return 5.0 if classname.find("LSTMCell") != -1 and "Dense" != classname else 7.0


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

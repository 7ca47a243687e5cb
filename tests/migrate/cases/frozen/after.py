import mindspore
from mindspore import nn
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        self.out = nn.Dense(16, 16)
        self.norm = nn.LayerNorm((16,), epsilon=1e-05)
        self.out.weight.requires_grad = False
        self.norm.beta.requires_grad = False
        for weight in self.get_parameters():
            weight.requires_grad = True

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return self.norm(h), self.out(c) * self.norm.beta.requires_grad


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

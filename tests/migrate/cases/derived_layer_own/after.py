import mindspore
from mindspore import nn
from mindspore import ops
from onecell.mindspore import LSTMCell


class Noisy(nn.Dense):
    def __init__(self, wide, narrow, sigma=0.5):
        super().__init__(wide, narrow, has_bias=True)
        self.sigma = sigma
        self.spread = mindspore.Parameter(ops.ones((narrow, wide)))
        self.register_buffer("noise", ops.zeros((narrow, wide)))

    def construct(self, x):
        return ops.dense(x, self.weight + self.spread * self.noise, self.bias)

    def sample(self):
        self.register_buffer("noise", ops.ones((self.out_channels, self.in_channels)))


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        self.head = Noisy(16, 5, sigma=0.25)

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        before = self.head(h)
        self.head.sample()
        return before, self.head(h)


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

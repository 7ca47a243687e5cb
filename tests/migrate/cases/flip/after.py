from mindspore import nn, ops
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        nn.Cell.__init__(self)
        self.forwards = LSTMCell(10, 16)
        self.backwards = LSTMCell(10, 16)

    def construct(self, x):
        for a, b in zip(x, x.flip((0,))):
            h, c = self.forwards(a)
            k, d = self.backwards(b)
        return ops.cat([h, k], 1).flip((0, 1)), ops.exp(ops.log_softmax(c, axis=0)), d.flip((1,))


def build():
    return Model()


def run(model, x):
    return model(x)

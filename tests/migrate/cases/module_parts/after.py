import mindspore
from mindspore import nn, ops
from mindspore.common.initializer import Constant, Normal, initializer
from onecell.mindspore import LSTMCell


class Attention(nn.Cell):
    def __init__(self, size, bias):
        super().__init__()
        self.weight = mindspore.Parameter(ops.ones(size))
        if bias:
            setattr(self, "shift", mindspore.Parameter(ops.zeros(size)))
        else:
            setattr(self, "shift", None)

    def construct(self, x):
        return x * self.weight if self.shift is None else x * self.weight + self.shift


class Reader(nn.Cell):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(7, 10, embedding_table=Normal(1.0))
        self.cell = LSTMCell(10, 16)
        self.rnn = nn.GRU(16, 12, batch_first=True)
        self.rnns = [self.rnn]
        self.looks = []
        for n in range(2):
            look = Attention(16, n > 0)
            self.looks.append(look)
            setattr(self, "look_" + str(n), look)
        [rnn for rnn in self.rnns]
        for name, weight in self.parameters_and_names():
            if "look" not in name and "cell" in name:
                weight.set_data(initializer(Constant(0.1), weight.shape, weight.dtype))

    def construct(self, tokens, h, c):
        h, c = self.cell(self.table(tokens[:, 0]), (h, c))
        for look in self.looks:
            h = look(h)
        out, _ = self.rnn(h.unsqueeze(1))
        return out, c


def build():
    return Reader()


def run(model, tokens, h, c):
    return model(tokens, h, c)

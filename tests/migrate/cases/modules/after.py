import mindspore
from mindspore import nn, ops
from mindspore.common.initializer import Constant, initializer
from onecell.mindspore import LSTMCell


def variable(x, **kwargs):
    return ops.stop_gradient(x)


class Model(nn.Cell):
    def __init__(self, width=16):
        super().__init__()
        self.cell = LSTMCell(10, width)
        self.rnn = nn.LSTM(16, 5)
        self.head = nn.Dense(width, 3)
        self.shift = mindspore.Parameter(ops.zeros(width, dtype=mindspore.float32))
        for m in (part for _, part in self.cells_and_names()):
            if isinstance(m, nn.Dense) or isinstance(m, nn.Conv1d):
                m.bias.set_data(initializer(Constant(0), m.bias.shape, m.bias.dtype))
            elif isinstance(m, LSTMCell):
                m.bias_ih.set_data(initializer(Constant(0), m.bias_ih.shape, m.bias_ih.dtype))

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        zeros = h.new_zeros((3, 16))
        size = tuple([48])
        out, _ = self.rnn((h + zeros).unsqueeze(0))
        return out, self.head(variable(h)), (c + self.shift).view(size)


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

from mindspore import nn, ops


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def construct(self, x):
        h, c = self.cell(x, (ops.zeros((x.shape[0], self.cell.hidden_size), dtype=x.dtype),) * 2)
        return h, c


def build():
    return Model()


def run(model, x):
    return model(x)

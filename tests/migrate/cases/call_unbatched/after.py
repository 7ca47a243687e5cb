from mindspore import nn, ops


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def construct(self):
        x = ops.ones(10)
        h, c = tuple(s.squeeze(0) for s in self.cell(x.unsqueeze(0), (ops.zeros((1, self.cell.hidden_size), dtype=x.dtype),) * 2))
        return tuple(s.squeeze(0) for s in self.cell(x.unsqueeze(0), tuple(s.unsqueeze(0) for s in (h, c))))


def build():
    return Model()


def run(model):
    return model()

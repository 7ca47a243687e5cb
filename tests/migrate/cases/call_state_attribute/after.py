from mindspore import nn, ops


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.state = None

    def construct(self, x):
        self.state = self.cell(x, (ops.zeros((x.shape[0], self.cell.hidden_size), dtype=x.dtype),) * 2 if self.state is None else self.state)
        return self.state


def build():
    return Model()


def run(model, x):
    model.state = None
    model(x)
    return model(x)

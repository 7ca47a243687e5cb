from mindspore import nn, ops


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def construct(self, x):
        state = None
        for row in x:
            state = self.cell(row, (ops.zeros((row.shape[0], self.cell.hidden_size), dtype=row.dtype),) * 2 if state is None else state)
        return state


def build():
    return Model()


def run(model, x):
    return model(x)

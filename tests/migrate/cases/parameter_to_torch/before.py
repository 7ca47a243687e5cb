from mindspore import Parameter, nn, ops


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.scale = Parameter(ops.ones((16,)), requires_grad=True)

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return self.scale * h, c


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

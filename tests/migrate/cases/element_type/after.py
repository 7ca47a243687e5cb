import mindspore
from mindspore import nn
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self, kind):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        self.head = nn.Dense(16, 4)
        self.kind = kind
        self.apply(lambda cell: [p.set_dtype(self.kind) for p in cell.get_parameters(expand=False)])

    def construct(self, x, h, c):
        h, c = self.cell(x.type(self.kind), (h.to(self.kind), c.to(self.kind)))
        return self.head(h).float(), c.type(mindspore.float32)


class Both(nn.Cell):
    def __init__(self):
        super().__init__()
        kind = mindspore.float32
        self.first = Model(mindspore.float32).apply(lambda cell: [p.set_dtype(mindspore.float64) for p in cell.get_parameters(expand=False)])
        self.first.kind = mindspore.float64
        self.second = Model(mindspore.float32).apply(lambda cell: [p.set_dtype(mindspore.float32) for p in cell.get_parameters(expand=False)])
        self.third = nn.Dense(10, 3)
        self.third.apply(lambda cell: [p.set_dtype(mindspore.float64) for p in cell.get_parameters(expand=False)])
        self.type_of = kind

    def construct(self, x, h, c):
        third = self.third(x.double())
        return self.first(x, h, c), self.second(x, h, c), third.type(self.type_of)


def build():
    return Both()


def run(model, x, h, c):
    return model(x, h, c)

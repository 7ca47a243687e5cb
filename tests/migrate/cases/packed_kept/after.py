import mindspore
from mindspore import nn, ops
from onecell.mindspore import LSTMCell


class Reader(nn.Cell):
    def __init__(self, batch_first=True):
        super().__init__()
        self.batch_first = batch_first
        self.rows_first = True
        self.read = nn.LSTM(10, 8, batch_first=batch_first, bidirectional=True)
        self.turned = nn.GRU(16, 16)

    def construct(self, x, lengths):
        packed = x[:, : int(mindspore.Tensor(lengths).max())] if self.batch_first else x[: int(mindspore.Tensor(lengths).max())]
        out, (last, _) = self.read(packed, seq_length=mindspore.Tensor(lengths))
        out, _ = ops.pad(out, (0, 0, 0, 7 - out.shape[1]) if self.batch_first else (0, 0, 0, 0, 0, 7 - out.shape[0])), mindspore.Tensor(lengths)
        out = out if self.batch_first else out.transpose(0, 1)
        pack = out[:, : int(mindspore.Tensor(lengths).max())].swapaxes(0, 1)
        more = self.turned(pack, seq_length=mindspore.Tensor(lengths))[0]
        more, _ = more, mindspore.Tensor(lengths)
        again, _ = self.turned(more[: int(mindspore.Tensor(lengths).max())], seq_length=mindspore.Tensor(lengths))
        return out, last, (again.swapaxes(0, 1), mindspore.Tensor(lengths))[0]


class Model(nn.Cell):
    def __init__(self, batch_first):
        super().__init__()
        self.reader = Reader(batch_first)
        self.batch_first = batch_first
        self.cell = LSTMCell(16, 16)

    def construct(self, x, h, c):
        x = x if self.batch_first else x.transpose(0, 1)
        out, last, again = self.reader(x, mindspore.tensor([5, 3, 2]))
        h, c = self.cell(again.sum(1), (h, c))
        return out, last, h, c


class Both(nn.Cell):
    def __init__(self):
        super().__init__()
        self.rows = Model(True)
        self.steps = Model(False)

    def construct(self, x, h, c):
        return self.rows(x, h, c), self.steps(x, h, c)


def build():
    return Both()


def run(model, x, h, c):
    return model(x, h, c)

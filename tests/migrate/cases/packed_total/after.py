import mindspore
from mindspore import nn, ops
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.read = nn.LSTM(10, 8, batch_first=True, bidirectional=True)
        self.again = nn.GRU(10, 16)
        self.cell = LSTMCell(16, 16)

    def construct(self, x, h, c):
        total = x.shape[1]
        lengths = mindspore.tensor([5, 3, 2])
        rows = x
        x = x[:, : int(mindspore.Tensor(lengths).max())]
        out, (last, _) = self.read(x, seq_length=mindspore.Tensor(lengths))
        out, lengths = ops.pad(out, (0, 0, 0, total - out.shape[1])), mindspore.Tensor(lengths)
        steps = ops.swapaxes(rows, 0, 1)[: int(mindspore.Tensor(lengths).max())]
        steps, _ = self.again(steps, seq_length=mindspore.Tensor(lengths))
        steps, _ = ops.pad(steps, (0, 0, 0, 0, 0, 9 - steps.shape[0])), mindspore.Tensor(lengths)
        c = c + steps[6] + steps[0]
        h, c = self.cell(out.sum(1), (h, c))
        return out, last, h, c * lengths.sum()


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

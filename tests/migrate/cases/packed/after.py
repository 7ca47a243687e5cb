import mindspore
from mindspore import nn
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.read = nn.LSTM(10, 8, batch_first=True, bidirectional=True)
        self.cell = LSTMCell(16, 16)

    def construct(self, x, h, c):
        lengths = mindspore.tensor([5, 3, 2])
        x = x[:, : int(mindspore.Tensor(lengths).max())]
        out, (last, _) = self.read(x, seq_length=mindspore.Tensor(lengths))
        out, lengths = out, mindspore.Tensor(lengths)
        h, c = self.cell(out.sum(1), (h, c))
        return out, last, h, c * lengths.sum()


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

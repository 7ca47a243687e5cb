import mindspore
from mindspore import nn
from mindspore.common.initializer import Normal
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        self.table = nn.Embedding(7, 10, embedding_table=Normal(1.0))

    def load(self, rows):
        self.table.embedding_table[mindspore.tensor([1, 4])] = rows[:2]
        self.table.embedding_table[2] = 0.5
        self.table.embedding_table[rows[:, 0] > 0] *= 2.0
        self.cell.bias_ih[4:8] += 1.0
        self.cell.bias_hh[...] = self.cell.bias_hh * 2

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return h @ self.cell.weight_hh[:16], c + self.table.embedding_table.sum()


def build():
    return Model()


def run(model, x, h, c, rows):
    model.load(rows)
    return model(x, h, c)

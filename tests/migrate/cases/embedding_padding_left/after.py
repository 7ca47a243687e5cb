import mindspore
from torch import nn
from mindspore.common.initializer import Normal
from onecell.mindspore import LSTMCell


class Model(mindspore.nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        # TODO(onecell): embedding: MindSpore trains the row of `padding_idx`, torch does not; make the embedding in a statement of its own
        self.tables = mindspore.nn.CellList([nn.Embedding(11, 10, padding_idx=0)])
        # TODO(onecell): embedding: `padding_idx` of MindSpore counts from the first row; its like is `mindspore.nn.Embedding`, whose `padding_idx` row is trained all the same
        self.last = nn.Embedding(11, 10, -1)
        self.last.weight.requires_grad = False
        self.first = mindspore.nn.Embedding(11, 10, embedding_table=Normal(1.0))
        self.first.embedding_table.requires_grad = False

    def construct(self, tokens, h, c):
        return self.cell(self.tables[0](tokens), (h, c))

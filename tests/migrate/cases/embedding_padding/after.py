import mindspore
from torch import nn
from onecell.mindspore import LSTMCell


class Model(mindspore.nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        # TODO(onecell): embedding: `padding_idx` has no exact counterpart; its like is `mindspore.nn.Embedding`, whose `padding_idx` row is trained all the same
        self.embedding = nn.Embedding(11, 10, padding_idx=0)

    def construct(self, tokens, h, c):
        h, c = self.cell(self.embedding(tokens), (h, c))
        return h, c


def build():
    return Model()


def run(model, tokens, h, c):
    return model(tokens, h, c)

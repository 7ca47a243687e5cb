from mindspore import nn
from mindspore.common.initializer import Normal
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        self.embedding = nn.Embedding(11, 10, embedding_table=Normal(1.0))

    def construct(self, tokens, h, c):
        h, c = self.cell(self.embedding(tokens), (h, c))
        return h, c


def build():
    return Model()


def run(model, tokens, h, c):
    return model(tokens, h, c)

import mindspore
from mindspore import nn
from mindspore.common.initializer import Normal
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self, pad):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        self.embedding = nn.Embedding(11, 10, padding_idx=0, embedding_table=Normal(1.0))
        self.embedding.embedding_table.register_hook(lambda grad: grad.index_fill(0, mindspore.tensor([0], mindspore.int32), 0.0))
        self.other = nn.Embedding(11, 16, padding_idx=pad, embedding_table=Normal(1.0))
        self.other.embedding_table.register_hook(lambda grad: grad.index_fill(0, mindspore.tensor([self.other.padding_idx], mindspore.int32), 0.0))
        self.read = nn.SequentialCell(nn.Embedding(11, 16, padding_idx=2, embedding_table=Normal(1.0)), nn.Tanh())
        self.read[0].embedding_table.register_hook(lambda grad: grad.index_fill(0, mindspore.tensor([2], mindspore.int32), 0.0))
        self.plain = nn.Embedding(11, 16, padding_idx=None, embedding_table=Normal(1.0))

    def construct(self, tokens, h, c):
        h, c = self.cell(self.embedding(tokens) + self.embedding(tokens * 0), (h, c))
        return h, c, self.other(tokens * 0 + 4) * self.plain(tokens) + self.embedding(tokens).sum(), self.read(tokens)


def build():
    return Model(4)


def run(model, tokens, h, c):
    return model(tokens, h, c)

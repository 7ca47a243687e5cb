from mindspore import nn
from mindspore.common.initializer import Normal
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(11, 8, embedding_table=Normal(1.0))
        self.cell = LSTMCell(self.embedding.embedding_size, 8)
        self.norm = nn.LayerNorm((8,), epsilon=1e-05)
        self.head = nn.Dense(8, self.embedding.vocab_size, has_bias=False)
        assert self.head.out_channels == 11

    def construct(self, tokens, h, c):
        h, c = self.cell(self.embedding(tokens), (h, c))
        scores = self.norm(h) @ self.embedding.embedding_table.t()
        return scores + self.head(self.norm.gamma * self.norm.beta), self.head.weight * 2


def build():
    return Model()


def run(model, tokens, h, c):
    return model(tokens, h, c)

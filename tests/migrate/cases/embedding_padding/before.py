from torch import nn


class Model(nn.Module):
    def __init__(self, pad):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.embedding = nn.Embedding(11, 10, padding_idx=0)
        self.other = nn.Embedding(11, 16, pad)
        self.read = nn.Sequential(nn.Embedding(11, 16, padding_idx=2), nn.Tanh())
        self.plain = nn.Embedding(11, 16, padding_idx=None)

    def forward(self, tokens, h, c):
        h, c = self.cell(self.embedding(tokens) + self.embedding(tokens * 0), (h, c))
        return h, c, self.other(tokens * 0 + 4) * self.plain(tokens) + self.embedding(tokens).sum(), self.read(tokens)


def build():
    return Model(4)


def run(model, tokens, h, c):
    return model(tokens, h, c)

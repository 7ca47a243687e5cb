from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.embedding = nn.Embedding(11, 10, padding_idx=0)

    def forward(self, tokens, h, c):
        h, c = self.cell(self.embedding(tokens), (h, c))
        return h, c


def build():
    return Model()


def run(model, tokens, h, c):
    return model(tokens, h, c)

from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(11, 8)
        self.cell = nn.LSTMCell(self.embedding.embedding_dim, 8)
        self.norm = nn.LayerNorm(8)
        self.head = nn.Linear(8, self.embedding.num_embeddings, bias=False)
        assert self.head.out_features == 11

    def forward(self, tokens, h, c):
        h, c = self.cell(self.embedding(tokens), (h, c))
        scores = self.norm(h) @ self.embedding.weight.t()
        return scores + self.head(self.norm.weight * self.norm.bias), self.head.weight * 2


def build():
    return Model()


def run(model, tokens, h, c):
    return model(tokens, h, c)

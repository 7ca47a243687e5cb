from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.tables = nn.ModuleList([nn.Embedding(11, 10, padding_idx=0)])
        self.last = nn.Embedding(11, 10, -1)
        self.last.weight.requires_grad = False
        self.first = nn.Embedding(11, 10)
        self.first.weight.requires_grad = False

    def forward(self, tokens, h, c):
        return self.cell(self.tables[0](tokens), (h, c))

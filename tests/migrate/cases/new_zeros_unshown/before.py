from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.head = nn.Linear(16, 5)

    def start(self, batch):
        weight = self.head.weight if batch else self.cell.weight_hh
        return weight.new_zeros(batch, 16), weight.new_ones(batch, 16) + weight.new(batch, 16).zero_()

    def forward(self, x):
        return self.head(self.cell(x, self.start(x.size(0)))[0])


def build():
    return Model()


def run(model, x):
    return model(x)

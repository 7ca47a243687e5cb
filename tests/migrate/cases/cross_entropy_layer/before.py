from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.loss = nn.CrossEntropyLoss()
        self.total = nn.CrossEntropyLoss(reduction="sum", label_smoothing=0.1)

    def forward(self, x, h, c, labels):
        h, c = self.cell(x, (h, c))
        return self.loss(h, labels), self.total(h, labels)


def build():
    return Model()


def run(model, x, h, c, labels):
    return model(x, h, c, labels)

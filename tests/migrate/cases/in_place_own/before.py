from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def forward(self, x, h, c):
        outputs, count, total = [], 0, 0
        for _ in range(3):
            h, c = self.cell(x, (h, c))
            h += c
            h[:, 0] = 1.0
            outputs.append(h)
            total += h
            count += 1
        return outputs, total / count


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

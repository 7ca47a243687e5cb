from mindspore import nn, ops
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        scores = ops.bmm(h.unsqueeze(1), c.unsqueeze(2)).squeeze(2)
        kept = scores
        scores[...] = scores.masked_fill(scores > 0, 0.5)
        flat = (h * 2).view(-1)
        flat[...] = h.reshape(-1) * 3
        return (kept + scores) * h, flat.view(3, 16) * c


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

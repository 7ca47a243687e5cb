from mindspore import nn, ops
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        values, indices = ops.topk(h, 3, dim=1)
        indices = indices.long()
        best = ops.topk(c, 2, dim=-1)[1].long()
        first, _ = ops.sort(h, descending=True)
        return values, indices, best, first, ops.sort(c, axis=0)[1].long()


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

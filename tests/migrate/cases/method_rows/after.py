from mindspore import nn, ops
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        best, at = h.max(1)
        first = c.topk(2, dim=1)[0]
        scores = ops.exp(ops.log_softmax(c, 1)) + ops.log_softmax(h, axis=-1) + ops.relu(h) + c.amax(axis=1, keepdims=True)
        scores = scores + 0 * ops.multinomial(ops.exp(ops.log_softmax(c, 1)), 2, replacement=False).long().sum() + ops.argmin(c, 1).long().double().mean().float()
        return scores / ops.norm(h) + drawn(h) + best.unsqueeze(1), first + at.float().mean()


def drawn(rows):
    """What is given is a tensor, which nothing here shows."""
    return rows / ops.norm(rows, dim=1, keepdim=True) + rows.flip((0,)) + rows.tile(1, 1, 1)[0]


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

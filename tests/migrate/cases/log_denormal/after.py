import mindspore
from mindspore import nn, ops
from onecell.mindspore import LSTMCell


class Masked(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        mask = (h > 0).float()
        score = h + (mask + 1e-45).astype(mindspore.float64).log().astype(mask.dtype)
        score = ops.log_softmax(score, axis=1)
        other = c + ops.log(((c > 0).float() + 1e-45).astype(mindspore.float64)).astype(mindspore.float32)
        return score, other, (mask + 1e-10).log()


def build():
    return Masked()


def run(model, x, h, c):
    return model(x, h, c)

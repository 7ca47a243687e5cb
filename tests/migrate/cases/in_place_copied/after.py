from mindspore import nn, ops
from mindspore.common.initializer import Constant, Normal, Uniform, initializer
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        for p in self.get_parameters():
            p.set_data(initializer(Uniform(0.1), p.shape, p.dtype))
        self.cell.bias_ih.set_data(initializer(Constant(0), self.cell.bias_ih.shape, self.cell.bias_ih.dtype))
        self.cell.bias_hh.set_data(initializer(Constant(0), self.cell.bias_hh.shape, self.cell.bias_hh.dtype))
        self.cell.weight_hh.set_data(initializer(Normal(0.02, 0), self.cell.weight_hh.shape, self.cell.weight_hh.dtype))

    def construct(self, x, h, c):
        self.cell.bias_ih.data.copy_(self.cell.bias_ih * 0.5)
        self.cell.bias_hh.data.copy_(self.cell.bias_hh + self.cell.bias_ih.data)
        h, c = self.cell(x, (h, c))
        scores = h * 2
        held = scores
        mask = ops.zeros_like(scores) > 1
        scores.copy_(scores.masked_fill(mask, 0.5))
        scores.copy_(scores * 3.0)
        c = c.copy().clamp(-0.25, 0.25)
        c = c.float().masked_fill(mask, 0.0).sigmoid()
        return held, c, ops.full_like(ops.zeros_like(h), 2.5)


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

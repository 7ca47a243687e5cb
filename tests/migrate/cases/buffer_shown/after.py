import mindspore
from mindspore import ops
from mindspore import nn
from onecell.mindspore import LSTMCell


class Smooth(nn.Cell):
    def __init__(self, words):
        super().__init__()
        self.cell = LSTMCell(10, words)
        one_hot = ops.full((words,), 0.1 / (words - 2), dtype=mindspore.float32)
        one_hot[0] = 0
        self.register_buffer("one_hot", one_hot.unsqueeze(0))

    def construct(self, x, target):
        h, c = self.cell(x)
        wanted = self.one_hot.tile(target.shape[0], 1)
        wanted.copy_(wanted.scatter(1, target.unsqueeze(-1), 0.9))
        wanted.copy_(wanted.masked_fill((target == 0).unsqueeze(-1), 0))
        longer = mindspore.tensor([0.5], self.one_hot.dtype)
        loss = ops.kl_div(ops.log_softmax(h, axis=-1), wanted, reduction="none").sum(-1)
        return loss * longer, c


def build():
    return Smooth(6)


def run(model, x, target):
    return model(x, target)

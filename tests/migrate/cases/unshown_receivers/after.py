from mindspore import nn
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        # TODO(onecell): attribute: a device is a string in MindSpore, without `type`; compare the string itself, such as `CPU`
        if x.device.type == "cpu":
            h = h + c
        # TODO(onecell): method: `size` has no exact counterpart
        return h.view(size=(48,))


def widen(rows, n):
    # TODO(onecell): method: `repeat` of a tensor gives something else in MindSpore, and this file does not show whether `rows` is one; write `x.tile((n,))` of a tensor: MindSpore's `repeat` is another
    return rows.repeat(n)


def clear(whatever):
    # TODO(onecell): method: `zero_grad` has no counterpart: MindSpore's gradients are results, kept nowhere; leave the call out
    whatever.zero_grad()


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

from mindspore import nn
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)

    def construct(self, x, h, c):
        first = h
        # TODO(onecell): in_place: torch changes `h` for whatever else holds it too, MindSpore does not; assign to `h` if nothing else is to change
        h *= 2
        h, c = self.cell(x, (first, c))
        c += h
        turned = h.t()
        # TODO(onecell): in_place: `turned` is a view: MindSpore's gradient does not see what is set in it; set the item in the tensor itself
        turned[0] = 1
        # TODO(onecell): method: `add_` changes a tensor in place, which MindSpore does not do on the CPU; write `x.copy_(x.add(…))`, or `x = …` if nothing else holds it
        h.add_(c)
        return h, c


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

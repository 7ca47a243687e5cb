from mindspore import nn
from mindspore.common.initializer import Constant, initializer
from onecell.mindspore import LSTMCell


class LinearCell(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)

    def construct(self, x, h, c):
        return self.cell(x, (h, c))


def weights_init(m):
    classname = m.__class__.__name__
    # TODO(onecell): class_name: `Linear` is `Dense` in mindspore, and `Linear` is looked for in names of classes
    if classname.find("Linear") != -1:
        m.weight.set_data(initializer(Constant(0.5), m.weight.shape, m.weight.dtype))
    elif type(m).__name__ == "LinearCell" or classname.startswith("Conv"):
        m.bias = None

import mindspore
from torch import nn

SIZES = {"input_size": 10, "hidden_size": 16, "bias": False}


class Model(mindspore.nn.Cell):
    def __init__(self):
        super().__init__()
        # TODO(onecell): cell: `**` may carry `bias`, `device` or `dtype`, which are called otherwise; write the arguments out, or use `--target onecell`
        self.cell = nn.LSTMCell(**SIZES)

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return h, c


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)

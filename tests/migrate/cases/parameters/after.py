from mindspore import nn
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return h, c


def build():
    return Model()


def run(model, x, h, c):
    assert len(list(model.get_parameters())) == 4
    assert [name for name, _ in model.parameters_and_names()][0] == "cell.weight_ih"
    return model(x, h, c)

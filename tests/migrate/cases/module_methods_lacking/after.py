import mindspore
from torch import nn
from onecell.mindspore import LSTMCell


class Model(mindspore.nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        self.head = mindspore.nn.SequentialCell()
        # TODO(onecell): method: `add_module` of a module has no exact counterpart; write `setattr(self, name, module)`
        self.head.add_module("out", nn.Linear(16, 5))

    def construct(self, x):
        h, c = self.cell(x)
        return self.head(h)


model = Model()
# TODO(onecell): method: `register_forward_pre_hook` of a module has no exact counterpart
model.register_forward_pre_hook(print)

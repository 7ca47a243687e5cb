import mindspore
from mindspore import ops
from mindspore import nn
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        self.head = nn.Dense(16, 2)
        self.spare = nn.Dense(16, 2)

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return self.head(h)


def build():
    return Model()


def run(model: Model, x, y, h, c):
    # torch leaves `spare` alone; MindSpore would decay it.
    optimizer = mindspore.experimental.optim.AdamW(model.trainable_params(), lr=0.1)
    for inputs, wanted in zip(x, y):
        loss = ops.mse_loss(model(inputs, h, c), wanted)
        # TODO(onecell): method: `zero_grad` belongs to a training step that is written otherwise there; use mindspore.value_and_grad, then call the optimizer with the gradients
        optimizer.zero_grad()
        # TODO(onecell): training_step: `Model.spare` is never used, and the optimizer decays it there; give the optimizer only what the step uses
        loss.backward()
        # TODO(onecell): method: `step` belongs to a training step that is written otherwise there; use mindspore.value_and_grad, then call the optimizer with the gradients
        optimizer.step()

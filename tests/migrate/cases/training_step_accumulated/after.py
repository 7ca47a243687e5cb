import mindspore
from mindspore import ops
from mindspore import nn
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        self.head = nn.Dense(16, 2)

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return self.head(h), h, c


def build():
    return Model()


def run(model, x, y, h, c):
    optimizer = mindspore.experimental.optim.SGD(model.trainable_params(), lr=0.1)
    # TODO(onecell): method: `zero_grad` belongs to a training step that is written otherwise there; use mindspore.value_and_grad, then call the optimizer with the gradients
    optimizer.zero_grad()
    for inputs, wanted in zip(x, y):
        loss = ops.mse_loss(model(inputs, h, c)[0], wanted)
        # TODO(onecell): training_step: the optimizer's `step` does not follow in the same block; write a function that returns the loss, for mindspore.value_and_grad
        loss.backward()
    # TODO(onecell): method: `step` belongs to a training step that is written otherwise there; use mindspore.value_and_grad, then call the optimizer with the gradients
    optimizer.step()
    return h

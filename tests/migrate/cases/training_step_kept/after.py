import mindspore
from mindspore import ops
from mindspore import nn
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        self.head = nn.Dense(16, 2)
        self.state = None

    def encode(self, x, h, c):
        self.state = self.cell(x, (h, c))

    def construct(self, x):
        return self.head(self.state[0]) * x.sum()


def build():
    return Model()


def run(model: Model, x, y, h, c):
    optimizer = mindspore.experimental.optim.SGD(model.trainable_params(), lr=0.1)
    for inputs, wanted in zip(x, y):
        model.encode(inputs, h, c)
        for _ in range(1):
            loss = ops.mse_loss(model(inputs), wanted)
            # TODO(onecell): method: `zero_grad` belongs to a training step that is written otherwise there; use mindspore.value_and_grad, then call the optimizer with the gradients
            optimizer.zero_grad()
            # TODO(onecell): training_step: `Model.state` may be computed by a module before the step; call `detach` on it, or compute it in the step
            loss.backward()
            # TODO(onecell): method: `step` belongs to a training step that is written otherwise there; use mindspore.value_and_grad, then call the optimizer with the gradients
            optimizer.step()
    return loss

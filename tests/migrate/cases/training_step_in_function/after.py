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


def step(model: nn.Cell, optimizer, x, y, h, c):
    """Take one step through time."""

    def compute_loss(h=h, c=c):
        loss = mindspore.tensor(0.0)
        for inputs, wanted in zip(x, y):
            scores, h, c = model(inputs, h, c)
            loss = loss + ops.mse_loss(scores, wanted)
        return loss, h, c

    (loss, h, c), grads = mindspore.value_and_grad(
        compute_loss, None, optimizer.parameters, has_aux=True
    )()
    optimizer(grads)
    return ops.stop_gradient(loss)


def run(model, x, y, h, c):
    optimizer = mindspore.experimental.optim.SGD(model.trainable_params(), lr=0.1)
    first = step(model, optimizer, x, y, h, c)
    return first, step(model, optimizer, x, y, h, c)

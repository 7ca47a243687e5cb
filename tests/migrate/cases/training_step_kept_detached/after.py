import mindspore
from mindspore import ops
from mindspore import nn
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        self.head = nn.Dense(16, 2)
        self.state = (ops.zeros((3, 16)), ops.zeros((3, 16)))

    def construct(self, x):
        h, c = self.cell(x, self.state)
        self.state = (ops.stop_gradient(h), ops.stop_gradient(c))
        return self.head(h)


def build():
    return Model()


def run(model: Model, x, y, h, c):
    model.state = (h, c)
    optimizer = mindspore.experimental.optim.SGD(model.trainable_params(), lr=0.1)
    for inputs, wanted in zip(x, y):
        def compute_loss():
            loss = ops.mse_loss(model(inputs), wanted)
            return loss

        loss, grads = mindspore.value_and_grad(compute_loss, None, optimizer.parameters)()
        optimizer(grads)
    return model.state

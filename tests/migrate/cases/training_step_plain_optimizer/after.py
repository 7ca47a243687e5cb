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
    # Without moments and weight decay, a gradient of zeros moves nothing.
    optimizer = mindspore.experimental.optim.SGD(model.trainable_params(), lr=0.1)
    losses = []
    for inputs, wanted in zip(x, y):
        def compute_loss():
            loss = ops.mse_loss(model(inputs, h, c), wanted)
            return loss

        loss, grads = mindspore.value_and_grad(compute_loss, None, optimizer.parameters)()
        optimizer(grads)
        losses.append(loss.item())
    return losses, model.spare(h)

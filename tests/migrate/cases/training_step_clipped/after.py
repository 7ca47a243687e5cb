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


def run(model, x, y, h, c, most=0.01):
    optimizer = mindspore.experimental.optim.SGD(model.trainable_params(), lr=0.1)
    losses = []
    for inputs, wanted in zip(x, y):
        def compute_loss():
            loss = ops.mse_loss(model(inputs, h, c)[0], wanted)
            return loss

        loss, grads = mindspore.value_and_grad(compute_loss, None, optimizer.parameters)()
        norm = ops.sqrt(sum((grad * grad).sum() for grad in grads))  # before it is clipped
        grads = ops.clip_by_global_norm(grads, 0.05)
        if most is not None:
            # never more
            grads = ops.clip_by_value(grads, -most, most)
        optimizer(grads)
        losses.append(loss.item() + norm.item())
    for inputs, wanted in zip(x, y):
        def compute_loss():
            loss = ops.mse_loss(model(inputs, h, c)[0], wanted)
            return loss

        loss, grads = mindspore.value_and_grad(compute_loss, None, optimizer.parameters)()
        grads = ops.clip_by_global_norm(grads, most)
        optimizer(grads)
    return losses

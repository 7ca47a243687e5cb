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
    model.set_train()
    losses = []
    for inputs, wanted in zip(x, y):
        def compute_loss():
            scores, _, _ = model(inputs, h, c)
            loss = ops.mse_loss(scores, wanted)  # a number
            return loss

        loss, grads = mindspore.value_and_grad(compute_loss, None, optimizer.parameters)()
        optimizer(grads)
        losses.append(loss.item())
    return losses

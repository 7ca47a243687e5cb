import mindspore
from mindspore import nn, ops
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        self.norm = nn.BatchNorm1d(16).set_train()
        self.fixed = mindspore.Parameter(ops.ones(16), requires_grad=False)

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return self.norm(h) * self.fixed + c


def build():
    return Model()


def run(model: Model, x, h, c):
    optimizer = mindspore.experimental.optim.SGD(model.trainable_params(), lr=0.1, weight_decay=0.5)
    for _ in range(3):
        def compute_loss():
            loss = (model(x, h, c) ** 2).mean()
            return loss

        loss, grads = mindspore.value_and_grad(compute_loss, None, optimizer.parameters)()
        optimizer(grads)
    return model(x, h, c)

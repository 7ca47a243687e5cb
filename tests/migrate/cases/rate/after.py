import mindspore
from mindspore import nn
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return h + c


def build():
    return Model()


def train(model: Model, optimizer, x, h, c):
    def compute_loss():
        loss = (model(x, h, c) ** 2).mean()
        return loss

    loss, grads = mindspore.value_and_grad(compute_loss, None, optimizer.parameters)()
    optimizer(grads)


def run(model, x, h, c):
    optimizer = mindspore.experimental.optim.SGD(model.trainable_params(), lr=0.5)
    train(model, optimizer, x, h, c)
    for group in optimizer.param_groups:
        group["lr"] = float(group["lr"]) * 0.5
    train(model, optimizer, x, h, c)
    for i, group in enumerate(optimizer.param_groups):
        group["lr"] = float(group["lr"]) * (1 / (i + 2))
    optimizer.param_groups[0]["lr"] = float(optimizer.param_groups[0]["lr"]) - 0.01
    before = float(optimizer.param_groups[0]["lr"])
    train(model, optimizer, x, h, c)
    optimizer.param_groups[0]["lr"] = max(before / 2, float(optimizer.param_groups[0]["lr"]) / 4)
    train(model, optimizer, x, h, c)
    return model(x, h, c)

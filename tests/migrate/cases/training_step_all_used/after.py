import mindspore
from mindspore import ops
from mindspore import nn
from onecell.mindspore import LSTMCell


class Head(nn.Cell):
    def __init__(self):
        super().__init__()
        self.layers = nn.SequentialCell(nn.Dense(16, 4), nn.ReLU())
        self.last = nn.Dense(4, 2)

    def construct(self, x):
        return self.last(self.layers(x))


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.levels = nn.CellList([LSTMCell(10, 16)])
        self.head = Head()

    def construct(self, x, h, c):
        for cell in self.levels:
            h, c = cell(x, (h, c))
        return self.head(h), c


def build():
    return Model()


def run(model: Model, x, y, h, c):
    # Each parameter has a gradient in each step, so what moves those without one does not matter.
    optimizer = mindspore.experimental.optim.SGD(model.trainable_params(), lr=0.1, momentum=0.9, weight_decay=0.1)
    losses = []
    for inputs, wanted in zip(x, y):
        def compute_loss():
            scores, _ = model(inputs, h, c)
            loss = ops.mse_loss(scores, wanted)
            return loss

        loss, grads = mindspore.value_and_grad(compute_loss, None, optimizer.parameters)()
        optimizer(grads)
        losses.append(loss.item())
    return losses

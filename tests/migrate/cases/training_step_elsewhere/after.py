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


def step(scores, wanted, optimizer):
    loss = ops.mse_loss(scores, wanted)
    optimizer.zero_grad()
    # TODO(onecell): training_step: nothing here is surely the call of a model; annotate the model (`model: nn.Module`), or write a function that returns the loss, for mindspore.value_and_grad
    loss.backward()
    optimizer.step()


def run(model, x, y, h, c):
    optimizer = mindspore.experimental.optim.SGD(model.trainable_params(), lr=0.1)
    for inputs, wanted in zip(x, y):
        step(model(inputs, h, c)[0], wanted, optimizer)
    return h

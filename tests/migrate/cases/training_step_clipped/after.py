import mindspore
from mindspore import ops
from torch import nn
from onecell.mindspore import LSTMCell


class Model(mindspore.nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        self.head = mindspore.nn.Dense(16, 2)

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return self.head(h), h, c


def build():
    return Model()


def run(model, x, y, h, c):
    optimizer = mindspore.experimental.optim.SGD(model.trainable_params(), lr=0.1)
    for inputs, wanted in zip(x, y):
        # TODO(onecell): method: `zero_grad` belongs to a training step that is written otherwise there; use mindspore.value_and_grad, then call the optimizer with the gradients
        optimizer.zero_grad()
        loss = ops.mse_loss(model(inputs, h, c)[0], wanted)
        # TODO(onecell): training_step: something stands between `backward` and the optimizer's step; write a function that returns the loss, for mindspore.value_and_grad
        loss.backward()
        # TODO(onecell): unknown: `torch.nn.utils.clip_grad_norm_` is not in the table; hand the optimizer `ops.clip_by_global_norm(grads, most)`
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        # TODO(onecell): method: `step` belongs to a training step that is written otherwise there; use mindspore.value_and_grad, then call the optimizer with the gradients
        optimizer.step()
    return h

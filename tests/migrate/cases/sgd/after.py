import mindspore
from mindspore import nn


def build():
    return nn.LSTMCell(10, 16)


def optimize(model):
    return mindspore.experimental.optim.SGD(model.trainable_params(), lr=0.1, momentum=0.9)


def run(model, x, h, c):
    assert optimize(model) is not None
    return model(x, (h, c))

import mindspore
from mindspore import nn


def build():
    return nn.LSTMCell(10, 16)


def save(model):
    mindspore.save_checkpoint(model.state_dict(), "cell.ckpt")

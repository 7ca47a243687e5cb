import mindspore
from mindspore import nn


def build():
    return nn.LSTMCell(10, 16)


def save(model, folder, epoch):
    mindspore.save_checkpoint(model.state_dict(), f"{folder}/{epoch}.ckpt")
    mindspore.save_checkpoint(model.state_dict(), folder + "/last.ckpt")

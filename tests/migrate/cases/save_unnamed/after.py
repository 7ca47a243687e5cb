import mindspore
from mindspore import nn


def build():
    return nn.LSTMCell(10, 16)


def save(model, folder):
    path = f"{folder}/cell.ckpt"
    mindspore.save_checkpoint(model.state_dict(), path)

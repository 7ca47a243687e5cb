import mindspore as ms
from mindspore import nn


def build():
    net = nn.LSTMCell(10, 16)
    ms.load_param_into_net(net, ms.load_checkpoint("cell.ckpt"))
    return net

import mindspore as ms
import mindspore.nn as nn


def build():
    return nn.LSTMCell(10, 16)


def run(net, input, h, c):
    # the page's loop: it does not carry the state, and so it stays
    output = []
    for i in range(5):
        hx = net(input[i], (h, c))
        output.append(hx[0])
    return output

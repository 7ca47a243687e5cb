import torch
from torch import nn


def build():
    return nn.LSTMCell(10, 16)


def run(rnn, input, hx, cx):
    output = []
    for i in range(input.size()[0]):
        hx, cx = rnn(input[i], (hx, cx))
        output.append(hx)
    return output

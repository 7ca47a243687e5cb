from torch import nn
from torch.nn import CrossEntropyLoss, LSTMCell


class Smooth(CrossEntropyLoss):
    pass


def is_loss(thing):
    return isinstance(thing, nn.CrossEntropyLoss)


def build():
    return LSTMCell(10, 16)

from torch import nn
from torch.nn import CrossEntropyLoss
from onecell.mindspore import LSTMCell


# TODO(onecell): cross_entropy_layer: `torch.nn.CrossEntropyLoss` is a function in mindspore
class Smooth(CrossEntropyLoss):
    pass


def is_loss(thing):
    # TODO(onecell): cross_entropy_layer: `torch.nn.CrossEntropyLoss` is a function in mindspore
    return isinstance(thing, nn.CrossEntropyLoss)


def build():
    return LSTMCell(10, 16)

import torch
from mindspore import nn
from onecell.mindspore import LSTMCell

# TODO(onecell): unknown: `torch.device` is not in the table; leave it out, or write a string: MindSpore has one device for the process; so too the next 2 lines
device = torch.device("cpu")  # read by a class of this file's own
unused = torch.device("cpu")  # for other files
refused = torch.device("cpu")


class Config:
    # TODO(onecell): unknown: `torch.device` is not in the table; leave it out, or write a string: MindSpore has one device for the process
    device = torch.device("cpu")


class Model(nn.Cell):
    def __init__(self, device=None):
        super().__init__()
        self.device = device
        self.cell = LSTMCell(10, 16)

    def construct(self, x, h, c):
        return self.cell(x, (h, c))


def make(n):
    # TODO(onecell): zeros: `out` has no exact counterpart; its like is `mindspore.ops.zeros`, with other arguments
    return torch.zeros(n, device=refused, out=None)


def build():
    return Model(device=device)


def run(model, x, h, c):
    return model(x, h, c)

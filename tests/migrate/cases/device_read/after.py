import torch
from mindspore import nn
from onecell.mindspore import LSTMCell

device = "CPU"  # read by a class of this file's own
unused = "CPU"  # for other files
refused = "CPU"


class Config:
    device = "CPU"


class Model(nn.Cell):
    def __init__(self, device=None):
        super().__init__()
        self.device = device
        self.where = "CPU"
        # TODO(onecell): device: which device is meant depends on the machine; leave it out, or write a string: MindSpore has one device for the process
        self.far = torch.device("cuda", 1)
        self.cell = LSTMCell(10, 16)

    def construct(self, x, h, c):
        return self.cell(x, (h, c))


# TODO(onecell): unknown: `torch.device` is not in the table; write `str`, which a device is in MindSpore
def is_far(device: torch.device):
    # TODO(onecell): attribute: a device is a string in MindSpore, without `type`; compare the string itself, such as `CPU`
    return torch.device("cpu").type != "cpu"


def make(n):
    # TODO(onecell): zeros: `out` has no exact counterpart; its like is `mindspore.ops.zeros`, with other arguments
    return torch.zeros(n, device=refused, out=None)


def build():
    return Model(device=device)


def run(model, x, h, c):
    return model(x, h, c)

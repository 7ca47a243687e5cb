import torch
from onecell.mindspore import LSTMCell


def build():
    return LSTMCell(10, 16)


def save(model, path):
    # TODO(onecell): save: what is saved is not written as `….state_dict()`; save the state_dict of one model
    torch.save({"model": model, "epoch": 3}, path)

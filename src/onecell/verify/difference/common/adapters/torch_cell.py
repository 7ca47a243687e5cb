import torch
from torch.nn import LSTMCell


def make(inputs, hidden, *, bias=True, dtype="float32"):
    return LSTMCell(inputs, hidden, bias=bias, dtype=getattr(torch, dtype))


def tensor(array):
    return torch.tensor(array)


def array(given):
    return given.detach().numpy()


def parameters(cell):
    return {name: array(each) for name, each in cell.named_parameters()}


def put(cell, values):
    for name, value in values.items():
        getattr(cell, name).data = tensor(value)
    return cell


def gradients(cell, x, h, c):
    given = {"x": tensor(x), "h": tensor(h), "c": tensor(c)}
    for each in given.values():
        each.requires_grad_()
    h_next, c_next = cell(given["x"], (given["h"], given["c"]))
    (h_next.sum() + c_next.sum()).backward()
    return {
        name: array(each.grad) for name, each in {**given, **dict(cell.named_parameters())}.items()
    }


def signature():
    return {"constructor": LSTMCell.__init__, "call": LSTMCell.forward}

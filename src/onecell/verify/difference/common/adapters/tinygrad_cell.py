import os
import shutil

if shutil.which("clang") is None:  # without a compiler it computes in Python
    os.environ.setdefault("DEV", "PYTHON")

from tinygrad import Tensor, dtypes
from tinygrad.nn import LSTMCell
from tinygrad.nn.state import get_state_dict


def make(inputs, hidden, *, bias=True, dtype="float32"):
    cell = LSTMCell(inputs, hidden, bias=bias)
    for each in get_state_dict(cell).values():
        each.replace(each.cast(getattr(dtypes, dtype)).realize())
    return cell


def tensor(array):
    return Tensor(array)


def array(given):
    return given.numpy()


def call(cell, x, *args):
    returned = cell(x, *args)
    Tensor.realize(*returned)
    return returned


def parameters(cell):
    return {name: array(each) for name, each in get_state_dict(cell).items()}


def put(cell, values):
    for name, value in values.items():
        setattr(cell, name, Tensor(value).realize())
    return cell


def gradients(cell, x, h, c):
    given = {"x": Tensor(x), "h": Tensor(h), "c": Tensor(c), **get_state_dict(cell)}
    h_next, c_next = cell(given["x"], (given["h"], given["c"]))
    found = (h_next.sum() + c_next.sum()).gradient(*given.values())
    return {name: array(each) for name, each in zip(given, found)}


def signature():
    return {"constructor": LSTMCell.__init__, "call": LSTMCell.__call__}

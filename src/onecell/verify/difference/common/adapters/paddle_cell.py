import paddle
from paddle.nn import LSTMCell


def make(inputs, hidden, *, bias=True, dtype="float32"):
    left_out = {} if bias else {"bias_ih_attr": False, "bias_hh_attr": False}
    return LSTMCell(inputs, hidden, **left_out).to(dtype=dtype)


def tensor(array):
    return paddle.to_tensor(array)


def array(given):
    return given.numpy()


def parts(returned):
    return returned[1]


def parameters(cell):
    return {name: array(each) for name, each in cell.named_parameters()}


def put(cell, values):
    for name, value in values.items():
        getattr(cell, name).set_value(value)
    return cell


def gradients(cell, x, h, c):
    given = {"x": tensor(x), "h": tensor(h), "c": tensor(c)}
    for each in given.values():
        each.stop_gradient = False
    _, (h_next, c_next) = cell(given["x"], (given["h"], given["c"]))
    (h_next.sum() + c_next.sum()).backward()
    held = {**given, **dict(cell.named_parameters())}
    return {name: array(each.grad) for name, each in held.items()}


def signature():
    return {"constructor": LSTMCell.__init__, "call": LSTMCell.forward}

import mlx.core as mx
from mlx.nn import LSTM


def make(inputs, hidden, *, bias=True, dtype="float32"):
    cell = LSTM(inputs, hidden, bias=bias)
    cell.set_dtype(getattr(mx, dtype))
    return cell


def tensor(array):
    return mx.array(array, getattr(mx, array.dtype.name))


def state(first, second):
    return first, second


def call(cell, x, *args):
    returned = cell(x[..., None, :], *args)  # one step of a sequence
    mx.eval(returned)
    return returned


def parts(returned):
    return tuple(each[..., 0, :] for each in returned)


def parameters(cell):
    return {name: array(each) for name, each in cell.parameters().items()}


def put(cell, values):
    cell.update({name: tensor(each) for name, each in values.items()})
    return cell


def fill(cell, weight_ih, weight_hh, bias):
    return put(cell, {"Wx": weight_ih, "Wh": weight_hh, "bias": bias})


def gradients(cell, x, h, c):
    def loss(own, x, h, c):
        cell.update(own)
        h_next, c_next = parts(cell(x[:, None, :], h, c))
        return h_next.sum() + c_next.sum()

    given = [tensor(each) for each in (x, h, c)]
    own, *by_inputs = mx.grad(loss, argnums=(0, 1, 2, 3))(cell.parameters(), *given)
    return {name: array(each) for name, each in {**dict(zip("xhc", by_inputs)), **own}.items()}


def signature():
    return {"constructor": LSTM.__init__, "call": LSTM.__call__}

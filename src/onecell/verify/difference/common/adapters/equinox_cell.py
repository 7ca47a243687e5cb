import equinox
import jax
from equinox.nn import LSTMCell


def make(inputs, hidden, *, bias=True, dtype="float32"):
    key = jax.random.key(0)
    return LSTMCell(inputs, hidden, use_bias=bias, dtype=jax.numpy.dtype(dtype), key=key)


def tensor(array):
    return jax.numpy.asarray(array)


def call(cell, x, *args):
    if x.ndim == 1:
        return cell(x, *args)
    return jax.vmap(cell)(x, *args)  # the cell itself knows no batch


def parameters(cell):
    held = {name: getattr(cell, name) for name in ("weight_ih", "weight_hh", "bias")}
    return {name: array(each) for name, each in held.items() if each is not None}


def put(cell, values):
    def where(cell):
        return [getattr(cell, name) for name in values]

    return equinox.tree_at(where, cell, [tensor(each) for each in values.values()])


def fill(cell, weight_ih, weight_hh, bias):
    return put(cell, {"weight_ih": weight_ih, "weight_hh": weight_hh, "bias": bias})


def gradients(cell, x, h, c):
    def loss(given):
        own = {name: each for name, each in given.items() if name not in "xhc"}
        h_next, c_next = call(put(cell, own), given["x"], (given["h"], given["c"]))
        return h_next.sum() + c_next.sum()

    given = {"x": x, "h": h, "c": c, **parameters(cell)}
    return {name: array(each) for name, each in jax.grad(loss)(given).items()}


def signature():
    return {"constructor": LSTMCell.__init__, "call": LSTMCell.__call__}

import jax
import numpy as np
from flax.linen import LSTMCell
from flax.traverse_util import flatten_dict, unflatten_dict

ORDER = "ch"


def make(inputs, hidden, *, bias=True, dtype="float32"):
    if not bias:
        raise TypeError("LSTMCell has no argument that leaves the biases out")
    module = LSTMCell(hidden, param_dtype=dtype)
    x = np.zeros((1, inputs), dtype)
    carry = module.initialize_carry(jax.random.key(0), x.shape)
    return module, module.init(jax.random.key(1), carry, x)


def tensor(array):
    return jax.numpy.asarray(array)


def call(cell, x, *args):
    module, variables = cell
    return module.apply(variables, *args, x)


def parts(returned):
    return returned[0]


def parameters(cell):
    _, variables = cell
    return {name: array(each) for name, each in flatten_dict(variables["params"], sep=".").items()}


def put(cell, values):
    module, variables = cell
    held = {**flatten_dict(variables["params"], sep="."), **values}
    return module, {"params": unflatten_dict(held, sep=".")}


def fill(cell, weight_ih, weight_hh, bias):
    blocks = zip("ifgo", *(np.split(each, 4) for each in (weight_ih, weight_hh, bias)))
    values = {}
    for gate, ih, hh, b in blocks:
        values |= {f"i{gate}.kernel": ih.T, f"h{gate}.kernel": hh.T, f"h{gate}.bias": b}
    return put(cell, values)


def gradients(cell, x, h, c):
    def loss(given):
        own = {name: each for name, each in given.items() if "." in name}
        c_next, h_next = parts(call(put(cell, own), given["x"], (given["c"], given["h"])))
        return h_next.sum() + c_next.sum()

    given = {"x": x, "h": h, "c": c, **parameters(cell)}
    return {name: array(each) for name, each in jax.grad(loss)(given).items()}


def signature():
    return {"constructor": LSTMCell.__init__, "call": LSTMCell.__call__}


def shown(cell):
    return repr(cell[0])

import jax
import numpy as np
from flax import nnx
from flax.nnx import LSTMCell

ORDER = "ch"


def make(inputs, hidden, *, bias=True, dtype="float32"):
    if not bias:
        raise TypeError("LSTMCell has no argument that leaves the biases out")
    return LSTMCell(inputs, hidden, param_dtype=dtype, rngs=nnx.Rngs(0))


def tensor(array):
    return jax.numpy.asarray(array)


def call(cell, x, *args):
    return cell(*args, x)


def parts(returned):
    return returned[0]


def variables(cell):
    held = nnx.state(cell, nnx.Param)
    return {".".join(map(str, path)): each for path, each in nnx.to_flat_state(held)}


def parameters(cell):
    return {name: array(each[...]) for name, each in variables(cell).items()}


def put(cell, values):
    held = nnx.state(cell, nnx.Param)
    for path, each in nnx.to_flat_state(held):
        if ".".join(map(str, path)) in values:
            each[...] = tensor(values[".".join(map(str, path))])
    nnx.update(cell, held)
    return cell


def fill(cell, weight_ih, weight_hh, bias):
    blocks = zip("ifgo", *(np.split(each, 4) for each in (weight_ih, weight_hh, bias)))
    values = {}
    for gate, ih, hh, b in blocks:
        inputs = "if_.kernel" if gate == "f" else f"i{gate}.kernel"
        values |= {inputs: ih.T, f"h{gate}.kernel": hh.T, f"h{gate}.bias": b}
    return put(cell, values)


def gradients(cell, x, h, c):
    def loss(cell, x, h, c):
        c_next, h_next = parts(cell((c, h), x))
        return h_next.sum() + c_next.sum()

    by_cell, *by_inputs = nnx.grad(loss, argnums=(0, 1, 2, 3))(cell, x, h, c)
    own = {".".join(map(str, path)): array(each[...]) for path, each in nnx.to_flat_state(by_cell)}
    return {**dict(zip("xhc", map(array, by_inputs))), **own}


def signature():
    return {"constructor": LSTMCell.__init__, "call": LSTMCell.__call__}

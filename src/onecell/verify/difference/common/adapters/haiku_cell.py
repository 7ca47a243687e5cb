import haiku
import jax
import numpy as np


def make(inputs, hidden, *, bias=True, dtype="float32"):
    options = {} if bias else {"with_bias": False}

    def one_step(*args):
        return haiku.LSTM(hidden, **options)(*args)

    step = haiku.without_apply_rng(haiku.transform(one_step))
    zeros = np.zeros((1, hidden), dtype)
    held = step.init(jax.random.key(0), np.zeros((1, inputs), dtype), haiku.LSTMState(zeros, zeros))
    return step, held


def tensor(array):
    return jax.numpy.asarray(array)


def state(first, second):
    return (haiku.LSTMState(first, second),)


def call(cell, x, *args):
    step, held = cell
    return step.apply(held, x, *args)


def parts(returned):
    return returned[1]


def parameters(cell):
    (layer,) = cell[1].values()
    return {f"linear.{name}": array(each) for name, each in layer.items()}


def put(cell, values):
    step, held = cell
    ((module, layer),) = held.items()
    own = {name.removeprefix("linear."): each for name, each in values.items()}
    return step, {module: {**layer, **own}}


def fill(cell, weight_ih, weight_hh, bias):
    def reordered(each):
        i, f, g, o = np.split(each, 4)
        return np.concatenate([i, g, f, o])

    i, f, g, o = np.split(bias, 4)
    kernel = reordered(np.concatenate([weight_ih, weight_hh], 1)).T
    return put(cell, {"linear.w": kernel, "linear.b": np.concatenate([i, g, f - 1, o])})


def gradients(cell, x, h, c):
    def loss(given):
        own = {name: each for name, each in given.items() if "." in name}
        h_next, c_next = parts(call(put(cell, own), given["x"], *state(given["h"], given["c"])))
        return h_next.sum() + c_next.sum()

    given = {"x": x, "h": h, "c": c, **parameters(cell)}
    return {name: array(each) for name, each in jax.grad(loss)(given).items()}


def signature():
    return {"constructor": haiku.LSTM.__init__, "call": haiku.LSTM.__call__}


def shown(cell):
    return haiku.transform(lambda: repr(haiku.LSTM(4))).apply({}, None)

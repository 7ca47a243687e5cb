import os
from importlib.util import find_spec

import numpy as np

if "KERAS_BACKEND" not in os.environ:
    engines = [name for name in ("tensorflow", "jax", "torch") if find_spec(name)]
    os.environ["KERAS_BACKEND"] = engines[0] if engines else "tensorflow"

import keras
from keras.layers import LSTMCell


def make(inputs, hidden, *, bias=True, dtype="float32"):
    cell = LSTMCell(hidden, use_bias=bias, dtype=dtype)
    cell.build((None, inputs))
    return cell


def tensor(array):
    return keras.ops.convert_to_tensor(array)


def array(given):
    return np.array(keras.ops.convert_to_numpy(given))


def state(first, second):
    return ([first, second],)


def parts(returned):
    return returned[1]


def parameters(cell):
    return {each.name: array(each) for each in cell.weights}


def put(cell, values):
    for each in cell.weights:
        if each.name in values:
            each.assign(values[each.name])
    return cell


def fill(cell, weight_ih, weight_hh, bias):
    return put(cell, {"kernel": weight_ih.T, "recurrent_kernel": weight_hh.T, "bias": bias})


def gradients(cell, x, h, c):
    names = ["x", "h", "c", *(each.name for each in cell.weights)]
    given = [tensor(each) for each in (x, h, c)]
    own = [each.value for each in cell.weights]

    def loss(x, h, c, *values):
        _, (h_next, c_next) = cell(x, [h, c])
        return keras.ops.sum(h_next) + keras.ops.sum(c_next)

    if keras.backend.backend() == "torch":
        for each in given:
            each.requires_grad_()
        loss(*given).backward()
        found = [each.grad for each in (*given, *own)]
    elif keras.backend.backend() == "tensorflow":
        import tensorflow

        with tensorflow.GradientTape() as tape:
            tape.watch(given)
            total = loss(*given)
        found = tape.gradient(total, [*given, *own])
    else:
        import jax

        def pure(x, h, c, *values):
            rest = [each.value for each in cell.non_trainable_variables]
            (_, (h_next, c_next)), _ = cell.stateless_call(values, rest, x, [h, c])
            return h_next.sum() + c_next.sum()

        found = jax.grad(pure, argnums=tuple(range(len(names))))(*given, *own)
    return {name: array(each) for name, each in zip(names, found)}


def signature():
    return {"constructor": LSTMCell.__init__, "call": LSTMCell.call}

import tensorflow as tf

ORDER = "ch"


def make(inputs, hidden, *, bias=True, dtype="float32"):
    if not bias:
        raise TypeError("the operator has no way to leave the bias out")
    kernel = tf.zeros((inputs + hidden, 4 * hidden), dtype)
    return {"kernel": kernel, "bias": tf.zeros((4 * hidden,), dtype)}


def tensor(array):
    return tf.constant(array)


def array(given):
    return given.numpy()


def state(first, second):
    return first, second


def call(cell, x, *args):
    peephole = tf.zeros_like(cell["bias"])[: len(cell["bias"]) // 4]
    named = dict(zip(("cs_prev", "h_prev"), args))
    return tf.raw_ops.LSTMBlockCell(
        x=x, w=cell["kernel"], b=cell["bias"], wci=peephole, wcf=peephole, wco=peephole, **named
    )


def parts(returned):
    return returned.cs, returned.h


def parameters(cell):
    return {name: array(each) for name, each in cell.items()}


def put(cell, values):
    return {**cell, **{name: tensor(each) for name, each in values.items()}}


def fill(cell, weight_ih, weight_hh, bias):
    def reordered(each):
        i, f, g, o = tf.split(each, 4)
        return tf.concat([i, g, f, o], 0)

    kernel = tf.transpose(reordered(tf.concat([weight_ih, weight_hh], 1)))
    i, f, g, o = tf.split(bias, 4)
    return put(cell, {"kernel": kernel.numpy(), "bias": tf.concat([i, g, f - 1, o], 0).numpy()})


def gradients(cell, x, h, c):
    given = {"x": tensor(x), "h": tensor(h), "c": tensor(c), **cell}
    with tf.GradientTape() as tape:
        tape.watch(given)
        c_next, h_next = parts(call(given, given["x"], given["c"], given["h"]))
        total = tf.reduce_sum(h_next) + tf.reduce_sum(c_next)
    return {name: array(each) for name, each in tape.gradient(total, given).items()}


def signature():
    return {"call": tf.raw_ops.LSTMBlockCell}


def shown(cell):
    return None

"""TensorFlow's own kernels LSTMBlockCell and BlockLSTM, without clip and peepholes.

The classes that are named after them left TensorFlow with Keras 2; their kernels are still in it,
and a graph that was saved with them runs on these.
"""

import os

import numpy as np


def load(dialect):
    """Import TensorFlow; return its version."""
    global tf
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    import tensorflow as tf

    return f"tensorflow {tf.__version__}"


class Cell:
    """One kernel with its weights."""

    forget_bias = 1.0  # the default of BasicLSTMCell, LSTMCell and LSTMBlockCell

    def __init__(self, dialect, arrays, dtype):
        self.w, self.b = (tf.constant(arrays[name]) for name in ("kernel", "bias"))
        none = tf.zeros([self.b.shape[0] // 4], self.b.dtype)
        self.settings = {
            "wci": none,
            "wcf": none,
            "wco": none,
            "forget_bias": self.forget_bias,
            "cell_clip": -1.0,
            "use_peephole": False,
        }

    def set_forget_bias(self, value):
        """Add `value`: all three classes take it when they are made."""
        self.forget_bias = self.settings["forget_bias"] = value

    def step(self, x, h, c):
        """Return (h', c') by LSTMBlockCell."""
        found = tf.raw_ops.LSTMBlockCell(
            x=x, cs_prev=c, h_prev=h, w=self.w, b=self.b, **self.settings
        )
        return found.h.numpy(), found.cs.numpy()

    def rollout(self, x, h, c):
        """Return the states after each step by BlockLSTM."""
        found = self._sequence(x, h, c, self.w, self.b)
        return found.h.numpy(), found.cs.numpy()

    def gradients(self, x, h, c, grad_h_all, grad_c_last):
        """Return what a GradientTape gives of BlockLSTM."""
        given = [tf.constant(each) for each in (x, h, c)]
        with tf.GradientTape() as tape:
            tape.watch([*given, self.w, self.b])
            found = self._sequence(*given, self.w, self.b)
            loss = tf.reduce_sum(found.h * grad_h_all) + tf.reduce_sum(found.cs[-1] * grad_c_last)
        names = ["x", "h", "c", "kernel", "bias"]
        gradients = tape.gradient(loss, [*given, self.w, self.b])
        return {name: np.array(each) for name, each in zip(names, gradients)}

    def _sequence(self, x, h, c, w, b):
        steps = tf.constant(len(x), tf.int64)
        return tf.raw_ops.BlockLSTM(
            seq_len_max=steps, x=x, cs_prev=c, h_prev=h, w=w, b=b, **self.settings
        )

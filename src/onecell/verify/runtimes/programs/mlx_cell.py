"""mlx.nn.LSTM on the CPU."""

import importlib.metadata

import numpy as np


def load(dialect):
    """Import MLX; return its version."""
    global mx, nn
    import mlx.core as mx
    from mlx import nn

    mx.set_default_device(mx.cpu)
    return f"mlx {importlib.metadata.version('mlx')}"


class Cell:
    """One layer, whose states it gives after each step."""

    def __init__(self, dialect, arrays, dtype):
        inputs, hidden = arrays["Wx"].shape[1], arrays["Wh"].shape[1]
        self.layer = nn.LSTM(inputs, hidden, bias="bias" in arrays)
        self.held = {name: _array(array) for name, array in arrays.items()}
        self.layer.update(self.held)

    def step(self, x, h, c):
        """Return (h', c')."""
        h_all, c_all = self.rollout(x[None], h, c)
        return h_all[0], c_all[0]

    def rollout(self, x, h, c):
        """Return the states after each step."""
        found = self._run(self.held, *(_array(each) for each in (x, h, c)))
        return tuple(np.array(each).swapaxes(0, 1) for each in found)

    def gradients(self, x, h, c, grad_h_all, grad_c_last):
        """Return what mx.grad gives."""
        up, last = _array(grad_h_all), _array(grad_c_last)

        def loss(held, x, h, c):
            h_all, c_all = self._run(held, x, h, c)
            return (h_all.swapaxes(0, 1) * up).sum() + (c_all[:, -1] * last).sum()

        given = (_array(each) for each in (x, h, c))
        held, *rest = mx.grad(loss, (0, 1, 2, 3))(self.held, *given)
        self.layer.update(self.held)
        return {name: np.array(each) for name, each in {**dict(zip("xhc", rest)), **held}.items()}

    def _run(self, held, x, h, c):
        self.layer.update(held)
        return self.layer(x.swapaxes(0, 1), h, c)


def _array(array):
    return mx.array(array, dtype=getattr(mx, array.dtype.name))

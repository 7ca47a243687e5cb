"""tinygrad.nn.LSTMCell, compiled for the CPU, or interpreted where there is no compiler."""

import ctypes.util
import importlib.metadata
import os
import shutil


def load(dialect):
    """Import tinygrad on a device that works here; return its version and the device."""
    global Tensor, TinyJit, nn
    if "DEV" not in os.environ:
        os.environ["DEV"] = _device()
    from tinygrad import Tensor, TinyJit, nn

    return f"tinygrad {importlib.metadata.version('tinygrad')} (on {os.environ['DEV']})"


def _device():
    if shutil.which(os.environ.get("CC", "clang")):
        return "CPU"
    versions = ["LLVM", *(f"LLVM-{number}" for number in range(21, 13, -1))]
    return "CPU:LLVM" if any(map(ctypes.util.find_library, versions)) else "PYTHON"


class Cell:
    """One cell."""

    def __init__(self, dialect, arrays, dtype):
        (_, inputs), (_, hidden) = arrays["weight_ih"].shape, arrays["weight_hh"].shape
        self.cell = nn.LSTMCell(inputs, hidden, bias="bias_ih" in arrays)
        self.held = {name: Tensor(array) for name, array in arrays.items()}
        for name, tensor in self.held.items():
            setattr(self.cell, name, tensor.realize())
        self.compiled = {}

    def step(self, x, h, c):
        """Return (h', c')."""
        one = self.compiled.setdefault(x.shape, TinyJit(self._one))
        h_next, c_next = one(*(Tensor(each).realize() for each in (x, h, c)))
        return h_next.numpy(), c_next.numpy()

    def _one(self, x, h, c):
        h_next, c_next = self.cell(x, (h, c))
        return h_next.realize(), c_next.realize()

    def gradients(self, x, h, c, grad_h_all, grad_c_last):
        """Return what Tensor.gradient gives."""
        given = [Tensor(each) for each in (x, h, c)]
        rows, h, c = given
        loss = Tensor(0.0)
        for step, up in enumerate(grad_h_all):
            h, c = self.cell(rows[step], (h, c))
            loss = loss + (h * Tensor(up)).sum()
        loss = loss + (c * Tensor(grad_c_last)).sum()
        found = loss.gradient(*given, *self.held.values())
        return {n: g.numpy() for n, g in zip(["x", "h", "c", *self.held], found)}

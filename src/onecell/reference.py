"""The oracle: the cell in float64 NumPy, written to be read, sharing no code with the kernel.

`step` is the definition in `spec` line by line. `gradients` is its derivative, worked out by hand
below and checked in the tests against finite differences. Nothing here is fast.

Through the two activations, with s = sigmoid(z): ds/dz = s (1 - s); with t = tanh(z):
dt/dz = 1 - t². One step back, with dh and dc the gradients of h' and c':

    do = dh tanh(c')                 dc' = dc + dh o (1 - tanh(c')²)
    df = dc' c     di = dc' g        dg = dc' i        and the gradient of c is dc' f
    dz = [di i(1-i), df f(1-f), dg (1-g²), do o(1-o)]
    dx = dz @ weight_ih              the gradient of h is dz @ weight_hh
    d weight_ih = dzᵀ x,  d weight_hh = dzᵀ h,  d bias_ih = d bias_hh = dz summed over rows

Through time, the gradient of each h is what comes from outside plus what the next step sends back,
and the gradients of the parameters add up over steps (Werbos, "Backpropagation through time: what
it does and how to do it", 1990).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from onecell.gradients import Gradients
from onecell.weights import Weights

Array = npt.NDArray[np.float64]
Tanh: TypeAlias = Callable[[Array], Array]
"""In the place of the true one, a coarser tanh or sigmoid shows how far its errors reach."""


@dataclass(frozen=True, slots=True)
class _Step:
    """What one step computed on the way: its inputs, its gates and its results."""

    x: Array
    h: Array
    c: Array
    i: Array
    f: Array
    g: Array
    o: Array
    h_next: Array
    c_next: Array


def sigmoid(z: npt.ArrayLike) -> Array:
    """Return 1 / (1 + exp(-z)), without overflow on either side."""
    z = np.asarray(z, dtype=np.float64)
    e = np.exp(-np.abs(z))
    result: Array = np.where(z < 0, e, 1.0) / (1.0 + e)
    return result


def step(
    weights: Weights,
    x: npt.ArrayLike,
    h: npt.ArrayLike,
    c: npt.ArrayLike,
    *,
    tanh: Tanh = np.tanh,
    logistic: Tanh = sigmoid,
) -> tuple[Array, Array]:
    """Return (h', c') of one step; x (N, I), h and c (N, H), in float64 whatever comes in."""
    done = _step(_in_float64(weights), _float64(x), _float64(h), _float64(c), tanh, logistic)
    return done.h_next, done.c_next


def unroll(
    weights: Weights,
    x: npt.ArrayLike,
    h: npt.ArrayLike,
    c: npt.ArrayLike,
    *,
    tanh: Tanh = np.tanh,
    logistic: Tanh = sigmoid,
) -> tuple[Array, Array]:
    """Return h and c after each of T steps, both (T, N, H), for x (T, N, I)."""
    done = _unroll(_in_float64(weights), _float64(x), _float64(h), _float64(c), tanh, logistic)
    empty = np.empty((0, *np.shape(h)))
    h_all = np.stack([each.h_next for each in done]) if done else empty
    return h_all, np.stack([each.c_next for each in done]) if done else empty


def gradients(
    weights: Weights,
    x: npt.ArrayLike,
    h: npt.ArrayLike,
    c: npt.ArrayLike,
    grad_h_all: npt.ArrayLike | None = None,
    grad_h_last: npt.ArrayLike | None = None,
    grad_c_last: npt.ArrayLike | None = None,
    *,
    tanh: Tanh = np.tanh,
    logistic: Tanh = sigmoid,
) -> Gradients:
    """Return the gradients through T steps.

    Args:
        weights: the cell.
        x: (T, N, I).
        h: (N, H), the state before the first step; `c` likewise.
        c: (N, H).
        grad_h_all: (T, N, H), gradient of the loss by h after each step; None for zeros.
        grad_h_last: (N, H), added to that of the last h; None for zeros.
        grad_c_last: (N, H), gradient by the last c; None for zeros.
        tanh: what computes it; its derivative is 1 - t² of what it returns.
        logistic: what computes the sigmoid; its derivative is s (1 - s) of what it returns.
    """
    w = _in_float64(weights)
    x = _float64(x)
    done = _unroll(w, x, _float64(h), _float64(c), tanh, logistic)
    dh = np.zeros(np.shape(h)) if grad_h_last is None else _float64(grad_h_last)
    dc = np.zeros(np.shape(c)) if grad_c_last is None else _float64(grad_c_last)
    grad_x = np.zeros(x.shape)
    grad_weight_ih, grad_weight_hh = np.zeros(w.weight_ih.shape), np.zeros(w.weight_hh.shape)
    grad_bias = np.zeros(w.weight_ih.shape[0])
    for t in reversed(range(len(done))):
        s = done[t]
        if grad_h_all is not None:
            dh = dh + _float64(grad_h_all)[t]
        tanh_c = tanh(s.c_next)
        dc = dc + dh * s.o * (1 - tanh_c**2)
        dz_i = dc * s.g * s.i * (1 - s.i)
        dz_f = dc * s.c * s.f * (1 - s.f)
        dz_g = dc * s.i * (1 - s.g**2)
        dz_o = dh * tanh_c * s.o * (1 - s.o)
        dz = np.concatenate([dz_i, dz_f, dz_g, dz_o], axis=1)
        grad_x[t] = dz @ w.weight_ih
        grad_weight_ih += dz.T @ s.x
        grad_weight_hh += dz.T @ s.h
        grad_bias += dz.sum(axis=0)
        dh, dc = dz @ w.weight_hh, dc * s.f
    biases = (grad_bias, grad_bias.copy()) if weights.bias else (None, None)
    return Gradients(grad_x, dh, dc, grad_weight_ih, grad_weight_hh, *biases)


def _step(w: Weights, x: Array, h: Array, c: Array, tanh: Tanh, logistic: Tanh) -> _Step:
    return _unroll(w, x[None], h, c, tanh, logistic)[0]


def _unroll(w: Weights, x: Array, h: Array, c: Array, tanh: Tanh, logistic: Tanh) -> list[_Step]:
    # All inputs at once: of a large matrix, reading it again for every step is what takes long.
    flat = x.reshape(-1, w.input_size) @ w.weight_ih.T
    by_x = flat.reshape(*x.shape[:-1], 4 * w.hidden_size)
    done: list[_Step] = []
    for row, from_x in zip(x, by_x, strict=True):
        z = from_x + h @ w.weight_hh.T
        if w.bias_ih is not None and w.bias_hh is not None:
            z = z + w.bias_ih + w.bias_hh
        z_i, z_f, z_g, z_o = np.split(z, 4, axis=1)
        i, f, g, o = logistic(z_i), logistic(z_f), tanh(z_g), logistic(z_o)
        c_next = f * c + i * g
        done.append(_Step(row, h, c, i, f, g, o, o * tanh(c_next), c_next))
        h, c = done[-1].h_next, done[-1].c_next
    return done


def _in_float64(weights: Weights) -> Weights:
    return weights.astype("float64")


def _float64(array: npt.ArrayLike) -> Array:
    return np.asarray(array, dtype=np.float64)

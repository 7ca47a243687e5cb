"""What is computed: one problem, the same for everybody, and what is right."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from onecell import Spec, Weights, reference

Array: TypeAlias = npt.NDArray[Any]
Outputs: TypeAlias = dict[str, Array]

Work: TypeAlias = Literal["step", "unroll", "train", "loop", "stream"]
"""step: one step. unroll: T steps. train: T steps and back. loop: the same, where ours, too, goes
step by step in Python. stream: one step of a cell that holds its own state, which begins at zero.
"""


class Size(NamedTuple):
    """The sizes of one problem, in the order in which tables give them."""

    steps: int
    batch: int
    input: int
    hidden: int

    def __str__(self) -> str:
        return ", ".join(map(str, self))

    @property
    def weights(self) -> int:
        """Numbers in the two weight matrices."""
        return 4 * self.hidden * (self.input + self.hidden)

    @property
    def read_each_step(self) -> int:
        """Numbers of the weights that every step has to read.

        A sequence's input product can be taken out of its loop, the recurrent one cannot.
        """
        return self.weights if self.steps == 1 else 4 * self.hidden**2

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds in the products of all steps, forward."""
        return self.steps * self.batch * self.weights


@dataclass(frozen=True)
class Problem:
    """The same weights, input, state and gradients for everyone, made from the sizes alone."""

    size: Size

    @cached_property
    def _rng(self) -> np.random.Generator:
        return np.random.default_rng(list(self.size))

    @cached_property
    def weights(self) -> Weights:
        return Weights.random(Spec(self.size.input, self.size.hidden), np.random.default_rng(0))

    @cached_property
    def x(self) -> Array:
        """X (T, N, I)."""
        return self._normal(self.size.steps, self.size.batch, self.size.input)

    @cached_property
    def h(self) -> Array:
        """H (N, H), in (-1, 1) as a cell's own is."""
        return np.tanh(self._normal(self.size.batch, self.size.hidden))

    @cached_property
    def c(self) -> Array:
        """C (N, H)."""
        return self._normal(self.size.batch, self.size.hidden)

    @cached_property
    def grad_h_all(self) -> Array:
        """The gradient of a loss by every h (T, N, H)."""
        return self._normal(self.size.steps, self.size.batch, self.size.hidden)

    def __post_init__(self) -> None:
        # Drawn in one order, whoever asks first.
        assert all(a.size for a in (self.x, self.h, self.c, self.grad_h_all))

    def _normal(self, *shape: int) -> Array:
        return self._rng.standard_normal(shape, np.float32)


@lru_cache(maxsize=2)
def right(size: Size, work: Work) -> Outputs:
    """Return what the float64 reference makes of the problem.

    h after every step and the last c; for training, h and the gradients by the input and the
    weights.
    """
    p = Problem(size)
    zero = np.zeros_like(p.h)
    h, c = (zero, zero) if work == "stream" else (p.h, p.c)
    h_all, c_all = reference.unroll(p.weights, p.x, h, c)
    if work not in {"train", "loop"}:
        return {"h": h_all, "c": c_all[-1]}
    g = reference.gradients(p.weights, p.x, h, c, p.grad_h_all)
    return {"h": h_all, "x": g.x, "weight_ih": g.weight_ih, "weight_hh": g.weight_hh}


def error(got: Outputs, want: Outputs) -> float:
    """Return the largest error of all outputs, each relative to its largest element or to 1.

    Raises:
        ValueError: an output has another shape, or is not there at all.
    """
    if not got or not got.keys() <= want.keys():
        raise ValueError(f"computed {sorted(got)}, wanted {sorted(want)}")
    worst = 0.0
    for name, array in got.items():
        if array.shape != want[name].shape:
            raise ValueError(f"{name} has shape {array.shape}, not {want[name].shape}")
        scale = max(1.0, float(np.abs(want[name]).max()))
        off = np.abs(array.astype(np.float64) - want[name]).max()
        worst = float(np.fmax(worst, off / scale)) if np.isfinite(off) else float("inf")
    return worst

"""What every quantity must be, and by how much a correct side may miss it.

No two correct cells agree to the last bit unless they add in the same order. How far apart they
may be depends on the element type, on the size of the numbers and on how strongly the cell itself
magnifies a rounding. So a limit is not one constant for all. It is

    MARGIN * (eps * scale + shift)

where eps is the distance from 1 to the next number of the element type, `scale` is the size that
the quantity naturally has, and `shift` is measured: how far the float64 reference itself moves when
every input and every weight is moved by one eps, up or down at random. A side within its limit
therefore computed the exact cell on inputs that nobody can tell from the ones given (Wilkinson's
backward error). Measured over sizes 1 to 512, both element types, and weights from 1/100 to the
largest that are drawn anywhere, torch needs at most 1.9 of these units, and 3.7 at the end of a
chaotic rollout; swapping two gates takes a hundred thousand in float32.

MindSpore's own tanh is off by up to 1e-4. One step takes tanh twice, the gradient goes through both
again, and a rollout goes on from what the step before left, magnifying errors as it magnifies
roundings. A side with such a tanh is allowed TANH_MARGIN of it more; measured, it needs up to 4.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from onecell.verify.cases import RATE, Array, Case
from onecell.verify.sides import Side, get_side
from onecell.weights import Weights

MARGIN: Final = 8.0
TANH_MARGIN: Final = 8.0
RESOLUTION: Final = 2.0**-6
"""A rollout is compared as far as its limit stays below this part of its scale. In a chaotic cell
rounding alone decides what comes later, and agreement there would prove nothing."""

_SHIFT_SEEDS: Final = (1, 2)


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """One quantity as the float64 reference has it. A rollout's first axis is its steps."""

    value: Array
    scale: float
    shift: Array
    """Movement of `value` under one eps everywhere, the largest so far: (T,), or (1,) if no steps.
    """
    once: float
    """The same after a single step: what `shift` grew from."""
    eps: float

    @property
    def is_rollout(self) -> bool:
        """Whether the first axis of `value` is steps."""
        return len(self.shift) > 1

    def limit(self, tanh_error: float = 0.0) -> tuple[float, int | None]:
        """Return the largest error of a correct side, and the steps for which it is stated.

        Args:
            tanh_error: by how much the side's tanh may be off beyond rounding.

        Returns:
            The limit, and None for a quantity without steps.
        """
        growth = np.fmax(1.0, self.shift / self.once)
        limits = MARGIN * (self.eps * self.scale + self.shift)
        limits = limits + TANH_MARGIN * tanh_error * self.scale * growth
        if not self.is_rollout:
            return float(limits[0]), None
        steps = int(np.count_nonzero(limits <= RESOLUTION * self.scale))
        return float(limits[max(steps, 1) - 1]), steps


@dataclass(frozen=True, slots=True, eq=False)
class Oracle:
    """The expected value and limit of every quantity, for one cell on one case."""

    case: Case
    expected: Mapping[str, Expected]


def quantities(side: Side, case: Case) -> Iterator[tuple[str, Array]]:
    """Compute every quantity of the proof on one side, by name, in the order of the report."""
    yield from zip(("forward.h", "forward.c"), side.step(case.x[0], case.h, case.c), strict=True)
    loss = (case.x, case.h, case.c, case.grad_h_all, case.grad_c_last)
    for name, gradient in side.gradients(*loss).items():
        yield f"gradient.{name}", gradient
    rollout = side.rollout(case.rollout_x, case.h, case.c)
    yield from zip(("rollout.h", "rollout.c"), rollout, strict=True)
    for name, parameter in side.sgd(*loss, RATE).items():
        yield f"sgd.{name}", parameter


def make_oracle(weights: Weights, case: Case) -> Oracle:
    """Run the reference on `weights` and `case`, and on copies of them moved by one eps."""
    eps = float(np.finfo(weights.spec.dtype).eps)
    reference = get_side("reference")
    # Weights that are NaN or too large make NaN here; such a quantity then fails by itself.
    with np.errstate(all="ignore"):
        values = dict(quantities(reference.open(weights), case))
        shifts = {name: np.zeros(value.shape) for name, value in values.items()}
        for seed in _SHIFT_SEEDS:
            moved_weights, moved_case = _moved(weights, case, eps, seed)
            for name, moved in quantities(reference.open(moved_weights), moved_case):
                np.maximum(shifts[name], np.abs(moved - values[name]), out=shifts[name])
        scales = _scales(weights, case, values)
    expected = {}
    for name, value in values.items():
        shift = np.array([np.max(shifts[name])])
        once = float(shift[0])
        if name.startswith("rollout."):
            shift = np.maximum.accumulate(shifts[name].max(axis=(1, 2)))
            once = float(np.max(shifts[name.replace("rollout", "forward")]))
        expected[name] = Expected(value, scales[name], shift, max(once, eps * scales[name]), eps)
    return Oracle(case, expected)


def _scales(weights: Weights, case: Case, values: Mapping[str, Array]) -> dict[str, float]:
    """Return the natural size of every quantity: what it has, or could have through one gate."""
    # Saturated gates have derivatives near zero, computed as 1 - s from an s rounded near one. The
    # error is then eps of what flows in, not of what comes out: hence "could have".
    inflow = max(_largest(case.grad_h_all), _largest(case.grad_c_last)) * max(1, _largest(case.c))
    through = {
        "x": _largest(weights.weight_ih),
        "h": _largest(weights.weight_hh),
        "weight_ih": _largest(case.x),
        "weight_hh": _largest(case.h),
    }
    smallest = float(np.finfo(case.x.dtype).tiny) * len(weights.weight_ih)
    scales = {}
    for name, value in values.items():
        kind, part = name.split(".")
        scales[name] = _largest(value)
        if kind == "gradient":
            scales[name] = max(scales[name], inflow * through.get(part, 1.0))
        elif kind == "sgd":
            scales[name] = max(scales[name], RATE * scales[f"gradient.{part}"])
        else:
            scales[name] = max(scales[name], 1.0)
        # Below the smallest normal number the spacing shrinks no more: each of the 4H terms of a
        # sum may miss as much as it would at that number.
        scales[name] = max(scales[name], smallest)
    return scales


def _moved(weights: Weights, case: Case, eps: float, seed: int) -> tuple[Weights, Case]:
    """Return float64 copies with every number moved by one eps of itself, up or down."""
    rng = np.random.default_rng(seed)

    def move(array: Array) -> Array:
        signs = rng.integers(0, 2, array.shape, dtype=np.int8) * 2.0 - 1.0
        return np.asarray(array, np.float64) * (1.0 + eps * signs)

    arrays = {name: move(array) for name, array in weights.arrays().items()}
    return Weights(**arrays), Case(**{name: move(getattr(case, name)) for name in case.__slots__})


def _largest(array: Array) -> float:
    return float(np.max(np.abs(array), initial=0.0))

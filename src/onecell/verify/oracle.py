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

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from onecell.spec import GATES
from onecell.verify.cases import Array, Case
from onecell.verify.optimizers import OPTIMIZERS
from onecell.verify.sides import Side, get_side
from onecell.weights import Weights

MARGIN: Final = 8.0
TANH_MARGIN: Final = 8.0
RESOLUTION: Final = 2.0**-6
"""A rollout is compared as far as its limit stays below this part of its scale. In a chaotic cell
rounding alone decides what comes later, and agreement there would prove nothing."""

_SHIFT_SEEDS: Final = (1, 2)


@dataclass(frozen=True, slots=True)
class Threshold:
    """The largest error of a correct side in one quantity, and what it is made of."""

    value: float
    dtype: str
    eps: float
    """From 1 to the next number of `dtype`."""
    scale: float
    """The size that the quantity naturally has."""
    shift: float
    """How far the reference moves when every number that goes in is moved by one eps."""
    coarse: float
    """What is allowed on top for a tanh that is off by more than rounding; else 0."""

    @property
    def reason(self) -> str:
        """How the value came to be, in one line."""
        extra = f" + {self.coarse:.1e} for its own tanh" if self.coarse else ""
        if not self.shift:
            return f"{MARGIN:g} × {self.dtype} eps {self.eps:.1e} × size {self.scale:.2g}"
        return (
            f"{MARGIN:g} × ({self.dtype} eps {self.eps:.1e} × size {self.scale:.2g} + "
            f"{self.shift:.1e}, the reference's move under one eps){extra}"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """One quantity as the float64 reference has it. A rollout's first axis is its steps."""

    value: Array
    scale: float
    shift: Array
    """Movement of `value` under one eps everywhere, the largest so far: (T,), or (1,) if no steps.
    """
    once: float
    """The same after a single step, be it the rollout's own first: what `shift` grew from."""
    dtype: str

    @property
    def eps(self) -> float:
        """From 1 to the next number of the element type."""
        return float(np.finfo(self.dtype).eps)

    @property
    def is_rollout(self) -> bool:
        """Whether the first axis of `value` is steps."""
        return len(self.shift) > 1

    def limits(self, tanh_error: float = 0.0) -> Array:
        """Return the largest error of a correct side, for every step; one where there are none.

        Args:
            tanh_error: by how much the side's tanh may be off beyond rounding.
        """
        limits: Array = MARGIN * (self.eps * self.scale + self.shift) + self._coarse(tanh_error)
        return limits

    def limit(self, tanh_error: float = 0.0) -> tuple[Threshold, int | None]:
        """Return the limit for the whole quantity, and the steps for which it is stated.

        Returns:
            The threshold, and None for a quantity without steps. The first step always counts.
        """
        limits = self.limits(tanh_error)
        fine = int(np.count_nonzero(limits <= RESOLUTION * self.scale)) if self.is_rollout else 1
        steps = max(fine, 1)
        last = steps - 1
        threshold = Threshold(
            float(limits[last]),
            self.dtype,
            self.eps,
            self.scale,
            float(self.shift[last]),
            float(self._coarse(tanh_error)[last]),
        )
        return threshold, steps if self.is_rollout else None

    def _coarse(self, tanh_error: float) -> Array:
        growth: Array = np.fmax(1.0, self.shift / self.once)
        return TANH_MARGIN * tanh_error * self.scale * growth


@dataclass(frozen=True, slots=True, eq=False)
class Oracle:
    """The expected value and limit of every quantity, for one cell on one case."""

    case: Case
    expected: Mapping[str, Expected]


def quantities(side: Side, case: Case) -> Iterator[tuple[str, Array]]:
    """Compute every quantity that `side` has, by name, in the order of the report."""
    yield from zip(("forward.h", "forward.c"), side.step(case.x[0], case.h, case.c), strict=True)
    far = side.step(case.extreme_x, case.extreme_h, case.extreme_c)
    yield from zip(("extreme.h", "extreme.c"), far, strict=True)
    loss = (case.x, case.h, case.c, case.grad_h_all, case.grad_c_last)
    gradients = side.gradients(*loss)
    for name, gradient in gradients.items():
        yield f"gradient.{name}", gradient
    rollout = side.rollout(case.rollout_x, case.h, case.c)
    yield from zip(("rollout.h", "rollout.c"), rollout, strict=True)
    for optimizer in OPTIMIZERS.values():
        for name, parameter in side.train(optimizer, gradients).items():
            yield f"{optimizer.name}.{name}", parameter


def make_oracle(weights: Weights, case: Case) -> Oracle:
    """Run the reference on `weights` and `case`, and on copies of them moved by one eps."""
    reference = get_side("reference")

    def run(seed: int | None) -> Iterator[tuple[str, Array]]:
        if seed is None:
            return quantities(reference.open(weights), case)
        rng, eps = np.random.default_rng(seed), float(np.finfo(case.x.dtype).eps)
        arrays = {name: _move(array, eps, rng) for name, array in weights.arrays().items()}
        return quantities(reference.open(Weights(**arrays)), _moved(case, eps, rng))

    return _oracle(case, run, weights)


def observe(side: Side, case: Case) -> Oracle:
    """Return as expected what `side` itself computes, where there are no weights to ask.

    Its own rounding is then inside the value and inside the measured shift.
    """

    def run(seed: int | None) -> Iterator[tuple[str, Array]]:
        if seed is None:
            return quantities(side, case)
        rng, eps = np.random.default_rng(seed), float(np.finfo(case.x.dtype).eps)
        moved = _moved(case, eps, rng)
        arrays = {n: getattr(moved, n).astype(case.x.dtype) for n in case.__slots__}
        return quantities(side, Case(**arrays))

    return _oracle(case, run, None)


def _oracle(
    case: Case, run: Callable[[int | None], Iterator[tuple[str, Array]]], weights: Weights | None
) -> Oracle:
    # Weights that are NaN or too large make NaN here; such a quantity then fails by itself.
    with np.errstate(all="ignore"):
        values = {name: np.asarray(value, np.float64) for name, value in run(None)}
        shifts = {name: np.zeros(value.shape) for name, value in values.items()}
        for seed in _SHIFT_SEEDS:
            for name, moved in run(seed):
                np.maximum(shifts[name], np.abs(moved - values[name]), out=shifts[name])
        scales = _scales(weights, case, values)
    dtype, eps = case.x.dtype.name, float(np.finfo(case.x.dtype).eps)
    expected = {}
    for name, value in values.items():
        shift = np.array([np.max(shifts[name])])
        once = float(shift[0])
        if name.startswith("rollout."):
            shift = np.maximum.accumulate(shifts[name].max(axis=(1, 2)))
            # The rollout's first step has inputs of its own, with longer tails as it may be: what
            # it moves by has not grown yet.
            forward = float(np.max(shifts[name.replace("rollout", "forward")]))
            once = max(forward, float(shift[0]))
        expected[name] = Expected(value, scales[name], shift, max(once, eps * scales[name]), dtype)
    return Oracle(case, expected)


def _scales(weights: Weights | None, case: Case, values: Mapping[str, Array]) -> dict[str, float]:
    """Return the natural size of every quantity: what it has, or could have through one gate."""
    # Saturated gates have derivatives near zero, computed as 1 - s from an s rounded near one. The
    # error is then eps of what flows in, not of what comes out: hence "could have".
    inflow = max(_largest(case.grad_h_all), _largest(case.grad_c_last)) * max(1, _largest(case.c))
    through = {"weight_ih": _largest(case.x), "weight_hh": _largest(case.h)}
    if weights is not None:
        through |= {"x": _largest(weights.weight_ih), "h": _largest(weights.weight_hh)}
    smallest = float(np.finfo(case.x.dtype).tiny) * len(GATES) * case.h.shape[1]
    scales = {}
    for name, value in values.items():
        kind, part = name.split(".")
        scales[name] = _largest(value)
        if kind == "gradient":
            scales[name] = max(scales[name], inflow * through.get(part, 1.0))
        elif kind in OPTIMIZERS:
            reach = OPTIMIZERS[kind].reach(scales[f"gradient.{part}"])
            scales[name] = max(scales[name], reach)
        else:
            scales[name] = max(scales[name], 1.0)
        # Below the smallest normal number the spacing shrinks no more: each of the 4H terms of a
        # sum may miss as much as it would at that number.
        scales[name] = max(scales[name], smallest)
    return scales


def _moved(case: Case, eps: float, rng: np.random.Generator) -> Case:
    """Return a float64 copy with every number moved by one eps of itself, up or down."""
    return Case(**{name: _move(getattr(case, name), eps, rng) for name in case.__slots__})


def _move(array: Array, eps: float, rng: np.random.Generator) -> Array:
    signs = rng.integers(0, 2, array.shape, dtype=np.int8) * 2.0 - 1.0
    return np.asarray(array, np.float64) * (1.0 + eps * signs)


def _largest(array: Array) -> float:
    return float(np.max(np.abs(array), initial=0.0))

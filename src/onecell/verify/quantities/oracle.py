"""What every quantity must be, with the limit of each; `limits` says how a limit comes to be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from onecell.reference import Tanh, sigmoid
from onecell.spec import GATES
from onecell.verify.quantities.aim import is_stiff
from onecell.verify.quantities.cases import Array, Case
from onecell.verify.quantities.limits import Expected
from onecell.verify.quantities.optimizers import OPTIMIZERS, STEPS, optimizers
from onecell.verify.sides import MINDSPORE_TANH_ERROR, Side
from onecell.verify.sides.reference import ReferenceSide, coarse_tanh
from onecell.weights import Weights

KINDS: Final = ("forward", "extreme", "gradient", "rollout", *OPTIMIZERS)
"""The kinds of quantities, in the order of the report."""

_SHIFT_SEEDS: Final = (1, 2)
_STIFF_SEEDS: Final = tuple(range(1, 17))
"""In a stiff cell few roundings decide much, and it takes more trials to meet one that does."""
_ESTIMATED: Final = 4 * MINDSPORE_TANH_ERROR
"""What a coarse tanh moves of a size of 1, where there are no weights to try it on."""

Values = Iterator[tuple[str, Array]]


@dataclass(frozen=True, slots=True, eq=False)
class Oracle:
    """The expected value and limit of every quantity, for one cell on one case."""

    case: Case
    expected: Mapping[str, Expected]
    epsilon_first: Mapping[str, Expected]
    """Those that are others for a side whose Adam adds epsilon first."""

    def of(self, side: Side) -> Mapping[str, Expected]:
        """Return what `side` must compute."""
        return {**self.expected, **self.epsilon_first} if side.epsilon_first else self.expected


def quantities(side: Side, case: Case, kinds: Iterable[str] = KINDS) -> Values:
    """Compute every quantity of `kinds` that `side` has, by name, in the order of the report."""
    kinds = frozenset(kinds)
    if "forward" in kinds:
        yield from _both("forward", side.step(case.x[0], case.h, case.c))
    if "extreme" in kinds:
        far = side.step(case.extreme_x, case.extreme_h, case.extreme_c)
        yield from _both("extreme", far)
    if "gradient" in kinds:
        loss = (case.x, case.h, case.c, case.grad_h_all, case.grad_c_last)
        for name, gradient in side.gradients(*loss).items():
            yield f"gradient.{name}", gradient
    if "rollout" in kinds:
        yield from _both("rollout", side.rollout(case.rollout_x, case.h, case.c))
    for optimizer in optimizers(float(case.size), epsilon_first=side.epsilon_first):
        if optimizer.name in kinds:
            trained = side.train(optimizer, case.given, case.x[0], case.h, case.c)
            for name, value in trained.items():
                yield f"{optimizer.name}.{name}", value


def _both(kind: str, state: tuple[Array, Array]) -> Values:
    yield from zip((f"{kind}.h", f"{kind}.c"), state, strict=True)


def make_oracle(weights: Weights, case: Case, *, coarse: bool = False) -> Oracle:
    """Run the reference on `weights` and `case`, and on copies of them moved by one eps.

    Args:
        weights: of the cell.
        case: the inputs.
        coarse: whether limits are wanted for a side whose tanh is coarse, too.
    """

    def run(seed: int | None, kinds: Iterable[str], **how: Any) -> Values:  # noqa: ANN401
        if seed is None:
            return quantities(ReferenceSide(weights, **how), case, kinds)
        rng, eps = np.random.default_rng(seed), float(np.finfo(case.x.dtype).eps)
        arrays = {name: _move(array, eps, rng) for name, array in weights.arrays().items()}
        if is_stiff(weights):
            # One less a sigmoid near one keeps nothing but its rounding, and the next step back
            # magnifies that.
            how |= {"tanh": _rounded(np.tanh, eps, rng), "logistic": _rounded(sigmoid, eps, rng)}
        side = ReferenceSide(Weights(**arrays), **how)
        return quantities(side, _moved(case, eps, rng), kinds)

    def expect(*kinds: str, **how: Any) -> dict[str, Expected]:  # noqa: ANN401
        bent = run(None, kinds, tanh=coarse_tanh, **how) if coarse else None
        return _expect(case, lambda seed: run(seed, kinds, **how), weights, bent)

    theirs = expect("forward", "adam", epsilon_first=True)
    adam = {name: each for name, each in theirs.items() if name.startswith("adam.")}
    return Oracle(case, expect(*KINDS), adam)


def observe(side: Side, case: Case) -> Oracle:
    """Return as expected what `side` itself computes, where there are no weights to ask.

    Its own rounding is then inside the value and inside the measured shift.
    """

    def run(seed: int | None) -> Values:
        if seed is None:
            return quantities(side, case)
        rng, eps = np.random.default_rng(seed), float(np.finfo(case.x.dtype).eps)
        moved = _moved(case, eps, rng)
        arrays = {n: getattr(moved, n).astype(case.x.dtype) for n in case.__slots__}
        return quantities(side, Case(**arrays))

    return Oracle(case, _expect(case, run, None, None), {})


def _expect(
    case: Case, run: Callable[[int | None], Values], weights: Weights | None, bent: Values | None
) -> dict[str, Expected]:
    # Weights that are NaN or too large make NaN here; such a quantity then fails by itself.
    with np.errstate(all="ignore"):
        values = {name: np.asarray(value, np.float64) for name, value in run(None)}
        shifts = {name: np.zeros(value.shape) for name, value in values.items()}
        stiff = weights is not None and is_stiff(weights)
        for seed in _STIFF_SEEDS if stiff else _SHIFT_SEEDS:
            for name, moved in run(seed):
                np.maximum(shifts[name], np.abs(moved - values[name]), out=shifts[name])
        scales = _scales(weights, case, values)
        apart = {} if bent is None else {name: np.abs(v - values[name]) for name, v in bent}
        found = {}
        for name, value in values.items():
            shift = _so_far(name, shifts[name])
            coarse = np.zeros_like(shift)
            if name in apart:
                coarse = _so_far(name, apart[name])
            elif weights is None:
                once = max(float(shift[0]), float(np.finfo(case.x.dtype).eps) * scales[name])
                coarse = _ESTIMATED * scales[name] * np.fmax(1.0, shift / once)
            guards = _size(value - _untrained(name, values))
            found[name] = Expected(value, scales[name], guards, shift, coarse, case.x.dtype.name)
    return found


def _so_far(name: str, apart: Array) -> Array:
    """Return the largest of `apart`; of a rollout, of all steps so far."""
    if name.startswith("rollout."):
        return np.maximum.accumulate(apart.max(axis=(1, 2)))
    return np.array([np.max(apart)])


def _untrained(name: str, values: Mapping[str, Array]) -> Array | float:
    """Return what a cell would answer that no optimizer had reached; else 0."""
    kind, part = name.split(".")
    return values[f"forward.{part}"] if kind in OPTIMIZERS and part in {"h", "c"} else 0.0


def _size(value: Array) -> float:
    return float(np.sqrt(np.mean(np.square(value))))


def _scales(weights: Weights | None, case: Case, values: Mapping[str, Array]) -> dict[str, float]:
    """Return the natural size of every quantity: what it has, or could have through one gate."""
    # Saturated gates have derivatives near zero, computed as 1 - s from an s rounded near one. The
    # error is then eps of what flows in, not of what comes out: hence "could have".
    of_steps = np.maximum(
        np.abs(case.grad_h_all).max(axis=2), np.abs(case.grad_c_last).max(axis=1)
    ) * np.fmax(1.0, np.abs(case.c).max(axis=1))
    inflow, later = of_steps.max(axis=0), of_steps[1:].max(axis=0)
    through: dict[str, Array | float] = {"weight_ih": np.abs(case.x).max(axis=(0, 2))}
    own: dict[str, float] = {}
    if weights is not None:
        through |= {"x": _largest(weights.weight_ih), "h": _largest(weights.weight_hh)}
        own = {name: _largest(array) for name, array in weights.arrays().items()}
    smallest = float(np.finfo(case.x.dtype).tiny) * len(GATES) * case.h.shape[1]
    scales = {}
    for name, value in values.items():
        kind, part = name.split(".")
        scales[name] = _largest(value)
        if kind == "gradient":
            could = _largest(inflow * through.get(part, 1.0))
            if part == "weight_hh":  # no h but the first is larger than one
                could = max(_largest(inflow * np.abs(case.h).max(axis=1)), _largest(later))
            scales[name] = max(scales[name], could)
        elif kind in OPTIMIZERS and part in own:
            # A parameter is rounded at every step, to its own size and that of what is added.
            scales[name] = own[part] + STEPS * scales[name]
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


def _rounded(activation: Tanh, eps: float, rng: np.random.Generator) -> Tanh:
    """Return `activation` with every answer moved by one eps of itself, up or down."""
    return lambda z: _move(activation(z), eps, rng)

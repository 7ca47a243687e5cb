"""The inputs on which a cell is proved: fixed by the weights alone, never zero, never all alike.

A zero state hides most mistakes (with h = c = 0, swapping gates i and o leaves h with a cosine of
0.9999), so every number here is random and non-zero. The rows of the batch visit four regimes:
gates in their responsive middle, gates driven far into saturation, numbers so small that they end
in denormals, and long tails of x and h, where a few numbers tower over all others. x and h are
scaled by the weights, so that a cell with tiny or huge weights is still asked where its gates
respond; where biases would shut them, see `aim`. One more step goes far out, apart from the others
so that its large numbers hide nothing; for the same reason the row with long tails counts little in
the loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from onecell.spec import WEIGHTS, Spec
from onecell.verify.quantities.aim import aim, is_stiff, magnified
from onecell.verify.quantities.optimizers import POOL, STEPS
from onecell.weights import Weights

Array = np.ndarray

SEED: Final = 1997
GRADIENT_STEPS: Final = 4
"""Steps through which the gradients are taken, so that the state's own path counts."""
ROLLOUT_STEPS: Final = 200

_SATURATING: Final = 8.0
_TINY: Final = 2.0**-10
_TAILED: Final = 3
"""The row of the batch with long tails."""
_RAREST: Final = 2.0**-8
"""One over the largest factor in the tail."""
_SMALLEST_SCALE: Final = 2.0**-64
_LARGEST_SCALE: Final = 2.0**20
_EXTREME: Final = 2.0**12
"""How huge: a clip at less than about a tenth of it shows."""
_DROWNS: Final = 64.0
"""No number of the weights is larger than this many of the size that rates are made for."""


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One set of inputs, read-only, all in the type `spec.dtype` that the cell computes in."""

    x: Array
    """(S, N, I): inputs of the gradient's S steps; forward takes the first."""
    h: Array
    """(N, H), the state before the first step."""
    c: Array
    """(N, H)."""
    grad_h_all: Array
    """(S, N, H): the loss is the sum of h · grad_h_all over steps and of the last c · grad_c."""
    grad_c_last: Array
    """(N, H)."""
    rollout_x: Array
    """(T, N, I): inputs of the rollout."""
    extreme_x: Array
    """(N, I): of one step far out, where a clip shows: x is huge in every other row."""
    extreme_h: Array
    """(N, H)."""
    extreme_c: Array
    """(N, H), huge in the rows between."""
    given: Array
    """(S, P): the gradients that optimizers are given; see `optimizers.spread`."""
    size: Array
    """(): the size of the weights, a power of two; see `optimizers.optimizers`."""

    def __post_init__(self) -> None:
        for name in self.__slots__:
            getattr(self, name).setflags(write=False)


def make_case(
    weights: Weights | Spec, *, rollout_steps: int = ROLLOUT_STEPS, seed: int = SEED
) -> Case:
    """Draw the parity case for `weights`: the same numbers every time.

    On every machine too, but for those that `aim` solves for.

    Args:
        weights: give the sizes, the element type and the scale of the inputs; a `Spec` where
            there are no weights, with inputs of a scale of 1.
        rollout_steps: T, the steps of the rollout.
        seed: other numbers of the same kind.
    """
    rng = np.random.default_rng(seed)
    inputs, hidden = weights.input_size, weights.hidden_size
    # A batch that equals neither I nor H: a transposed axis then cannot fit by accident.
    rows = next(n for n in (5, 7, 9) if n not in (inputs, hidden))
    regimes = np.resize([1.0, _SATURATING, _TINY, 1.0], rows)[:, None]
    x_scale = h_scale = 1.0
    if isinstance(weights, Weights):
        x_scale, h_scale = responsive(weights.weight_ih), responsive(weights.weight_hh)

    def draw(*shape: int) -> Array:
        # Never within 1/8 of zero: one input that is nearly zero would hide a column of weights.
        drawn = rng.choice([-1.0, 1.0], shape) * rng.uniform(0.125, 1.875, shape)
        return np.asarray(drawn)

    def tailed(drawn: Array) -> Array:
        # Pareto's tail, without a mean: a few numbers tower over all others, in one row.
        drawn[..., _TAILED, :] *= rng.uniform(_RAREST, 1.0, drawn[..., _TAILED, :].shape) ** -1.0
        return drawn

    h = tailed(draw(rows, hidden)) * h_scale * regimes
    c = draw(rows, hidden) * np.sqrt(regimes)
    c[2, ::2] *= 2.0**-135  # a denormal in float32
    spec = weights.spec if isinstance(weights, Weights) else weights
    x = tailed(draw(GRADIENT_STEPS, rows, inputs)) * x_scale * regimes
    if isinstance(weights, Weights):
        ordinary = [row for row in range(rows) if row != _TAILED and regimes[row] == 1.0]
        x[0], h = aim(weights, x[0], h, (x_scale, h_scale), ordinary)
    gradients = draw(GRADIENT_STEPS, rows, hidden), draw(rows, hidden)
    for gradient in gradients:
        gradient[..., _TAILED, :] *= _RAREST
    if isinstance(weights, Weights) and is_stiff(weights):
        # Each step back magnifies what the one before it had rounded: later steps count less.
        less = 2.0 ** -np.ceil(np.log2(max(1.0, magnified(weights))) * np.arange(GRADIENT_STEPS))
        gradients[0][:] *= less[:, None, None]
        gradients[1][:] *= less[-1]
    rollout_x = tailed(draw(rollout_steps, rows, inputs)) * x_scale
    far = np.resize([_EXTREME, 1.0], rows)[:, None]
    return Case(
        x=x.astype(spec.dtype),
        h=h.astype(spec.dtype),
        c=c.astype(spec.dtype),
        grad_h_all=gradients[0].astype(spec.dtype),
        grad_c_last=gradients[1].astype(spec.dtype),
        rollout_x=rollout_x.astype(spec.dtype),
        extreme_x=(draw(rows, inputs) * x_scale * (_EXTREME / far)).astype(spec.dtype),
        extreme_h=(draw(rows, hidden) * min(1.0, h_scale)).astype(spec.dtype),
        extreme_c=(draw(rows, hidden) * far).astype(spec.dtype),
        given=draw(STEPS, POOL).astype(spec.dtype),
        size=np.asarray(_size(weights) if isinstance(weights, Weights) else 1.0, np.float64),
    )


def _size(weights: Weights) -> float:
    """Return the typical size of the larger matrix, more where a bias would drown it."""
    wide = {n: np.abs(a, dtype=np.float64) for n, a in weights.widened().arrays().items()}
    with np.errstate(over="ignore", invalid="ignore"):
        typical = [np.sqrt(np.mean(np.square(wide[name]))) for name in WEIGHTS]
        size = max(*typical, *(array.max() / _DROWNS for array in wide.values()))
    return float(2.0 ** np.round(np.log2(size))) if np.isfinite(size) and size > 0 else 1.0


def responsive(weight: Array) -> float:
    """Return the scale of inputs at which their product with `weight` has a spread of about 1."""
    with np.errstate(over="ignore", invalid="ignore"):
        spread = float(np.sqrt(np.mean(np.square(weight, dtype=np.float64)) * weight.shape[1]))
    if not np.isfinite(spread) or spread == 0.0:
        return 1.0
    return float(np.clip(1.0 / spread, _SMALLEST_SCALE, _LARGEST_SCALE))


__all__ = ["GRADIENT_STEPS", "ROLLOUT_STEPS", "SEED", "Case", "make_case"]

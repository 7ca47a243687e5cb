"""By how much a correct side may miss the reference, and how that compares with what it guards.

No two correct cells agree to the last bit unless they add in the same order. How far apart they
may be depends on the element type, on the size of the numbers and on how strongly the cell itself
magnifies a rounding. So a limit is not one constant for all. It is

    MARGIN * (eps * scale + shift) + TANH_MARGIN * coarse

where eps is the distance from 1 to the next number of the element type, `scale` is the size that
the quantity naturally has, and `shift` is measured: how far the float64 reference itself moves when
every input and every weight is moved by one eps, up or down at random. A side within its limit
therefore computed the exact cell on inputs that nobody can tell from the ones given (Wilkinson's
backward error). Measured over sizes 1 to 512, both element types, and weights from 1/100 to the
largest that are drawn anywhere, torch needs at most 1.9 of these units, and 3.7 at the end of a
chaotic rollout; swapping two gates takes a hundred thousand in float32.

A stiff cell (`aim.is_stiff`) magnifies single roundings so far that two such moves may miss the one
that decides. There every activation is moved as well, and the largest of sixteen moves counts.

MindSpore's own tanh on a CPU is a fraction of two polynomials, off by up to 1e-4. What that does to
a quantity is measured too: `coarse` is how far the reference moves when it computes with that tanh.
It is 0 for every other side.

A limit says nothing unless it is small beside what it guards: `guards` is the size (root mean
square) of the quantity, or of what an optimizer moved. Where the limit is more than PROVES of it,
the quantity proves nothing about that side, and is said to.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from onecell.verify.quantities.cases import Array

MARGIN: Final = 8.0
TANH_MARGIN: Final = 2.0
PROVES: Final = 2.0**-3
"""A limit above this part of what it guards proves nothing."""
RESOLUTION: Final = 2.0**-4
"""A rollout is compared as far as its limit stays below this part of what it guards. In a chaotic
cell rounding alone decides what comes later, and agreement there would prove nothing."""


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
    """How far it moves by the side's own tanh, where that is off by more than rounding; else 0."""
    guards: float
    """The size of what would be missed if every error up to `value` were let pass."""

    @property
    def relative(self) -> float:
        """The limit as a part of what it guards; infinite where that is nothing."""
        return self.value / self.guards if self.guards > 0 else math.inf

    @property
    def proves(self) -> bool:
        """Whether a side that is wrong would show: the limit is small beside what it guards."""
        return self.relative <= PROVES

    @property
    def reason(self) -> str:
        """How the value came to be, in one line."""
        extra = f" + {TANH_MARGIN:g} × {self.coarse:.1e} for its own tanh" if self.coarse else ""
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
    guards: float
    shift: Array
    """Movement of `value` under one eps everywhere, the largest so far: (T,), or (1,) if no steps.
    """
    coarse: Array
    """The same under a coarse tanh."""
    dtype: str

    @property
    def eps(self) -> float:
        """From 1 to the next number of the element type."""
        return float(np.finfo(self.dtype).eps)

    @property
    def is_rollout(self) -> bool:
        """Whether the first axis of `value` is steps."""
        return len(self.shift) > 1

    def limits(self, *, coarse: bool = False) -> Array:
        """Return the largest error of a correct side, for every step; one where there are none.

        Args:
            coarse: whether the side's tanh is off by more than rounding.
        """
        limits: Array = MARGIN * (self.eps * self.scale + self.shift)
        return limits + TANH_MARGIN * self.coarse if coarse else limits

    def steps(self, *, coarse: bool = False) -> int | None:
        """Return for how many steps of a rollout a limit is stated, at least one; else None."""
        if not self.is_rollout:
            return None
        fine = self.limits(coarse=coarse) <= RESOLUTION * self.guards
        return max(1, int(np.count_nonzero(fine)))

    def threshold(self, step: int = -1, *, coarse: bool = False) -> Threshold:
        """Return the limit of one step; where there are none, of the whole quantity."""
        return Threshold(
            float(self.limits(coarse=coarse)[step]),
            self.dtype,
            self.eps,
            self.scale,
            float(self.shift[step]),
            float(self.coarse[step]) if coarse else 0.0,
            self.guards,
        )

    def limit(self, *, coarse: bool = False) -> tuple[Threshold, int | None]:
        """Return the limit at the last step that is compared, and how many those are."""
        steps = self.steps(coarse=coarse)
        return self.threshold(-1 if steps is None else steps - 1, coarse=coarse), steps

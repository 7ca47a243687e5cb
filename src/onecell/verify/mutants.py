"""Sides that are wrong on purpose, one mistake each, with the quantities that must break.

A check that cannot fail is no check. For every kind of quantity there are the mistakes that it is
there to find; the tests go over all quantities by name and ask that each has one, and that each
mistake breaks what it says and nothing else. A proof tries them on the very cell that it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import numpy as np

from onecell.spec import PARAMETERS
from onecell.verify.sides import Array, Side
from onecell.verify.spoiling import Mutant, Named, State, one_unit, spoil
from onecell.verify.training_mutants import IN_TRAINING

_FAR: Final = 100.0
"""Where the inputs of `Case.extreme_x` and `extreme_c` begin, and no others are."""


def _is_far(*arrays: Array) -> bool:
    return max(float(np.max(np.abs(array))) for array in arrays) > _FAR


def _near(change: Callable[[Side, Array, Array, Array], State]) -> Callable[[Side], Side]:
    """Return a mistake in a step on ordinary inputs."""
    return spoil(
        step=lambda right, x, h, c: (right.step if _is_far(c) else _bound(change, right))(x, h, c)
    )


def _bound(change: Callable[..., State], right: Side) -> Callable[..., State]:
    return lambda *given: change(right, *given)


def _far(change: Callable[[Side, Array, Array, Array], State]) -> Callable[[Side], Side]:
    """Return a mistake in a step on inputs far out."""
    return spoil(
        step=lambda right, x, h, c: (_bound(change, right) if _is_far(c) else right.step)(x, h, c)
    )


def _off(state: State, place: int) -> State:
    h, c = state
    return (h, one_unit(c)) if place else (one_unit(h), c)


def _pressed(x: Array) -> Array:
    """Return x cut at less than a thousandth of its largest number."""
    most = np.max(np.abs(x)) / 4096
    return np.clip(x, -most, most)


def _clipped(right: Side, x: Array, h: Array, c: Array) -> State:
    h_next, c_next = right.step(x, h, c)
    return h_next, np.clip(c_next, -_FAR, _FAR)


def _gradient(part: str, change: Callable[[Array], Array]) -> Callable[[Side], Side]:
    return spoil(
        gradients=lambda right, *loss: {
            name: change(gradient) if name == part else gradient
            for name, gradient in right.gradients(*loss).items()
        }
    )


def _detached(right: Side, x: Array, h: Array, c: Array, grads: Array, last: Array) -> Named:
    """Return the gradients where the state is cut off after the first step."""
    found = dict(right.gradients(x[:1], h, c, grads[:1], np.zeros_like(last)))
    after = right.step(x[0], h, c)
    rest = right.gradients(x[1:], *after, grads[1:], last)
    found["x"] = np.concatenate([found["x"], rest["x"]])
    return {n: g + rest[n] if n in PARAMETERS else g for n, g in found.items()}


def _reset(right: Side, x: Array, h: Array, c: Array) -> State:
    steps = [right.step(row, h, c) for row in x]
    h_all, c_all = (np.stack(part) for part in zip(*steps, strict=True))
    return h_all, c_all


def _late(right: Side, x: Array, h: Array, c: Array) -> State:
    """Return the states after each step with h a step late."""
    h_all, c_all = right.rollout(x, h, c)
    return np.concatenate([h[None], h_all[:-1]]), c_all


def _rolled(part: str) -> Callable[[Side], Side]:
    """Return a mistake in one unit of one part of the state, half-way through the rollout."""

    def rollout(right: Side, x: Array, h: Array, c: Array) -> State:
        states = dict(zip("hc", right.rollout(x, h, c), strict=True))
        wrong = states[part].copy()
        wrong[min(1, len(x) - 1)] = one_unit(wrong[min(1, len(x) - 1)])
        states[part] = wrong
        return states["h"], states["c"]

    return spoil(rollout=rollout)


_GRADIENTS: Final[Mapping[str, Callable[[Array], Array]]] = {
    "has the other sign": np.negative,
    "is zero": np.zeros_like,
    "is doubled": lambda gradient: 2 * gradient,
    "is off in one unit": one_unit,
}
"""What can be wrong with a gradient of its own."""


def _of_gradients() -> Iterator[Mutant]:
    yield Mutant("the gradient stops at the state", ("gradient.*",), spoil(gradients=_detached))
    yield Mutant(
        "the gradient of the last c is dropped",
        ("gradient.*",),
        spoil(gradients=lambda right, *loss: right.gradients(*loss[:-1], np.zeros_like(loss[-1]))),
    )
    for said, change in _GRADIENTS.items():
        for part in ("x", "h", "c", *PARAMETERS):
            name = f"the gradient of {part} {said}"
            yield Mutant(name, (f"gradient.{part}",), _gradient(part, change))


MUTANTS: Final = (
    Mutant(
        "h and c swapped on the way in",
        ("forward.*",),
        _near(lambda right, x, h, c: right.step(x, c, h)),
    ),
    Mutant(
        "h and c swapped on the way out",
        ("forward.*",),
        _near(lambda right, x, h, c: right.step(x, h, c)[::-1]),
    ),
    Mutant(
        "the state is taken as zero",
        ("forward.*",),
        _near(lambda right, x, h, c: right.step(x, 0 * h, 0 * c)),
    ),
    Mutant(
        "one unit of h' is off",
        ("forward.h",),
        _near(lambda right, *given: _off(right.step(*given), 0)),
    ),
    Mutant(
        "one unit of c' is off",
        ("forward.c",),
        _near(lambda right, *given: _off(right.step(*given), 1)),
    ),
    Mutant("c' is clipped at 100", ("extreme.c",), _far(_clipped)),
    Mutant(
        "x far out is clipped",
        ("extreme.*",),
        _far(lambda right, x, h, c: right.step(_pressed(x), h, c)),
    ),
    Mutant(
        "one unit of h' is off, far out",
        ("extreme.h",),
        _far(lambda right, *given: _off(right.step(*given), 0)),
    ),
    Mutant(
        "one unit of c' is off, far out",
        ("extreme.c",),
        _far(lambda right, *given: _off(right.step(*given), 1)),
    ),
    *_of_gradients(),
    Mutant("the state is not carried", ("rollout.*",), spoil(rollout=_reset)),
    Mutant("h comes a step late", ("rollout.h",), spoil(rollout=_late)),
    *(
        Mutant(f"one unit of {part} is off at the second step", (f"rollout.{part}",), _rolled(part))
        for part in "hc"
    ),
    *IN_TRAINING,
)
"""Every mistake; of each kind the most telling first, and one that is seen wherever it can be."""


def mutants_of(kind: str) -> tuple[Mutant, ...]:
    """Return the mistakes that are about one kind of quantity."""
    return tuple(mutant for mutant in MUTANTS if mutant.kind == kind)

"""Sides that are wrong on purpose, one mistake each, with the quantities that must break.

A check that cannot fail is no check. For every kind of quantity there are the mistakes that it is
there to find; the tests go over all quantities by name and ask that each has one, and that each
mistake breaks what it says and nothing else. A proof tries them on the very cell that it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, Final

import numpy as np

from onecell.spec import PARAMETERS
from onecell.verify.quantities.optimizers import BETAS, Optimizer
from onecell.verify.sides import Array, Side

State = tuple[Array, Array]
Named = Mapping[str, Array]

_FAR: Final = 100.0
"""Where the inputs of `Case.extreme_x` and `extreme_c` begin, and no others are."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake of a side."""

    name: str
    breaks: tuple[str, ...]
    """Patterns of the quantities that it makes wrong: all of them, and no others."""
    spoil: Callable[[Side], Side]

    @property
    def kind(self) -> str:
        """The kind of quantity that it is first about."""
        return self.breaks[0].partition(".")[0]

    def is_about(self, quantity: str) -> bool:
        """Whether it makes `quantity` wrong."""
        return any(fnmatchcase(quantity, pattern) for pattern in self.breaks)


class Spoiled:
    """A side that does what another does, but for what subclasses do to it."""

    def __init__(self, right: Side) -> None:
        self.right = right
        self.leaves_out = right.leaves_out
        self.epsilon_first = right.epsilon_first

    def step(self, x: Array, h: Array, c: Array) -> State:
        """Return (h', c') of one step."""
        return self.right.step(x, h, c)

    def gradients(self, *loss: Array) -> Named:
        """Return the gradients by name."""
        return self.right.gradients(*loss)

    def rollout(self, x: Array, h: Array, c: Array) -> State:
        """Return h and c after each step."""
        return self.right.rollout(x, h, c)

    def train(self, optimizer: Optimizer, given: Array, x: Array, h: Array, c: Array) -> Named:
        """Return how far parameters move, and what the cell answers then."""
        return self.right.train(optimizer, given, x, h, c)


def _spoil(**methods: Callable[..., Any]) -> Callable[[Side], Side]:
    """Return what puts `methods`, each told the right side first, in the place of a side's own."""

    def wrap(method: Callable[..., Any]) -> Callable[..., Any]:
        return lambda self, *given: method(self.right, *given)

    own = {name: wrap(method) for name, method in methods.items()}
    return type("_Spoiled", (Spoiled,), own)


def _is_far(*arrays: Array) -> bool:
    return max(float(np.max(np.abs(array))) for array in arrays) > _FAR


def _near(change: Callable[[Side, Array, Array, Array], State]) -> Callable[[Side], Side]:
    """Return a mistake in a step on ordinary inputs."""
    return _spoil(
        step=lambda right, x, h, c: (right.step if _is_far(c) else _bound(change, right))(x, h, c)
    )


def _bound(change: Callable[..., State], right: Side) -> Callable[..., State]:
    return lambda *given: change(right, *given)


def _one_unit(array: Array) -> Array:
    """Return a copy in which one unit of one row is off by an eighth of the array's size."""
    off = array.copy()
    off[(-1,) * off.ndim] += array.dtype.type(
        np.sqrt(np.mean(np.square(array, dtype=np.float64))) / 8
    )
    return off


def _far(change: Callable[[Side, Array, Array, Array], State]) -> Callable[[Side], Side]:
    """Return a mistake in a step on inputs far out."""
    return _spoil(
        step=lambda right, x, h, c: (_bound(change, right) if _is_far(c) else right.step)(x, h, c)
    )


def _off(state: State, place: int) -> State:
    h, c = state
    return (h, _one_unit(c)) if place else (_one_unit(h), c)


def _pressed(x: Array) -> Array:
    """Return x cut at less than a thousandth of its largest number."""
    most = np.max(np.abs(x)) / 4096
    return np.clip(x, -most, most)


def _clipped(right: Side, x: Array, h: Array, c: Array) -> State:
    h_next, c_next = right.step(x, h, c)
    return h_next, np.clip(c_next, -_FAR, _FAR)


def _gradient(part: str, change: Callable[[Array], Array]) -> Callable[[Side], Side]:
    return _spoil(
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
        wrong[min(1, len(x) - 1)] = _one_unit(wrong[min(1, len(x) - 1)])
        states[part] = wrong
        return states["h"], states["c"]

    return _spoil(rollout=rollout)


def _training(
    name: str, change: Callable[[Side, Optimizer, Array, Array, Array, Array], Named]
) -> Callable[[Side], Side]:
    """Return a mistake in what one optimizer does."""

    def train(right: Side, optimizer: Optimizer, *given: Array) -> Named:
        if optimizer.name != name:
            return right.train(optimizer, *given)
        return change(right, optimizer, *given)

    return _spoil(train=train)


def _with_gradients(change: Callable[[Array], Array]) -> Callable[..., Named]:
    """Return training on gradients that are not those given."""
    return lambda right, optimizer, given, *asked: right.train(optimizer, change(given), *asked)


def _at_rate(factor: float) -> Callable[..., Named]:
    return lambda right, optimizer, *given: right.train(
        replace(optimizer, rate=optimizer.rate * factor), *given
    )


def _leaking(given: Array, momentum: float = 0.5) -> Array:
    """Return gradients that have those of earlier steps in them."""
    mixed = given.copy()
    for step in range(1, len(given)):
        mixed[step] += momentum * mixed[step - 1]
    return mixed


class _Forgetful(Optimizer):
    """Adam that begins anew at every step."""

    def updates(self, gradients: Array) -> Iterator[Array]:
        """Yield each step as if it were the first."""
        for gradient in gradients:
            yield from super().updates(gradient[None])


class _Uncorrected(Optimizer):
    """Adam that does not correct its first moment for having begun at zero."""

    def updates(self, gradients: Array) -> Iterator[Array]:
        """Yield each step without the correction."""
        for step, update in enumerate(super().updates(gradients), 1):
            yield update * update.dtype.type(1 - BETAS[0] ** step)


def _as(kind: type[Optimizer]) -> Callable[..., Named]:
    return lambda right, optimizer, *given: right.train(
        kind(optimizer.name, optimizer.rate, optimizer.epsilon_first), *given
    )


def _stale(parameter: str) -> Callable[..., Named]:
    """Return training after which the cell shows one parameter as it was."""

    def train(right: Side, optimizer: Optimizer, *given: Array) -> Named:
        found = dict(right.train(optimizer, *given))
        if parameter in found:
            found[parameter] = np.zeros_like(found[parameter])
        return found

    return train


def _deaf(right: Side, optimizer: Optimizer, given: Array, *asked: Array) -> Named:
    """Train a cell that goes on with the weights that it had."""
    answer = dict(zip("hc", right.step(*asked), strict=True))
    return {**right.train(optimizer, given, *asked), **answer}


def _half_deaf(part: str) -> Callable[..., Named]:
    def train(right: Side, optimizer: Optimizer, given: Array, *asked: Array) -> Named:
        found = dict(right.train(optimizer, given, *asked))
        return {**found, part: _one_unit(found[part])} if part in found else found

    return train


def _of_optimizer(name: str) -> Iterator[Mutant]:
    """Yield the mistakes that every optimizer can have."""
    title = {"sgd": "SGD", "adam": "Adam"}[name]
    every = (f"{name}.*",)
    for said, change in {
        f"{title} does nothing": _with_gradients(np.zeros_like),
        f"{title} runs backwards": _with_gradients(np.negative),
        f"{title} has twice its rate": _at_rate(2.0),
        f"{title} misses its last step": _with_gradients(lambda given: given[:-1]),
    }.items():
        yield Mutant(said, every, _training(name, change))
    answers = (f"{name}.h", f"{name}.c")
    said = f"after {title} the cell answers with its old weights"
    yield Mutant(said, answers, _training(name, _deaf))
    for part in "hc":
        said = f"after {title} one unit of {part}' is off"
        yield Mutant(said, (f"{name}.{part}",), _training(name, _half_deaf(part)))
    for parameter in PARAMETERS:
        said = f"after {title} {parameter} shows what it was"
        yield Mutant(said, (f"{name}.{parameter}",), _training(name, _stale(parameter)))


_GRADIENTS: Final[Mapping[str, Callable[[Array], Array]]] = {
    "has the other sign": np.negative,
    "is zero": np.zeros_like,
    "is doubled": lambda gradient: 2 * gradient,
    "is off in one unit": _one_unit,
}
"""What can be wrong with a gradient of its own."""


def _of_gradients() -> Iterator[Mutant]:
    yield Mutant("the gradient stops at the state", ("gradient.*",), _spoil(gradients=_detached))
    yield Mutant(
        "the gradient of the last c is dropped",
        ("gradient.*",),
        _spoil(gradients=lambda right, *loss: right.gradients(*loss[:-1], np.zeros_like(loss[-1]))),
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
    Mutant("the state is not carried", ("rollout.*",), _spoil(rollout=_reset)),
    Mutant("h comes a step late", ("rollout.h",), _spoil(rollout=_late)),
    *(
        Mutant(f"one unit of {part} is off at the second step", (f"rollout.{part}",), _rolled(part))
        for part in "hc"
    ),
    *_of_optimizer("sgd"),
    Mutant("SGD keeps a momentum", ("sgd.*",), _training("sgd", _with_gradients(_leaking))),
    *_of_optimizer("adam"),
    Mutant("Adam forgets its moments", ("adam.*",), _training("adam", _as(_Forgetful))),
    Mutant("Adam does not correct its mean", ("adam.*",), _training("adam", _as(_Uncorrected))),
    Mutant(
        "Adam adds epsilon in the other place",
        ("adam.*",),
        _training(
            "adam",
            lambda right, optimizer, *given: right.train(
                replace(optimizer, epsilon_first=not optimizer.epsilon_first), *given
            ),
        ),
    ),
    Mutant(
        "Adam is SGD",
        ("adam.*",),
        _training(
            "adam",
            lambda right, optimizer, *given: right.train(replace(optimizer, name="sgd"), *given),
        ),
    ),
)
"""Every mistake; of each kind the most telling first, and one that is seen wherever it can be."""


def mutants_of(kind: str) -> tuple[Mutant, ...]:
    """Return the mistakes that are about one kind of quantity."""
    return tuple(mutant for mutant in MUTANTS if mutant.kind == kind)

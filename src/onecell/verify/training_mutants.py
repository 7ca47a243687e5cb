"""Mistakes in how a side trains: its gradients, its optimizers, its parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from onecell.spec import PARAMETERS
from onecell.verify.quantities.optimizers import BETAS, Optimizer
from onecell.verify.sides import Array, Side
from onecell.verify.spoiling import Mutant, Named, one_unit, spoil


def _training(
    name: str, change: Callable[[Side, Optimizer, Array, Array, Array, Array], Named]
) -> Callable[[Side], Side]:
    """Return a mistake in what one optimizer does."""

    def train(right: Side, optimizer: Optimizer, *given: Array) -> Named:
        if optimizer.name != name:
            return right.train(optimizer, *given)
        return change(right, optimizer, *given)

    return spoil(train=train)


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
        return {**found, part: one_unit(found[part])} if part in found else found

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


IN_TRAINING: Final = (
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

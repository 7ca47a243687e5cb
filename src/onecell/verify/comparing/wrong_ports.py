"""The comparison, tried on wrong ports: it must see each of them and say what was done.

A check that cannot fail is no check. So the same comparison that vouches for a port is run against
a fixed set of ports that are wrong on purpose, made from the very weights that it vouches for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from onecell.cell import LSTMCell
from onecell.dtypes import narrow, widen
from onecell.spec import BIASES, Spec
from onecell.verify.comparing.comparison import Caught, Diagnosis
from onecell.verify.mutation import GATE_SWAPS, Mutation, same_numbers
from onecell.verify.quantities.cases import Array
from onecell.verify.quantities.readings import Quantity
from onecell.verify.wording import Finding
from onecell.weights import Weights

STEPS: Final = 20
"""Steps of the rollout in a self-test."""
OFF_BY: Final = 1e-3
"""What one weight is off by; this part of the largest one, where that is more than 1."""

State = tuple[Array, Array]


@dataclass(frozen=True, slots=True)
class WrongPort:
    """One mistake, and what a diagnosis must say of it."""

    name: str
    make: Callable[[Weights], object]
    """Takes the right weights; returns wrong ones, or a function that is called as a cell."""
    says: Finding
    """Its facts must be among those of a finding of the same kind."""

    def is_named(self, diagnosis: Diagnosis) -> bool:
        """Whether `diagnosis` says what was done."""
        return any(
            found.kind == self.says.kind and self.says.facts.items() <= found.facts.items()
            for found in diagnosis.findings
        )


def _with(weights: Weights, **changed: Array) -> Weights:
    return Weights(**weights.arrays() | changed)


def _transposed(weights: Weights) -> Weights:
    turned = {
        name: np.ascontiguousarray(array.T).reshape(array.shape)
        for name, array in weights.arrays().items()
    }
    return Weights(**turned)


def _times(parameter: str, factor: float) -> Callable[[Weights], Weights]:
    def change(weights: Weights) -> Weights:
        array = weights.arrays().get(parameter)
        if array is None:
            return weights
        changed = narrow(widen(array) * np.float32(factor), weights.dtype_name)
        return _with(weights, **{parameter: changed})

    return change


def _forget_bias(weights: Weights) -> Weights:
    if weights.bias_ih is None:
        return weights
    bias = widen(weights.bias_ih).copy()
    hidden = weights.hidden_size
    bias[hidden : 2 * hidden] += 1
    return _with(weights, bias_ih=narrow(bias, weights.dtype_name))


def _rounded(weights: Weights) -> Weights:
    if weights.dtype_name in {"float16", "bfloat16"}:
        return weights
    return weights.astype("float16").astype(weights.dtype_name)


def _one_off(weights: Weights) -> Weights:
    matrix = widen(weights.weight_hh).copy()
    # The smallest number: added to a large one, the difference could be lost in 16 bits.
    at = np.unravel_index(int(np.argmin(np.abs(matrix))), matrix.shape)
    matrix[at] += OFF_BY * max(1.0, float(np.max(np.abs(matrix))))
    return _with(weights, weight_hh=narrow(matrix, weights.dtype_name))


def _states_swapped(weights: Weights) -> Callable[[Array, State], State]:
    cell = LSTMCell.from_weights(weights)
    return lambda x, state: cell(x, state[::-1])


def _state_not_carried(weights: Weights) -> Callable[[Array, State], State]:
    cell = LSTMCell.from_weights(weights)
    return lambda x, _: cell(x)


def _swap(swap: Mutation) -> WrongPort:
    says = Finding("gates swapped", {"first": swap.gates[0], "second": swap.gates[1]})
    return WrongPort(swap.name, swap.apply, says)


def _scaled(parameter: str, factor: float, done: str) -> WrongPort:
    says = Finding(f"bias {done}", {"parameter": parameter})
    return WrongPort(f"{parameter} {done}", _times(parameter, factor), says)


WRONG_PORTS: Final = (
    *(_swap(swap) for swap in GATE_SWAPS),
    WrongPort("stored transposed", _transposed, Finding("transposed", {})),
    *(_scaled(parameter, 0, "dropped") for parameter in BIASES),
    *(_scaled(parameter, 2, "doubled") for parameter in BIASES),
    WrongPort("h and c swapped", _states_swapped, Finding("states swapped in", {})),
    WrongPort("state not carried", _state_not_carried, Finding("state ignored", {})),
    WrongPort("forget bias of 1 added", _forget_bias, Finding("forget bias added", {})),
    WrongPort("rounded to float16", _rounded, Finding("rounded", {"dtype": "float16"})),
    WrongPort("one weight off", _one_off, Finding("one element", {"parameter": "weight_hh"})),
)
"""Every wrong port of the self-test."""


def wrong_ports(
    weights: Weights, besides: Iterable[WrongPort] = ()
) -> Iterator[tuple[WrongPort, object]]:
    """Yield each wrong port that changes a number of `weights`, and what it gives as a cell.

    Those of `besides` come after `WRONG_PORTS`, but for names that are there already.
    """
    names = {port.name for port in WRONG_PORTS}
    for port in (*WRONG_PORTS, *(each for each in besides if each.name not in names)):
        wrong = port.make(weights)
        if not isinstance(wrong, Weights) or not same_numbers(wrong, weights):
            yield port, wrong


def try_wrong_ports(
    weights: Weights,
    judge: Callable[[object], tuple[tuple[Quantity, ...], Diagnosis]],
    progress: Callable[[str, int, int], None],
    besides: Iterable[WrongPort] = (),
) -> tuple[Caught, ...]:
    """Return what `judge` says of every wrong port of `weights`, and of those `besides`."""
    tried = list(wrong_ports(weights, besides))
    caught = []
    for number, (port, wrong) in enumerate(tried):
        progress(f"self-test: {port.name}", number, len(tried))
        quantities, diagnosis = judge(wrong)
        readings = [reading for quantity in quantities for reading in quantity.readings]
        caught.append(
            Caught(
                mutant=port.name,
                seen=not all(reading.holds for reading in readings),
                named=port.is_named(diagnosis)
                or any(twin.is_named(diagnosis) for twin in _twins(wrong, tried)),
                excess=max((reading.excess for reading in readings), default=0.0),
                said=diagnosis.text(),
                said_zh=diagnosis.text("zh"),
            )
        )
    progress("", len(tried), len(tried))
    return tuple(caught)


def _twins(wrong: object, tried: list[tuple[WrongPort, object]]) -> Iterator[WrongPort]:
    """Yield the mistakes that make the same numbers, say of a constant bias: any name will do."""
    for port, other in tried:
        if isinstance(wrong, Weights) and isinstance(other, Weights) and same_numbers(other, wrong):
            yield port


def example(spec: Spec | None = None) -> Weights:
    """Return the weights on which a self-test runs where nobody gives any."""
    return Weights.random(spec or Spec(5, 4), 0)

"""Wrong ports that come from one framework's own layout: what a port to or from it gets wrong.

Another framework's order of gates taken for its own, a forget bias added once more or not at all,
the halves of a bias or the kernels of a joined matrix in each other's place, one parameter whose
gates have arrays of their own permuted alone, one kernel turned, the state given the other way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Final

import numpy as np

from onecell.cell import LSTMCell
from onecell.dialect import DIALECTS, Dialect, get_dialect
from onecell.dtypes import narrow, widen
from onecell.spec import GATES, WEIGHTS
from onecell.verify.comparing.wrong_ports import State, WrongPort
from onecell.verify.diagnosis.layouts import offset_finding, order_findings
from onecell.verify.quantities.cases import Array
from onecell.verify.wording import Finding
from onecell.weights import Weights

_FORGET: Final = GATES.index("f")


def dialect_ports(*names: str | None) -> tuple[WrongPort, ...]:
    """Return the wrong ports of the dialects called `names`, each mistake once.

    A dialect whose layout is the canonical one has no mistakes of its own but another's order.
    """
    rows = [get_dialect(name) for name in names if name is not None]
    every = (port for row in rows for port in _ports_of(row))
    return tuple({port.name: port for port in every}.values())


def _ports_of(row: Dialect) -> Iterator[WrongPort]:
    layout = row.layout
    # Where gates have names no order can be mistaken, but names can: one parameter alone.
    if layout.per_gate:
        for parameter in WEIGHTS:
            for first, second in combinations(GATES, 2):
                order = _swapped(first, second)
                (says,) = order_findings(order, parameter)
                name = f"gates {first} and {second} of {parameter} swapped"
                yield WrongPort(name, _permuting(order, parameter), says)
    else:
        for other in sorted({each.layout.gates for each in DIALECTS.values()} - {layout.gates}):
            order = tuple(GATES.index(other[layout.gates.index(gate)]) for gate in GATES)
            (says,) = order_findings(order)
            name = f"the order {' '.join(other)} taken for {' '.join(layout.gates)}"
            yield WrongPort(name, _permuting(order), says)
    if layout.forget_offset:
        for done, value in (("added", layout.forget_offset), ("taken away", -layout.forget_offset)):
            said = f"forget bias of {abs(value):g} {done}"
            yield WrongPort(said, _offset(value), offset_finding("f", value))
    if layout.halves:
        says = Finding("biases swapped", {})
        yield WrongPort("the halves of the bias exchanged", _halves, says)
    if layout.joined:
        says = Finding("matrices swapped", {})
        yield WrongPort("the joined kernels exchanged", _rejoined, says)
    if not layout.gates_first and not layout.joined:
        for parameter in WEIGHTS:
            says = Finding("transposed", {"parameter": parameter})
            yield WrongPort(f"{parameter} stored transposed", _turned(parameter), says)
    if row.state == "ch":
        says = Finding("states swapped", {})
        yield WrongPort("c and h taken for h and c", _states, says)


def _swapped(first: str, second: str) -> tuple[int, ...]:
    other = {first: second, second: first}
    return tuple(GATES.index(other.get(gate, gate)) for gate in GATES)


def _permuting(order: tuple[int, ...], only: str | None = None) -> Callable[[Weights], Weights]:
    """Return what puts gate `order[j]` into block j, of one parameter or of all."""

    def change(weights: Weights) -> Weights:
        found = weights.arrays()
        for name, array in weights.arrays().items():
            if only in {None, name}:
                blocks = np.split(array, len(GATES))
                found[name] = np.concatenate([blocks[gate] for gate in order])
        return Weights(**found)

    return change


def _offset(value: float) -> Callable[[Weights], Weights]:
    def change(weights: Weights) -> Weights:
        if weights.bias_ih is None:
            return weights
        bias, hidden = widen(weights.bias_ih).copy(), weights.hidden_size
        bias[_FORGET * hidden : (_FORGET + 1) * hidden] += value
        return _with(weights, bias_ih=narrow(bias, weights.dtype_name))

    return change


def _halves(weights: Weights) -> Weights:
    if weights.bias_ih is None or weights.bias_hh is None:
        return weights
    return _with(weights, bias_ih=weights.bias_hh, bias_hh=weights.bias_ih)


def _rejoined(weights: Weights) -> Weights:
    joined = np.hstack([weights.weight_hh, weights.weight_ih])
    at = weights.input_size
    halves = (np.ascontiguousarray(part) for part in (joined[:, :at], joined[:, at:]))
    return _with(weights, **dict(zip(WEIGHTS, halves, strict=True)))


def _turned(parameter: str) -> Callable[[Weights], Weights]:
    def change(weights: Weights) -> Weights:
        array = weights.arrays()[parameter]
        turned = np.ascontiguousarray(array.T).reshape(array.shape)
        return _with(weights, **{parameter: turned})

    return change


def _states(weights: Weights) -> Callable[[Array, State], State]:
    cell = LSTMCell.from_weights(weights)
    return lambda x, state: cell(x, state[::-1])[::-1]


def _with(weights: Weights, **changed: Array) -> Weights:
    return Weights(**weights.arrays() | changed)

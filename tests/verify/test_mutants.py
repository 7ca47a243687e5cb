"""Every quantity of a proof can fail: each has mistakes that break it, and exactly it."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Self

import numpy as np
import pytest
import torch

from onecell import LSTMCell
from onecell.spec import PARAMETERS, Spec
from onecell.verify import compare
from onecell.verify.mutants import MUTANTS
from onecell.verify.quantities.cases import make_case
from onecell.verify.quantities.limits import PROVES
from onecell.verify.quantities.oracle import KINDS, Oracle, make_oracle
from onecell.verify.quantities.readings import measure
from onecell.verify.quantities.stored import KIND, compare_stored
from onecell.verify.sides import Side, get_side
from onecell.verify.sides.torch import TorchSide
from onecell.verify.spoiling import Mutant, Spoiled
from onecell.weights import Weights

from .wrong import off_by, right

SIZES = {
    "small": (5, 4, 1.0),
    "one": (1, 1, 1.0),
    "tiny weights": (6, 6, 2.0**-10),
    "chaotic": (64, 64, 32.0),
}


def _weights(inputs: int, hidden: int, gain: float) -> Weights:
    weights = Weights.random(Spec(inputs, hidden), 1)
    return Weights(**{n: a * np.float32(gain) for n, a in weights.arrays().items()})


@pytest.fixture(scope="module", params=SIZES)
def proved(request: pytest.FixtureRequest) -> tuple[Side, Oracle]:
    """The kernel on a cell, and what it must compute."""
    weights = _weights(*SIZES[request.param])
    case = make_case(weights, rollout_steps=20)
    return get_side("arrays").open(weights), make_oracle(weights, case)


def _rows() -> tuple[str, ...]:
    weights = right()
    return tuple(make_oracle(weights, make_case(weights, rollout_steps=2)).expected)


@pytest.mark.parametrize("row", _rows())
def test_every_quantity_has_mistakes_of_its_own_and_of_its_kind(row: str) -> None:
    own = [mutant for mutant in MUTANTS if mutant.breaks == (row,)]
    shared = [mutant for mutant in MUTANTS if mutant.is_about(row) and mutant not in own]
    assert own, f"no mistake breaks {row} and nothing else"
    assert shared, f"no mistake that a side can make breaks {row}"


def test_no_mistake_is_about_a_quantity_that_is_not_there() -> None:
    rows = _rows()
    patterns = {pattern for mutant in MUTANTS for pattern in mutant.breaks}
    assert {p for p in patterns if not any(fnmatchcase(row, p) for row in rows)} == set()
    assert {mutant.kind for mutant in MUTANTS} == set(KINDS)
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mistake_breaks_what_it_says_and_nothing_else(
    mutant: Mutant, proved: tuple[Side, Oracle]
) -> None:
    side, oracle = proved
    found = measure("arrays", "target", mutant.spoil(side), oracle)
    broken = {name for name, reading in found.items() if not reading.holds}
    assert broken == {name for name in found if mutant.is_about(name)}


def test_nothing_breaks_without_a_mistake_and_every_limit_is_small(
    proved: tuple[Side, Oracle],
) -> None:
    side, oracle = proved
    found = measure("arrays", "target", side, oracle)
    assert [name for name, reading in found.items() if not reading.holds] == []
    assert max(reading.threshold.relative for reading in found.values()) < PROVES


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_a_stored_number_that_is_off_breaks_its_parameter_alone(parameter: str) -> None:
    weights = right()
    at = (7, 2) if "weight" in parameter else (7,)
    found = compare_stored(weights, off_by(weights, parameter, at, 1e-5), "arrays")
    assert [q.name for q in found if not q.holds] == [f"{KIND}.{parameter}"]


def test_every_row_of_a_comparison_is_one_of_those_above() -> None:
    rows = {quantity.name for quantity in compare(right(), right(), steps=5).quantities}
    assert rows == {*_rows(), *(f"{KIND}.{parameter}" for parameter in PARAMETERS)}


class _Stale(torch.nn.LSTMCell):
    """A front end that computes with a copy of the weights that it took once."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__(inputs, hidden)
        self.taken: LSTMCell | None = None

    def forward(
        self,
        input: torch.Tensor,  # noqa: A002 - as torch names it
        hx: tuple[torch.Tensor, torch.Tensor] | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        assert hx is not None
        if self.taken is None:
            arrays = {n: p.detach().numpy().copy() for n, p in self.named_parameters()}
            self.taken = LSTMCell.from_weights(Weights(**arrays))
        h, c = self.taken(input.numpy(), (hx[0].numpy(), hx[1].numpy()))
        return torch.from_numpy(h), torch.from_numpy(c)


def test_a_front_end_that_no_step_reaches_fails_where_it_answers() -> None:
    weights = right()
    cell = _Stale(weights.input_size, weights.hidden_size)
    cell.load_state_dict({n: torch.from_numpy(a.copy()) for n, a in weights.arrays().items()})
    oracle = make_oracle(weights, make_case(weights, rollout_steps=5))
    side = TorchSide(cell, dict(cell.named_parameters()))
    kinds = ("forward", "extreme", "rollout", "sgd", "adam")
    found = measure("stale", "target", side, oracle, kinds=kinds)
    broken = [name for name, reading in found.items() if not reading.holds]
    assert broken == ["sgd.h", "sgd.c", "adam.h", "adam.c"]


class _Locked(torch.nn.LSTMCell):
    """A module that cannot be copied."""

    def __deepcopy__(self, _: object) -> Self:
        raise TypeError("cannot copy")


def test_what_cannot_be_copied_is_not_trained_and_says_so() -> None:
    weights = right()
    cell = _Locked(weights.input_size, weights.hidden_size)
    cell.load_state_dict({n: torch.from_numpy(a.copy()) for n, a in weights.arrays().items()})
    found = compare(weights, cell, steps=5)
    assert found.holds
    said = {name: why for name, why in found.left_out.items() if name.endswith(": sgd")}
    assert list(said.values()) == ["it cannot be copied, and only a copy is trained"]
    assert all(name.startswith("b: ") and "_Locked" in name for name in said)


IN_NUMPY = {
    "Adam forgets its moments",
    "Adam does not correct its mean",
    "Adam adds epsilon in the other place",
}
"""Mistakes that a framework's own Adam cannot be told to make."""


@pytest.mark.parametrize("name", ["torch", "onecell.torch", "mindspore", "onecell.mindspore"])
def test_a_framework_that_steps_otherwise_fails(name: str) -> None:
    weights = right()
    oracle = make_oracle(weights, make_case(weights, rollout_steps=2), coarse=True)
    entry = get_side(name)
    side, coarse = entry.open(weights), entry.tanh_error > 0
    for mutant in MUTANTS:
        if mutant.kind not in {"sgd", "adam"} or mutant.name in IN_NUMPY:
            continue
        kinds = (mutant.kind,)
        found = measure(name, "target", mutant.spoil(side), oracle, coarse=coarse, kinds=kinds)
        broken = {quantity for quantity, reading in found.items() if not reading.holds}
        assert broken == {quantity for quantity in found if mutant.is_about(quantity)}, mutant.name
    other = Spoiled(side)
    other.epsilon_first = not side.epsilon_first
    found = measure(name, "target", other, oracle, coarse=coarse, kinds=("adam",))
    assert [quantity for quantity, reading in found.items() if reading.holds] == []

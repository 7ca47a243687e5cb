"""The proof holds for the same weights and fails for every mistake."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from onecell.dtypes import widen
from onecell.errors import ArgumentError, MissingExtraError
from onecell.spec import Spec
from onecell.verify import GATE_SWAPS, SIDES, CellProof, Column, Mutation, choose_columns, sides
from onecell.verify import prove_cell as prove
from onecell.verify.mutants import MUTANTS
from onecell.verify.quantities.cases import make_case
from onecell.verify.quantities.columns import Cell
from onecell.verify.quantities.optimizers import Optimizer
from onecell.verify.quantities.oracle import KINDS, make_oracle
from onecell.verify.quantities.readings import measure
from onecell.verify.sides import Array, Entry, Side
from onecell.verify.spoiling import Mutant, Spoiled
from onecell.weights import Weights

OURS = (Column("arrays", "target"),)
NAMES = (
    *("forward.h", "forward.c", "extreme.h", "extreme.c"),
    *("gradient.x", "gradient.h", "gradient.c"),
    *("gradient.weight_ih", "gradient.weight_hh", "gradient.bias_ih", "gradient.bias_hh"),
    *("rollout.h", "rollout.c"),
    *("sgd.weight_ih", "sgd.weight_hh", "sgd.bias_ih", "sgd.bias_hh", "sgd.h", "sgd.c"),
    *("adam.weight_ih", "adam.weight_hh", "adam.bias_ih", "adam.bias_hh", "adam.h", "adam.c"),
)


def _random(inputs: int, hidden: int, *, bias: bool = True, gain: float = 1.0) -> Weights:
    weights = Weights.random(Spec(inputs, hidden, bias), 1)
    return Weights(**{n: a * np.float32(gain) for n, a in weights.arrays().items()})


def _numbers_hold(proof: CellProof) -> bool:
    """Whether the quantities hold, whatever the comparison of bits says."""
    return all(quantity.holds for quantity in proof.quantities)


@settings(max_examples=20, deadline=None)
@given(
    inputs=st.integers(1, 20),
    hidden=st.integers(1, 20),
    bias=st.booleans(),
    stored=st.sampled_from(["float16", "bfloat16", "float32", "float64"]),
    gain=st.sampled_from([2.0**-10, 1.0, 4.0, 64.0]),
)
def test_the_kernel_holds(inputs: int, hidden: int, bias: bool, stored: str, gain: float) -> None:
    weights = _random(inputs, hidden, bias=bias, gain=gain).astype(stored)
    assert prove("cell", weights, weights, OURS, rollout_steps=20, self_test="full").holds


@settings(max_examples=30, deadline=None)
@given(
    inputs=st.integers(1, 12),
    hidden=st.integers(1, 12),
    bias=st.booleans(),
    gain=st.sampled_from([100.0, 1e3, 1e4, 1e5, 1e6, 1e12, 1e15]),
    name=st.sampled_from(["arrays", "torch"]),
    seed=st.integers(0, 999),
)
def test_a_right_side_holds_however_large_the_weights(
    inputs: int, hidden: int, bias: bool, gain: float, name: str, seed: int
) -> None:
    """Rounding decides much in such a cell; a limit that leaves that out fails a right side."""
    drawn = Weights.random(Spec(inputs, hidden, bias), seed)
    weights = Weights(**{n: a * np.float32(gain) for n, a in drawn.arrays().items()})
    case = make_case(weights, rollout_steps=20)
    oracle = make_oracle(weights, case)
    found = measure(name, "target", SIDES[name].open(weights), oracle)
    assert [n for n, reading in found.items() if not reading.holds] == []


@pytest.mark.parametrize(("gain", "bias"), [(1e3, True), (1e3, False), (1e6, False), (1e12, False)])
def test_large_weights_are_proved_by_inputs_that_reach_their_gates(gain: float, bias: bool) -> None:
    weights = _random(7, 11, bias=bias, gain=gain)
    proof = prove("cell", weights, weights, OURS, rollout_steps=20)
    assert proof.holds
    assert proof.unproved == ()


def test_a_family_that_cannot_fail_is_named() -> None:
    weights = _random(7, 11, gain=1e6)
    proof = prove("cell", weights, weights, OURS, rollout_steps=20)
    assert proof.holds
    assert "gradient of the parameters" in proof.unproved


def test_shut_gates_are_not_proved_and_no_fault() -> None:
    """Swapped gates are then no other cell to the outputs: a proof that cannot be, not a failure.

    All stand at 0: h and c are 0 whatever goes in.
    """
    weights = _random(5, 4)
    shut = np.full(16, -1e6, np.float32)
    weights = Weights(weights.weight_ih, weights.weight_hh, shut, shut)
    proof = prove("cell", weights, weights, OURS, rollout_steps=20)
    assert proof.holds
    assert proof.unseen == ()
    assert {"forward", "rollout", "gradient of the inputs"} <= set(proof.unproved)


def test_every_quantity_is_there() -> None:
    weights = _random(5, 4)
    assert tuple(q.name for q in prove("cell", weights, weights, OURS).quantities) == NAMES


def test_without_bias_there_are_no_biases() -> None:
    weights = _random(5, 4, bias=False)
    proof = prove("cell", weights, weights, OURS)
    assert tuple(q.name for q in proof.quantities) == tuple(n for n in NAMES if "bias" not in n)


@pytest.mark.parametrize("stored", ["float32", "float64"])
@pytest.mark.parametrize("name", ["torch", "onecell.torch", "onecell.mindspore"])
def test_a_framework_holds_to_the_tight_limits(name: str, stored: str) -> None:
    weights = _random(10, 16).astype(stored)
    if stored not in SIDES[name].dtypes:
        pytest.fail(f"{name} does not compute in {stored}")
    assert SIDES[name].tanh_error == 0
    proof = prove("cell", weights, weights, [Column(name, "target")], rollout_steps=30)
    assert proof.holds
    assert proof.quantities[0].readings[0].side == name


def test_mindspore_holds_and_needs_its_allowance() -> None:
    weights = _random(10, 16, gain=4)
    columns = (*OURS, Column("mindspore", "target"))
    proof = prove("cell", weights, weights, columns, rollout_steps=30)
    tight, theirs = proof.quantities[0].readings
    assert proof.holds
    assert theirs.error > tight.limit


def test_a_first_step_that_moves_far_by_itself_has_not_grown() -> None:
    """Here the rollout's own first inputs move c twenty times as far as those of `forward`."""
    torch.manual_seed(5)
    torch.nn.Linear(3, 18)
    state = torch.nn.LSTMCell(18, 18).state_dict()
    weights = Weights.from_dialect({n: t.numpy() for n, t in state.items()}, "torch")
    proof = prove("cell", weights, weights, (*OURS, Column("mindspore", "target")))
    (rollout,) = (q for q in proof.quantities if q.name == "rollout.c")
    theirs = rollout.readings[1]
    assert proof.holds
    assert (theirs.side, theirs.steps) == ("mindspore", 200)
    assert theirs.error < theirs.limit < 0.05


@pytest.mark.parametrize("gain", [1.0, 2.0**12])
def test_at_least_one_step_of_a_rollout_is_compared(gain: float) -> None:
    weights = _random(64, 64, gain=gain)
    oracle = make_oracle(weights, make_case(weights, rollout_steps=5), coarse=True)
    for name in ("rollout.h", "rollout.c"):
        for coarse in (False, True):
            threshold, steps = oracle.expected[name].limit(coarse=coarse)
            assert steps is not None
            assert steps >= 1
            assert threshold.value == oracle.expected[name].limits(coarse=coarse)[steps - 1]


def test_mindspore_is_left_out_of_float64_with_the_reason() -> None:
    weights = _random(5, 4).astype("float64")
    beside = Column("mindspore", "target", decides=False)
    proof = prove("cell", weights, weights, (*OURS, beside))
    assert proof.left_out == {"mindspore": "does not compute in float64"}
    assert proof.holds


def test_a_side_that_decides_and_cannot_compute_is_no_proof() -> None:
    weights = _random(5, 4).astype("float64")
    proof = prove("cell", weights, weights, (*OURS, Column("mindspore", "target")))
    assert proof.unable == ("mindspore",)
    assert not proof.holds


def test_a_fault_of_a_side_that_does_not_decide_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = _BrokenEntry("h and c swapped", "")
    monkeypatch.setattr(sides, "SIDES", {**SIDES, broken.name: broken})
    weights = _random(5, 4)
    proofs = [
        prove("cell", weights, weights, (*OURS, Column(broken.name, "target", decides)))
        for decides in (False, True)
    ]
    assert [proof.holds for proof in proofs] == [True, False]
    assert proofs[0].faults.keys() == {broken.name}
    assert "forward.h" in proofs[0].faults[broken.name]
    assert proofs[1].faults == {}


@pytest.mark.parametrize("size", [(5, 4), (64, 64), (1, 1)], ids=str)
@pytest.mark.parametrize("stored", ["bfloat16", "float32", "float64"])
@pytest.mark.parametrize("mutation", GATE_SWAPS, ids=lambda mutation: mutation.name)
def test_a_swap_of_two_gates_fails(mutation: Mutation, stored: str, size: tuple[int, int]) -> None:
    weights = _random(*size).astype(stored)
    proof = prove("cell", weights, mutation.apply(weights), OURS, rollout_steps=2)
    assert not _numbers_hold(proof)
    assert proof.same_bits is False


def _with(weights: Weights, **changed: np.ndarray | None) -> Weights:
    return Weights(**{**weights.arrays(), **changed})  # type: ignore[arg-type]


def _nudged(weights: Weights, name: str) -> Weights:
    array = getattr(weights, name).copy()
    array.flat[array.size // 3] += 1e-3
    return _with(weights, **{name: array})


MISTAKES: Mapping[str, Callable[[Weights], Weights]] = {
    "recurrent blocks transposed": lambda w: _with(
        w, weight_hh=np.concatenate([block.T for block in np.split(w.weight_hh, 4)])
    ),
    "input blocks transposed": lambda w: _with(
        w, weight_ih=np.concatenate([block.T for block in np.split(w.weight_ih, 4)])
    ),
    "the two matrices swapped": lambda w: _with(w, weight_ih=w.weight_hh, weight_hh=w.weight_ih),
    "bias_hh dropped": lambda w: _with(w, bias_hh=np.zeros_like(w.bias_hh)),
    "no bias": lambda w: _with(w, bias_ih=None, bias_hh=None),
    "bias_hh counted twice": lambda w: _with(w, bias_ih=w.bias_hh),
    "1e-3 in weight_ih": lambda w: _nudged(w, "weight_ih"),
    "1e-3 in weight_hh": lambda w: _nudged(w, "weight_hh"),
    "1e-3 in bias_ih": lambda w: _nudged(w, "bias_ih"),
    "rounded to float16": lambda w: w.astype("float16").astype("float32"),
    "NaN": lambda w: _with(w, bias_ih=np.full_like(w.bias_ih, np.nan)),
}


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("hidden", [6, 64])
def test_a_mistake_in_the_weights_fails(mistake: str, hidden: int) -> None:
    weights = _random(hidden, hidden)
    wrong = MISTAKES[mistake](weights).astype("float32")
    assert not _numbers_hold(prove("cell", weights, wrong, OURS, rollout_steps=2))


class _Broken(Spoiled):
    """A side with a mistake in how it is called."""

    def __init__(self, right: Side, mistake: str) -> None:
        super().__init__(right)
        self.mistake = mistake

    def step(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        if self.mistake == "h and c swapped":
            h, c = c, h
        h_next, c_next = self.right.step(x, h, c)
        return (c_next, h_next) if self.mistake == "results swapped" else (h_next, c_next)

    def gradients(self, *loss: Array) -> Mapping[str, Array]:
        found = dict(self.right.gradients(*loss))
        if self.mistake == "a gradient missing":
            del found["bias_hh"]
        if self.mistake == "gradient of the wrong shape":
            found["x"] = found["x"][:1]
        return found

    def train(
        self, optimizer: Optimizer, given: Array, x: Array, h: Array, c: Array
    ) -> Mapping[str, Array]:
        found = dict(self.right.train(optimizer, given, x, h, c))
        if self.mistake == "a parameter missing":
            del found["bias_ih"]
        return found


class _BrokenEntry(Entry):
    def open(self, weights: Weights) -> Side:
        return _Broken(SIDES["reference"].open(weights), self.name)


@pytest.mark.parametrize(
    ("mistake", "where"),
    [
        ("none", ""),
        ("h and c swapped", "forward.h"),
        ("results swapped", "forward.h"),
        ("a gradient missing", "gradient.bias_hh"),
        ("gradient of the wrong shape", "gradient.x"),
        ("a parameter missing", "sgd.bias_ih"),
    ],
)
def test_a_mistake_of_a_side_is_seen_where_it_is(
    mistake: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sides, "SIDES", {**SIDES, mistake: _BrokenEntry(mistake, "")})
    weights = _random(5, 4)
    proof = prove("cell", weights, weights, [Column(mistake, "target")], rollout_steps=5)
    failing = [quantity.name for quantity in proof.quantities if not quantity.holds]
    assert failing[:1] == ([where] if where else [])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_cell_that_is_not_finite_is_not_proved(value: float) -> None:
    weights = _random(5, 4)
    weights.bias_ih[2] = value  # type: ignore[index]
    proof = prove("cell", weights, weights, OURS, rollout_steps=5)
    assert not proof.holds


def test_a_chaotic_rollout_is_compared_until_rounding_decides() -> None:
    weights = _random(64, 64, gain=32)
    proof = prove("cell", weights, weights, OURS)
    steps = {q.readings[0].steps for q in proof.quantities if q.name.startswith("rollout")}
    assert proof.holds
    assert all(steps_ is not None and 5 < steps_ < 200 for steps_ in steps)


def test_a_tame_rollout_is_compared_to_its_end() -> None:
    weights = _random(64, 64)
    (rollout,) = (q for q in prove("c", weights, weights, OURS).quantities if q.name == "rollout.h")
    assert rollout.readings[0].steps == 200


def test_gates_that_are_all_alike_are_sabotaged_in_another_way() -> None:
    arrays = {n: np.full_like(a, 0.25) for n, a in _random(5, 4).arrays().items()}
    sabotage = prove("cell", Weights(**arrays), Weights(**arrays), OURS).sabotage[0]
    assert sabotage.mutation == "weight_ih enlarged"
    assert sabotage.seen


def test_a_full_self_test_makes_every_mistake() -> None:
    weights = _random(5, 4)
    sabotage = prove("cell", weights, weights, OURS, self_test="full").sabotage
    wanted = [*(mutation.name for mutation in GATE_SWAPS), *(mutant.name for mutant in MUTANTS)]
    assert [each.mutation for each in sabotage] == wanted
    assert all(each.seen for each in sabotage)


def test_a_quick_self_test_makes_a_mistake_of_every_kind() -> None:
    weights = _random(5, 4)
    sabotage = prove("cell", weights, weights, OURS).sabotage
    assert [each.kind for each in sabotage] == ["weights", *KINDS]
    assert all(each.seen for each in sabotage)


def test_a_kind_of_mistake_that_is_never_seen_is_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    harmless = Mutant("harmless", ("adam.*",), lambda right: right)
    monkeypatch.setattr("onecell.verify.mutants.MUTANTS", (harmless,))
    weights = _random(5, 4)
    proof = prove("cell", weights, weights, OURS, rollout_steps=5)
    assert proof.unseen == ("harmless",)
    assert not proof.holds


def test_sixteen_bits_are_computed_in_float32_exactly_as_stored() -> None:
    weights = _random(5, 4).astype("bfloat16")
    proof = prove("cell", weights, weights, OURS)
    assert (proof.stored, proof.computed) == ("bfloat16", "float32")
    assert np.array_equal(widen(weights.weight_ih), weights.widened().weight_ih)


def test_columns_follow_the_frameworks() -> None:
    columns, left_out = choose_columns("torch", "mindspore")
    found = [(column.side, column.file) for column in columns]
    assert not left_out
    assert found == [
        ("arrays", "source"),
        ("torch", "source"),
        ("arrays", "target"),
        ("mindspore", "target"),
        ("onecell.mindspore", "target"),
    ]


def test_frameworks_that_are_not_installed_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sides, "is_installed", lambda _: False)
    columns, left_out = choose_columns("torch", "mindspore")
    assert {column.side for column in columns} == {"arrays"}
    assert left_out["torch"] == "`torch` is not installed"


def test_a_side_that_was_asked_for_must_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sides, "is_installed", lambda _: False)
    with pytest.raises(MissingExtraError, match=r"onecell\[mindspore\]"):
        choose_columns("torch", "mindspore", ["arrays", "mindspore"])


def test_somebody_must_read_the_target() -> None:
    with pytest.raises(ArgumentError, match="must name one that decides about mindspore"):
        choose_columns("torch", "mindspore", ["torch"])


def test_the_sides_that_the_result_runs_on_decide() -> None:
    owns: dict[Cell, str] = {"onecell": "onecell.mindspore", "native": "mindspore"}
    for runs_on, own in owns.items():
        columns, _ = choose_columns("torch", "mindspore", runs_on=runs_on)
        assert {column.side for column in columns if column.decides} == {"arrays", own}


def test_an_unknown_side_is_named() -> None:
    with pytest.raises(ArgumentError, match="got 'jax'"):
        choose_columns("torch", "mindspore", ["jax"])

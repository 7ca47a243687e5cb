"""The diagnosis names what was done, from the weights and from the answers alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onecell import Weights
from onecell.verify import Diagnosis, compare
from onecell.verify.diagnosis import diagnose_behaviour, diagnose_weights
from onecell.verify.diagnosis.layouts import ORDERS

from .wrong import (
    BIAS_MISTAKES,
    VISIBLE,
    Cell,
    as_function,
    changed,
    interleaved,
    off_by,
    reordered,
    right,
    say_order,
    transposed,
    with_biases,
    with_forget_bias,
)

TOLERANCE = 2e-5
"""A float32 step at these sizes, with a margin."""

ORDER = st.sampled_from(ORDERS)
SIZE = st.sampled_from([(5, 4), (3, 7), (6, 6), (9, 2)])


def by_answers(weights: Weights, cell: Cell) -> Diagnosis:
    return diagnose_behaviour(weights, lambda x, h, c: cell(x, (h, c)), TOLERANCE)


def says(diagnosis: Diagnosis, *words: str) -> None:
    """Fail unless the diagnosis explains everything with exactly these clauses."""
    text = diagnosis.text()
    wanted = [word for word in words if word]
    assert diagnosis.explained, text
    for word in wanted:
        assert word in text, text
    assert len(diagnosis.findings) == max(1, len(wanted)), text


@settings(deadline=None, max_examples=200)
@given(order=ORDER, said=st.sampled_from(list(BIAS_MISTAKES)), size=SIZE)
def test_weights_name_every_order_and_treatment(
    order: tuple[int, ...], said: str, size: tuple[int, int]
) -> None:
    weights = right(*size)
    wrong = reordered(with_biases(weights, said), order)
    says(diagnose_weights(weights, wrong), say_order(order), said)


@pytest.mark.slow
@pytest.mark.parametrize("said", BIAS_MISTAKES)
@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_weights_name_all_combinations(order: tuple[int, ...], said: str) -> None:
    weights = right(10, 16)
    wrong = reordered(with_biases(weights, said), order)
    says(diagnose_weights(weights, wrong), say_order(order), said)


@settings(deadline=None, max_examples=15)
@given(order=ORDER, said=st.sampled_from(list(VISIBLE)), size=SIZE)
def test_answers_name_every_order_and_treatment(
    order: tuple[int, ...], said: str, size: tuple[int, int]
) -> None:
    weights = right(*size)
    wrong = reordered(with_biases(weights, said), order)
    found = by_answers(weights, as_function(wrong))
    if wrong.same_bits(weights):
        says(found, "a step answers as it should")
    else:
        says(found, say_order(order), said)


@settings(deadline=None, max_examples=40)
@given(order=ORDER, value=st.sampled_from([1.0, -1.0, 2.0, 0.37, -0.61]))
def test_weights_name_a_forget_bias(order: tuple[int, ...], value: float) -> None:
    weights = right()
    done = "added" if value > 0 else "taken away"
    wrong = reordered(with_forget_bias(weights, value), order)
    says(
        diagnose_weights(weights, wrong),
        say_order(order),
        f"a forget bias of {abs(value):g} was {done}",
    )


@pytest.mark.parametrize("value", [1.0, -1.0, 0.37])
def test_answers_name_a_forget_bias(value: float) -> None:
    weights = right()
    done = "added" if value > 0 else "taken away"
    found = by_answers(weights, as_function(with_forget_bias(weights, value)))
    says(found, f"a forget bias of {abs(value):g} was {done}")


def test_a_forget_bias_and_a_dropped_bias_are_both_named() -> None:
    weights = right()
    wrong = with_forget_bias(with_biases(weights, "bias_hh was dropped"), 1)
    words = ("bias_hh was dropped", "a forget bias of 1 was added")
    says(diagnose_weights(weights, wrong), *words)
    says(by_answers(weights, as_function(wrong)), *words)


def _blocks_transposed(weights: Weights) -> Weights:
    turned = np.concatenate([block.T for block in np.split(weights.weight_hh, 4)])
    return changed(weights, weight_hh=turned)


def _matrices_swapped(weights: Weights) -> Weights:
    return changed(weights, weight_ih=weights.weight_hh, weight_hh=weights.weight_ih)


LAYOUTS: dict[str, Callable[[Weights], Weights]] = {
    "weight_ih and weight_hh stored transposed": transposed,
    "weight_ih stored transposed": lambda w: transposed(w, ("weight_ih",)),
    "weight_hh stored transposed": lambda w: transposed(w, ("weight_hh",)),
    "each gate's block of weight_hh stored transposed": _blocks_transposed,
    "weight_ih and weight_hh stored interleaved": interleaved,
    "weight_ih and weight_hh are in each other's place": _matrices_swapped,
}


@pytest.mark.parametrize("said", LAYOUTS)
def test_layouts_are_named(said: str) -> None:
    weights = right(6, 6)
    wrong = LAYOUTS[said](weights)
    says(diagnose_weights(weights, wrong), said)
    says(by_answers(weights, as_function(wrong)), said)


@settings(deadline=None, max_examples=24)
@given(order=ORDER)
def test_a_transposition_and_an_order_are_both_named(order: tuple[int, ...]) -> None:
    weights = right()
    wrong = transposed(reordered(weights, order))
    said = "weight_ih and weight_hh stored transposed"
    says(diagnose_weights(weights, wrong), say_order(order), said)


def test_an_order_of_one_matrix_alone_is_named() -> None:
    weights = right()
    wrong = reordered(weights, (1, 0, 2, 3), ("weight_ih",))
    said = "gates i and f are swapped in weight_ih, not in the rest"
    says(diagnose_weights(weights, wrong), said)


def test_parameters_of_one_order_are_named_together() -> None:
    wrong = reordered(right(), (3, 0, 1, 2), ("weight_ih", "weight_hh"))
    told = diagnose_weights(right(), wrong)
    said = "gates of weight_ih and weight_hh are stored in the order o i f g instead of i f g o"
    assert told.text() == said
    assert told.explained


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_rounding_is_named(kind: str) -> None:
    weights = right()
    wrong = weights.astype(kind).astype("float32")
    said = f"the numbers were rounded to {kind}"
    says(diagnose_weights(weights, wrong), said)
    says(by_answers(weights, as_function(wrong)), said)


def test_one_number_is_named_with_its_place() -> None:
    weights = right()
    wrong = off_by(weights, "weight_hh", (14, 2), 1e-3)
    says(diagnose_weights(weights, wrong), "weight_hh[14, 2] (gate o, unit 2) is off by 0.001")


@pytest.mark.parametrize(("row", "gate"), [(5, "i"), (20, "f"), (35, "g"), (50, "o")])
def test_one_number_is_traced_to_its_unit_and_gate(row: int, gate: str) -> None:
    weights = right(12, 16)
    wrong = off_by(weights, "weight_ih", (row, 3), 1e-2)
    unit = row % 16
    says(by_answers(weights, as_function(wrong)), f"unit {unit} alone is off, in gate {gate}")


def test_the_last_places_are_no_mistake() -> None:
    weights = right()
    near = {n: np.nextafter(a, np.float32(2)) for n, a in weights.arrays().items()}
    says(diagnose_weights(weights, Weights(**near)), "differ in the last places")


@pytest.mark.parametrize("stored", ["float16", "bfloat16"])
def test_sixteen_bit_files_are_diagnosed(stored: str) -> None:
    weights = right().astype(stored)
    wrong = with_forget_bias(right(), 1).astype(stored)
    says(diagnose_weights(weights, wrong), "a forget bias of 1 was added")


def test_other_numbers_are_not_explained() -> None:
    weights, other = right(), right(seed=2)
    for found in (diagnose_weights(weights, other), by_answers(weights, as_function(other))):
        assert not found.explained
        assert found.text().startswith("no known layout explains it; largest difference in")


def test_training_on_is_not_explained_away() -> None:
    weights = right(10, 16)
    rng = np.random.default_rng(0)
    moved = {
        n: (a + 0.02 * rng.standard_normal(a.shape)).astype(np.float32)
        for n, a in weights.arrays().items()
    }
    found = diagnose_weights(weights, Weights(**moved))
    assert not found.explained
    assert len(found.findings) == 1


def _cell_with(mistake: str) -> Cell:
    step = as_function(right())
    wrong: dict[str, Cell] = {
        STATES[0]: lambda x, s: step(x, (s[1], s[0])),
        STATES[1]: lambda x, s: step(x, s)[::-1],
        STATES[2]: lambda x, s: step(x, (s[1], s[0]))[::-1],
        STATES[3]: lambda x, s: step(x, (0 * s[0], 0 * s[1])),
        STATES[4]: lambda x, s: step(x, (0 * s[0], s[1])),
        STATES[5]: lambda x, s: step(x, (s[0], 0 * s[1])),
        STATES[6]: lambda x, s: (step(x, s)[0], s[1]),
        STATES[7]: lambda x, s: (s[0], step(x, s)[1]),
    }
    return wrong[mistake]


STATES = (
    "h and c are swapped on the way in",
    "h and c are swapped on the way out",
    "h and c are swapped, on the way in and out",
    "the state is not carried",
    "h is not carried",
    "c is not carried",
    "c comes back as it went in",
    "h comes back as it went in",
)


@pytest.mark.parametrize("said", STATES)
def test_mistakes_with_states_are_named(said: str) -> None:
    says(by_answers(right(), _cell_with(said)), said)


@pytest.mark.parametrize("said", STATES)
def test_mistakes_with_states_are_named_without_any_weights(said: str) -> None:
    found = compare(as_function(right()), _cell_with(said), sizes=(5, 4), steps=5)
    assert found.reference == "what a computes"
    says(found.diagnosis, said)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (with_forget_bias(right(), 1), "a forget bias of 1 was added"),
        (reordered(right(), (0, 3, 2, 1)), "gates f and o are swapped"),
    ],
    ids=["forget bias", "swap"],
)
def test_gates_are_read_without_any_weights(wrong: Weights, said: str) -> None:
    found = compare(as_function(right()), as_function(wrong), sizes=(5, 4), steps=5)
    says(found.diagnosis, said)


def test_what_two_functions_cannot_tell_is_not_explained() -> None:
    wrong = as_function(with_biases(right(), "bias_hh was dropped"))
    found = compare(as_function(right()), wrong, sizes=(5, 4), steps=5)
    assert not found.holds
    assert not found.diagnosis.explained


def test_every_clause_has_both_languages() -> None:
    weights = right()
    for said in BIAS_MISTAKES:
        wrong = reordered(with_biases(weights, said), (3, 2, 1, 0))
        found = diagnose_weights(weights, wrong)
        assert found.text("en") != found.text("zh")

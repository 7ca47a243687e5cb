"""Every row of the table against its framework's own formula, and to and fro bit for bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialect.formulas import FORMULAS
from onecell import Spec, Weights, reference
from onecell.checkpoint import convert, find_cells
from onecell.dialect import DIALECTS, FRONT_ENDS, Dialect, get_dialect, get_front_end
from onecell.dialect.arrays import merge_biases
from onecell.dtypes import BFLOAT16, FLOAT_NAMES, narrow, widen
from onecell.errors import ArgumentError, CheckpointError

ROWS = list(DIALECTS.values())
EXACT = [row for row in ROWS if not row.layout.forget_offset]
SIZES = st.tuples(st.integers(1, 5), st.integers(1, 6))
SEEDS = st.integers(0, 2**32 - 1)


def draw(
    sizes: tuple[int, int], *, bias: bool = True, seed: int = 0, kind: str = "float64"
) -> Weights:
    spec = Spec(*sizes, bias, np.dtype(np.float64))
    weights = Weights.random(spec, seed)
    return weights.astype(kind)


def one_bias(weights: Weights, kind: str) -> Weights:
    """Return the weights with all of the bias in bias_ih, as one bias is read."""
    arrays = weights.arrays()
    if "bias_hh" in arrays:
        arrays["bias_hh"] = np.zeros_like(arrays["bias_hh"])
    return Weights(**arrays).astype(kind)


def test_every_row_has_a_formula_of_its_own_to_be_run_against() -> None:
    assert FORMULAS.keys() == DIALECTS.keys()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@given(sizes=SIZES, bias=st.booleans(), seed=SEEDS)
def test_what_the_framework_computes_is_what_the_reference_does(
    row: Dialect, sizes: tuple[int, int], bias: bool, seed: int
) -> None:
    weights = draw(sizes, bias=bias, seed=seed)
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((3, sizes[0]))
    h, c = rng.standard_normal((2, 3, sizes[1]))
    got = FORMULAS[row.name](weights.to_dialect(row), x, h, c)
    for array, want in zip(got, reference.step(weights, x, h, c), strict=True):
        np.testing.assert_allclose(array, want, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_another_row_is_told_from_this_one_by_the_formula(row: Dialect) -> None:
    """A swap of gates, an offset lost and halves exchanged must show: else nothing is proved."""
    weights = draw((3, 4), seed=1)
    x, h, c = (np.random.default_rng(2).standard_normal((2, k)) for k in (3, 4, 4))
    want = reference.step(weights, x, h, c)
    wrong = [replace(row.layout, gates=row.layout.gates[::-1])]
    if row.layout.per_gate:  # told apart by name, in whatever order
        names = list(row.names.items())
        others: dict[str, str] = {}
        for four in (names[at : at + 4] for at in range(0, len(names), 4)):
            others |= {piece: name for (piece, _), (_, name) in zip(four, four[::-1], strict=True)}
        row, wrong = replace(row, parameters={**row.parameters, **others}), [row.layout]
    if row.layout.forget_offset:
        wrong.append(replace(row.layout, forget_offset=0.0))
        wrong.append(replace(row.layout, forget_offset=-row.layout.forget_offset))
    for layout in wrong:
        arrays = weights.to_dialect(replace(row, layout=layout))
        got = FORMULAS[row.name](arrays, x, h, c)
        assert max(np.abs(a - b).max() for a, b in zip(got, want, strict=True)) > 1e-3


@pytest.mark.parametrize("row", EXACT, ids=lambda row: row.name)
@given(sizes=SIZES, bias=st.booleans(), seed=SEEDS, kind=st.sampled_from(FLOAT_NAMES))
def test_there_and_back_is_bit_for_bit(
    row: Dialect, sizes: tuple[int, int], bias: bool, seed: int, kind: str
) -> None:
    bias = bias or row.layout.always_bias
    weights = draw(sizes, bias=bias, seed=seed, kind=kind)
    if row.layout.biases == 1:
        weights = one_bias(weights, kind)
    arrays = weights.to_dialect(row, prefix="decoder.lstm.")
    assert all(name.startswith("decoder.lstm.") for name in arrays)
    assert all(array.flags.c_contiguous for array in arrays.values())
    assert Weights.from_dialect(arrays, row, prefix="decoder.lstm.").same_bits(weights)


@pytest.mark.parametrize("row", EXACT, ids=lambda row: row.name)
@given(sizes=SIZES, seed=SEEDS, kind=st.sampled_from(FLOAT_NAMES))
def test_back_and_there_is_bit_for_bit_whatever_the_numbers(
    row: Dialect, sizes: tuple[int, int], seed: int, kind: str
) -> None:
    """Minus zero, infinity and NaN with every payload included: bits move, nothing computes."""
    rng = np.random.default_rng(seed)
    dtype = BFLOAT16 if kind == "bfloat16" else np.dtype(kind)
    arrays = {}
    for name, like in draw(sizes).to_dialect(row).items():
        bits = rng.integers(0, 256, like.size * dtype.itemsize, dtype=np.uint8)
        arrays[name] = bits.view(dtype).reshape(like.shape)
    again = Weights.from_dialect(arrays, row).to_dialect(row)
    assert again.keys() == arrays.keys()
    for name, array in arrays.items():
        assert again[name].dtype == array.dtype
        assert again[name].tobytes() == array.tobytes()


@pytest.mark.parametrize("row", [r for r in ROWS if r not in EXACT], ids=lambda row: row.name)
@pytest.mark.parametrize("kind", FLOAT_NAMES)
def test_an_offset_is_taken_off_once_and_rounded_once(row: Dialect, kind: str) -> None:
    weights = draw((3, 4), seed=5, kind=kind)
    arrays = weights.to_dialect(row)
    (bias,) = (array for array in arrays.values() if array.ndim == 1)
    place = slice(4 * row.layout.gates.index("f"), 4 * row.layout.gates.index("f") + 4)
    assert weights.bias_ih is not None
    assert weights.bias_hh is not None
    merged = widen(merge_biases(weights.bias_ih, weights.bias_hh))[4:8].astype(np.float64)
    want = narrow(merged - row.layout.forget_offset, kind)
    assert bias[place].tobytes() == want.tobytes()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("layer", [None, 0, 11])
@pytest.mark.parametrize("prefix", ["", "a.", "model.lstm."])
def test_the_names_that_are_written_are_found_again(
    row: Dialect, layer: int | None, prefix: str
) -> None:
    weights = draw((3, 4), seed=3)
    arrays = weights.to_dialect(row, prefix=prefix, layer=layer)
    (site,) = find_cells(arrays, row)
    assert (site.layer, site.reverse) == (layer, False)
    if row.may_own(prefix):
        assert site.prefix == prefix
    assert set(site.names(row).values()) == set(arrays)
    assert site.weights(arrays, row).spec == weights.spec


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_what_has_only_names_that_other_layers_have_is_no_cell(row: Dialect) -> None:
    dense = {
        "head.weight": np.zeros((8, 6), np.float32),
        "head.kernel": np.zeros((6, 8), np.float32),
        "head.bias": np.zeros(8, np.float32),
        "mlp.linear.w": np.zeros((6, 8), np.float32),
        "mlp.linear.b": np.zeros(8, np.float32),
        "dense.vars.0": np.zeros((6, 8), np.float32),
    }
    converted = convert(dense, row, "torch")
    assert converted.cells == []
    assert converted.notes == []
    assert converted.carried == list(dense)


@pytest.mark.parametrize("goal", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("source", ROWS, ids=lambda row: row.name)
def test_any_row_becomes_any_other_and_computes_the_same(source: Dialect, goal: Dialect) -> None:
    """Two layers, beside a tensor of another layer's."""
    tensors = {"head.w2": np.arange(6.0)}
    cells = [draw((3, 4), seed=1), draw((4, 4), seed=2)]
    for layer, weights in enumerate(cells):
        tensors |= weights.to_dialect(source, prefix="lstm.", layer=layer)
    done = convert(tensors, source, goal)
    assert [(site.prefix, site.layer) for site in done.cells] == [("lstm.", 0), ("lstm.", 1)]
    assert done.tensors["head.w2"] is tensors["head.w2"]
    x, h, c = (np.random.default_rng(2).standard_normal((2, k)) for k in (3, 4, 4))
    for site, weights in zip(find_cells(done.tensors, goal), cells, strict=True):
        arrays = site.weights(done.tensors, goal).to_dialect(goal)
        inputs = x if weights.input_size == 3 else h
        got = FORMULAS[goal.name](arrays, inputs, h, c)
        for array, want in zip(got, reference.step(weights, inputs, h, c), strict=True):
            np.testing.assert_allclose(array, want, rtol=1e-12, atol=1e-13)


TWO_WAYS = [row for row in ROWS if row.layout.directions or row.reverse_forms[1]]
ONE_WAY = [row for row in ROWS if row not in TWO_WAYS]


@pytest.mark.parametrize("goal", TWO_WAYS, ids=lambda row: row.name)
@pytest.mark.parametrize("source", TWO_WAYS, ids=lambda row: row.name)
def test_both_directions_go_from_arrays_apart_to_an_axis_and_back(
    source: Dialect, goal: Dialect
) -> None:
    forward, backward = (one_bias(draw((3, 4), seed=seed), "float32") for seed in (1, 2))
    named: dict[str, np.ndarray] = {}
    # The backward one first: no order in a file may change which is which.
    named |= backward.to_dialect("torch", prefix="lstm.", layer=0, reverse=True)
    named |= forward.to_dialect("torch", prefix="lstm.", layer=0)
    middle = convert(named, "torch", source).tensors
    done = convert(middle, source, goal).tensors
    back = convert(done, goal, "torch").tensors
    if not source.layout.forget_offset and not goal.layout.forget_offset:
        got = Weights.from_dialect(back, "torch", prefix="lstm.", layer=0)
        assert got.same_bits(forward)
        got = Weights.from_dialect(back, "torch", prefix="lstm.", layer=0, reverse=True)
        assert got.same_bits(backward)
    assert back.keys() == named.keys()


@pytest.mark.parametrize("goal", [r for r in ROWS if r.layout.directions], ids=lambda row: row.name)
def test_a_backward_direction_alone_is_not_taken_for_a_forward_one(goal: Dialect) -> None:
    weights = draw((3, 4))
    named = weights.to_dialect("torch", prefix="lstm.", layer=0, reverse=True)
    with pytest.raises(CheckpointError, match="no forward one"):
        convert(named, "torch", goal)
    other = draw((3, 5)).to_dialect("torch", prefix="lstm.", layer=0)
    with pytest.raises(CheckpointError, match="no forward one"):
        convert(named | other, "torch", goal)


def test_only_rows_with_a_class_of_ours_are_front_ends() -> None:
    assert list(FRONT_ENDS) == ["torch", "mindspore"]
    assert get_front_end("torch") is get_dialect("torch")
    with pytest.raises(ArgumentError, match=r"one of torch, mindspore, got 'keras'"):
        get_front_end("keras")


def test_a_sum_of_biases_keeps_the_bits_where_one_is_zero() -> None:
    bias = np.array([1.5, -0.0, np.nan, np.inf], np.float32)
    zero = np.zeros(4, np.float32)
    assert merge_biases(bias, zero).tobytes() == bias.tobytes()
    assert merge_biases(zero, bias).tobytes()[:4] == bias.tobytes()[:4]
    one, other = np.array([2**24], np.float32), np.array([1.0], np.float32)
    assert merge_biases(one, other) == np.float32(2**24 + 1)  # a tie, to even


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_what_a_layout_cannot_keep_is_told_and_nothing_else(row: Dialect) -> None:
    kinds = {
        bias: {loss.kind for loss in convert(named, "torch", row).lost}
        for bias, named in (
            ("two", draw((3, 4), seed=1).to_dialect("torch")),
            ("one", one_bias(draw((3, 4), seed=1), "float32").to_dialect("torch")),
            ("none", draw((3, 4), bias=False).to_dialect("torch")),
        )
    }
    folded = {"folded"} if row.layout.forget_offset else set()
    merged = {"merged"} if row.layout.biases == 1 else set()
    assert kinds["two"] == folded | merged
    assert kinds["one"] == folded
    assert kinds["none"] == ({"zeros"} if row.layout.always_bias else set())
    back = draw((3, 4), seed=1).to_dialect(row)
    assert {loss.kind for loss in convert(back, row, "torch").lost} == folded


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_guide_has_every_row_with_its_gates(language: str) -> None:
    page = Path(__file__).parents[2] / "docs" / language / "guides/convert.md"
    rows = [line.strip("| ").split(" | ") for line in page.read_text("utf-8").splitlines()]
    told = {
        name: cells[2]
        for cells in rows
        if len(cells) >= 4
        for name in cells[0].replace("、", ", ").split(", ")
    }
    for row in ROWS:
        if not row.layout.per_gate:
            assert told[row.name] == " ".join(row.layout.gates)
    assert told.keys() >= DIALECTS.keys()

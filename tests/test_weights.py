"""`Weights`, the dialects and the stored element types."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from onecell import Spec, Weights, reference
from onecell.dialect import FRONT_ENDS, TORCH, Dialect, Layout, get_dialect
from onecell.dtypes import BFLOAT16, dtype_name, narrow, widen
from onecell.errors import ArgumentError, DtypeError, ShapeError

FOREIGN = [
    Layout("ifgo", gates_first=False, biases=1),
    Layout("iofg", gates_first=True, biases=2),
    Layout("figo", gates_first=True, biases=1),
    Layout("igfo", gates_first=False, biases=2),
]


def fresh(
    input_size: int = 3, hidden_size: int = 4, *, bias: bool = True, seed: int = 0
) -> Weights:
    return Weights.random(Spec(input_size, hidden_size, bias), seed)


def foreign(layout: Layout) -> Dialect:
    """Return a dialect like torch's but for its layout."""
    fields = {name: getattr(TORCH, name) for name in TORCH.__slots__}
    names = {stem: f"their_{stem}" for stem in layout.stems}
    return Dialect(**{**fields, "name": "foreign", "layout": layout, "parameters": names})


@pytest.mark.parametrize("name", FRONT_ENDS)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float32", "float64"])
def test_frameworks_round_trip_bit_for_bit(name: str, bias: bool, kind: str) -> None:
    weights = fresh(bias=bias).astype(kind)
    arrays = weights.to_dialect(name, prefix="decoder.cell.")
    assert all(key.startswith("decoder.cell.") for key in arrays)
    assert Weights.from_dialect(arrays, name, prefix="decoder.cell.").same_bits(weights)


@pytest.mark.parametrize("layout", FOREIGN, ids=lambda layout: layout.gates)
def test_other_layouts_compute_the_same(layout: Layout) -> None:
    weights = fresh()
    dialect = foreign(layout)
    again = Weights.from_dialect(weights.to_dialect(dialect), dialect)
    rng = np.random.default_rng(1)
    x, h, c = (rng.standard_normal(shape) for shape in ((2, 3), (2, 4), (2, 4)))
    want = reference.step(weights, x, h, c)
    for got, right in zip(reference.step(again, x, h, c), want, strict=True):
        np.testing.assert_allclose(got, right, rtol=1e-6, atol=1e-7)


def test_a_layout_moves_whole_gate_blocks() -> None:
    dialect = foreign(Layout("ofgi", gates_first=False, biases=2))
    weights = fresh()
    arrays = weights.to_dialect(dialect)
    assert arrays["their_weight_ih"].shape == (3, 16)
    assert np.array_equal(arrays["their_weight_ih"][:, :4], weights.weight_ih[12:].T)
    assert np.array_equal(arrays["their_bias_hh"][12:], weights.bias_hh[:4])  # type: ignore[index]


def test_one_layer_of_a_sequence_layer() -> None:
    one, two = fresh(seed=1), fresh(seed=2)
    arrays = one.to_dialect("torch", prefix="rnn.", layer=1)
    arrays |= two.to_dialect("torch", prefix="rnn.", layer=1, reverse=True)
    assert "rnn.weight_ih_l1_reverse" in arrays
    got = Weights.from_dialect(arrays, "mindspore", prefix="rnn.", layer=1, reverse=True)
    assert got.same_bits(two)


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"weight_ih": np.zeros((3, 16), np.float32)}, ShapeError, "transposed"),
        ({"weight_ih": np.zeros((12, 3), np.float32)}, ShapeError, r"`weight_ih`.*\(16, 3\)"),
        ({"weight_hh": np.zeros((16, 5), np.float32)}, ShapeError, "`weight_ih`"),
        ({"weight_hh": np.zeros(16, np.float32)}, ShapeError, "2 dimensions"),
        ({"bias_hh": np.zeros(15, np.float32)}, ShapeError, "`bias_hh`"),
        ({"bias_hh": None}, ArgumentError, "`bias_ih` is there and `bias_hh` is not"),
        ({"bias_ih": None}, ArgumentError, "`bias_hh` is there and `bias_ih` is not"),
        ({"weight_hh": np.zeros((16, 4))}, DtypeError, "float64 but `weight_ih` holds float32"),
        ({"weight_ih": np.zeros((16, 3), np.complex64)}, DtypeError, "complex64"),
        ({"weight_ih": np.zeros((16, 0), np.float32)}, ShapeError, "I = 0"),
    ],
    ids=str,
)
def test_what_is_not_one_cell_is_refused(
    change: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        Weights(**{**fresh().arrays(), **change})


@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
def test_byte_order_does_not_matter(kind: str) -> None:
    arrays = {name: array.astype(f"<{kind}") for name, array in fresh().arrays().items()}
    swapped = Weights(**{name: array.astype(f">{kind}") for name, array in arrays.items()})
    assert swapped.same_bits(Weights(**arrays))


@pytest.mark.parametrize(
    "wrong", [[[1.0]], np.ma.masked_less(np.zeros((16, 3), "f4"), 1)], ids=type
)
def test_what_is_no_plain_array_is_refused(wrong: Any) -> None:
    with pytest.raises(DtypeError, match="`weight_ih` must be a NumPy array and not masked"):
        Weights(**{**fresh().arrays(), "weight_ih": wrong})


def test_a_missing_parameter_is_named() -> None:
    arrays = fresh().to_dialect("torch", prefix="a.")
    del arrays["a.bias_hh"]
    with pytest.raises(ArgumentError, match=r"`a\.bias_hh` is missing"):
        Weights.from_dialect(arrays, "torch", prefix="a.")
    del arrays["a.weight_hh"]
    with pytest.raises(ArgumentError, match=r"no `a\.weight_hh`"):
        Weights.from_dialect(arrays, "torch", prefix="a.")


def test_unknown_dialects_and_gates_are_refused() -> None:
    with pytest.raises(ArgumentError, match="torch, mindspore"):
        get_dialect("tensorfive")
    with pytest.raises(ArgumentError, match="`gates`"):
        Layout("ifgg", gates_first=True, biases=2)


@given(hnp.arrays(np.uint16, st.integers(0, 40)))
def test_widening_bfloat16_is_exact_and_narrowing_undoes_it(bits: np.ndarray) -> None:
    wide = widen(bits.view(BFLOAT16))
    truth = bits.view(ml_dtypes.bfloat16).astype(np.float32)
    assert np.array_equal(wide, truth, equal_nan=True)
    numbers = ~np.isnan(truth)
    again = narrow(wide, "bfloat16").view(np.uint16)
    assert np.array_equal(again[numbers], bits[numbers])
    assert np.isnan(widen(again.view(BFLOAT16))[~numbers]).all()


@given(hnp.arrays(np.float32, st.integers(0, 40)))
def test_narrowing_rounds_to_nearest_even(array: np.ndarray) -> None:
    with np.errstate(all="ignore"):
        truth = array.astype(ml_dtypes.bfloat16)
    got = widen(narrow(array, "bfloat16"))
    assert np.array_equal(got, truth.astype(np.float32), equal_nan=True)


def test_bfloat16_refuses_arithmetic() -> None:
    bits = narrow(np.ones(3, np.float32), "bfloat16")
    assert dtype_name(bits.dtype) == "bfloat16"
    with pytest.raises(TypeError):
        bits + bits


def test_elements_that_are_no_floats_are_refused() -> None:
    with pytest.raises(DtypeError, match="int64"):
        widen(np.arange(3))
    with pytest.raises(DtypeError, match="int8"):
        narrow(np.ones(3, np.float32), "int8")


@pytest.mark.parametrize(
    ("sizes", "error", "says"),
    [
        ((0, 4), ArgumentError, "`input_size` must be at least 1, got 0"),
        ((3, -1), ArgumentError, "`hidden_size` must be at least 1, got -1"),
        ((3.0, 4), DtypeError, "`input_size` must be an integer"),
        ((3, True), DtypeError, "`hidden_size` must be an integer"),
        (("3", 4), DtypeError, "`input_size` must be an integer, got '3'"),
        ((2**62, 2**62), ArgumentError, "possible"),
        ((3, 2**40), ArgumentError, "possible"),
    ],
    ids=str,
)
def test_impossible_sizes_are_refused(sizes: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        Spec(*sizes)


@pytest.mark.parametrize("dtype", [np.float16, np.int32, np.complex64, "abc", None, BFLOAT16])
def test_other_element_types_are_refused(dtype: Any) -> None:
    with pytest.raises(DtypeError, match="float32 or float64"):
        Spec(3, 4, dtype=dtype)


def test_sizes_may_be_numpy_integers() -> None:
    spec = Spec(np.int64(3), np.uint8(4))  # type: ignore[arg-type]
    assert type(spec.input_size) is int
    assert spec.shapes["weight_hh"] == (16, 4)

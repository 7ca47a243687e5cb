"""Frozen cells in torch: the bits of the frozen cell over arrays, and inference only."""

from __future__ import annotations

import copy
import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import onecell.torch
from onecell import FrozenCell
from onecell.errors import ArgumentError, FrozenError
from onecell.frozen import WEIGHT_DTYPES, WeightDtype
from onecell.torch import FrozenLSTMCell
from onecell.torch.errors import CellDtypeError, CellShapeError, CellTypeError
from problems import problem
from torch_cells import ours, step_inputs


@pytest.mark.parametrize("name", WEIGHT_DTYPES)
def test_a_step_has_the_bits_of_the_cell_over_arrays(name: WeightDtype) -> None:
    p = problem()
    x, state = step_inputs(p)
    with torch.no_grad():
        got = ours(p).freeze(name)(x, state)
    for half, want in zip(got, FrozenCell(p.weights, name)(p.x[0], p.state), strict=True):
        assert half.numpy().tobytes() == want.tobytes()


@pytest.mark.parametrize("name", WEIGHT_DTYPES)
def test_unrolling_has_the_bits_of_the_cell_over_arrays(name: WeightDtype) -> None:
    p = problem()
    _, state = step_inputs(p)
    h_all, (h, c) = ours(p).freeze(name).unroll(torch.from_numpy(p.x), state)
    want_all, (want_h, want_c) = FrozenCell(p.weights, name).unroll(p.x, p.state)
    assert h_all.numpy().tobytes() == want_all.tobytes()
    assert h.numpy().tobytes() == want_h.tobytes()
    assert c.numpy().tobytes() == want_c.tobytes()


def test_float32_is_the_live_cell() -> None:
    p = problem()
    x, state = step_inputs(p)
    cell = ours(p)
    with torch.no_grad():
        for got, want in zip(cell.freeze()(x, state), cell(x, state), strict=True):
            assert torch.equal(got, want)


def test_one_row_and_a_state_left_out() -> None:
    p = problem()
    cell = ours(p)
    frozen = cell.freeze()
    x = torch.from_numpy(p.x)
    with torch.no_grad():
        assert torch.equal(frozen(x[0, 0])[0], cell(x[0, 0])[0])
        assert torch.equal(frozen(x[0])[1], cell(x[0])[1])
        assert torch.equal(frozen.unroll(x[:, 0])[0], cell.unroll(x[:, 0])[0])
        (empty, (h, _)), state = frozen.unroll(x[:0], (x[0, :, :1].expand(3, 16),) * 2), x[0, :, :1]
        assert empty.shape == (0, 3, 16)
        assert torch.equal(h, state.expand(3, 16))


def test_strided_tensors() -> None:
    p = problem()
    x, (h, c) = step_inputs(p)
    frozen = ours(p).freeze("bfloat16")
    want = frozen(x, (h, c))
    got = frozen(x.T.contiguous().T, (h.repeat(1, 2)[:, :16], c.flip(0).flip(0)))
    assert torch.equal(got[0], want[0])


def test_writing_into_the_live_cell_does_not_reach_it() -> None:
    p = problem()
    cell = ours(p)
    x, state = step_inputs(p)
    frozen = cell.freeze()
    before = frozen(x, state)[0]
    torch.nn.init.ones_(cell.weight_hh)
    assert torch.equal(frozen(x, state)[0], before)


def test_it_has_no_parameters_and_is_not_training() -> None:
    frozen = onecell.torch.LSTMCell(3, 5).freeze()
    assert list(frozen.parameters()) == []
    assert not frozen.training


def test_an_input_that_requires_a_gradient_is_refused() -> None:
    p = problem()
    x, (h, c) = step_inputs(p)
    frozen = ours(p).freeze()
    for place in range(3):
        given = [x, h, c]
        given[place] = given[place].clone().requires_grad_()
        with pytest.raises(FrozenError, match="no gradient, and an input requires one"):
            frozen(given[0], (given[1], given[2]))
        with torch.no_grad():
            assert not frozen(given[0], (given[1], given[2]))[0].requires_grad
    with pytest.raises(RuntimeError, match="no gradient"):  # what a user of torch catches
        frozen.unroll(x[None].requires_grad_())


def test_what_it_returns_can_be_used_for_training_others() -> None:
    p = problem()
    x, state = step_inputs(p)
    frozen = ours(p).freeze()
    with torch.inference_mode():
        h, _ = frozen(x, state)
    head = torch.nn.Linear(16, 1)
    head(h.clone()).sum().backward()
    assert head.weight.grad is not None


def test_another_type_is_refused() -> None:
    x = torch.ones(3, 10, dtype=torch.float64)
    with pytest.raises(CellDtypeError, match=r"torch.float32, got torch.float64"):
        ours(problem()).freeze()(x)


def test_transforms_are_refused() -> None:
    frozen = ours(problem()).freeze()
    with pytest.raises(FrozenError, match=r"torch\.func"):
        torch.func.vmap(lambda x: frozen(x)[0])(torch.ones(3, 10))
    with pytest.raises(FrozenError, match="meta"):
        frozen(torch.ones(3, 10, device="meta"))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((torch.ones(3, 9),), CellShapeError),
        ((torch.ones(3, 10), (torch.ones(2, 16), torch.ones(3, 16))), CellShapeError),
        ((torch.ones(3, 10), torch.ones(3, 16)), CellTypeError),
        ((None,), CellTypeError),
    ],
)
def test_bad_calls_are_those_of_the_live_cell(
    arguments: tuple[Any, ...], error: type[Exception]
) -> None:
    with pytest.raises(error):
        ours(problem()).freeze()(*arguments)


def test_a_float64_cell_is_refused() -> None:
    with pytest.raises(CellDtypeError, match=r"this cell is float64.*cell\.float\(\)"):
        onecell.torch.LSTMCell(3, 5, dtype=torch.float64).freeze()


def test_a_16_bit_cell_is_widened() -> None:
    cell = onecell.torch.LSTMCell(3, 5, dtype=torch.bfloat16)
    held = torch.from_numpy(cell.freeze("bfloat16")._cell.weights.weight_hh)
    assert torch.equal(held, cell.weight_hh.float())


@pytest.mark.parametrize("name", WEIGHT_DTYPES)
def test_a_state_dict_goes_through_a_file(name: WeightDtype) -> None:
    p = problem()
    x, state = step_inputs(p)
    frozen = ours(p).freeze(name)
    file = io.BytesIO()
    torch.save(frozen.state_dict(), file)
    file.seek(0)
    other = onecell.torch.LSTMCell(10, 16).freeze()
    other.load_state_dict(torch.load(file, weights_only=True))
    assert other.weight_dtype == name
    assert torch.equal(other(x, state)[0], frozen(x, state)[0])


@pytest.mark.parametrize("name", WEIGHT_DTYPES)
def test_it_travels_at_its_own_size(name: WeightDtype) -> None:
    frozen = onecell.torch.LSTMCell(256, 256).freeze(name)
    file = io.BytesIO()
    torch.save(frozen.state_dict(), file)
    for size in (len(pickle.dumps(frozen)), file.getbuffer().nbytes):
        assert frozen.nbytes < size < frozen.nbytes + 8192
    with torch.no_grad():
        x = torch.ones(2, 256)
        assert torch.equal(pickle.loads(pickle.dumps(frozen))(x)[0], frozen(x)[0])


def test_a_state_dict_is_a_copy_that_is_checked() -> None:
    frozen = onecell.torch.LSTMCell(10, 16).freeze("int8")
    before = frozen(torch.ones(2, 10))[0]
    state = frozen.state_dict()
    held = state["_extra_state"]
    held["packed_scale_hh"].fill_(0.1)
    assert torch.equal(frozen(torch.ones(2, 10))[0], before)
    with pytest.raises(ArgumentError, match="scales of 16 bits"):
        frozen.load_state_dict(state)
    del held["packed_scale_hh"]
    with pytest.raises(ArgumentError, match="packed_scale_hh"):
        frozen.load_state_dict(state)
    del held["weight_dtype"]
    with pytest.raises(ArgumentError, match="`weight_dtype` must be"):
        frozen.load_state_dict(state)


def test_it_computes_on_a_mapped_file(tmp_path: Path) -> None:
    p = problem()
    x, state = step_inputs(p)
    frozen = ours(p).freeze("bfloat16")
    FrozenCell(p.weights, "bfloat16").save(tmp_path / "cell.safetensors")
    mapped = FrozenLSTMCell(FrozenCell.load(tmp_path / "cell.safetensors"))
    assert torch.equal(mapped(x, state)[0], frozen(x, state)[0])


def test_a_state_dict_of_another_cell_is_refused() -> None:
    state = onecell.torch.LSTMCell(10, 15).freeze().state_dict()
    with pytest.raises(ArgumentError, match="hidden_size=15"):
        onecell.torch.LSTMCell(10, 16).freeze().load_state_dict(state)


def test_copies_keep_the_bits() -> None:
    p = problem()
    x, state = step_inputs(p)
    frozen = ours(p).freeze("int8")
    assert torch.equal(copy.deepcopy(frozen)(x, state)[0], frozen(x, state)[0])


def test_inside_a_compiled_function() -> None:
    p = problem()
    x, state = step_inputs(p)
    frozen = ours(p).freeze("float16")
    compiled = torch.compile(lambda x, s: frozen(x + 0, s)[0] * 2, backend="eager")
    with torch.no_grad():
        assert torch.equal(compiled(x, state), frozen(x, state)[0] * 2)


def test_repr_and_sizes() -> None:
    frozen = onecell.torch.LSTMCell(3, 5, bias=False).freeze("int8")
    assert repr(frozen) == "FrozenLSTMCell(3, 5, bias=False, weight_dtype='int8')"
    assert (frozen.input_size, frozen.hidden_size, frozen.bias) == (3, 5, False)
    assert frozen.nbytes == FrozenCell(problem(1, 1, 3, 5, bias=False).weights, "int8").nbytes
    assert isinstance(frozen, FrozenLSTMCell)
    assert np.isfinite(frozen(torch.ones(1, 3))[0].numpy()).all()

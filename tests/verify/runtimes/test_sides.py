"""Every runtime computes the cell that its arrays say, and shows where they say another."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onecell.checkpoint import save_checkpoint
from onecell.checkpoint.conversion import convert
from onecell.dialect import DIALECTS, Dialect, get_dialect, with_forget_bias
from onecell.dialect.arrays import from_canonical
from onecell.errors import RuntimeMissingError
from onecell.spec import GATES, Spec
from onecell.verify import compare
from onecell.verify.comparing.cells_of_file import read_cells
from onecell.verify.mutation import swap_gates
from onecell.verify.quantities.cases import make_case
from onecell.verify.quantities.oracle import make_oracle
from onecell.verify.quantities.readings import Reading, measure
from onecell.verify.runtimes.side import RuntimeSide, open_pieces, open_runtime
from onecell.verify.runtimes.table import RUNTIMES
from onecell.verify.sides import Side, get_side
from onecell.weights import Weights

from .conftest import NAMES

STEPS = 20


def draw(kind: str, *, bias: bool = True, seed: int = 3) -> Weights:
    """Draw weights with one bias and none beside it, which every layout keeps."""
    weights = Weights.random(Spec(5, 6, bias, np.dtype(kind)), seed)
    if weights.bias_ih is None:
        return weights
    return Weights(**weights.arrays() | {"bias_hh": np.zeros_like(weights.bias_ih)})


def side_of(name: str) -> RuntimeSide:
    return open_runtime(name, draw("float32"))


def read(name: str, side: Side, weights: Weights) -> dict[str, Reading]:
    case = make_case(weights, rollout_steps=STEPS)
    return measure(name, "a", side, make_oracle(weights, case))


@pytest.mark.parametrize("name", NAMES)
def test_every_quantity_of_a_runtime_holds(name: str) -> None:
    for kind in RUNTIMES[name].dtypes:
        for bias in (True, False):
            weights = draw(kind, bias=bias or get_dialect(name).layout.always_bias)
            if (name, kind) == ("keras", "float64") and "(jax " in side_of(name).version:
                with pytest.raises(RuntimeMissingError, match="does not compute in float64"):
                    open_runtime(name, weights)
                continue
            side = open_runtime(name, weights)
            found = read(name, side, weights)
            assert {n: reading.excess for n, reading in found.items() if not reading.holds} == {}
            wanted = {"forward.h", "forward.c", "extreme.h", "extreme.c", "rollout.h", "rollout.c"}
            if kind not in RUNTIMES[name].no_gradients:
                wanted |= {f"gradient.{part}" for part in ("x", "h", "c", *weights.arrays())}
                wanted -= side.leaves_out.keys()
            assert found.keys() == wanted


@pytest.mark.parametrize("name", NAMES)
def test_two_cells_of_one_process_are_told_apart(name: str) -> None:
    """Two cells share a process: each question is about the cell that it is put to."""
    one, other = (open_runtime(name, draw("float32", seed=seed)) for seed in (1, 2))
    case = make_case(draw("float32"), rollout_steps=STEPS)
    first = one.step(case.x[0], case.h, case.c)
    assert np.abs(other.step(case.x[0], case.h, case.c)[0] - first[0]).max() > 1e-3
    again = one.step(case.x[0], case.h, case.c)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_arrays_in_another_order_are_another_cell(name: str) -> None:
    weights, row = draw("float32"), get_dialect(name)
    pieces = from_canonical(swap_gates(weights, "i", "o").arrays(), row.layout)
    found = read(name, open_pieces(row, pieces, bias=True), weights)
    assert not found["forward.h"].holds
    assert not found["rollout.c"].holds


def permuted(row: Dialect, order: str) -> Dialect:
    """Return a wrong row: its gates in another order, or called by each other's names."""
    if not row.layout.per_gate:
        return replace(row, layout=replace(row.layout, gates=order))
    names = {piece: row.names[piece] for piece in row.layout.pieces}
    called = {
        piece: names[piece[:-1] + order[row.layout.gates.index(piece[-1])]] for piece in names
    }
    return replace(row, parameters={**row.parameters, **called})


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.sampled_from(["".join(each) for each in permutations(GATES)]))
def test_a_row_of_another_order_is_seen_by_the_runtime_and_by_nobody_else(
    name: str, order: str, tmp_path: Path
) -> None:
    """The wrong row reads and writes: both files agree, and so does the kernel with itself."""
    row = get_dialect(name)
    if order == row.layout.gates:
        return
    file, out = tmp_path / f"cell{row.suffix}", tmp_path / "out.pt"
    save_checkpoint(
        file, draw("float32").to_dialect(name, prefix="cell."), dialect=name, force=True
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(cast("dict[str, Dialect]", DIALECTS), name, permuted(row, order))
        given_ = read_cells(file, name)
        save_checkpoint(
            out, convert(given_.tensors, name, "torch").tensors, dialect="torch", force=True
        )
        assert compare(given_, out, sides=["arrays"], steps=STEPS).holds
        found = compare(given_, out, sides=[name], steps=STEPS)
    assert not found.holds
    failing = {r.side for q in found.quantities for r in q.readings if not r.holds}
    assert failing == {name}
    said = {finding.kind for finding in found.diagnosis.findings}
    assert said & {"gates swapped", "gates permuted"}, found.diagnosis.text()


@pytest.mark.parametrize("name", ["haiku", "tensorflow"])
@pytest.mark.slow
def test_a_forget_bias_that_a_row_forgets_is_seen_and_named(name: str, tmp_path: Path) -> None:
    row = get_dialect(name)
    file, out = tmp_path / f"cell{row.suffix}", tmp_path / "out.pt"
    save_checkpoint(
        file, draw("float32").to_dialect(name, prefix="cell."), dialect=name, force=True
    )
    for offset, kind in ((0.0, "forget bias added"), (2.0, "forget bias removed")):
        wrong = replace(row, layout=replace(row.layout, forget_offset=offset))
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(cast("dict[str, Dialect]", DIALECTS), name, wrong)
            given_ = read_cells(file, name)
            save_checkpoint(
                out, convert(given_.tensors, name, "torch").tensors, dialect="torch", force=True
            )
            found = compare(given_, out, sides=[name], steps=STEPS)
        assert not found.holds
        (said,) = found.diagnosis.findings
        assert (said.kind, said.facts["value"]) == (kind, 1.0)


@pytest.mark.slow
def test_a_forget_bias_that_the_user_set_is_told_to_the_runtime(tmp_path: Path) -> None:
    file, weights = tmp_path / "cell.npz", draw("float32")
    row = with_forget_bias("tensorflow", 0.25)
    save_checkpoint(file, weights.to_dialect(row, prefix="cell."), dialect="tensorflow")
    told = read_cells(file, "tensorflow", forget_bias=0.25)
    assert compare(weights, told, sides=["tensorflow"], steps=STEPS).holds
    assert not compare(weights, read_cells(file, "tensorflow"), steps=STEPS).holds


def test_a_side_of_a_framework_is_for_its_files_alone() -> None:
    assert get_side("keras").framework == "keras"
    assert get_side("onecell.torch").framework == "torch"
    assert get_side("arrays").framework is None

"""Equinox's .eqx: arrays in sequence, in which a cell is told by its shapes."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onecell import Spec, Weights
from onecell.checkpoint import find_cells, load_checkpoint, save_checkpoint
from onecell.checkpoint.files import keepable
from onecell.checkpoint.limits import FLOOR
from onecell.dtypes import BFLOAT16
from onecell.errors import ArgumentError, CheckpointError, UnsafeCheckpointError

Tensors = dict[str, np.ndarray]
Write = Callable[[bytes, str], Path]
PeakBelow = Callable[[int], AbstractContextManager[None]]


def cell(input_size: int, hidden_size: int, *, bias: bool = True) -> list[np.ndarray]:
    """Return the arrays of a cell, in the order of Equinox's fields."""
    weights = Weights.random(Spec(input_size, hidden_size, bias=bias), rng=hidden_size)
    return list(weights.to_dialect("equinox").values())


def leaves(*arrays: Any, before: bytes = b"") -> bytes:
    """Return what `equinox.tree_serialise_leaves` writes of these leaves of a tree."""
    file = io.BytesIO()
    file.write(before)
    for array in arrays:
        np.save(file, np.asarray(array))
    return file.getvalue()


def test_a_cell_alone_is_read(write: Write) -> None:
    arrays = cell(3, 5)
    read = load_checkpoint(write(leaves(*arrays), "a.eqx"))
    assert (read.format, read.dialect) == ("eqx", "equinox")
    assert list(read.tensors) == ["cell.weight_ih", "cell.weight_hh", "cell.bias"]
    for got, want in zip(read.tensors.values(), arrays, strict=True):
        assert got.tobytes() == want.tobytes()
    assert list(read.remarks) == ["cell"]


def test_cells_among_other_leaves_are_told_by_their_shapes(write: Write) -> None:
    linear = [np.ones((5, 3), "f4"), np.ones(5, "f4")]
    gru = [np.ones((15, 3)), np.ones((15, 5)), np.ones(15), np.ones(5)]
    others = [3, True, 0.5, np.ones((2, 2), np.int8), np.ones(2, ml_dtypes.bfloat16).view("V2")]
    content = leaves(*linear, *cell(3, 5), *gru, *others, *cell(5, 5, bias=False))
    read = load_checkpoint(write(content, "a.eqx"))
    assert [site.name for site in find_cells(read.tensors, "equinox")] == ["cells.0", "cells.1"]
    kinds = {name: array.dtype.name for name, array in read.tensors.items() if "cell" not in name}
    want = {9: "int64", 10: "bool", 11: "float64", 12: "int8"}
    assert {place: kinds[f"leaves.{place}"] for place in want} == want
    assert read.tensors["leaves.13"].dtype == BFLOAT16
    assert read.tensors["leaves.9"] == 3
    assert "without a bias" in read.remarks["cells.1"]
    assert "without a bias" not in read.remarks["cells.0"]


@pytest.mark.parametrize(
    "arrays",
    [
        [np.ones((20, 3)), np.ones((20, 5)), np.ones((20, 5))],  # as attention has them
        [np.ones((20, 3)), np.ones((20, 5), "f4"), np.ones(20)],
        [np.ones((20, 3), int), np.ones((20, 5), int), np.ones(20, int)],
        [np.ones((5, 20)), np.ones((5, 20)), np.ones(5)],
        [np.ones((20, 0)), np.ones((20, 5)), np.ones(20)],
        [np.ones((0, 3)), np.ones((0, 0)), np.ones(0)],
    ],
    ids=["three matrices", "two types", "integers", "transposed", "no input", "nothing"],
)
def test_what_may_be_something_else_is_no_cell(arrays: list[np.ndarray], write: Write) -> None:
    read = load_checkpoint(write(leaves(*arrays), "a.eqx"))
    assert list(read.tensors) == ["leaves.0", "leaves.1", "leaves.2"]
    assert read.remarks == {}


LINE = '{"hidden_size": 5}'


def test_the_line_of_hyperparameters_comes_back(write: Write, tmp_path: Path) -> None:
    content = leaves(*cell(3, 5), np.ones(2), before=f"{LINE}\n".encode())
    read = load_checkpoint(write(content, "a.eqx"))
    assert read.metadata == {"hyperparameters": LINE}
    assert keepable(read.metadata | {"epoch": "3"}, [], "eqx") == (read.metadata, ["epoch"])
    save_checkpoint(tmp_path / "b.eqx", read.tensors, metadata=read.metadata)
    assert (tmp_path / "b.eqx").read_bytes() == content


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ({"epoch": "3"}, "must be empty"),
        ({"hyperparameters": "5"}, "one line of JSON"),
        ({"hyperparameters": "{\n}"}, "one line of JSON"),
    ],
)
def test_other_texts_are_refused(metadata: dict[str, str], says: str, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=says):
        save_checkpoint(tmp_path / "a.eqx", {"w": np.ones(2)}, metadata=metadata)
    assert list(tmp_path.iterdir()) == []


def test_every_type_and_shape_comes_back_in_its_place(
    every_dtype: Tensors, shapes: Tensors, tmp_path: Path
) -> None:
    tensors = every_dtype | shapes
    save_checkpoint(tmp_path / "a.eqx", tensors)
    read = load_checkpoint(tmp_path / "a.eqx").tensors
    assert list(read) == [f"leaves.{place}" for place in range(len(tensors))]
    for got, want in zip(read.values(), tensors.values(), strict=True):
        assert (got.dtype, got.shape, got.tobytes()) == (want.dtype, want.shape, want.tobytes())


_IN_EQUINOX = """
import sys, equinox, jax, numpy
cell = equinox.nn.LSTMCell(3, 5, key=jax.random.PRNGKey(0))
read = equinox.tree_deserialise_leaves(sys.argv[1], cell)
numpy.savez(sys.argv[2], *[numpy.asarray(leaf) for leaf in jax.tree_util.tree_leaves(read)])
equinox.tree_serialise_leaves(sys.argv[3], read)
"""


def test_equinox_reads_what_is_written_and_writes_the_same(tmp_path: Path) -> None:
    tensors = Weights.random(Spec(3, 5), rng=7).to_dialect("equinox", prefix="cell.")
    save_checkpoint(tmp_path / "a.eqx", tensors)
    paths = [tmp_path / name for name in ("a.eqx", "read.npz", "b.eqx")]
    subprocess.run([sys.executable, "-W", "ignore", "-c", _IN_EQUINOX, *paths], check=True)
    with np.load(paths[1]) as read:
        for name, want in zip(read, tensors.values(), strict=True):
            assert read[name].tobytes() == want.tobytes()
    assert paths[2].read_bytes() == paths[0].read_bytes()


def header(descr: str, shape: str) -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


OBJECTS = io.BytesIO()
np.save(OBJECTS, np.array([None], object), allow_pickle=True)

HOSTILE: dict[str, tuple[bytes, str]] = {
    "objects": (OBJECTS.getvalue(), "pickled objects"),
    "a huge array": (header("'<f4'", f"({2**40},)") + b"1234", "cut off"),
    "an impossible one": (header("'<f4'", f"({2**62}, {2**62})"), "address"),
    "records": (header("[('a', '<f4')]", "(1,)") + b"1234", "records"),
    "a header of nothing": (b"\x93NUMPY\x01\x00\xff\xff", "at most"),
    "half a header": (leaves(np.ones(2))[:40], "cut off"),
    "something behind": (leaves(np.ones(2)) + b"PK", "cut off"),
    "something else behind": (leaves(np.ones(2)) + b"x" * 100, "no|not an array"),
    "a line without end": (b"{" * 2**21, "no end"),
    "a line that is none": (b"{x}\n" + leaves(np.ones(2)), "no JSON"),
    "a deep line": (b'{"a":' * 200 + b"\n", "nested deeper"),
    "a key twice": (b'{"a": 1, "a": 2}\n' + leaves(np.ones(2)), "`a` twice"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_within_its_budget(
    name: str, write: Write, peak_below: PeakBelow
) -> None:
    content, says = HOSTILE[name]
    path = write(content, "a.eqx")
    with peak_below(FLOOR), pytest.raises(CheckpointError, match=says):
        load_checkpoint(path)


def test_many_empty_arrays_stay_within_the_budget(
    write: Write, peak_below: PeakBelow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onecell.checkpoint.limits.FLOOR", 2**20)
    path = write(header("'|b1'", "(0,)") * 10_000, "a.eqx")
    with peak_below(16 * path.stat().st_size + 2**20), contextlib.suppress(UnsafeCheckpointError):
        load_checkpoint(path)


def test_a_file_is_cut_off_wherever_it_ends(write: Write) -> None:
    content = leaves(*cell(1, 1), before=b'{"a": 1}\n')
    whole = {len(b'{"a": 1}\n') + len(leaves(*cell(1, 1)[:count])) for count in range(4)}
    for end in range(1, len(content)):
        if end not in whole:
            with pytest.raises(CheckpointError):
                load_checkpoint(write(content[:end], "a.eqx"))


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_garbled_file_loads_or_is_refused(data: st.DataObject, write: Write) -> None:
    content = bytearray(leaves(*cell(2, 2), np.ones(2), before=b'{"a": [1, "b"]}\n'))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        if data.draw(st.booleans()):
            content[place] = data.draw(st.integers(0, 255))
        else:
            del content[place : place + data.draw(st.integers(1, 9))]
    with contextlib.suppress(CheckpointError):  # any other exception is a failure
        load_checkpoint(write(bytes(content) or b"x", "a.eqx"))

"""Cells in files, pickles and other processes: the same bits, at their own size, never half."""

from __future__ import annotations

import copy
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

import onecell
from onecell import FrozenCell, LSTMCell
from onecell.checkpoint import find_cells, load_checkpoint, save_checkpoint
from onecell.errors import ArgumentError, CheckpointError, OutputExistsError
from onecell.frozen import WEIGHT_DTYPES, WeightDtype
from problems import Problem, problem, problems

kinds = st.sampled_from(WEIGHT_DTYPES)


def outputs(cell: LSTMCell | FrozenCell, p: Problem) -> bytes:
    h_all, (h, c) = cell.unroll(p.x, p.state)
    return h_all.tobytes() + h.tobytes() + c.tobytes()


def rewrite(
    path: Path, header: Callable[[dict[str, dict[str, str]]], object], body: int = 0
) -> Path:
    """Change the header of a file, and cut `body` bytes off its end."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    told = json.loads(content[8 : 8 + length])
    header(told)
    encoded = json.dumps(told).encode()
    encoded += b" " * (-(8 + len(encoded)) % 64)
    content = content[8 + length :]
    content = content[: len(content) - body]
    path.write_bytes(len(encoded).to_bytes(8, "little") + encoded + content)
    return path


@given(problems())
@settings(deadline=None, max_examples=40)
def test_a_live_cell_comes_back_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, p: Problem
) -> None:
    path = tmp_path_factory.mktemp("live") / "cell.safetensors"
    p.cell.save(path)
    again = LSTMCell.load(path)
    assert again.weights.same_bits(p.weights)
    assert outputs(again, p) == outputs(p.cell, p)
    again.weight_hh[...] = 0  # it owns its parameters
    assert LSTMCell.load(path).weights.same_bits(p.weights)


@given(problems().filter(lambda p: p.h.dtype == np.float32), kinds, st.booleans())
@settings(deadline=None, max_examples=60)
def test_a_frozen_cell_comes_back_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, p: Problem, kind: WeightDtype, mapped: bool
) -> None:
    path = tmp_path_factory.mktemp("frozen") / "cell.safetensors"
    frozen = p.cell.freeze(kind)
    frozen.save(path)
    again = FrozenCell.load(path, mapped=mapped)
    assert again.mapped is mapped
    assert (repr(again), again.nbytes) == (repr(frozen), frozen.nbytes)
    before = onecell.isa()
    try:
        for isa in onecell.available_isas():
            onecell.set_isa(isa)
            for twin in (again, pickle.loads(pickle.dumps(again))):
                assert outputs(twin, p) == outputs(frozen, p)
                assert twin.weights.same_bits(frozen.weights)
    finally:
        onecell.set_isa(before)
    again.save(path, force=True)  # of a file that it maps itself
    assert outputs(again, p) == outputs(FrozenCell.load(path), p) == outputs(frozen, p)


@pytest.mark.parametrize("kind", WEIGHT_DTYPES)
def test_weights_that_are_no_numbers_travel(tmp_path: Path, kind: WeightDtype) -> None:
    cell = LSTMCell(5, 18)
    cell.bias_hh = np.full(72, np.inf, np.float32)
    if not kind.startswith("int8"):
        cell.weight_hh[3, 4] = np.nan
    frozen = cell.freeze(kind)
    frozen.save(tmp_path / "cell.safetensors")
    assert FrozenCell.load(tmp_path / "cell.safetensors").weights.same_bits(frozen.weights)


@pytest.mark.parametrize("kind", WEIGHT_DTYPES)
def test_it_travels_and_lies_at_its_own_size(tmp_path: Path, kind: WeightDtype) -> None:
    frozen = LSTMCell(512, 512, rng=0).freeze(kind)
    frozen.save(tmp_path / "cell.safetensors")
    assert (tmp_path / "cell.safetensors").stat().st_size < frozen.nbytes + 1024
    assert len(pickle.dumps(frozen)) < frozen.nbytes + 1024


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda f: pickle.loads(pickle.dumps(f))]
)
def test_what_a_subclass_keeps_comes_along(again: Callable[[FrozenCell], FrozenCell]) -> None:
    frozen = Named(LSTMCell(3, 5, rng=0).weights, "int8")
    frozen.name = "a"
    twin = again(frozen)
    assert isinstance(twin, Named)
    assert twin.name == "a"


class Named(FrozenCell):
    name: str


SHARES = """
import sys
import numpy as np
from onecell import FrozenCell

path = sys.argv[1]
cell = FrozenCell.load(path)
h, _ = cell(np.ones((2, 512), np.float32))
found, ours = {}, False
for line in open("/proc/self/smaps"):
    first, *rest = line.split()
    if "-" in first and not first.endswith(":"):
        ours = line.rstrip().endswith(path)
    elif ours and rest[-1:] == ["kB"]:
        found[first[:-1]] = found.get(first[:-1], 0) + int(rest[0])
memory = found["Rss"], found["Private_Dirty"], found["Anonymous"]
print(h.tobytes().hex(), cell.nbytes // 1024, *memory)
"""


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="needs Linux's /proc")
def test_processes_share_a_mapped_cell(tmp_path: Path) -> None:
    path = tmp_path / "cell.safetensors"
    frozen = LSTMCell(512, 512, rng=0).freeze("int8")
    frozen.save(path)
    done = subprocess.run(
        [sys.executable, "-c", SHARES, str(path)], capture_output=True, text=True, check=True
    )
    bits, nbytes, *memory = done.stdout.split()
    resident, private, anonymous = map(int, memory)
    assert bits == frozen(np.ones((2, 512), np.float32))[0].tobytes().hex()
    assert resident >= int(nbytes)  # it lies there ...
    assert private == anonymous == 0  # ... and nothing of it is this process's own


def test_a_saved_live_cell_is_a_checkpoint_of_one_cell(tmp_path: Path) -> None:
    path = tmp_path / "cell.safetensors"
    p = problem()
    p.cell.save(path)
    checkpoint = load_checkpoint(path)
    assert checkpoint.dialect == "torch"  # so that no verb has to ask
    (site,) = find_cells(checkpoint.tensors, "torch")
    assert site.prefix == ""
    module = torch.nn.LSTMCell(10, 16)
    module.load_state_dict(load_file(path))
    theirs = tmp_path / "theirs.pt"
    torch.save(module.state_dict(), theirs)
    assert LSTMCell.load(theirs).weights.same_bits(p.weights)


def test_it_replaces_only_when_told(tmp_path: Path) -> None:
    path = tmp_path / "cell.safetensors"
    for cell in (LSTMCell(3, 5), LSTMCell(3, 5).freeze()):
        cell.save(path, force=True)
        with pytest.raises(OutputExistsError):
            cell.save(path)
        with pytest.raises(ArgumentError, match=r"`path` must end in \.safetensors"):
            cell.save(tmp_path / "cell.pt")
    assert list(tmp_path.iterdir()) == [path]


def test_replacing_a_mapped_file_leaves_the_cell_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "cell.safetensors"
    p = problem()
    p.cell.freeze("int8").save(path)
    mapped = FrozenCell.load(path)
    before = outputs(mapped, p)
    LSTMCell(3, 5).freeze().save(path, force=True)
    assert outputs(mapped, p) == before


def test_each_loader_names_the_other(tmp_path: Path) -> None:
    live, frozen = tmp_path / "live.safetensors", tmp_path / "frozen.safetensors"
    LSTMCell(3, 5).save(live)
    LSTMCell(3, 5).freeze().save(frozen)
    with pytest.raises(CheckpointError, match=r"frozen cell, not a live.*FrozenCell\.load"):
        LSTMCell.load(frozen)
    with pytest.raises(CheckpointError, match=r"live cell, not a frozen.*LSTMCell\.load"):
        FrozenCell.load(live)


def test_a_model_is_no_cell(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    for found in ({"a.weight_ih": np.ones((20, 3))}, {}, {"weight_hh": np.ones((20, 5))}):
        save_checkpoint(path, found, force=True)
        for load in (LSTMCell.load, FrozenCell.load):
            with pytest.raises(CheckpointError, match=r"model\.safetensors: it "):
                load(path)


METADATA = "__metadata__"
LIES: dict[str, tuple[Callable[[dict[str, dict[str, str]]], object], str]] = {
    "newer": (lambda t: t[METADATA].update({"onecell.version": "2"}), "version '2'"),
    "no version": (lambda t: t[METADATA].pop("onecell.version"), "version ''"),
    "no mark": (lambda t: t.pop(METADATA), "no frozen cell"),
    "other kind": (lambda t: t[METADATA].update({"onecell.cell": "x"}), "holds a x cell"),
    "no size": (lambda t: t[METADATA].pop("onecell.hidden_size"), "must say hidden_size"),
    "negative": (lambda t: t[METADATA].update({"onecell.input_size": "-3"}), "must say input_size"),
    "huge": (lambda t: t[METADATA].update({"onecell.input_size": "9" * 15}), "input_size"),
    "endless": (lambda t: t[METADATA].update({"onecell.input_size": "9" * 999}), "must say"),
    "zero": (lambda t: t[METADATA].update({"onecell.hidden_size": "0"}), "at least 1"),
    "wider": (lambda t: t[METADATA].update({"onecell.input_size": "33"}), "packed_weight_ih"),
    "taller": (lambda t: t[METADATA].update({"onecell.hidden_size": "33"}), "packed_weight_ih"),
    "lower": (lambda t: t[METADATA].update({"onecell.hidden_size": "17"}), "must be zero"),
    "narrower": (lambda t: t[METADATA].update({"onecell.input_size": "17"}), "must be zero"),
    "dtype": (lambda t: t[METADATA].update({"onecell.weight_dtype": "f4"}), "weight_dtype"),
    "other dtype": (
        lambda t: t[METADATA].update({"onecell.weight_dtype": "float16"}),
        "packed_weight_ih",
    ),
    "spelled": (lambda t: t["packed_weight_ih"].update({"dtype": "U8"}), "packed_weight_ih"),
    "renamed": (lambda t: t.update(more=t.pop("packed_scale_hh")), "packed_scale_hh"),
    "shape": (lambda t: t["packed_scale_ih"].update({"shape": [64, 2]}), "packed_scale_ih"),  # type: ignore[dict-item]
}


@pytest.mark.parametrize("mapped", [True, False])
@pytest.mark.parametrize("lie", LIES)
def test_headers_that_lie_are_refused(tmp_path: Path, lie: str, mapped: bool) -> None:
    path = tmp_path / "cell.safetensors"
    LSTMCell(18, 18, rng=0).freeze("int8").save(path)
    change, message = LIES[lie]
    with pytest.raises(CheckpointError, match=rf"cell\.safetensors: .*{message}"):
        FrozenCell.load(rewrite(path, change), mapped=mapped)


@pytest.mark.parametrize("cut", [1, 64, 4096])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "cell.safetensors"
    LSTMCell(18, 18, rng=0).freeze("int8").save(path)
    with pytest.raises(CheckpointError, match="bytes"):
        FrozenCell.load(rewrite(path, lambda _: None, cut))


@pytest.mark.parametrize(
    ("name", "at", "value", "message"),
    [
        *(("packed_scale_ih", (0, 1, 2), bad, "hold scales") for bad in (np.nan, np.inf, 0, -1)),
        ("packed_scale_hh", (0, 0, 0), 0.1, "scales of 16 bits"),
        ("packed_scale_hh", (1, 3, 15), 1.0, "must be zero where it is filled up"),
        ("packed_weight_hh", (0, 0, 0, 0, 0), -128, "-128"),
        ("packed_weight_ih", (1, 0, 0, 2, 0), 1, "must be zero where it is filled up"),
        ("packed_weight_ih", (0, 0, 1, 0, 2), 1, "must be zero where it is filled up"),
        ("packed_bias_ih", (1, 0, 2), np.nan, "must be zero where it is filled up"),
    ],
)
@pytest.mark.parametrize("mapped", [True, False])
def test_values_that_packing_never_makes_are_refused(
    tmp_path: Path, name: str, at: tuple[int, ...], value: float, message: str, mapped: bool
) -> None:
    path = tmp_path / "cell.safetensors"
    LSTMCell(18, 18, rng=0).freeze("int8").save(path)
    checkpoint = load_checkpoint(path)
    checkpoint.tensors[name][at] = value
    save_checkpoint(path, checkpoint.tensors, metadata=checkpoint.metadata, force=True)
    with pytest.raises(CheckpointError, match=f"`{name}` must .*{message}|{message}"):
        FrozenCell.load(path, mapped=mapped)


@pytest.mark.parametrize("mapped", [True, False])
@pytest.mark.parametrize(
    ("name", "at", "bits", "message"),
    [
        ("packed_weight_ih", (0, 8, 0, 2, 1), 0x3F80, "must be zero where it is filled up"),
        ("packed_weight_hh", (1, 9, 3, 2, 0), 0x3F80, "must be zero where it is filled up"),
        ("packed_weight_hh", (1, 0, 1, 2, 0), 0x8000, "must be zero where it is filled up"),
        ("packed_weight_hh", (0, 3, 1, 2, 0), 0xA37F, "at least 2\\^-56"),
        ("packed_weight_ih", (1, 3, 1, 1, 1), 0x0001, "at least 2\\^-56"),
        ("packed_weight_ih", (1, 3, 1, 1, 1), 0x2380, None),
        ("packed_weight_ih", (1, 3, 1, 1, 1), 0x8000, None),
    ],
)
def test_both_sides_in_bfloat16_want_what_packing_makes(
    tmp_path: Path, name: str, at: tuple[int, ...], bits: int, message: str | None, mapped: bool
) -> None:
    path = tmp_path / "cell.safetensors"
    LSTMCell(17, 18, rng=0).freeze("bfloat16_bfloat16").save(path)
    checkpoint = load_checkpoint(path)
    checkpoint.tensors[name].view(np.uint16)[at] = bits
    save_checkpoint(path, checkpoint.tensors, metadata=checkpoint.metadata, force=True)
    if message is None:
        FrozenCell.load(path, mapped=mapped)
        return
    with pytest.raises(CheckpointError, match=message):
        FrozenCell.load(path, mapped=mapped)


def test_a_file_that_another_program_moved_is_read_and_not_mapped(tmp_path: Path) -> None:
    path = tmp_path / "cell.safetensors"
    p = problem()
    frozen = p.cell.freeze("int8")
    frozen.save(path)
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little") + 1
    path.write_bytes(
        length.to_bytes(8, "little") + content[8 : 7 + length] + b" " + content[7 + length :]
    )
    again = FrozenCell.load(path)
    assert not again.mapped
    assert outputs(again, p) == outputs(frozen, p)


@pytest.mark.parametrize("load", [LSTMCell.load, FrozenCell.load])
def test_what_is_no_file_is_refused(tmp_path: Path, load: Callable[[Path], object]) -> None:
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "gone.safetensors")
    os.mkfifo(tmp_path / "pipe.safetensors")
    for name in ("", "pipe.safetensors"):
        with pytest.raises(CheckpointError):
            load(tmp_path / name)
    (tmp_path / "empty.safetensors").touch()
    with pytest.raises(CheckpointError):
        load(tmp_path / "empty.safetensors")


@given(st.binary(max_size=200), st.integers(0, 3000))
@settings(deadline=None, max_examples=60)
def test_a_damaged_file_is_an_error_or_a_cell(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "cell.safetensors"
    LSTMCell(18, 18, rng=0).freeze("int8").save(path)
    content = bytearray(path.read_bytes())
    content[at : at + len(noise)] = noise
    path.write_bytes(content)
    try:
        cell = FrozenCell.load(path)
    except CheckpointError:
        return
    cell(np.ones((2, cell.input_size), np.float32))

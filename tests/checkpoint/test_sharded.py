"""Checkpoints in several files: read whole by their index, and never in part."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from onecell.checkpoint import find_cells, load_checkpoint, save_checkpoint
from onecell.checkpoint.formats.sharded import plain_stem
from onecell.errors import CheckpointError, UnsafeCheckpointError
from onecell.spec import Spec
from onecell.weights import Weights

Tensors = dict[str, np.ndarray]

CELL = Weights.random(Spec(3, 5), rng=1).to_dialect("torch", prefix="cell.")
HALVES = [
    {name: CELL[name] for name in ("cell.weight_ih", "cell.weight_hh")},
    {name: CELL[name] for name in ("cell.bias_ih", "cell.bias_hh")} | {"head": np.ones(2)},
]


def shard(number: int, suffix: str = ".safetensors", stem: str = "model") -> str:
    return f"{stem}-{number + 1:05}-of-{len(HALVES):05}{suffix}"


def write_index(path: Path, places: object, **rest: object) -> Path:
    path.write_text(json.dumps({"metadata": {"total_size": 9}, "weight_map": places, **rest}))
    return path


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """The weights of a cell in one shard, its biases in another, and the index."""
    places: dict[str, str] = {}
    for number, tensors in enumerate(HALVES):
        save_checkpoint(tmp_path / shard(number), tensors, dialect="torch", metadata={"a": "b"})
        places |= dict.fromkeys(tensors, shard(number))
    return write_index(tmp_path / "model.safetensors.index.json", places)


def test_a_cell_whose_halves_lie_in_two_shards_is_one_cell(index: Path) -> None:
    read = load_checkpoint(index)
    assert (read.format, read.dialect, read.metadata) == ("safetensors", "torch", {"a": "b"})
    (site,) = find_cells(read.tensors, "torch")
    assert site.weights(read.tensors, "torch").bias
    assert list(read.tensors) == [*HALVES[0], *HALVES[1]]
    for name, array in CELL.items():
        assert read.tensors[name].tobytes() == array.tobytes()


def test_torch_files_have_an_index_too(tmp_path: Path) -> None:
    places: dict[str, str] = {}
    for number, tensors in enumerate(HALVES):
        state = {name: torch.from_numpy(array) for name, array in tensors.items()}
        torch.save(state, tmp_path / shard(number, ".bin", "pytorch_model"))
        places |= dict.fromkeys(tensors, shard(number, ".bin", "pytorch_model"))
    read = load_checkpoint(write_index(tmp_path / "pytorch_model.bin.index.json", places))
    assert (read.format, read.dialect) == ("pt", "torch")
    assert read.tensors.keys() == CELL.keys() | {"head"}


def test_the_map_of_mindspore_is_an_index(index: Path) -> None:
    other = index.with_name("param_name_map.json")
    other.write_text(json.dumps(json.loads(index.read_text())["weight_map"]))
    index.unlink()
    assert load_checkpoint(other).tensors.keys() == CELL.keys() | {"head"}


@pytest.mark.parametrize("indexed", [True, False])
def test_a_shard_alone_is_refused_by_its_name(index: Path, indexed: bool) -> None:
    if not indexed:
        index.unlink()
    with pytest.raises(CheckpointError, match=r"shard 2 of 2 .*`model.safetensors.index.json`"):
        load_checkpoint(index.with_name(shard(1)))


def test_a_shard_of_another_name_is_refused_by_the_index_beside_it(index: Path) -> None:
    places = dict.fromkeys(HALVES[0], "a.safetensors") | {"head": "b.safetensors"}
    index.with_name(shard(0)).rename(index.with_name("a.safetensors"))
    write_index(index, places)
    with pytest.raises(CheckpointError, match=r"one of 2 shards .*`model.safetensors.index.json`"):
        load_checkpoint(index.with_name("a.safetensors"))


def test_a_file_that_is_whole_is_read_whatever_lies_beside_it(index: Path) -> None:
    whole = index.with_name("whole-00001-of-00001.safetensors")
    save_checkpoint(whole, CELL, dialect="torch")
    write_index(index.with_name("whole.safetensors.index.json"), dict.fromkeys(CELL, whole.name))
    index.with_name("broken.index.json").write_text("{")
    assert load_checkpoint(whole).tensors.keys() == CELL.keys()
    assert load_checkpoint(index.with_name("whole.safetensors.index.json")).tensors


def test_a_folder_names_the_index_in_it(index: Path) -> None:
    with pytest.raises(CheckpointError, match=r"folder; give the index in it, model.safetensors"):
        load_checkpoint(index.parent)


@pytest.mark.parametrize(
    ("places", "message"),
    [
        ({}, "it is no index"),
        ([], "it is no index"),
        ({"a": 3}, "`a` lies in 3, which is no file"),
        ({"a": ["x"]}, "no file beside it"),
        ({"a": ""}, "no file beside it"),
        ({"a": ".."}, "no file beside it"),
        ({"a": "../model.safetensors"}, "no file beside it"),
        ({"a": "/etc/passwd"}, "no file beside it"),
        ({"a": "sub/x.safetensors"}, "no file beside it"),
        ({"a": "..\\x.safetensors"}, "no file beside it"),
        ({"a": "C:x"}, "no file beside it"),
        ({"a": "a\0b"}, "no file beside it"),
        ({"a": "gone.safetensors"}, "`gone.safetensors`, which it names, is not there"),
        ({"a": shard(0)}, rf"`a` is not in `{shard(0)}`"),
        ({"cell.weight_ih": shard(0)}, rf"`{shard(0)}` holds cell.weight_hh, which it does not"),
        ({"cell.weight_ih": shard(1)}, rf"`cell.weight_ih` is not in `{shard(1)}`"),
    ],
    ids=str,
)
def test_an_index_that_is_wrong_is_refused(index: Path, places: Any, message: str) -> None:
    write_index(index, places)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(index)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "no index in JSON"),
        (b"\xff", "no UTF-8 text"),
        (b'"model"', "no index"),
        (b'{"weight_map": {"a": "x", "a": "y"}}', "names `a` twice"),
        (b'{"weight_map": {"a": "x"}, "weight_map": {"a": "x"}}', "names `weight_map` twice"),
        (b"[" * 100_000, "nested more"),
        (b'{"weight_map":' * 100_000, "nested more"),
        (b'{"a": ' + b"9" * 5000 + b"}", "no index in JSON"),
        (b'{"weight_map": {"a": "' + b"\\" * 100_001, "no index in JSON"),
    ],
    ids=range(9),
)
def test_an_index_that_is_damaged_is_refused(index: Path, text: bytes, message: str) -> None:
    index.write_bytes(text)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(index)


def test_an_index_that_is_too_large_is_not_read(index: Path) -> None:
    with index.open("r+b") as file:
        file.truncate(33 * 2**20)
    with pytest.raises(CheckpointError, match="not read"):
        load_checkpoint(index)


def test_damage_of_a_shard_is_told_with_its_name(index: Path) -> None:
    index.with_name(shard(1)).write_bytes(b"\x80\2c__builtin__\neval\n.")
    with pytest.raises(UnsafeCheckpointError, match=rf"index.json: `{shard(1)}`: "):
        load_checkpoint(index)


def test_a_tensor_in_two_shards_is_refused(index: Path) -> None:
    save_checkpoint(index.with_name(shard(0)), HALVES[0] | {"head": np.ones(2)}, force=True)
    with pytest.raises(CheckpointError, match="holds head, which it does not list"):
        load_checkpoint(index)


def test_shards_of_two_frameworks_are_refused(index: Path) -> None:
    save_checkpoint(index.with_name(shard(0)), HALVES[0], dialect="mindspore", force=True)
    with pytest.raises(CheckpointError, match="not of one kind"):
        load_checkpoint(index)


def test_what_shards_say_differently_is_kept_by_file(index: Path) -> None:
    path = index.with_name(shard(0))
    save_checkpoint(path, HALVES[0], dialect="torch", metadata={"a": "c"}, force=True)
    assert load_checkpoint(index).metadata == {f"a ({shard(0)})": "c", f"a ({shard(1)})": "b"}


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("model.safetensors.index.json", "model"),
        ("pytorch_model.bin.index.json", "pytorch_model"),
        ("a.b.pt", "a.b"),
    ],
)
def test_the_stem_of_an_index_is_the_models(name: str, stem: str) -> None:
    assert plain_stem(Path(name)) == stem


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "whole.pt"
    torch.save(torch.nn.LSTMCell(3, 5).state_dict(), path)
    return path


def test_two_zip_files_in_one_are_refused(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes() * 2)
    with pytest.raises(CheckpointError, match="bytes lie before the last one in it"):
        load_checkpoint(archive)


@pytest.mark.parametrize("rest", [b"x", b"x" * 100, b"PK\5\6", b"\0" * 70_000])
def test_a_zip_file_with_something_behind_it_is_refused(archive: Path, rest: bytes) -> None:
    archive.write_bytes(archive.read_bytes() + rest)
    with pytest.raises(CheckpointError, match=r"followed by something|is damaged|bytes lie before"):
        load_checkpoint(archive)


def test_a_zip_file_inside_the_comment_of_another_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, a=np.ones(3))
    inner = path.read_bytes()
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = inner
    with pytest.raises(CheckpointError):
        load_checkpoint(path)


def test_a_zip_file_may_have_a_comment(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", a=np.ones(3))
    with zipfile.ZipFile(tmp_path / "a.npz", "a") as archive:
        archive.comment = b"made by hand"
    assert list(load_checkpoint(tmp_path / "a.npz").tensors) == ["a"]

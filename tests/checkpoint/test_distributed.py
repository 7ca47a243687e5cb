"""Folders of torch.distributed.checkpoint: read whole, as data, or refused with what is wrong.

What two ranks wrote of sharded tensors is read in `torch_front/test_ranks.py`.
"""

from __future__ import annotations

import copy
import io
import os
import pickle
import shutil
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributed.checkpoint.metadata import ChunkStorageMetadata, MetadataIndex
from torch.distributed.checkpoint.state_dict_saver import save

from onecell.checkpoint import convert, find_cells, load_checkpoint
from onecell.checkpoint.formats.sharded import files_of, goes_by
from onecell.checkpoint.limits import FLOOR
from onecell.errors import CheckpointError, UnsafeCheckpointError
from onecell.project.find import find

NAME = "model.cell.weight_ih"
PART = "__0_0.distcp"
MODEL = torch.nn.ModuleDict({"cell": torch.nn.LSTMCell(3, 5), "head": torch.nn.Linear(5, 2)})


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("dcp") / "step.100"
    optimizer = torch.optim.Adam(MODEL.parameters())
    state = {"model": MODEL.state_dict(), "epoch": 7, "run": {"name": "a", "sizes": [3, 5]}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of being one process
        save({**state, "optimizer": optimizer.state_dict()}, checkpoint_id=str(place))
    return place


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(original, tmp_path / original.name))


def rewrite(folder: Path, change: Callable[[Any], object]) -> None:
    """Change the index of a folder."""
    path = folder / ".metadata"
    index = pickle.loads(path.read_bytes())
    change(index)
    path.write_bytes(pickle.dumps(index))


def test_all_that_was_saved_is_read(original: Path) -> None:
    read = load_checkpoint(original)
    assert (read.format, read.dialect, read.left_out) == ("dcp", "torch", {})
    assert read.tensors.keys() == {f"model.{name}" for name in MODEL.state_dict()}
    for name, tensor in MODEL.state_dict().items():
        assert read.tensors[f"model.{name}"].tobytes() == tensor.numpy().tobytes()
    told = {
        "epoch": "7",
        "run.name": "a",
        "run.sizes.1": "5",
        "optimizer.param_groups.0.lr": "0.001",
    }
    assert read.metadata.items() >= told.items()
    (site,) = find_cells(read.tensors, "torch")
    assert site.name == "model.cell"
    assert convert(read.tensors, "torch", "mindspore").tensors


def test_a_project_finds_the_folder_as_one_checkpoint(folder: Path) -> None:
    for found in (find([folder.parent]), find([folder])):
        (place,) = found.checkpoints
        assert goes_by(place.relative, ".ckpt", ()) == Path("step.100.ckpt")
        assert not found.others
        assert {file.name for file in files_of(place.path)} == {".metadata", PART}


@pytest.mark.parametrize("name", [PART, ".metadata", "model.pt"])
def test_a_part_alone_is_refused(folder: Path, name: str) -> None:
    if name == "model.pt":
        shutil.copy(folder / PART, folder / name)
    with pytest.raises(CheckpointError, match=r"torch\.distributed.*Give the folder"):
        load_checkpoint(folder / name)


class Strange:
    """What runs code when it is unpickled."""

    def __reduce__(self) -> Any:
        return os.system, ("echo was run > was_run",)


@pytest.mark.parametrize("place", ["index", "part"])
def test_nothing_of_a_stranger_is_run(
    folder: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    if place == "index":
        rewrite(folder, lambda index: setattr(index, "planner_data", Strange()))
    else:
        swap(folder, Strange())
    with pytest.raises(UnsafeCheckpointError, match=r"asks for `(posix|nt)\.system`"):
        load_checkpoint(folder)
    assert not (folder / "was_run").exists()


def swap(folder: Path, value: object) -> None:
    """Store something else where a tensor is said to lie."""
    buffer = io.BytesIO()
    torch.save(value, buffer)
    replace(folder, buffer.getvalue())


def replace(folder: Path, content: bytes) -> None:
    start = (folder / PART).stat().st_size
    with (folder / PART).open("ab") as file:
        file.write(content)
    box = {"offset": start, "length": len(content)}
    rewrite(folder, lambda index: vars(index.storage_data[key(index)]).update(box))


def key(index: Any, name: str = NAME) -> MetadataIndex:
    found: MetadataIndex = next(each for each in index.storage_data if each.fqn == name)
    return found


def at(**values: object) -> Callable[[Any], object]:
    """Say that the tensor lies somewhere else."""
    return lambda index: vars(index.storage_data[key(index)]).update(values)


def cut(*parts: tuple[tuple[int, int], tuple[int, int]], size: tuple[int, int] = (20, 3)) -> Any:
    """Say that the tensor is cut otherwise."""

    def change(index: Any) -> None:
        about = index.state_dict_metadata[NAME]
        about.size = torch.Size(size)
        about.chunks = [ChunkStorageMetadata(torch.Size(o), torch.Size(n)) for o, n in parts]

    return change


def twice(index: Any) -> None:
    bias = key(index, "model.cell.bias_ih")
    index.storage_data[key(index)] = index.storage_data[bias]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (at(relative_path="../step.100/" + PART), "no such file"),
        (at(relative_path="/etc/passwd"), "no such file"),
        (at(relative_path="__1_0.distcp"), "no such file"),
        (at(relative_path=".metadata"), "no such file"),
        (at(relative_path=7), "no such file"),
        (at(offset=-1), "impossible place"),
        (at(length=-5), "impossible place"),
        (at(offset="0"), "impossible place"),
        (at(length=2**62), "ends at byte"),
        (at(transform_descriptors=["zstd"]), "without extensions"),
        (twice, "overlap"),
        (
            lambda index: index.storage_data.pop(key(index)),
            "does not say where `model.cell.weight_ih`",
        ),
        (lambda index: setattr(index, "storage_data", None), "does not say where its tensors lie"),
        (lambda index: setattr(index, "state_dict_metadata", [1]), "is no index"),
        (lambda index: index.state_dict_metadata.update({NAME: 3}), "`model.cell.weight_ih` is 3"),
        (lambda index: index.state_dict_metadata.update({5: 3}), "the name 5"),
        (cut(), "has no parts"),
        (cut(((0, 0), (20, 4))), "has a part of size"),
        (cut(((1, 0), (20, 3))), "has a part of size"),
        (cut(((0, 0), (19, 3))), "are not its size"),
        (cut(((0, 0), (2**62, 3)), size=(2**62, 3)), "is one of size"),
        (cut(((0, 0), (10, 6)), size=(20, 3)), "has a part of size"),
        (cut(((0, 0), (10, 3)), ((7, 0), (10, 3))), "of size .* is one of size"),
        (cut(((0, 0), (-1, 3))), "impossible size"),
    ],
)
def test_an_index_that_is_wrong_is_refused(
    folder: Path, change: Callable[[Any], object], message: str
) -> None:
    rewrite(folder, change)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(folder)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (torch.zeros(3, 20), "of size .* is one of size"),
        ({"a": torch.zeros(20, 3)}, "is no tensor there"),
        ([1, 2], "is no tensor there"),
    ],
)
def test_a_part_that_is_something_else_is_refused(folder: Path, value: Any, message: str) -> None:
    swap(folder, value)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(folder)


@pytest.mark.parametrize(
    ("second", "dtype", "message"),
    [
        (10, torch.float32, None),
        (7, torch.float32, "overlap"),
        (10, torch.float64, "differ in type"),
    ],
)
def test_two_parts_fill_a_tensor_or_are_refused(
    folder: Path, second: int, dtype: torch.dtype, message: str | None
) -> None:
    whole, starts = torch.rand(20, 3), (0, second)
    content, boxes = (folder / PART).read_bytes(), {}
    for start, kind in zip(starts, (torch.float32, dtype), strict=True):
        buffer = io.BytesIO()
        torch.save(whole[start : start + 10].to(kind, copy=True), buffer)
        boxes[start, 0] = {"offset": len(content), "length": len(buffer.getvalue())}
        content += buffer.getvalue()
    (folder / PART).write_bytes(content)
    rewrite(folder, cut(*(((start, 0), (10, 3)) for start in starts)))

    def change(index: Any) -> None:
        old = index.storage_data.pop(key(index))
        for offset, box in boxes.items():
            index.storage_data[MetadataIndex(NAME, offset)] = new = copy.copy(old)
            vars(new).update(box)

    rewrite(folder, change)
    if message is None:
        assert load_checkpoint(folder).tensors[NAME].tobytes() == whole.numpy().tobytes()
        return
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(folder)


def test_parts_that_unfold_beyond_the_multiple_are_refused(folder: Path) -> None:
    buffer, bomb = io.BytesIO(), io.BytesIO()
    torch.save(torch.zeros(FLOOR // 4), buffer)
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    replace(folder, bomb.getvalue())
    with pytest.raises(UnsafeCheckpointError, match="may unfold to"):
        load_checkpoint(folder)


@pytest.fixture(scope="module")
def spoiled(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy for all examples of one property."""
    return Path(shutil.copytree(original, tmp_path_factory.mktemp("spoiled") / "run"))


@given(st.sampled_from([".metadata", PART]), st.floats(0, 1), st.binary(min_size=0, max_size=4))
@settings(max_examples=150)
def test_damage_is_a_checkpoint_error(
    original: Path, spoiled: Path, name: str, place: float, bytes_: bytes
) -> None:
    content = (original / name).read_bytes()
    where = int(place * len(content))
    # Nothing to write: the file ends there.
    new = content[:where] + bytes_ + content[where + len(bytes_) :] if bytes_ else content[:where]
    (spoiled / name).write_bytes(new)
    try:
        load_checkpoint(spoiled)
    except CheckpointError:
        pass
    finally:
        (spoiled / name).write_bytes(content)

"""Orbax's folders: arrays in files of their own or in a database are read, attacks are refused."""

from __future__ import annotations

import gzip
import importlib
import itertools
import json
import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorstore
import zstandard

from onecell import Spec, Weights, reference
from onecell.checkpoint import find_cells, load_checkpoint
from onecell.checkpoint.limits import FLOOR
from onecell.dtypes import BFLOAT16
from onecell.errors import CheckpointError, MissingExtraError, UnsafeCheckpointError

Tensors = dict[str, np.ndarray]
Files = dict[str, bytes | dict[str, Any]]
PeakBelow = Callable[[int], AbstractContextManager[None]]
CELL = Weights.random(Spec(3, 4), 1)
ONES = np.ones((2, 3), np.float32)


def second(array: np.ndarray, **changes: Any) -> dict[str, Any]:
    """Return a head of version 2."""
    dtype = "bfloat16" if array.dtype == BFLOAT16 else array.dtype.str
    return {
        "chunks": list(array.shape), "compressor": None, "dimension_separator": ".",
        "dtype": dtype, "fill_value": None, "filters": None, "order": "C",
        "shape": list(array.shape), "zarr_format": 2,
    } | changes  # fmt: skip


BYTES = {"name": "bytes", "configuration": {"endian": "little"}}
ZSTD = {"name": "zstd", "configuration": {"level": 3, "checksum": False}}
CRC = {"name": "crc32c"}


def third(array: np.ndarray, *codecs: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a head of version 3."""
    grid = {"name": "regular", "configuration": {"chunk_shape": list(array.shape)}}
    return {
        "zarr_format": 3, "node_type": "array", "data_type": array.dtype.name,
        "shape": list(array.shape), "chunk_grid": grid, "fill_value": 0.0,
        "chunk_key_encoding": {"name": "default"}, "codecs": list(codecs or (BYTES,)),
    } | changes  # fmt: skip


def shards(inner: list[int], *codecs: dict[str, Any], **changes: Any) -> dict[str, Any]:
    about = {"chunk_shape": inner, "codecs": list(codecs or (BYTES,)), "index_codecs": [BYTES, CRC]}
    return {"name": "sharding_indexed", "configuration": about | changes}


def saved(folder: Path, files: Files, *, full: bool = True) -> Path:
    """Return a folder with these files, as Orbax writes it without a database."""
    said = {"tree_metadata": {}, "store_array_data_equal_to_fill_value": full}
    for name, content in {"_METADATA": said, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return folder


def plain(tensors: Tensors) -> Files:
    """Return the files of arrays that are one chunk each."""
    files: Files = {}
    for name, array in tensors.items():
        files[f"{name}/.zarray"] = second(array)
        files[f"{name}/{'.'.join('0' * array.ndim) or '0'}"] = array.tobytes()
    return files


def database(folder: Path, files: Files) -> Path:
    """Return a folder with these files in a database, as Orbax writes it by default."""
    spec = {"driver": "ocdbt", "base": f"file://{folder}/"}
    store = tensorstore.KvStore.open(spec).result()
    for name, content in files.items():
        store[name] = content if isinstance(content, bytes) else json.dumps(content).encode()
    return saved(folder, {})


@pytest.mark.parametrize("made", [saved, database])
@pytest.mark.parametrize(
    ("row", "value"), [("flax", ""), ("flax-nnx", ".value"), ("flax-nnx-optimized", "")]
)
def test_a_cell_is_found_under_the_names_of_its_library(
    made: Callable[[Path, Files], Path], row: str, value: str, tmp_path: Path
) -> None:
    arrays = CELL.to_dialect(row, prefix="params.rnn.")
    files = plain({f"{name}{value}": array for name, array in arrays.items()})
    folder = made(tmp_path / "a", files)
    read = load_checkpoint(folder)
    assert (read.format, read.dialect, read.left_out) == ("orbax", row, {})
    assert read.tensors.keys() == arrays.keys()
    (site,) = find_cells(read.tensors, row)
    found = site.weights(read.tensors, row)
    x, h, c = (np.random.default_rng(1).standard_normal((2, k)) for k in (3, 4, 4))
    for got, want in zip(
        reference.step(found, x, h, c), reference.step(CELL, x, h, c), strict=True
    ):
        np.testing.assert_allclose(got, want, atol=1e-6)


def test_every_type_and_shape_keeps_its_bits(
    every_dtype: Tensors, shapes: Tensors, tmp_path: Path, assert_same_bits: Any
) -> None:
    tensors = every_dtype | {name: a for name, a in shapes.items() if a.size}
    empty = {name: a for name, a in shapes.items() if not a.size}
    files = plain(tensors)
    for name, array in empty.items():
        files[f"{name}/.zarray"] = second(array, chunks=[max(size, 1) for size in array.shape])
    assert_same_bits(load_checkpoint(saved(tmp_path, files)).tensors, tensors | empty)


def test_arrays_in_several_chunks_and_packed_in_every_way_are_read(
    tmp_path: Path, assert_same_bits: Any
) -> None:
    array = np.arange(70, dtype=np.float32).reshape(7, 10)
    padded = np.zeros((9, 12), np.float32)
    padded[:7, :10] = array
    pack = zstandard.ZstdCompressor().compress
    files: Files = {
        "zstd/.zarray": second(array, chunks=[3, 4], compressor={"id": "zstd", "level": 1}),
        "gzip/.zarray": second(array, chunks=[3, 4], compressor={"id": "gzip"}, order="F"),
        "big/.zarray": second(array, chunks=[3, 4], dtype=">f4", dimension_separator="/"),
        "third/zarr.json": third(
            array, BYTES, ZSTD, CRC,
            chunk_grid={"name": "regular", "configuration": {"chunk_shape": [3, 4]}},
        ),
        "shard/zarr.json": third(
            array, shards([3, 2], BYTES, ZSTD),
            chunk_grid={"name": "regular", "configuration": {"chunk_shape": [9, 12]}},
        ),
        "first/zarr.json": third(
            array, shards([9, 12], index_location="start"),
            chunk_grid={"name": "regular", "configuration": {"chunk_shape": [9, 12]}},
            chunk_key_encoding={"name": "v2"},
        ),
    }  # fmt: skip
    for row, column in itertools.product(range(3), range(3)):
        chunk = padded[3 * row : 3 * row + 3, 4 * column : 4 * column + 4]
        files[f"zstd/{row}.{column}"] = pack(chunk.tobytes())
        files[f"gzip/{row}.{column}"] = gzip.compress(chunk.tobytes("F"))
        files[f"big/{row}/{column}"] = chunk.astype(">f4").tobytes()
        files[f"third/c/{row}/{column}"] = pack(chunk.tobytes()) + bytes(4)
    content, places = b"", b""
    for row, column in itertools.product(range(3), range(6)):
        chunk = padded[3 * row : 3 * row + 3, 2 * column : 2 * column + 2]
        if column == 5:  # not there: nothing of the array lies in it
            places += b"\xff" * 16
            continue
        packed = pack(chunk.tobytes())
        places += np.array([len(content), len(packed)], "<u8").tobytes()
        content += packed
    files["shard/c/0/0"] = content + places + bytes(4)
    files["first/0.0"] = (
        np.array([20, padded.nbytes], "<u8").tobytes() + bytes(4) + padded.tobytes()
    )
    read = load_checkpoint(saved(tmp_path, files)).tensors
    names = ("big", "first", "gzip", "shard", "third", "zstd")
    assert_same_bits(dict(sorted(read.items())), dict.fromkeys(names, array))


def test_a_chunk_that_is_missing_is_damage_unless_numbers_may_be_left_out(tmp_path: Path) -> None:
    files: Files = {"a/.zarray": second(ONES, fill_value=2.5)}
    with pytest.raises(CheckpointError, match=r"chunk `a/0\.0` is missing"):
        load_checkpoint(saved(tmp_path / "a", files))
    read = load_checkpoint(saved(tmp_path / "b", files, full=False))
    assert read.tensors["a"].tolist() == [[2.5] * 3] * 2
    fills: tuple[Any, ...] = ("x", [], float("nan"), 10**19, {"a": 1})
    for fill in fills:
        head = second(ONES.astype(np.int16), fill_value=fill)
        with pytest.raises(CheckpointError, match=r"filled with|is missing"):
            load_checkpoint(saved(tmp_path / "c", {"a/.zarray": head}, full=False))


def test_texts_are_values_and_what_is_no_number_is_named(tmp_path: Path) -> None:
    files: Files = {
        "_strings.json": {"name": "hello", "more": 3},
        "f8/.zarray": second(ONES, dtype="float8_e4m3fn"),
        "t/.zarray": second(ONES, dtype="<U4"),
        "i4/zarr.json": third(ONES, data_type="int4"),
    }
    read = load_checkpoint(saved(tmp_path, files))
    assert read.metadata == {"name": "hello"}
    assert read.left_out == {
        "f8": "an array of float8_e4m3fn", "t": "an array of <U4", "i4": "an array of int4",
    }  # fmt: skip


def test_of_steps_the_latest_is_read_and_of_items_the_one(tmp_path: Path) -> None:
    for step in (3, 20):
        saved(tmp_path / f"run/{step}/state", plain({"step": np.array(step)}))
        (tmp_path / f"run/{step}/_CHECKPOINT_METADATA").write_text("{}")
        (tmp_path / f"run/{step}/meta").mkdir()
    for folder, step in (("run", 20), ("run/3", 3), ("run/3/state", 3)):
        assert int(load_checkpoint(tmp_path / folder).tensors["step"]) == step
    saved(tmp_path / "run/3/other", {})
    with pytest.raises(CheckpointError, match="give one of other, state"):
        load_checkpoint(tmp_path / "run/3")


BOMB = zstandard.ZstdCompressor().compress(bytes(2**28))


@pytest.mark.parametrize(
    ("head", "chunk", "says"),
    [
        (b"", b"", "no JSON"),
        (b"[" * 1000, b"", "nested deeper"),
        (b"[]", b"", "no object"),
        (b'{"shape": [], "shape": []}', b"", "`shape` twice"),
        (b" " * 2**21, b"", "more than"),
        (second(ONES, zarr_format=7), b"", "version 7"),
        (second(ONES, shape=[-1, 3]), b"", "impossible shape"),
        (second(ONES, shape=[True, 3]), b"", "impossible shape"),
        (second(ONES, shape="23"), b"", "impossible shape"),
        (second(ONES, chunks=[0, 3]), b"", "impossible shape"),
        (second(ONES, chunks=[6]), b"", "2 axes, and its chunks have 1"),
        (second(ONES, shape=[1] * 40, chunks=[1] * 40), b"", "impossible shape"),
        (second(ONES, shape=[2**40, 3]), b"", "needs"),
        (second(ONES, shape=[2**61, 2**61], chunks=[1, 1]), b"", "address"),
        (second(ONES, chunks=[2**40, 3]), b"", "needs"),
        (second(ONES, shape=[4000, 4000], chunks=[1, 1], dtype="|u1"), b"1", "needs|is missing"),
        (second(ONES, shape=[2**22, 1], chunks=[1, 1], dtype="|u1"), b"1", "needs"),
        (second(ONES), bytes(23), "is 24 bytes, and 23"),
        (second(ONES), bytes(25), "is 24 bytes, and 25"),
        (second(ONES), bytes(2**20), "more than"),
        (second(ONES, compressor={"id": "zstd"}), BOMB, "is 24 bytes, and 25"),
        (second(ONES, compressor={"id": "zstd"}), b"nonsense", "damaged"),
        (second(ONES, compressor={"id": "gzip"}), gzip.compress(bytes(2**20)), "and 25"),
        (second(ONES, compressor={"id": "gzip"}), b"nonsense", "damaged"),
        (second(ONES, compressor={"id": "blosc"}), b"", "not read: blosc"),
        (second(ONES, compressor=7), b"", "not read: 7"),
        (second(ONES, filters=[{"id": "delta"}]), b"", "filtered"),
        (second(ONES, order="A"), b"", "order is A"),
        (second(ONES, dimension_separator="../"), b"", "named with"),
        (second(ONES, dimension_separator=[]), b"", "named with"),
        (second(ONES, order=[]), b"", "order is"),
        (second(ONES, compressor={"id": {}}), b"", "not read"),
    ],
    ids=range(32),
)  # fmt: skip
def test_a_hostile_array_is_refused(
    head: Any, chunk: bytes, says: str, tmp_path: Path, peak_below: PeakBelow
) -> None:
    folder = saved(tmp_path, {"a/.zarray": head, "a/0.0": chunk})
    with peak_below(FLOOR), pytest.raises(CheckpointError, match=says):
        load_checkpoint(folder)


@pytest.mark.parametrize(
    ("head", "chunk", "says"),
    [
        (third(ONES, node_type="group"), b"", "no array's"),
        (third(ONES, BYTES, {"name": "blosc"}), b"", "not read: blosc"),
        (third(ONES, ZSTD), b"", "not read"),
        (third(ONES, CRC, BYTES), b"", "not read"),
        (third(ONES, BYTES, CRC, ZSTD), b"", "a checksum inside"),
        (third(ONES, codecs=None), b"", "not read"),
        (third(ONES, codecs=[3]), b"", "not read"),
        (third(ONES, chunk_grid={"name": "odd"}), b"", "laid out as odd"),
        (third(ONES, chunk_grid=None), b"", "not read"),
        (third(ONES, chunk_key_encoding={"name": "default", "configuration": {"separator": ""}}),
         b"", "named with"),
        (third(ONES, shards([2, 2])), b"", "not full of chunks"),
        (third(ONES, shards([0, 3])), b"", "impossible shape"),
        (third(ONES, shards([1, 3], index_codecs=[BYTES])), b"", "indexed by"),
        (third(ONES, shards([1, 3])), bytes(35), "cut off"),
        (third(ONES, shards([2, 3])), np.array([0, 24], "<u8").tobytes() + bytes(4), "cut off"),
        (third(ONES, shards([2, 3], BYTES, CRC)), bytes(20), "and 0 are there"),
        (third(ONES, shards([2, 3], shards([1, 1]))), bytes(20), "not read"),
    ],
    ids=range(17),
)  # fmt: skip
def test_a_hostile_array_of_version_3_is_refused(
    head: Any, chunk: bytes, says: str, tmp_path: Path, peak_below: PeakBelow
) -> None:
    folder = saved(tmp_path, {"a/zarr.json": head, "a/c/0/0": chunk})
    with peak_below(FLOOR), pytest.raises(CheckpointError, match=says):
        load_checkpoint(folder)


@pytest.mark.parametrize("part", ["a/0.0", "a/.zarray", "_METADATA"])
def test_what_leads_out_of_the_folder_is_refused(part: str, tmp_path: Path) -> None:
    folder = saved(tmp_path / "a", plain({"a": ONES}))
    (folder / part).rename(tmp_path / "secret")
    (folder / part).symlink_to(tmp_path / "secret")
    if part == "_METADATA":
        (folder / "manifest.ocdbt").write_bytes(b"")
    with pytest.raises(UnsafeCheckpointError, match="out of the folder"):
        load_checkpoint(folder)
    (folder / part).unlink()
    os.mkfifo(folder / part)
    with pytest.raises(CheckpointError, match="no such file"):
        load_checkpoint(folder)


def test_a_database_that_names_files_elsewhere_does_not_reach_them(tmp_path: Path) -> None:
    folder = database(tmp_path / "a" / "b", plain({"big": np.ones(5000)}))
    read = load_checkpoint(folder)
    assert read.tensors["big"].sum() == 5000
    shutil.move(folder / "d", tmp_path / "a" / "d")
    with pytest.raises(CheckpointError, match="database is damaged"):
        load_checkpoint(folder)


@pytest.mark.parametrize("part", ["manifest", "node"])
def test_a_database_that_is_cut_off_is_refused(part: str, tmp_path: Path) -> None:
    folder = database(tmp_path, plain({"a": ONES}))
    file = folder / "manifest.ocdbt"
    if part == "node":
        file = max((folder / "d").iterdir(), key=lambda each: each.stat().st_mtime_ns)
    content = file.read_bytes()
    for end in range(0, len(content), 3):
        file.write_bytes(content[:end])
        with pytest.raises(CheckpointError):
            load_checkpoint(folder)


def test_arrays_that_go_by_one_name_are_refused(tmp_path: Path) -> None:
    files = plain({"a/b": ONES, "a.b": ONES})
    with pytest.raises(CheckpointError, match=r"`a\.b` twice"):
        load_checkpoint(saved(tmp_path, files))
    both = plain({"a": ONES, "a.value": ONES})
    assert load_checkpoint(saved(tmp_path / "b", both)).tensors.keys() == {"a", "a.value"}


def test_what_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    folder = saved(tmp_path / "a", {"a/.zarray": second(ONES, compressor={"id": "zstd"}),
                                    "a/0.0": b"1"})  # fmt: skip
    whole = database(tmp_path / "b", plain({"a": ONES}))
    monkeypatch.setattr(importlib, "import_module", missing)
    for path, name in ((folder, "zstandard"), (whole, "tensorstore")):
        with pytest.raises(MissingExtraError, match=rf"`{name}`.*onecell\[orbax\]"):
            load_checkpoint(path)


@pytest.mark.slow
@pytest.mark.parametrize("way", [{}, {"use_ocdbt": False}, {"use_zarr3": True}], ids=str)
def test_what_orbax_writes_is_read(way: dict[str, bool], tmp_path: Path) -> None:
    orbax = pytest.importorskip("orbax.checkpoint")
    jax = pytest.importorskip("jax")
    arrays = CELL.to_dialect("flax")
    tree: dict[str, Any] = {}
    for name, array in arrays.items():
        first, last = name.split(".")
        tree.setdefault(first, {})[last] = jax.numpy.asarray(array)
    orbax.PyTreeCheckpointer(**way).save(tmp_path / "a", {"params": tree, "name": "x"})
    read = load_checkpoint(tmp_path / "a")
    assert (read.dialect, read.metadata) == ("flax", {"name": "x"})
    for name, array in arrays.items():
        assert read.tensors[f"params.{name}"].tobytes() == array.tobytes()

"""NumPy's own files, and what is refused in them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from onecell.checkpoint import load_checkpoint, save_checkpoint
from onecell.dtypes import BFLOAT16
from onecell.errors import CheckpointError, UnsafeCheckpointError

Tensors = dict[str, np.ndarray]
Write = Callable[[bytes, str], Path]


def zipped(members: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return content.getvalue()


def npy(header: str, data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    width = 2 if version[0] == 1 else 4
    text = header.encode("latin-1")
    return b"\x93NUMPY" + version + len(text).to_bytes(width, "little") + text + data


def describe(descr: str, shape: str = "(2,)", order: str = "False") -> str:
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}"


def test_numpy_reads_what_we_write(every_dtype: Tensors, shapes: Tensors, tmp_path: Path) -> None:
    tensors = every_dtype | shapes
    save_checkpoint(tmp_path / "a.npz", tensors)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as loaded:
        assert list(loaded) == list(tensors)
        for name, array in tensors.items():
            assert loaded[name].dtype == array.dtype
            assert loaded[name].shape == array.shape
            assert loaded[name].tobytes() == array.tobytes()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_what_numpy_writes_is_read(save: Callable[..., None], tmp_path: Path) -> None:
    tensors = {
        "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "big": np.arange(6, dtype=">i4").reshape(3, 2),
        "both": np.asfortranarray(np.arange(24, dtype=">f8").reshape(2, 3, 4)),
        "scalar": np.array(2.5),
        "none": np.empty((0, 4)),
        "flags": np.array([True, False]),
        "zeros": np.zeros((1000, 1000), np.float32),
    }
    save(tmp_path / "a.npz", **tensors)
    loaded = load_checkpoint(tmp_path / "a.npz").tensors
    assert list(loaded) == list(tensors)
    for name, array in tensors.items():
        assert loaded[name].dtype == array.dtype.newbyteorder("=")
        np.testing.assert_array_equal(loaded[name], array)


def test_bfloat16_that_ml_dtypes_wrote_is_read(tmp_path: Path) -> None:
    array = np.array([[1.5, -2.0, 3.0]], ml_dtypes.bfloat16)
    np.savez(tmp_path / "a.npz", t=array)
    loaded = load_checkpoint(tmp_path / "a.npz").tensors["t"]
    assert loaded.dtype == BFLOAT16
    assert loaded.tobytes() == array.tobytes()


def test_text_without_dimensions_is_metadata(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", t=np.ones(2), note=np.array("权重"))
    loaded = load_checkpoint(tmp_path / "a.npz")
    assert (list(loaded.tensors), loaded.metadata) == (["t"], {"note": "权重"})


def test_format_2_is_read(write: Write) -> None:
    content = npy(describe("'<f4'"), np.ones(2, np.float32).tobytes(), b"\x02\x00")
    loaded = load_checkpoint(write(zipped({"a.npy": content}), "a.npz")).tensors
    np.testing.assert_array_equal(loaded["a"], [1, 1])


def test_objects_are_refused_unread(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", t=np.array([{"a": 1}, None]))
    with pytest.raises(UnsafeCheckpointError, match="`t` holds pickled objects"):
        load_checkpoint(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (npy(describe("'<f4'"), bytes(7)), r"`a` of shape \(2,\) .* is 8 bytes, and 7 are"),
        (npy(describe("'<f4'"), bytes(9)), r"is 8 bytes, and 9 are"),
        (npy(describe("'<f4'", "(28000000000,)"), bytes(8)), r"is 112000000000 bytes, and 8 are"),
        (npy(describe("'<f4'", f"({2**62}, {2**62})"), b""), r"more than memory can address"),
        (npy(describe("'<f4'", "(1 1, ,)"), b""), r"`a` of shape"),
        (npy(describe("'<f4'", "(" + "1," * 40 + ")"), bytes(4)), r"`a` has 40 dimensions"),
        (npy(describe("'<f4'", "(L,)"), b""), r"impossible shape"),
        (npy(describe("'<m8[s]'"), bytes(16)), r"no plain array header"),
        (npy(describe("'<U3'"), bytes(24)), r"`a` holds <U3"),
        (npy(describe("'|V3'"), bytes(6)), r"`a` holds \|V3"),
        (npy(describe("'f4,f4'"), bytes(16)), r"no plain array header"),
        (npy(describe("'<q9'"), bytes(16)), r"unknown element type"),
        (npy(describe("[('x', '<f4')]"), bytes(8)), r"no plain array header"),
        (npy(describe("__import__('os')"), bytes(8)), r"no plain array header"),
        (npy("(" * 9000), r"no plain array header"),
        (npy(describe("'<f4'") + " " * 20_000, bytes(8), b"\x02\x00"), r"header of 200"),
        (npy(describe("'<f4'"), bytes(8), b"\x03\x00"), r"not an array in NumPy's format"),
        (b"\x93NUMPX\x01\x00", r"not an array in NumPy's format"),
        (b"", r"`a` is cut off"),
        (npy(describe("'<f4'"), bytes(8))[:30], r"cut off"),
    ],
    ids=range(20),
)
def test_a_damaged_array_is_refused_by_name(member: bytes, message: str, write: Write) -> None:
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(write(zipped({"a.npy": member}), "a.npz"))


def test_a_member_that_is_no_array_is_refused(write: Write) -> None:
    with pytest.raises(CheckpointError, match=r"`notes.txt` is no array"):
        load_checkpoint(write(zipped({"notes.txt": b"hello"}), "a.npz"))

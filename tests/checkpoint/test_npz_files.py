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
        (npy(describe("'<m8[s]'"), bytes(15)), r"is 16 bytes, and 15 are"),
        (npy(describe("'<m8[q9]'"), bytes(16)), r"unknown element type"),
        (npy(describe("'<U3'"), bytes(23)), r"is 24 bytes, and 23 are"),
        (npy(describe("'f4,f4'"), bytes(16)), r"no plain array header"),
        (npy(describe("'<q9'"), bytes(16)), r"unknown element type"),
        (npy(describe("[('x', '|O')]"), bytes(8)), r"`a` holds pickled objects"),
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


@pytest.mark.parametrize(
    "text", [b"\x00\x00\x11\x00", b"\x00\xd8\x00\x00", b"\xff\xff\xff\xff"], ids=range(3)
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_text_that_is_no_unicode_is_refused(text: bytes, order: str, write: Write) -> None:
    content = text if order == "<" else text[::-1]
    member = npy(describe(f"'{order}U1'", "()"), content)
    with pytest.raises(CheckpointError, match=r"the text `note` is damaged"):
        load_checkpoint(write(zipped({"note.npy": member}), "a.npz"))


def test_what_is_no_array_of_numbers_is_left_out_by_name(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "a.npz",
        words=np.array(["a", "bc"]),
        when=np.array(["2026-01-02"], "datetime64[D]"),
        took=np.array([3], "timedelta64[s]"),
        rows=np.zeros(2, [("x", "<f4"), ("y", "<i8")]),
        raw=np.zeros(2, "V3"),
        names=np.array([b"ab"]),
        t=np.ones(2),
    )
    loaded = load_checkpoint(tmp_path / "a.npz")
    assert list(loaded.tensors) == ["t"]
    assert loaded.metadata == {}
    assert loaded.left_out == {
        "words": "an array of text",
        "when": "an array of dates",
        "took": "an array of time spans",
        "rows": "an array of records",
        "raw": "an array of raw bytes",
        "names": "an array of bytes",
    }


def test_a_member_beside_the_arrays_is_left_out_by_name(write: Write) -> None:
    members = {"a.npy": npy(describe("'<f4'"), bytes(8)), "notes.txt": b"hello"}
    loaded = load_checkpoint(write(zipped(members), "a.npz"))
    assert (list(loaded.tensors), loaded.left_out) == (
        ["a"],
        {"notes.txt": "a member that is no array"},
    )


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (["notes.txt"], r"neither torch's.*nor NumPy's.*it holds notes.txt\.$"),
        ([f"{i}.txt" for i in range(9)], r"it holds 0.txt, 1.txt, 2.txt, 3.txt and 5 more"),
    ],
    ids=range(2),
)
def test_another_zip_file_is_said_to_be_that(
    members: list[str], message: str, write: Write
) -> None:
    path = write(zipped(dict.fromkeys(members, b"hello")), "a.pt")
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(path)

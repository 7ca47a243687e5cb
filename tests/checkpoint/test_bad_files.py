"""Files that are cut off, garbled, too large for what they are, or no files at all."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import re
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onecell.checkpoint import load_checkpoint, save_checkpoint
from onecell.checkpoint.files import SUFFIXES as SUFFIXES_KNOWN
from onecell.checkpoint.limits import FLOOR
from onecell.errors import CheckpointError, UnsafeCheckpointError

Tensors = dict[str, np.ndarray]
Write = Callable[[bytes, str], Path]

SUFFIXES = ["pt", "safetensors", "ckpt", "npz"]
KINDS = [*SUFFIXES, "legacy", "deflated"]


@pytest.fixture(scope="module")
def valid(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """One small valid file of each kind."""
    folder = tmp_path_factory.mktemp("valid")
    tensors: Tensors = {
        "c.weight_ih": np.arange(24, dtype=np.float32).reshape(8, 3),
        "c.weight_hh": np.arange(16, dtype=np.float32).reshape(8, 2),
        "n": np.array(3, np.int64),
    }
    for suffix in SUFFIXES:
        metadata = {} if suffix == "pt" else {"note": "x"}
        save_checkpoint(folder / f"a.{suffix}", tensors, metadata=metadata)
    state = {name: torch.from_numpy(array) for name, array in tensors.items()}
    legacy = {"model": state, "epoch": 3}
    torch.save(legacy, folder / "a.legacy", _use_new_zipfile_serialization=False)
    with (folder / "a.deflated").open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **tensors)
    return {kind: (folder / f"a.{kind}").read_bytes() for kind in KINDS}


def loads_or_refuses(path: Path) -> None:
    with contextlib.suppress(CheckpointError):  # any other exception is a failure
        loaded = load_checkpoint(path)
        assert all(isinstance(array, np.ndarray) for array in loaded.tensors.values())


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_cut_off_anywhere_is_refused(
    kind: str, valid: dict[str, bytes], write: Write
) -> None:
    content = valid[kind]
    for length in range(0, len(content), max(1, len(content) // 150)):
        path = write(content[:length], "cut")
        if kind == "ckpt":  # a message may end between two values
            with contextlib.suppress(CheckpointError):
                part = load_checkpoint(path)
                assert len(part.tensors) + len(part.metadata) < 4
        else:
            with pytest.raises(CheckpointError):
                load_checkpoint(path)


@pytest.mark.parametrize("kind", KINDS)
@settings(
    deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_garbled_file_loads_or_is_refused(
    kind: str, data: st.DataObject, valid: dict[str, bytes], write: Write
) -> None:
    content = bytearray(valid[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        change = data.draw(st.sampled_from(["flip", "set", "cut", "insert", "copy"]))
        if change == "flip":
            content[place] ^= 1 << data.draw(st.integers(0, 7))
        elif change == "set":
            content[place] = data.draw(st.integers(0, 255))
        elif change == "cut" and len(content) > 40:
            del content[place : place + data.draw(st.integers(1, 30))]
        elif change == "insert":
            content[place:place] = data.draw(st.binary(min_size=1, max_size=12))
        else:
            start = data.draw(st.integers(0, len(content) - 1))
            content[place : place + 8] = content[start : start + 8]
    loads_or_refuses(write(bytes(content), f"a.{kind}"))


@settings(
    deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=st.binary(max_size=200), suffix=st.sampled_from(["pt", "safetensors", "ckpt", "x"]))
def test_any_bytes_load_or_are_refused(content: bytes, suffix: str, write: Write) -> None:
    loads_or_refuses(write(content, f"a.{suffix}"))


@settings(
    deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(place=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_a_garbled_pickle_inside_a_sound_zip_loads_or_is_refused(
    place: int, byte: int, valid: dict[str, bytes], write: Write
) -> None:
    new = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(valid["pt"])) as old,
        zipfile.ZipFile(new, "w") as changed,
    ):
        for name in old.namelist():
            content = bytearray(old.read(name))
            if name.endswith("data.pkl"):
                content[place % len(content)] = byte
            changed.writestr(name, bytes(content))
    loads_or_refuses(write(new.getvalue(), "a.pt"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty"),
        (b"\x89HDF\r\n\x1a\n" + bytes(50), "its HDF5 is damaged"),
        (b"\x07hello, world", r"it begins with b'\\x07hello, w'"),
        (b"PK\x05\x06" + bytes(17), "the zip file is damaged"),
    ],
    ids=range(4),
)
@pytest.mark.parametrize("name", ["a", "a.bin"])
def test_what_is_no_checkpoint_is_refused(
    content: bytes, message: str, name: str, write: Write
) -> None:
    path = write(content, name)
    with pytest.raises(CheckpointError, match=message) as caught:
        load_checkpoint(path)
    assert str(caught.value).startswith(f"{path}: ")


TEXTS = {
    "a page": b"<!DOCTYPE html>\n<title>404</title>\n",
    "an answer": b'{"error": "no such file"}',
    "Chinese": "找不到这个文件\n".encode() * 40,  # its 512th byte is inside a character
    "a line below": b"\n\n  no such file\n",
}
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"


@pytest.mark.parametrize("suffix", ["", ".bin", *dict.fromkeys(SUFFIXES_KNOWN)])
def test_text_is_said_to_be_text(suffix: str, write: Write) -> None:
    for text in TEXTS.values():
        first = text.decode().strip().splitlines()[0]
        if first[0] in {".xml": "<{", ".json": "<{", ".nam": "<{", ".eqx": "{"}.get(suffix, ""):
            continue  # such a file is text itself, or begins as it
        said = f"it is text, and no checkpoint: it begins with `{first}`."
        with pytest.raises(CheckpointError, match=re.escape(said)):
            load_checkpoint(write(text, f"a{suffix}"))
    with pytest.raises(CheckpointError, match="it is a pointer of Git LFS"):
        load_checkpoint(write(POINTER, f"a{suffix}"))


def test_code_in_a_pickle_of_letters_is_not_passed_over_as_text(write: Write) -> None:
    with pytest.raises(UnsafeCheckpointError, match=r"os\.system"):
        load_checkpoint(write(b"cos\nsystem\n(S'touch attacked'\ntR.", "a.pt"))


def test_a_missing_file_a_folder_and_a_pipe_are_said_to_be_that(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_checkpoint(tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match="it is a folder, not a file"):
        load_checkpoint(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CheckpointError, match="a device or a pipe"):
        load_checkpoint(tmp_path / "pipe")
    with pytest.raises(CheckpointError, match="a device or a pipe"):
        load_checkpoint("/dev/zero")


def test_a_file_that_has_a_size_and_no_content_is_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").touch()
    size = list((tmp_path / "a").stat())
    size[6] = 4096  # as files of /sys report, which have no content until they are asked
    monkeypatch.setattr("onecell.checkpoint.files.os.fstat", lambda _: os.stat_result(size))
    with pytest.raises(CheckpointError, match="it is empty, although it is said to have 4096"):
        load_checkpoint(tmp_path / "a")


def deflated(members: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return content.getvalue()


def npy(count: int) -> bytes:
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({count},), }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(count)


def rebuild(storage: str, count: int, offset: int, size: str, stride: str) -> bytes:
    """Return a pickle, in protocol 0 and 2 mixed, of one tensor; numbers may be any."""

    def integers(text: str) -> str:
        return "(" + "".join(f"I{number}\n" for number in text.split()) + "t"

    return (
        "}X\x01\x00\x00\x00tctorch._utils\n_rebuild_tensor_v2\n("
        f"(X\x07\x00\x00\x00storagectorch\n{storage}Storage\nX\x01\x00\x00\x000"
        f"X\x03\x00\x00\x00cpuI{count}\ntQI{offset}\n{integers(size)}{integers(stride)}"
        "I00\n}tRs."
    ).encode("latin-1")


def pt(content: bytes, storage: bytes = bytes(16)) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a/data.pkl", content)
        archive.writestr("a/data/0", storage)
    return file.getvalue()


def test_the_tensor_that_the_next_tests_break_is_sound(write: Write) -> None:
    content = np.arange(4, dtype=np.float32).tobytes()
    path = write(pt(rebuild("Float", 4, 1, "3", "1"), content), "a.pt")
    np.testing.assert_array_equal(load_checkpoint(path).tensors["t"], [1, 2, 3])


@pytest.mark.parametrize(
    ("pickled", "error", "message"),
    [
        (rebuild("Float", 4, 0, "30064771072", "0"), UnsafeCheckpointError, r"`t` of size"),
        (rebuild("Float", 4, 0, "9999999 9999999", "0 0"), UnsafeCheckpointError, r"`t` of size"),
        (rebuild("Float", 4, 0, f"{2**62} {2**62}", "0 0"), CheckpointError, r"more than memory"),
        (rebuild("Float", 4, 0, f"{2**70}", "0"), CheckpointError, r"`t` has the impossible size"),
        (rebuild("Float", 4, 0, "5", "1"), UnsafeCheckpointError, r"`t` .* outside of its storage"),
        (rebuild("Float", 4, 2, "3", "1"), UnsafeCheckpointError, r"`t` .* outside of its storage"),
        (rebuild("Float", 4, 0, "2", "4"), UnsafeCheckpointError, r"`t` .* outside of its storage"),
        (rebuild("Float", 4, -1, "2", "1"), CheckpointError, r"`t` has the impossible offset"),
        (rebuild("Float", 4, 3, "2", "-1"), CheckpointError, r"`t` has the impossible stride"),
        (rebuild("Float", 4, 0, "-2", "1"), CheckpointError, r"`t` has the impossible size"),
        (rebuild("Float", 4, 0, "2 2", "1"), CheckpointError, r"`t` has size \(2, 2\) and stride"),
        (rebuild("Float", 5, 0, "4", "1"), CheckpointError, r"20 bytes, and 16 bytes are there"),
        (rebuild("Float", 2**61, 0, "4", "1"), CheckpointError, r"16 bytes are there"),
        (rebuild("Double", 4, 0, "4", "1"), CheckpointError, r"32 bytes, and 16 bytes are there"),
        (rebuild("QInt8", 16, 0, "4", "1"), CheckpointError, r"QInt8"),
        (rebuild("Float", 4, 0, "1 " * 33, "1 " * 33), CheckpointError, r"`t` has 33 dimensions"),
        (pickle.dumps({"a": ("t",) * 2, 3: object}, 2), UnsafeCheckpointError, r"builtins.object"),
    ],
    ids=range(17),
)
def test_a_tensor_that_its_storage_does_not_hold_is_refused(
    pickled: bytes, error: type[Exception], message: str, write: Write
) -> None:
    with pytest.raises(error, match=message):
        load_checkpoint(write(pt(pickled), "a.pt"))


@pytest.mark.parametrize("kind", ["pt", "npz", "deflated"])
def test_a_changed_bit_is_found_where_the_format_has_a_checksum(
    kind: str, valid: dict[str, bytes], write: Write
) -> None:
    content = bytearray(valid[kind])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        large = max(archive.infolist(), key=lambda info: info.file_size)
    content[large.header_offset + 30 + len(large.filename) + 60 + large.compress_size // 2] ^= 4
    with pytest.raises(CheckpointError, match=r"damaged"):
        load_checkpoint(write(bytes(content), "a"))


def test_a_storage_that_is_not_there_is_refused(write: Write) -> None:
    content = deflated({"a/data.pkl": rebuild("Float", 4, 0, "4", "1")})
    with pytest.raises(CheckpointError, match=r"no member `a/data/0`"):
        load_checkpoint(write(content, "a.pt"))


HUGE = 256 * 2**20


@pytest.mark.parametrize(
    "members",
    [
        {"a/data.pkl": rebuild("Byte", HUGE, 0, str(HUGE), "1"), "a/data/0": bytes(HUGE)},
        {"a/data.pkl": bytes(HUGE)},
        {"a.npy": npy(HUGE)},
        {f"{i}.npy": npy(FLOOR // 8) for i in range(9)},
    ],
    ids=["storage", "pickle", "npy", "many"],
)
def test_a_deflate_bomb_is_refused_before_it_unfolds(
    members: dict[str, bytes], write: Write
) -> None:
    path = write(deflated(members), "a.pt")
    tracemalloc.start()
    try:
        with pytest.raises(UnsafeCheckpointError, match=r"may unfold to .* save it again"):
            load_checkpoint(path)
        assert tracemalloc.get_traced_memory()[1] < FLOOR
    finally:
        tracemalloc.stop()


def test_members_that_share_their_bytes_are_refused(write: Write) -> None:
    content = bytearray(deflated({"a.npy": npy(5000), "b.npy": npy(5000)}))
    first, second = content.find(b"PK\x01\x02"), content.rfind(b"PK\x01\x02")
    content[second + 42 : second + 46] = content[first + 42 : first + 46]
    with pytest.raises(CheckpointError):
        load_checkpoint(write(bytes(content), "a.npz"))


def test_a_member_that_is_there_twice_is_refused(write: Write) -> None:
    content = deflated({"a.npy": npy(3), "b.npy": npy(3)}).replace(b"b.npy", b"a.npy")
    with pytest.raises(UnsafeCheckpointError, match=r"holds `a.npy` twice"):
        load_checkpoint(write(content, "a.npz"))


def test_an_encrypted_member_is_refused_by_name(write: Write) -> None:
    content = bytearray(deflated({"a.npy": npy(3)}))
    content[content.find(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(UnsafeCheckpointError, match=r"`a.npy` is encrypted"):
        load_checkpoint(write(bytes(content), "a.npz"))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_another_compression_is_refused(method: int, write: Write) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        archive.writestr("a.npy", npy(3))
    with pytest.raises(CheckpointError, match=r"`a.npy` is compressed by method"):
        load_checkpoint(write(content.getvalue(), "a.npz"))


def test_one_storage_under_a_thousand_names_is_refused(tmp_path: Path) -> None:
    tensor = torch.zeros(2**17)
    torch.save({f"t{i}": tensor for i in range(1000)}, tmp_path / "a.pt")
    with pytest.raises(UnsafeCheckpointError, match=r"`t\d+` of size .* may unfold"):
        load_checkpoint(tmp_path / "a.pt")


@pytest.mark.parametrize("kind", ["pt", "safetensors", "ckpt", "npz", "legacy"])
def test_reading_takes_a_small_multiple_of_the_file(kind: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    tensors = {f"t{i}": rng.normal(size=(500, 500)).astype(np.float32) for i in range(20)}
    path = tmp_path / f"a.{kind}"
    if kind == "legacy":
        state = {name: torch.from_numpy(array) for name, array in tensors.items()}
        torch.save(state, path, _use_new_zipfile_serialization=False)
    else:
        save_checkpoint(path, tensors)
    size = path.stat().st_size
    tracemalloc.start()
    try:
        loaded = load_checkpoint(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(loaded.tensors) == 20
    assert peak < (2.25 if kind == "legacy" else 1.25) * size

"""What reading costs: files built to cost more than their size, and honest ones that must load."""

from __future__ import annotations

import contextlib
import io
import json
import pickle
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from onecell.checkpoint import limits, load_checkpoint
from onecell.checkpoint.limits import RATIO, Budget
from onecell.checkpoint.pickles import pickled
from onecell.checkpoint.pickles.pickled import read_pickle_bytes
from onecell.errors import CheckpointError

Write = Callable[[bytes, str], Path]

FLOOR = 2 * 2**20
"""The floor in these tests: a smaller one than that of the program, so that they are quick."""

SLACK = 2**19
"""What is there whatever the file: open files, messages, the interpreter's own."""


@pytest.fixture(autouse=True)
def small_floor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FLOOR", FLOOR)
    monkeypatch.setattr(pickled, "_INSTRUCTIONS", 2**16)


def pt(content: bytes, *, deflate: bool = False, members: int = 0) -> bytes:
    file = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("a/data.pkl", content)
        for index in range(members):
            archive.writestr(f"a/{index}", b"")
    return file.getvalue()


def safetensors(header: str) -> bytes:
    encoded = header.encode()
    return len(encoded).to_bytes(8, "little") + encoded


def text(content: bytes) -> bytes:
    return b"X" + struct.pack("<I", len(content)) + content


def ckpt(count: int, dims: bytes, content: bytes) -> bytes:
    """Return a .ckpt of many small values."""
    tensor = dims + b"\x12\x04Bool\x1a" + bytes([len(content)]) + content
    values = []
    for index in range(count):
        tag = str(index).encode()
        value = b"\x0a" + bytes([len(tag)]) + tag + b"\x12" + bytes([len(tensor)]) + tensor
        values.append(b"\x0a" + bytes([len(value)]) + value)
    return b"".join(values)


def legacy(*pickles: bytes) -> bytes:
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, 2)
    return magic + b"".join(pickles)


def doubled(depth: int) -> bytes:
    """Return a tuple that holds itself twice, `depth` deep: 2 bytes a level."""
    return b"\x80\x02]" + b"2\x86" * depth + b"."


def nested(depth: int) -> bytes:
    return b"\x80\x02" + b"]" * depth + b"a" * (depth - 1) + b"."


PROTOCOL, FACTS = pickle.dumps(1001, 2), pickle.dumps({"little_endian": True}, 2)
REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"
STORAGE = (
    b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQ"
)

ATTACKS: dict[str, bytes | Callable[[], bytes]] = {
    "size": pt(b"}X\x01\x00\x00\x00t" + REBUILD + b"(" + STORAGE + b"K\x00]" + b"2\x86" * 40
               + b")I00\n}tRs."),
    "stride": pt(b"}X\x01\x00\x00\x00t" + REBUILD + b"(" + STORAGE + b"K\x00)]" + b"2\x86" * 40
                 + b"I00\n}tRs."),
    "offset": pt(b"}X\x01\x00\x00\x00t" + REBUILD + b"(" + STORAGE + b"]" + b"2\x86" * 40
                 + b"))I00\n}tRs."),
    "magic": doubled(40),
    "version": legacy(doubled(40)),
    "facts": legacy(PROTOCOL, doubled(40)),
    "keys": legacy(PROTOCOL, FACTS, pickle.dumps({}, 2), doubled(40)),
    "list of keys": legacy(PROTOCOL, FACTS, pickle.dumps({}, 2), b"]" + doubled(40)[2:-1] + b"a."),
    "key": pt(b"}" + doubled(40)[2:-1] + b"Ns."),
    "keys of a set": pt(b"\x8f(" + doubled(40)[2:-1] + b"\x90."),
    "leaf": pt(doubled(40)),
    "state": pt(doubled(40)[2:-1] + b"Nb."),
    "call": pt(b"ccollections\nOrderedDict\n" + doubled(40)[2:-1] + b"\x85R."),
    "storage": pt(doubled(40)[2:-1] + b"Q."),
    "byte order of numpy": pt(b"cnumpy\ndtype\nX\x02\x00\x00\x00f8\x85R" + doubled(40)[2:-1]
                              + b"b."),
    "order of an array": pt(b"cnumpy._core.numeric\n_frombuffer\n(NNN" + doubled(40)[2:-1]
                            + b"tR."),
    "nested version": legacy(nested(1100)),
    "nested keys": legacy(PROTOCOL, FACTS, pickle.dumps({}, 2), nested(1100)),
    "nested size": pt(b"}X\x01\x00\x00\x00t" + REBUILD + b"(" + STORAGE + b"K\x00"
                      + nested(1100)[2:-1] + b")I00\n}tRs."),
    "deflated memo": lambda: pt(b"N" + b"\x94" * 725_000 + b".", deflate=True),
    "deflated stack": lambda: pt(b"N" * 725_000 + b".", deflate=True),
    "deflated nothing": lambda: pt(b"N" + b"N0" * 300_000 + b".", deflate=True),
    "memo": lambda: pt(b"N" + b"\x94" * 200_000 + b"."),
    "one batch": lambda: pt(b"](" + b"N" * 200_000 + b"e."),
    "one tuple": lambda: pt(b"(" + b"N" * 200_000 + b"t."),
    "one dictionary": lambda: pt(b"}(" + b"N" * 200_000 + b"u."),
    "dictionaries": lambda: pt(b"](" + b"}" * 200_000 + b"e."),
    "floats": lambda: pt(b"](" + (b"G" + bytes(8)) * 25_000 + b"e."),
    "marks": lambda: pt(b"(" * 200_000 + b"."),
    "wide": lambda: pt(text(b"a" * 425_000 + "𝄞".encode()) + b"."),
    "wide line": lambda: pt(b"V" + b"a" * 425_000 + b"\\U0001d11e\n."),
    "bytes": lambda: pt(b"](" + b"B" + struct.pack("<I", 10**5) + bytes(10**5) + b"q\x00"
                        + b"h\x00" * 10_000 + b"e."),
    "a long key": lambda: pt(b"](" + b"}" + text(b"a" * 10**5) + b"Nsq\x00" + b"h\x00" * 10_000
                             + b"e" + REBUILD + b"0."),
    "wide vocabulary": lambda: pt(b"](" + text("𝄞".encode() * 10**4) + b"q\x00" + b"h\x00" * 10_000
                                  + b"e."),
    "letters": lambda: pt(b"](" + text("𝄞".encode() * 10**4) + b"q\x00" + b"0"
                          + b"cbuiltins\nset\nh\x00\x85R" * 200 + b"e."),
    "NumPy text": lambda: pt(b"](cnumpy._core.multiarray\nscalar\nq\x00cnumpy\ndtype\n"
                             b"X\x05\x00\x00\x00S9999\x85Rq\x01B" + struct.pack("<I", 9999)
                             + bytes(9999) + b"q\x02" + b"0h\x00h\x01h\x02\x86R" * 9_000 + b"e."),
    "NumPy arrays": lambda: pt(
        b"](cnumpy._core.numeric\n_frombuffer\n(B" + struct.pack("<I", 99999) + bytes(99999)
        + b"cnumpy\ndtype\nX\x02\x00\x00\x00b1\x85RJ\x9f\x86\x01\x00\x85X\x01\x00\x00\x00CtRq\x00"
        + b"h\x00" * 10_000 + b"e."),
    "members": lambda: pt(b"N.", members=10_000),
    "names of members": lambda: b"".join(_long_names(300, 3000)),
    "wide name": lambda: safetensors('{"%s":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'
                                     % ("a" * 425_000 + "𝄞")),
    "escaped name": lambda: safetensors('{"%s":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'
                                        % ("a" * 425_000 + "\\ud834\\udd1e")),
    "wide metadata": lambda: safetensors('{"__metadata__":{"a":"%s"}}' % ("a" * 425_000 + "𝄞")),
    "metadata": lambda: safetensors(json.dumps(
        {"__metadata__": dict.fromkeys(map(str, range(15_000)), "")}, separators=(",", ":"))),
    "spaced metadata": lambda: safetensors(json.dumps(
        {"__metadata__": dict.fromkeys(map(str, range(15_000)), "")})),
    "empty tensors": lambda: safetensors(json.dumps(
        {str(i): {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(5_000)},
        separators=(",", ":"))),
    "dimensions": lambda: safetensors(json.dumps(
        {str(i): {"dtype": "F32", "shape": [0] * 32, "data_offsets": [0, 0]}
         for i in range(4_500)}, separators=(",", ":"))),
    "values": lambda: ckpt(7_000, b"\x08\x00\x08\x02", b""),
    "scalars": lambda: ckpt(7_000, b"", b"\x01"),
    "slices": lambda: ckpt(1, b"\x08\x00", b"") * 7_000,
    "arrays": lambda: _npz(2_000),
}  # fmt: skip


def _long_names(count: int, length: int) -> list[bytes]:
    """Return a zip file of empty members whose names are long and have one wide letter."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for index in range(count):
            archive.writestr(f"{index}𝄞" + "a" * length, b"")
    return [file.getvalue()]


def _npz(count: int) -> bytes:
    file = io.BytesIO()
    arrays: Any = {str(i): np.zeros((0, 1), np.int8) for i in range(count)}
    np.savez(file, **arrays)
    return file.getvalue()


@pytest.mark.parametrize("name", ATTACKS)
def test_no_file_takes_more_memory_than_the_multiple_of_its_size(name: str, write: Write) -> None:
    attack = ATTACKS[name]
    content = attack if isinstance(attack, bytes) else attack()
    path = write(content, "a.pt")
    allowed = max(FLOOR, RATIO * len(content)) + SLACK
    del content, attack
    tracemalloc.start()
    try:
        with contextlib.suppress(CheckpointError):  # any other exception is a failure
            load_checkpoint(path)
        assert tracemalloc.get_traced_memory()[1] < allowed
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "name", ["deflated memo", "deflated stack", "deflated nothing", "NumPy arrays"]
)
def test_what_unfolds_beyond_the_multiple_is_refused(name: str, write: Write) -> None:
    attack = ATTACKS[name]
    assert callable(attack)
    with pytest.raises(CheckpointError, match=r"may unfold to|more instructions than"):
        load_checkpoint(write(attack(), "a.pt"))


@pytest.mark.parametrize("name", [name for name, file in ATTACKS.items() if not callable(file)])
def test_a_message_is_short_whatever_came(name: str, write: Write) -> None:
    content = ATTACKS[name]
    assert isinstance(content, bytes)
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(write(content, "a.pt"))
    assert len(str(caught.value)) < 1000
    assert str(caught.value).isprintable()


HONEST: dict[str, Callable[[], object]] = {
    "losses": lambda: [0.1 + i for i in range(2_500)],
    "indices": lambda: list(range(15_000)),
    "flags": lambda: [i % 3 == 0 for i in range(25_000)],
    "vocabulary": lambda: {f"word{i}": i for i in range(5_000)},
    "words": lambda: [f"w{i}" for i in range(2_500)],
    "merges": lambda: [(f"a{i}", f"b{i}") for i in range(2_500)],
    "history": lambda: [{"epoch": i, "loss": 0.5 / (i + 1), "lr": 1e-3} for i in range(2_500)],
    "named": lambda: {i: f"单词{i}" for i in range(5_000)},
    "array": lambda: np.arange(150_000.0),
}


def save_honest(name: str, path: Path, protocol: int, *, zipped: bool = True) -> Any:
    content: Any = {"cell": torch.ones(20, 3), name: HONEST[name]()}
    torch.save(content, path, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
    return content[name]


@pytest.mark.parametrize(
    ("protocol", "zipped"), [(2, True), (2, False), (4, True), (5, True)], ids=str
)
@pytest.mark.parametrize("name", HONEST)
def test_honest_plain_values_are_read(
    name: str, protocol: int, zipped: bool, tmp_path: Path
) -> None:
    want = save_honest(name, tmp_path / "a.pt", protocol, zipped=zipped)
    loaded = load_checkpoint(tmp_path / "a.pt")
    if name == "array":
        np.testing.assert_array_equal(loaded.tensors[name], want)
        return
    assert json.loads(loaded.metadata[name]) == json.loads(json.dumps(want))
    assert list(loaded.tensors) == ["cell"]


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("name", HONEST)
def test_many_honest_plain_values_are_read_or_named(
    name: str, zipped: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_honest(name, tmp_path / "a.pt", 2, zipped=zipped)
    monkeypatch.setattr(limits, "FLOOR", 0)  # only the multiple counts, as for large files
    loaded = load_checkpoint(tmp_path / "a.pt")
    assert "cell" in loaded.tensors
    if name in {"indices", "flags", "history"}:  # as text far longer than in the file
        assert "too long to be kept as text" in loaded.left_out[name]
    else:
        assert name in loaded.metadata or name in loaded.tensors


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("views", [True, False], ids=["views", "own"])
def test_many_scalar_tensors_load_within_the_multiple(
    views: bool, zipped: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FLOOR", 0)
    numbers = torch.arange(3000.0)
    scalars = list(numbers.unbind()) if views else [torch.tensor(float(i)) for i in range(3000)]
    torch.save({"s": scalars}, tmp_path / "a.pt", _use_new_zipfile_serialization=zipped)
    loaded = load_checkpoint(tmp_path / "a.pt").tensors
    assert [float(loaded[f"s.{i}"]) for i in range(3000)] == list(range(3000))


def test_what_is_charged_is_what_it_weighs() -> None:
    """No more than half again of what CPython gives: else honest files would be refused."""
    code = pickle.dumps([HONEST[name]() for name in HONEST if name != "array"], 2)
    budget = Budget(10**9)
    read_pickle_bytes(code, budget)  # imports and caches
    budget = Budget(10**9)
    tracemalloc.start()
    try:
        result = read_pickle_bytes(code, budget)
        weight = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert result is not None
    taken = budget.limit - budget.left
    assert 0.95 * weight < taken < 1.5 * weight

"""Pickles that ask for more than tensors, and pickles built to hurt their reader."""

from __future__ import annotations

import io
import os
import pickle
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from onecell.checkpoint import load_checkpoint
from onecell.checkpoint.limits import FLOOR, Budget
from onecell.checkpoint.pickles.pickled import read_pickle_bytes
from onecell.errors import CheckpointError, UnsafeCheckpointError

MEGABYTE = 2**20


def archive(content: bytes, storage: bytes = b"") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as members:
        members.writestr("a/data.pkl", content)
        members.writestr("a/data/0", storage)
    return file.getvalue()


class Call:
    """Pickles as a call."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", ["a.pt", "a.ckpt", "a"])
def test_no_call_of_a_stranger_is_made(
    protocol: int, name: str, tmp_path: Path, write: Callable[[bytes, str], Path]
) -> None:
    evil = pickle.dumps({"w": Call(os.system, f"touch {tmp_path}/pwned")}, protocol)
    with pytest.raises(UnsafeCheckpointError, match=r"asks for `posix.system`.*Nothing was run"):
        load_checkpoint(write(archive(evil), name))
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_bare_pickle_is_refused_by_name(
    protocol: int, tmp_path: Path, write: Callable[[bytes, str], Path]
) -> None:
    evil = pickle.dumps(Call(os.system, f"touch {tmp_path}/pwned"), protocol)
    with pytest.raises(UnsafeCheckpointError, match=r"asks for `posix.system`"):
        load_checkpoint(write(evil, "a.pt"))
    assert not (tmp_path / "pwned").exists()


def test_a_harmless_bare_pickle_is_refused_too(write: Callable[[bytes, str], Path]) -> None:
    with pytest.raises(CheckpointError, match=r"neither one that `torch.save` wrote"):
        load_checkpoint(write(pickle.dumps({"a": [1, 2]}), "a.pt"))


def op(text: str) -> bytes:
    """Return the global `module name` as protocol 2 writes it."""
    return b"c" + text.replace(" ", "\n").encode() + b"\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (op("builtins eval") + b"X\x011(tR.", r"asks for `builtins.eval`"),
        (op("__builtin__ eval") + b".", r"asks for `builtins.eval`"),
        (op("torch.hub load") + b".", r"asks for `torch.hub.load`"),
        (op("torch._utils _rebuild_tensor_v2.__globals__") + b".", r"asks for `torch._utils"),
        (op("torch.storage _load_from_bytes") + b".", r"asks for `torch.storage._load_from_bytes`"),
        (op("collections OrderedDict.__init__") + b".", r"asks for `collections.OrderedDict.__"),
        (b"(iposix\nsystem\n.", r"asks for `posix.system`"),
        (b"\x8c\x05posix\x8c\x06system\x93.", r"asks for `posix.system`"),
        (op("torch.nn.parameter Parameter") + b")R.", r"asks to call `torch.nn.parameter.Par"),
        (op("torch FloatStorage") + b")R.", r"asks to call `torch.FloatStorage`"),
        (b"X\x01\x00\x00\x00a)R.", r"asks to call `str`"),
        (op("collections OrderedDict") + b")\x81.", r"the instruction NEWOBJ"),
        (op("torch Size") + b")R}b.", r"asks to set the state of an object"),
        (b"\x82\x01.", r"the instruction EXT1"),
        (b"Pabc\n.", r"the instruction PERSID"),
        (b"\x97.", r"the instruction NEXT_BUFFER"),
        (b"(U\x06module" + op("torch Tensor") + b"tQ.", r"the source code of a module"),
        (b"\x8b" + struct.pack("<i", MEGABYTE) + b"\x01" * MEGABYTE + b".", r"an integer of 8388"),
    ],
    ids=range(18),
)
def test_a_hostile_instruction_is_refused_by_name(content: bytes, message: str) -> None:
    with pytest.raises(UnsafeCheckpointError, match=message):
        read_pickle_bytes(content, Budget(len(content)))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b".",
        b"N",
        b"NN.",
        b"(N.",
        b"0.",
        b"t.",
        b"u.",
        b"]N\x85u.",
        b"}Na.",
        b"}(Nu.",
        b"h\x00.",
        b"Nq\x05.",
        b"Np-1\n.",
        b"N.N",
        b"I" + b"9" * 5000 + b"\n.",
        b"X\xff\xff\xff\x7fabc.",
        b"\x8d\xff\xff\xff\xff\xff\xff\xff\x7fabc.",
        b"\x8b\xff\xff\xff\xff.",
        b"\x93.",
        b"]]\x93.",
        b"NQ.",
        b"(X\x07\x00\x00\x00storagetQ.",
        op("torch Size") + b"NR.",
        op("torch.device").replace(b".", b" ") + b"]\x85R.",
        op("torch._utils _rebuild_tensor_v2") + b")R.",
        op("torch._utils _rebuild_tensor_v2") + b"(NNNNtR.",
        op("torch._utils _rebuild_tensor_v3") + b"(NNNNNNNtR.",
        op("_codecs encode") + b"(NNtR.",
        op("collections OrderedDict") + b"K\x05\x85R.",
        op("builtins complex") + b"(NNtR.",
        b"S'\\q'\n.",
        b"Vabc",
        b"cab",
    ],
    ids=range(34),
)
def test_a_damaged_pickle_is_a_checkpoint_error(content: bytes) -> None:
    with pytest.raises(CheckpointError):
        read_pickle_bytes(content, Budget(len(content)))


def laughs(depth: int) -> bytes:
    """Return [[[..] * 10] * 10]: 10^depth strings by way of the memo."""
    content = b"]q\x00"
    for level in range(depth):
        content += b"](" + b"h" + bytes([level]) + (b"h" + bytes([level])) * 9 + b"e"
        content += b"q" + bytes([level + 1])
    return content + b"."


def repeated(call: bytes, text: int = MEGABYTE) -> bytes:
    """Return many calls of one global on one memoized string."""
    string = b"X" + struct.pack("<I", text) + b"a" * text
    return string + b"q\x000]q\x01(" + call * 100_000 + b"e."


ENCODE = op("_codecs encode") + b"h\x00X\x06\x00\x00\x00latin1\x86R"


@pytest.mark.parametrize(
    "content",
    [
        laughs(12),
        b"]q\x00h\x00a.",
        b"]" * 3_000_000 + b".",
        b"](" * 10_000 + b"e" * 10_000 + b".",
        b"N\x85" + b"\x85" * 3_000_000 + b".",
        b"}" * 3_000_000 + b".",
        b"(" * 3_000_000 + b".",
        repeated(ENCODE),
        b"]("
        + b"K\x01" * MEGABYTE
        + b"eq\x000]("
        + (op("torch Size") + b"h\x00\x85R") * 50_000
        + b"e.",
    ],
    ids=range(9),
)
def test_a_bomb_ends_in_an_error_within_the_budget(
    content: bytes, write: Callable[[bytes, str], Path]
) -> None:
    path = write(archive(content), "a.pt")
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError):
            load_checkpoint(path)
        assert tracemalloc.get_traced_memory()[1] < FLOOR + 2**20
    finally:
        tracemalloc.stop()

"""safetensors: agreement with the format's own library, and what is refused beyond it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from onecell.checkpoint import load_checkpoint, save_checkpoint
from onecell.dtypes import BFLOAT16
from onecell.errors import ArgumentError, CheckpointError

Tensors = dict[str, np.ndarray]
Write = Callable[[bytes, str], Path]


def pack(header: object, body: bytes = b"", *, length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + body


def entry(
    start: int = 0, end: int = 8, shape: object = (2,), dtype: object = "F32"
) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def test_what_the_library_writes_is_read(tmp_path: Path) -> None:
    tensors = {
        name: torch.tensor([[0, 1, 1], [1, 0, 1]]).to(getattr(torch, name))
        for name in (
            *("bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64"),
            *("float16", "bfloat16", "float32", "float64", "complex64"),
        )
    }
    tensors |= {"scalar": torch.tensor(1.5), "none": torch.ones(0, 3)}
    save_file(tensors, tmp_path / "a.safetensors", metadata={"format": "pt", "by": "Ada"})
    loaded = load_checkpoint(tmp_path / "a.safetensors")
    assert (loaded.dialect, loaded.metadata) == ("torch", {"by": "Ada"})
    assert loaded.tensors.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert loaded.tensors[name].shape == tuple(tensor.shape)
        want = tensor.reshape(-1).view(torch.uint8).numpy().tobytes()
        assert loaded.tensors[name].tobytes() == want


def test_the_library_reads_what_we_write(
    every_dtype: Tensors, shapes: Tensors, tmp_path: Path
) -> None:
    tensors = every_dtype | shapes
    del tensors["t.complex128"]
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, tensors, dialect="torch", metadata={"by": "Ada"})
    loaded = load_file(path)
    for name, array in tensors.items():
        kind = "bfloat16" if array.dtype == BFLOAT16 else array.dtype.name
        assert loaded[name].dtype == getattr(torch, kind)
        assert tuple(loaded[name].shape) == array.shape
        assert loaded[name].reshape(-1).view(torch.uint8).numpy().tobytes() == array.tobytes()
    with safe_open(path, framework="np") as file:
        assert file.metadata() == {"by": "Ada", "format": "pt"}


def test_every_tensor_that_we_write_is_aligned(every_dtype: Tensors, tmp_path: Path) -> None:
    tensors = {n: a for n, a in every_dtype.items() if n != "t.complex128"}
    save_checkpoint(tmp_path / "a.safetensors", tensors)
    content = (tmp_path / "a.safetensors").read_bytes()
    length = int.from_bytes(content[:8], "little")
    assert length % 8 == 0
    for name, fields in json.loads(content[8 : 8 + length]).items():
        assert fields["data_offsets"][0] % tensors[name].dtype.itemsize == 0


def test_the_name_of_the_metadata_is_no_tensors(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="__metadata__"):
        save_checkpoint(tmp_path / "a.safetensors", {"__metadata__": np.ones(2)})


def test_escapes_and_spaces_are_json(write: Write) -> None:
    header = rb' { "a\u00fc\n\"" : {"shape" : [ 2 ] , "data_offsets":[0,8],"dtype":"F32"}} '
    path = write(pack(header[1:], bytes(8)), "a.safetensors")
    assert list(load_checkpoint(path).tensors) == ['aü\n"']


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pack({"a": entry()}, bytes(8))[:-1], r"8 bytes, and 7 are there"),
        (pack({"a": entry()}, bytes(9)), r"8 bytes, and 9 are there"),
        (pack({"a": entry(0, 8), "b": entry(4, 12)}, bytes(12)), r"`b` .* overlaps"),
        (pack({"a": entry(0, 8), "b": entry(0, 8)}, bytes(8)), r"`b` .* overlaps"),
        (pack({"a": entry(0, 8), "b": entry(12, 20)}, bytes(20)), r"`b` .* leaves a hole"),
        (pack({"a": entry(4, 12)}, bytes(12)), r"`a` .* leaves a hole"),
        (pack({"a": entry(8, 0)}, bytes(8)), r"`a` .* leaves a hole"),
        (pack({"a": entry(shape=[3])}, bytes(8)), r"`a` of shape \(3,\) .* is 12 bytes"),
        (pack({"a": entry(shape=[2**62, 2**62])}, bytes(8)), r"`a` has shape .* more than memory"),
        (pack({"a": entry(0, 2**40, [2**38])}, bytes(8)), r"1099511627776 bytes, and 8 are"),
        (pack({"a": entry(shape=[1] * 33)}, bytes(8)), r"a list of at most 32"),
        (pack({"a": entry(shape=[-2])}, bytes(8)), r"'-2\].*an integer"),
        (pack({"a": entry(shape=[2.0])}, bytes(8)), r"'2.0\].*an integer"),
        (pack({"a": entry(shape=[[2]])}, bytes(8)), r"an integer"),
        (pack({"a": entry(shape="2")}, bytes(8)), r"'\[' must be"),
        (pack({"a": entry(dtype="F8_E5M2")}, bytes(8)), r"`a` holds F8_E5M2"),
        (pack({"a": entry(dtype=None)}, bytes(8)), r"a string must be"),
        (pack({"a": entry() | {"x": 1}}, bytes(8)), r"gives `a` a field `x`"),
        (pack({"a": {"dtype": "F32", "shape": [2]}}, bytes(8)), r"must give `a` dtype, shape"),
        (pack({"a": {}}, bytes(8)), r"must give `a` dtype, shape"),
        (pack({"__metadata__": {"a": 1}}), r"a string must be"),
        (pack(b'{"__metadata__":{"a":"1","a":"2"}}'), r"names `a` twice"),
        (pack(b'{"a":{"dtype":"F32","dtype":"F32"}}', bytes(8)), r"names `dtype` twice"),
        (pack(b"{}x"), r"where the end must be"),
        (pack(b"{"), r"a string must be"),
        (pack(b'{"a'), r"a string must be"),
        (pack(b'{"\\ud800":1}'), r"valid escapes"),
        (pack(b'{"\\x":1}'), r"valid escapes"),
        (pack(b'{"\xff":1}'), r"not UTF-8"),
        (pack(b'{"a\n":1}'), r"a string must be"),
        (pack(b"{}", length=3), r"claims 3 bytes and the file ends"),
        (pack(b"{}", length=100_000_001), r"claims 100000001 bytes; at most 100000000"),
        (pack(b"{}", length=2**63), r"claims 9223372036854775808 bytes"),
        (pack(b"[]"), r"begins with '\['"),
        (b"1234", r"cut off: 4 of 8"),
    ],
    ids=range(35),
)
def test_a_damaged_file_is_refused_by_name(content: bytes, message: str, write: Write) -> None:
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(write(content, "a.safetensors"))


def test_a_name_that_is_there_twice_is_refused_where_the_library_takes_the_last(
    write: Write,
) -> None:
    one = '"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'
    path = write(pack(f"{{{one},{one}}}".encode(), bytes(8)), "a.safetensors")
    assert list(load_file(path)) == ["a"]
    with pytest.raises(CheckpointError, match="names `a` twice"):
        load_checkpoint(path)


def test_a_deeply_nested_header_is_refused_where_it_begins(write: Write) -> None:
    header = b'{"a":' + b"[" * 5_000_000
    with pytest.raises(CheckpointError, match=r"where '{' must be"):
        load_checkpoint(write(pack(header), "a.safetensors"))

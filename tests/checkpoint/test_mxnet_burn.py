"""MXNet's .params and Burn's .bpk and .mpk: read, written, attacked.

The bytes here are put together after the formats' own descriptions, and not by the writers.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onecell import Spec, Weights
from onecell.checkpoint import convert, find_cells, load_checkpoint, save_checkpoint
from onecell.checkpoint.limits import FLOOR
from onecell.errors import ArgumentError, CheckpointError, DtypeError

Tensors = dict[str, np.ndarray]
Write = Callable[[bytes, str], Path]
PeakBelow = Callable[[int], AbstractContextManager[None]]
CELL = Weights.random(Spec(3, 4), 1)


def array(values: np.ndarray, *, mark: int = 0xF993FAC9, kind: int = 0) -> bytes:
    """Return an array as `NDArray::Save` writes it."""
    said = struct.pack("<Iii", mark, 0, values.ndim) + struct.pack(
        f"<{values.ndim}q", *values.shape
    )
    return said + struct.pack("<iii", 1, 0, kind) + values.tobytes()


def params(arrays: list[bytes], names: list[bytes]) -> bytes:
    """Return a list of arrays and their names."""
    said = b"".join(struct.pack("<Q", len(name)) + name for name in names)
    head = struct.pack("<QQQ", 0x112, 0, len(arrays))
    return head + b"".join(arrays) + struct.pack("<Q", len(names)) + said


PIECES = ("i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias")


@pytest.mark.parametrize(
    ("spelled", "site"),
    [
        ("{}", "(root)"),
        ("dec.{}", "dec"),
        ("lstm0_{}", "lstm0"),
        ("arg:net0_lstm0_{}", "net0_lstm0"),
        ("l0_{}", "(root)[layer 0]"),
        ("enc.r1_{}", "enc[layer 1, reverse]"),
        ("lstm1_r0_{}", "lstm1[layer 0, reverse]"),
        ("arg:n0_lstm0_l12_{}", "n0_lstm0[layer 12]"),
        ("enc._unfused.0.{}", "enc[layer 0]"),
        ("_unfused.1.r_cell.{}", "(root)[layer 1, reverse]"),
    ],
)
def test_a_cell_of_mxnet_is_found_by_each_way_of_calling_it(
    spelled: str, site: str, write: Write
) -> None:
    arrays = [array(a) for a in CELL.arrays().values()]
    names = [spelled.format(piece).encode() for piece in PIECES]
    read = load_checkpoint(write(params(arrays, names), "a.params"))
    assert (read.dialect, read.format) == ("mxnet", "mxnet")
    (found,) = find_cells(read.tensors, "mxnet")
    assert found.name == site
    assert found.weights(read.tensors, "mxnet").same_bits(CELL)


@pytest.mark.parametrize(
    "prefix", ["_unfused.0.", "_unfused.0.l_cell.", "a.b._unfused.3.", "x.", ""]
)
def test_what_save_parameters_writes_is_written_again_byte_for_byte(
    prefix: str, write: Write, tmp_path: Path
) -> None:
    arrays = [array(a) for a in CELL.arrays().values()]
    names = [f"{prefix}{piece}".encode() for piece in PIECES]
    if "l_cell" in prefix:
        arrays *= 2
        names += [name.replace(b"l_cell", b"r_cell") for name in names]
    content = params(arrays, names)
    read = load_checkpoint(write(content, "a.params")).tensors
    save_checkpoint(tmp_path / "b.params", read, dialect="mxnet")
    assert (tmp_path / "b.params").read_bytes() == content


def test_older_arrays_of_mxnet_and_those_without_names_are_read(write: Write) -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    dims = struct.pack("<qq", *values.shape)
    rest = struct.pack("<iii", 1, 0, 0) + values.tobytes()
    first = struct.pack("<Ii", 0xF993FAC8, 2) + dims + rest
    before = struct.pack("<III", 2, *values.shape) + rest
    shapeless = struct.pack("<Iii", 0xF993FAC9, 0, 0)
    scalar = array(np.array(7, np.int64), mark=0xF993FACA, kind=6)
    read = load_checkpoint(write(params([first, before, shapeless, scalar], []), "a.params"))
    assert [a.tolist() for a in read.tensors.values()] == [values.tolist(), values.tolist(), 7]
    assert read.left_out == {"2": "an array without a shape"}


ONE = array(np.ones(2, np.float32))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (params([], [])[:20], "cut off"),
        (struct.pack("<QQQ", 0x112, 0, 2**63), "cut off"),
        (params([ONE], [b"a", b"b"]), "1 arrays and 2 names"),
        (params([ONE, ONE], [b"a", b"a"]), "`a` twice"),
        (params([ONE, ONE], [b"arg:l0_i2h_bias", b"_unfused.0.i2h_bias"]), "twice"),
        (params([ONE], [b"\xff"]), "not text"),
        (params([ONE], [b"a"]) + b"x", "more than its arrays"),
        (params([ONE[:-3]], []), "cut off|more than"),
        (params([array(np.ones(2, "f4"), kind=77)], []), "type 77"),
        (params([struct.pack("<IiiqQ", 0xF993FAC9, 0, 1, 2**40, 1) + bytes(4)], []), "needs"),
        (params([struct.pack("<IiiqqQ", 0xF993FAC9, 0, 2, 2**62, 2**62, 1) + bytes(4)], []),
         "address"),
        (params([struct.pack("<IiiqQ", 0xF993FAC9, 0, 1, -1, 1) + bytes(4)], []), "impossible"),
        (params([struct.pack("<Iii", 0xF993FAC9, 0, 2**30)], []), "dimensions"),
        (params([struct.pack("<I", 2**31)], []), "dimensions"),
        (params([struct.pack("<Ii", 0xF993FAC9, 1)], []), "sparse"),
        (params([ONE], [b"n" * 5000]), "5000 bytes"),
        (params([struct.pack("<Iii", 0xF993FAC9, 0, 0)] * 200_000, []), "needs"),
    ],
    ids=range(17),
)  # fmt: skip
def test_a_hostile_params_file_is_refused_within_its_budget(
    content: bytes, says: str, write: Write, peak_below: PeakBelow
) -> None:
    path = write(content, "a.params")
    with peak_below(FLOOR + 20 * 2**20), pytest.raises(CheckpointError, match=says):
        load_checkpoint(path)


def test_what_mxnet_cannot_hold_is_refused(tmp_path: Path) -> None:
    for odd in (np.array(1.0, np.float32), np.empty((0, 3), np.float32)):
        with pytest.raises(ArgumentError, match="takes for unknown"):
            save_checkpoint(tmp_path / "a.params", {"a": odd})
    with pytest.raises(DtypeError, match="complex64"):
        save_checkpoint(tmp_path / "a.params", {"a": np.ones(2, np.complex64)})
    assert list(tmp_path.iterdir()) == []


def head(major: int, count: int) -> bytes:
    """Return the head of a value in CBOR, with as long a count as there is."""
    return bytes([major << 5 | 27]) + count.to_bytes(8, "big")


def text(value: str) -> bytes:
    return head(3, len(value.encode())) + value.encode()


def tensor(
    kind: str, shape: list[int], place: list[int], more: bytes = b"", count: int = 3
) -> bytes:
    lists = [head(4, len(each)) + b"".join(head(0, n) for n in each) for each in (shape, place)]
    said = text("dtype") + text(kind) + text("shape") + lists[0] + text("data_offsets") + lists[1]
    return head(5, count) + said + more


def pack(tensors: dict[str, bytes], data: bytes, *, more: bytes = b"", count: int = 1) -> bytes:
    """Return a .bpk with descriptions of tensors, and their bytes."""
    said = head(5, count) + text("tensors") + head(5, len(tensors))
    said += b"".join(text(name) + each for name, each in tensors.items()) + more
    content = b"NRUB" + struct.pack("<HI", 1, len(said)) + said
    return content + bytes(-len(content) % 256) + data


def test_a_cell_of_burn_is_read_from_its_bpk(write: Write) -> None:
    arrays = CELL.to_dialect("burn", prefix="lstm.")
    assert arrays["lstm.cell_gate.input_transform.weight"].shape == (3, 4)
    assert np.array_equal(arrays["lstm.forget_gate.hidden_transform.weight"],
                          CELL.weight_hh[4:8].T)  # fmt: skip
    tensors, data = {}, b""
    identity = text("param_id") + head(0, 2**63)
    for name, each in arrays.items():
        place = [len(data), len(data) + each.nbytes]
        tensors[name] = tensor("F32", list(each.shape), place, identity, 4)
        data += each.tobytes() + bytes(-each.nbytes % 256)
    scalars = text("scalars") + head(5, 1) + text("lstm.d_hidden")
    scalars += head(5, 1) + text("UInt") + head(0, 4)
    read = load_checkpoint(write(pack(tensors, data, more=scalars, count=2), "a.bpk"))
    assert (read.dialect, read.metadata) == ("burn", {"lstm.d_hidden": "4"})
    (site,) = find_cells(read.tensors, "burn")
    assert site.name == "lstm"
    assert site.weights(read.tensors, "burn").same_bits(CELL)


@pytest.mark.parametrize("name", ["a.bpk", "a.params"])
def test_every_type_is_written_and_read_again(
    name: str, every_dtype: Tensors, tmp_path: Path, assert_same_bits: Any
) -> None:
    tensors = {n: a for n, a in every_dtype.items() if "complex" not in n}
    save_checkpoint(tmp_path / name, tensors)
    read = load_checkpoint(tmp_path / name)
    assert_same_bits(read.tensors, tensors)
    assert read.left_out == {}


def test_metadata_and_an_empty_pack_are_written_and_read(tmp_path: Path) -> None:
    tensors = {"b": np.ones((300, 70), np.float32), "a": np.empty((0, 2), np.float32)}
    save_checkpoint(tmp_path / "a.bpk", tensors, metadata={"epoch": "3"})
    read = load_checkpoint(tmp_path / "a.bpk")
    assert list(read.tensors) == ["a", "b"]
    assert read.metadata == {"epoch": "3"}
    save_checkpoint(tmp_path / "b.bpk", {})
    assert load_checkpoint(tmp_path / "b.bpk").tensors == {}


def test_a_quantized_tensor_of_burn_is_named_and_left_out(write: Write) -> None:
    odd = head(5, 3) + text("dtype") + head(5, 1) + text("QFloat") + head(5, 0)
    odd += text("shape") + head(4, 0) + text("data_offsets") + head(4, 0)
    read = load_checkpoint(write(pack({"q": odd}, b""), "a.bpk"))
    assert list(read.left_out) == ["q"]


F32 = tensor("F32", [2], [0, 8])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"NRUB", "cut off"),
        (b"NRUB" + struct.pack("<HI", 2, 0), "version 2"),
        (b"NRUB" + struct.pack("<HI", 1, 2**32 - 1), "cut off"),
        (pack({"a": F32}, bytes(7)), "lies at 0 to 8 of 7"),
        (pack({"a": tensor("F32", [2], [0, 9])}, bytes(9)), "8 bytes"),
        (pack({"a": tensor("F32", [2], [8, 0])}, bytes(8)), "8 bytes"),
        (pack({"a": tensor("F32", [2**40], [0, 2**42])}, bytes(8)), "lies at"),
        (pack({"a": tensor("F32", [2**62, 2**62], [0, 8])}, bytes(8)), "address"),
        (pack({"a": tensor("F32", [1] * 40, [0, 4])}, bytes(8)), "sizes and a place"),
        (pack({"a": head(0, 3)}, b""), "not described"),
        (pack({}, b"", more=text("tensors") + head(5, 0), count=2), "`tensors` twice"),
        (b"NRUB" + struct.pack("<HI", 1, 100) + b"\x81" * 99 + b"\x01", "nested deeper"),
        (b"NRUB" + struct.pack("<HI", 1, 9) + head(4, 2**63), "cut off"),
        (b"NRUB" + struct.pack("<HI", 1, 9) + head(3, 2**63), "cut off"),
        (b"NRUB" + struct.pack("<HI", 1, 1) + b"\xbf", "is missing"),
        (b"NRUB" + struct.pack("<HI", 1, 1) + b"\xc0", "begins nothing"),
        (b"NRUB" + struct.pack("<HI", 1, 1) + b"\xf8", "no kind"),
        (b"NRUB" + struct.pack("<HI", 1, 2) + b"\x61\xff", "a text"),
        (b"NRUB" + struct.pack("<HI", 1, 2) + b"\xa0\xa0", "not one map"),
        (b"NRUB" + struct.pack("<HI", 1, 1) + b"\xa0", "no tensors"),
        (b"NRUB" + struct.pack("<HI", 1, 400_009) + head(4, 400_000) + bytes(400_000), "needs"),
    ],
    ids=range(21),
)  # fmt: skip
def test_a_hostile_bpk_is_refused_within_its_budget(
    content: bytes, says: str, write: Write, peak_below: PeakBelow
) -> None:
    path = write(content, "a.bpk")
    with peak_below(FLOOR + 20 * 2**20), pytest.raises(CheckpointError, match=says):
        load_checkpoint(path)


def packed(value: Any) -> bytes:
    """Return MessagePack, texts and bytes with the longest sizes that there are."""
    if value is None:
        return b"\xc0"
    if isinstance(value, int):
        return struct.pack(">BQ", 0xCF, value)
    if isinstance(value, str):
        return struct.pack(">BI", 0xDB, len(value.encode())) + value.encode()
    if isinstance(value, bytes):
        return struct.pack(">BI", 0xC6, len(value)) + value
    if isinstance(value, list):
        return struct.pack(">BI", 0xDD, len(value)) + b"".join(map(packed, value))
    pairs = b"".join(packed(key) + packed(each) for key, each in value.items())
    return struct.pack(">BI", 0xDF, len(value)) + pairs


def described(values: np.ndarray, **changes: Any) -> dict[str, Any]:
    said = {"bytes": values.tobytes(), "shape": list(values.shape), "dtype": "F32"}
    return {"id": "5vl2", "param": said | changes}


def record(item: object, **more: Any) -> bytes:
    """Return a record of Burn's, its fields by name."""
    said = {"float": "f32", "int": "i32", "version": "0.21.0"}
    return packed({"metadata": said, "item": item} | more)


def test_a_cell_of_burn_is_read_from_its_record(write: Write) -> None:
    gates: dict[str, Any] = {"d_hidden": None}
    for name, each in CELL.to_dialect("burn").items():
        gate, layer, piece = name.split(".")
        gates.setdefault(gate, {}).setdefault(layer, {})[piece] = described(each)
    head_of = {"weight": described(np.ones((4, 2), np.float32)), "bias": None}
    read = load_checkpoint(write(record({"lstms": [gates], "head": head_of}), "a.mpk"))
    assert (read.dialect, read.metadata["version"]) == ("burn", "0.21.0")
    (site,) = find_cells(read.tensors, "burn")
    assert site.name == "lstms.0"
    assert site.weights(read.tensors, "burn").same_bits(CELL)
    assert read.tensors["head.weight"].shape == (4, 2)


TWO = np.ones(2, np.float32)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (packed({"a": 1}), "no record"),
        (packed([1]), "not one map"),
        (record([1]), "no record"),
        (record({"a": {"id": "x", "param": {"value": [1], "shape": [1]}}}), "before 0.14"),
        (record({"a": described(TWO, shape=[3])}), "12 bytes, and 8 are there"),
        (record({"a": described(TWO, shape=[2**62, 2**62])}), "address"),
        (record({"a": described(TWO, shape="x")}), "sizes and bytes"),
        (record({"a": described(TWO, bytes=[1, 2])}), "sizes and bytes"),
        (record({"a": {"b": described(TWO)}, "a.b": described(TWO)}), "`a.b` twice"),
        (record({"n" * 90_000: [{"x": 1}] * 2000}), "needs"),
        (b"\x91" * 100, "nested deeper"),
        (record({"a": TWO.tobytes() * 2})[:-3], "cut off"),
    ],
    ids=range(12),
)  # fmt: skip
def test_a_hostile_record_is_refused_within_its_budget(
    content: bytes, says: str, write: Write, peak_below: PeakBelow
) -> None:
    path = write(content, "a.mpk")
    with peak_below(FLOOR + 20 * 2**20), pytest.raises(CheckpointError, match=says):
        load_checkpoint(path)


def test_what_a_record_has_besides_is_named(write: Write) -> None:
    item = {"a": described(TWO, dtype="QFloat"), "b": b"xy", "c": 3, "d": []}
    read = load_checkpoint(write(record(item), "a.mpk"))
    assert list(read.left_out) == ["a", "b"]
    assert read.metadata["c"] == "3"


def test_a_record_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"read only; write \.bpk"):
        save_checkpoint(tmp_path / "a.mpk", CELL.to_dialect("burn"), dialect="burn")
    assert list(tmp_path.iterdir()) == []


def test_haste_is_in_the_files_of_torch(tmp_path: Path) -> None:
    arrays = CELL.to_dialect("haste", prefix="enc.")
    save_checkpoint(tmp_path / "a.pt", arrays, dialect="haste")
    read = load_checkpoint(tmp_path / "a.pt")
    (site,) = find_cells(read.tensors, "haste")
    assert site.name == "enc"
    with pytest.raises(ArgumentError, match="only mindspore reads"):
        save_checkpoint(tmp_path / "a.ckpt", arrays, dialect="haste")


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), name=st.sampled_from(["a.params", "a.bpk", "a.mpk"]))
def test_a_garbled_file_loads_or_is_refused(data: st.DataObject, name: str, write: Write) -> None:
    arrays = convert(CELL.to_dialect("torch", prefix="a."), "torch", "burn").tensors
    valid = {
        "a.params": params([ONE, array(CELL.weight_ih)], [b"x", b"l0_i2h_weight"]),
        "a.bpk": pack({"a": F32, "b": F32}, bytes(8)),
        "a.mpk": record({"a": described(next(iter(arrays.values()))), "b": None}),
    }
    content = bytearray(valid[name])
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        if data.draw(st.booleans()):
            content[place] = data.draw(st.integers(0, 255))
        else:
            del content[place : place + data.draw(st.integers(1, 9))]
    with contextlib.suppress(CheckpointError):
        load_checkpoint(write(bytes(content), name))

"""Flax's msgpack, Neural Amp Modeler's .nam and RTNeural's .json: read, written, attacked."""

from __future__ import annotations

import contextlib
import json
import struct
import tracemalloc
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onecell import Spec, Weights, reference
from onecell.checkpoint import convert, find_cells, load_checkpoint, save_checkpoint
from onecell.checkpoint.formats.json_text import parse_json
from onecell.checkpoint.limits import FLOOR, Budget
from onecell.errors import ArgumentError, CheckpointError, DtypeError, UnsafeCheckpointError

Tensors = dict[str, np.ndarray]
Write = Callable[[bytes, str], Path]
PeakBelow = Callable[[int], AbstractContextManager[None]]


SIZES = ("input_size", "hidden_size", "num_layers")


def layer(number: int) -> Weights:
    """Return a layer of a stack of I = 3, H = 4, its bias in one array."""
    drawn = Weights.random(Spec(3 if number == 0 else 4, 4), number + 1).arrays()
    return Weights(**{**drawn, "bias_hh": np.zeros(16, np.float32)})


def stack(layers: int = 2, prefix: str = "rnn.") -> Tensors:
    tensors: Tensors = {}
    for number in range(layers):
        tensors |= layer(number).to_dialect("torch", prefix=prefix, layer=number)
    return tensors


@pytest.mark.parametrize(
    ("name", "row"), [("a.nam", "nam"), ("a.json", "rtneural"), ("a.msgpack", "flax")]
)
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_stack_is_written_and_read_bit_for_bit(
    name: str, row: str, layers: int, tmp_path: Path
) -> None:
    save_checkpoint(tmp_path / name, convert(stack(layers), "torch", row).tensors, dialect=row)
    read = load_checkpoint(tmp_path / name)
    assert read.dialect == row
    sites = find_cells(read.tensors, row)
    assert len(sites) == layers
    for number, site in enumerate(sites):
        assert site.weights(read.tensors, row).same_bits(layer(number))
    assert read.left_out == {}


def nam(layers: int = 1, *, state: float = 0.0, **changes: Any) -> bytes:
    """Return a .nam as the trainer exports it: weights, bias and state of each layer; the head."""
    numbers: list[float] = []
    for number in range(layers):
        one = layer(number)
        assert one.bias_ih is not None
        both = np.concatenate([one.weight_ih, one.weight_hh], axis=1)
        numbers += [*both.ravel().tolist(), *one.bias_ih.tolist(), *([state] * 8)]
    numbers += [1.0, 2.0, 3.0, 4.0, 0.5]
    config = {"input_size": 3, "hidden_size": 4, "num_layers": layers}
    model = {"version": "0.5.2", "architecture": "LSTM", "config": config, "weights": numbers}
    return json.dumps(model | changes).encode()


@pytest.mark.parametrize("layers", [1, 2])
def test_what_the_trainer_of_nam_exports_is_read(layers: int, write: Write) -> None:
    read = load_checkpoint(write(nam(layers), "a.nam"))
    sites = find_cells(read.tensors, "nam")
    assert [site.layer for site in sites] == list(range(layers))
    for number, site in enumerate(sites):
        assert site.weights(read.tensors, "nam").same_bits(layer(number))
    assert read.tensors["head.weight"].tolist() == [1, 2, 3, 4]
    assert read.tensors["head.bias"].tolist() == [0.5]


def test_the_state_that_nam_begins_with_is_kept(write: Write, tmp_path: Path) -> None:
    read = load_checkpoint(write(nam(state=0.25), "a.nam"))
    assert read.tensors["lstm.layers.0.initial_c"].tolist() == [0.25] * 4
    save_checkpoint(tmp_path / "b.nam", read.tensors, dialect="nam")
    again = load_checkpoint(tmp_path / "b.nam").tensors
    assert again.keys() == read.tensors.keys()
    assert all(again[name].tobytes() == a.tobytes() for name, a in read.tensors.items())


def test_what_a_nam_says_of_itself_is_kept(write: Write, tmp_path: Path) -> None:
    said: dict[str, Any] = {
        "sample_rate": 48000.0,
        "metadata": {"name": "我", "gear": {"make": None}, "n": 1},
    }
    read = load_checkpoint(write(nam(**said, more=[1, 2]), "a.nam"))
    assert read.metadata["sample_rate"] == "48000.0"
    save_checkpoint(tmp_path / "b.nam", read.tensors, dialect="nam", metadata=read.metadata)
    again = json.loads((tmp_path / "b.nam").read_bytes())
    assert again["version"] == "0.5.2"
    assert again["sample_rate"] == 48000.0
    assert again["metadata"] == said["metadata"] | {"more": "[1, 2]"}
    first = load_checkpoint(tmp_path / "b.nam").metadata
    save_checkpoint(tmp_path / "c.nam", read.tensors, dialect="nam", metadata=first)
    assert (tmp_path / "c.nam").read_bytes() == (tmp_path / "b.nam").read_bytes()


def test_no_state_of_nam_is_dropped(write: Write, tmp_path: Path) -> None:
    read = load_checkpoint(write(nam(state=0.25), "a.nam")).tensors
    with pytest.raises(ArgumentError, match=r"got other\.initial_h too"):
        save_checkpoint(tmp_path / "c.nam", read | {"other.initial_h": np.ones(4, "f4")})


def test_rtneural_has_the_arrays_of_keras_and_other_layers_beside(write: Write) -> None:
    arrays = layer(0).to_dialect("keras")
    layers = [
        {
            "type": "lstm",
            "shape": [None, None, 4],
            "weights": [a.tolist() for a in arrays.values()],
        },
        {"type": "dense", "shape": [None, None, 1], "weights": [[[1.0]] * 4, [0.5]]},
        {"type": "conv1d", "weights": [[[[1.0]]]]},
    ]
    content = json.dumps({"in_shape": [None, None, 3], "layers": layers}).encode()
    read = load_checkpoint(write(content, "a.json"))
    (site,) = find_cells(read.tensors, "rtneural")
    assert site.weights(read.tensors, "rtneural").same_bits(layer(0))
    assert read.tensors["layers.1.weights.0"].shape == (4, 1)
    assert list(read.left_out) == ["layers.2.weights.0"]


@pytest.mark.parametrize("below", [False, True])
def test_a_state_dict_of_torch_in_json_is_read(below: bool, write: Write) -> None:
    state: dict[str, Any] = {name: a.tolist() for name, a in stack(2, "rec.").items()}
    state |= {"lin.weight": [[1.0] * 4], "lin.bias": [0.5], "conv.weight": [[[1.0]]]}
    said = {"unit_type": "LSTM", "hidden_size": 4, "layers": [4, 4]}
    content = {"model_data": said, "state_dict": state} if below else state
    read = load_checkpoint(write(json.dumps(content).encode(), "a.json"))
    assert (read.dialect, read.format) == ("torch", "json")
    for number, site in enumerate(find_cells(read.tensors, "torch")):
        assert site.name == f"rec[layer {number}]"
        assert site.weights(read.tensors, "torch").same_bits(layer(number))
    assert read.tensors["lin.weight"].shape == (1, 4)
    assert list(read.left_out) == ["conv.weight"]
    told = {"model_data.unit_type": "LSTM", "model_data.hidden_size": "4"}
    assert read.metadata == (told if below else {})


@pytest.mark.parametrize("value", [["a"], [[1.0], [1.0, 2.0]], [[[1.0]]], [1e300], [None]], ids=str)
def test_a_weight_in_json_that_is_none_is_refused(value: list[Any], write: Write) -> None:
    content = json.dumps({"rnn.weight_ih_l0": value, "rnn.bias": [1.0]}).encode()
    with pytest.raises(CheckpointError, match="weight_ih_l0"):
        load_checkpoint(write(content, "a.json"))


@pytest.mark.parametrize("row", ["nam", "rtneural"])
@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"head": np.ones(2, "f4")}, ArgumentError, "only LSTM cells"),
        (Weights.random(Spec(5, 6)).to_dialect("torch", prefix="b."), ArgumentError, "choose one"),
        (
            Weights.random(Spec(7, 4)).to_dialect("torch", prefix="rnn.", layer=2),
            ArgumentError,
            "layer 2",
        ),
    ],
    ids=range(3),
)  # fmt: skip
def test_what_is_no_stack_is_refused_and_nothing_written(
    row: str, change: Tensors, error: type[Exception], says: str, tmp_path: Path
) -> None:
    tensors = convert(stack() | change, "torch", row).tensors
    name = {"nam": "a.nam", "rtneural": "a.json"}[row]
    with pytest.raises(error, match=says):
        save_checkpoint(tmp_path / name, tensors, dialect=row)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("row", "name"), [("nam", "a.nam"), ("rtneural", "a.json")])
def test_numbers_that_json_or_float32_does_not_hold_are_refused(
    row: str, name: str, tmp_path: Path
) -> None:
    double = Weights.random(Spec(3, 4, dtype=np.dtype(np.float64))).to_dialect(row, prefix="a.")
    with pytest.raises(DtypeError, match="float64 would be rounded"):
        save_checkpoint(tmp_path / name, double, dialect=row)
    single = layer(0).to_dialect(row, prefix="a.")
    next(iter(single.values()))[0, 0] = np.nan
    with pytest.raises(ArgumentError, match="no NaN"):
        save_checkpoint(tmp_path / name, single, dialect=row)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.nam", nam(architecture="WaveNet"), "WaveNet"),
        ("a.nam", nam(config={}), "config"),
        ("a.nam", nam(config={"input_size": 3, "hidden_size": 4, "num_layers": True}), "config"),
        ("a.nam", nam(config=dict.fromkeys(SIZES, 2**19)), "ask for"),
        ("a.nam", nam(weights=[1.0]), "ask for"),
        ("a.nam", nam(weights="many"), "list of numbers"),
        ("a.nam", nam(weights=[[1.0], [1.0, 2.0]]), "one length"),
        ("a.nam", nam(weights=[None]), "must be numbers"),
        ("a.nam", nam(weights=[1e300]), "float32 does not hold"),
        ("a.nam", b'{"a":' + b"[" * 5000, "nested deeper"),
        ("a.nam", b'{"a":' * 200 + b"1" + b"}" * 200, "nested deeper"),
        ("a.nam", b'{"architecture": "LSTM", "architecture": "x"}', "twice"),
        ("a.nam", b"{" + b"1" * 10_000, "no JSON"),
        ("a.json", b'{"layers": 3}', "no model"),
        ("a.json", b'{"layers": [3]}', "no object"),
        ("a.json", b'{"layers": [{"type": "lstm"}]}', "no list of weights"),
        ("a.json", b'{"layers": [{"type": "lstm", "weights": [[["a"]]]}]}', "numbers"),
        ("a.json", b'{"weight_map": {}}', "no model"),
        ("a.json", b"\x7b\xff", "no JSON"),
        # Whoever looks for the end of a text from each of these never comes to an end himself.
        ("a.nam", b'{"' + b'\\"' * 500_000, "no JSON"),
        ("a.nam", nam(architecture='["{\\' * 200), "no LSTM of"),
    ],
    ids=range(21),
)  # fmt: skip
def test_json_that_is_no_model_is_refused(
    name: str, content: bytes, says: str, write: Write
) -> None:
    with pytest.raises(CheckpointError, match=says):
        load_checkpoint(write(content, name))


def test_looking_for_what_is_nested_costs_no_more_than_the_file(write: Write) -> None:
    path = write(nam(metadata={"comment": "x" * 2**22}), "a.nam")
    tracemalloc.start()
    try:
        assert load_checkpoint(path).format == "nam"
        assert tracemalloc.get_traced_memory()[1] < 16 * path.stat().st_size
    finally:
        tracemalloc.stop()


def text(value: str) -> bytes:
    return struct.pack(">BI", 0xDB, len(value)) + value.encode()


def array(shape: list[int], kind: str, content: bytes, extension: int = 1) -> bytes:
    inner = b"\x93" + bytes([0x90 + len(shape)])
    inner += b"".join(struct.pack(">BQ", 0xCF, size) for size in shape)
    inner += text(kind) + struct.pack(">BI", 0xC6, len(content)) + content
    return struct.pack(">BIb", 0xC9, len(inner), extension) + inner


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\x81" + text("a") + array([2**40], "float32", b""), "and 0 are there"),
        (b"\x81" + text("a") + array([2**62, 2**62], "float32", b""), "address|there"),
        (b"\x81" + text("a") + array([0, 2**63], "float32", b""), "address"),
        (b"\x81" + text("a") + array([1], "object", b"1234"), "NumPy does not have"),
        (b"\x81" + text("a") + array([1], "float32", b"1234", extension=7), "extension of type 7"),
        (b"\x82" + 2 * (text("a") + array([1], "float32", b"1234")), "`a` twice"),
        (b"\x82" + text("a") + b"\x81" + text("b") + array([1], "int8", b"1")
         + text("a.b") + array([1], "int8", b"1"), "`a.b` twice"),
        (b"\x81\xa1a" * 100 + b"\x01", "nested deeper"),
        (b"\x91" * 100, "nested deeper"),
        (struct.pack(">BI", 0xDF, 2**32 - 1), "cut off"),
        (struct.pack(">BI", 0xDD, 2**32 - 1) + bytes(2000), "cut off"),
        (struct.pack(">BI", 0xDD, 400_000) + bytes(400_000), "needs"),
        (b"\x81" + struct.pack(">BI", 0xDB, 2**32 - 1), "cut off"),
        (b"\x81" + text("a") + struct.pack(">BIb", 0xC9, 2**32 - 1, 1), "cut off"),
        (b"\x81\xc0\xc0", "a key is"),
        (b"\x81\xa1\xff\xc0", "a text"),
        (b"\xc1", "begins nothing"),
        (b"\x80\x80", "not one map"),
        (b"\x93\x01\x02\x03", "not one map"),
        (b"\x81" + text("__msgpack_chunked_array__") + b"\xc3", "in pieces"),
    ],
    ids=range(20),
)  # fmt: skip
def test_a_hostile_msgpack_is_refused_within_its_budget(
    content: bytes, says: str, write: Write, peak_below: PeakBelow
) -> None:
    path = write(content, "a.msgpack")
    with peak_below(FLOOR + 20 * 2**20), pytest.raises(CheckpointError, match=says):
        load_checkpoint(path)


def test_flax_files_keep_every_type_and_name_what_they_leave_out(
    every_dtype: Tensors, shapes: Tensors, tmp_path: Path, write: Write, assert_same_bits: Any
) -> None:
    tensors = every_dtype | {n: a for n, a in shapes.items() if "." not in n}
    save_checkpoint(tmp_path / "a.msgpack", tensors)
    assert_same_bits(load_checkpoint(tmp_path / "a.msgpack").tensors, tensors)
    content = b"\x82" + text("step") + b"\x07" + text("b") + b"\xc4\x01x"
    read = load_checkpoint(write(content, "b.msgpack"))
    assert (read.metadata, read.left_out) == ({"step": "7"}, {"b": "bytes"})


def test_names_that_are_a_tensor_and_a_map_are_refused(tmp_path: Path) -> None:
    for names in (("a", "a.b"), ("a.b", "a")):
        with pytest.raises(ArgumentError, match="below"):
            save_checkpoint(tmp_path / "a.msgpack", dict.fromkeys(names, np.ones(1)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.h5", "a.msgpack"])
def test_names_that_could_not_be_read_again_are_refused(name: str, tmp_path: Path) -> None:
    most = 32 if name == "a.h5" else 61
    for parts in (most + 1, 2000):
        with pytest.raises(ArgumentError, match=f"1 to {most} parts"):
            save_checkpoint(tmp_path / name, {".".join("a" * parts): np.ones(2)})
    for bad in ("a..b", "a.", ".a", "."):
        with pytest.raises(ArgumentError, match="none of them empty"):
            save_checkpoint(tmp_path / name, {bad: np.ones(2)})
    assert list(tmp_path.iterdir()) == []
    longest = ".".join("a" * most)
    save_checkpoint(tmp_path / name, {longest: np.ones(2)})
    assert load_checkpoint(tmp_path / name).tensors.keys() == {longest}


def test_a_long_path_before_many_that_are_empty_is_counted(write: Write) -> None:
    inner = struct.pack(">BI", 0xDD, 90_000) + b"\x80" * 90_000
    path = write(b"\x81" + text("n" * 90_000) + inner, "a.msgpack")
    with pytest.raises(UnsafeCheckpointError, match="needs"):
        load_checkpoint(path)


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), name=st.sampled_from(["a.msgpack", "a.nam", "a.json"]))
def test_a_garbled_file_loads_or_is_refused(
    data: st.DataObject, name: str, write: Write, tmp_path: Path
) -> None:
    row = {"a.msgpack": "flax", "a.nam": "nam", "a.json": "rtneural"}[name]
    arrays = convert(stack(1), "torch", row).tensors
    save_checkpoint(tmp_path / f"valid-{name}", arrays, dialect=row, force=True)
    content = bytearray((tmp_path / f"valid-{name}").read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        if data.draw(st.booleans()):
            content[place] = data.draw(st.integers(0, 255))
        else:
            del content[place : place + data.draw(st.integers(1, 9))]
    with contextlib.suppress(CheckpointError):
        load_checkpoint(write(bytes(content), name))


@pytest.mark.slow
@pytest.mark.parametrize("row", ["flax", "flax-nnx", "flax-nnx-optimized", "haiku"])
def test_whose_a_file_of_flaxs_is_is_told_by_its_names(row: str, tmp_path: Path) -> None:
    want = convert(layer(0).to_dialect("torch"), "torch", row).tensors
    save_checkpoint(tmp_path / "a.msgpack", {f"net.{name}": a for name, a in want.items()})
    read = load_checkpoint(tmp_path / "a.msgpack")
    assert read.dialect == row
    (site,) = find_cells(read.tensors, row)
    np.testing.assert_array_equal(site.weights(read.tensors, row).weight_ih, layer(0).weight_ih)


def test_flax_reads_what_is_written_here_and_the_other_way(tmp_path: Path) -> None:
    serialization = pytest.importorskip("flax.serialization")
    linen = pytest.importorskip("flax.linen")
    tensors = layer(0).to_dialect("flax", prefix="params.cell.")
    save_checkpoint(tmp_path / "a.msgpack", tensors, dialect="flax")
    tree = serialization.msgpack_restore((tmp_path / "a.msgpack").read_bytes())
    x, h, c = (np.random.default_rng(2).standard_normal((2, k)).astype("f4") for k in (3, 4, 4))
    params = {"params": tree["params"]["cell"]}
    (c_next, h_next), _ = linen.OptimizedLSTMCell(4).apply(params, (c, h), x)
    for got, want in zip((h_next, c_next), reference.step(layer(0), x, h, c), strict=True):
        np.testing.assert_allclose(np.asarray(got), want, atol=1e-6)
    (tmp_path / "b.msgpack").write_bytes(serialization.to_bytes(tree))
    again = load_checkpoint(tmp_path / "b.msgpack").tensors
    assert again.keys() == tensors.keys()
    assert all(again[name].tobytes() == each.tobytes() for name, each in tensors.items())


@pytest.mark.parametrize(
    "content",
    [
        b"[" + b",".join([b"{}"] * 60_000) + b"]",
        b"[" + b",".join([b"[]"] * 60_000) + b"]",
        b"[" + b",".join([b'{"a":0}'] * 60_000) + b"]",
        b"[" + b",".join([b'{"a":{"b":1.5}}'] * 40_000) + b"]",
        b"[" + b",".join([b'"ab"'] * 60_000) + b"]",
        "[{}]".format(",".join(['"\u00e9a"'] * 60_000)).encode(),
        "[{}]".format(",".join(['"\U0001f600a"'] * 60_000)).encode(),
        b"[" + b",".join([b"1.5"] * 100_000) + b"]",
        b"[" + b",".join([b"999"] * 100_000) + b"]",
        b"{" + b",".join([b'"k%d":0' % n for n in range(60_000)]) + b"}",
        ('["' + "a" * 500_000 + "\U0001f600" + '"]').encode(),
    ],
    ids=range(11),
)
def test_json_takes_no_more_than_is_counted_for_it(content: bytes) -> None:
    budget = Budget(len(content))
    tracemalloc.start()
    try:
        parse_json(content, budget, "the file")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= budget.limit - budget.left + 4096  # what does not grow with the file

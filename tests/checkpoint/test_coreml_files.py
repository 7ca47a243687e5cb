"""Core ML's models: networks and programs are read, and attacked.

The messages are put together here by the numbers of their fields. What coremltools writes is read
in a test that is slow, where coremltools is installed.
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
from onecell.checkpoint import find_cells, load_checkpoint, save_checkpoint
from onecell.checkpoint.limits import FLOOR
from onecell.errors import ArgumentError, CheckpointError, UnsafeCheckpointError

Write = Callable[[bytes, str], Path]
PeakBelow = Callable[[int], AbstractContextManager[None]]


def cell(seed: int, *, bias: bool = True) -> Weights:
    """Return a cell of I = 3, H = 4, its bias in one array."""
    drawn = Weights.random(Spec(3, 4, bias), seed).arrays()
    return Weights(**(drawn | ({"bias_hh": np.zeros(16, np.float32)} if bias else {})))


def varint(value: int) -> bytes:
    encoded = b""
    while value > 127:
        encoded += bytes([value & 127 | 128])
        value >>= 7
    return encoded + bytes([value])


def message(number: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return varint(number << 3 | 2) + varint(len(content)) + content


def text(number: int, value: str) -> bytes:
    return message(number, value.encode())


def whole(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def model(number: int, *parts: bytes) -> bytes:
    return whole(1, 4) + message(number, *parts)


def gates(first: int, array: np.ndarray, *, halves: bool = False) -> bytes:
    """Return a message for each gate, in the order of the fields: i, f, the block input, o."""
    kind = np.float16 if halves else np.float32
    return b"".join(
        message(first + k, message(2 if halves else 1, part.astype(kind).tobytes()))
        for k, part in enumerate(np.split(array, 4))
    )


def weights(one: Weights, *, halves: bool = False) -> bytes:
    said = gates(1, one.weight_ih, halves=halves) + gates(20, one.weight_hh, halves=halves)
    if one.bias_ih is not None:
        said += gates(40, one.bias_ih, halves=halves)
    return message(20, said)


PLAIN = (whole(10, 1), whole(20, 1))
"""Whole sequences, and biases."""


def layer(
    *cells: Weights, params: tuple[bytes, ...] = PLAIN, more: bytes = b"", name: str = "enc",
    sizes: tuple[int, int] = (3, 4), halves: bool = False,
) -> bytes:  # fmt: skip
    """Return a layer of a network: one way, or both where there are two cells."""
    said = whole(1, sizes[0]) + whole(2, sizes[1]) + more + message(15, *params)
    said += b"".join(weights(each, halves=halves) for each in cells)
    return message(1, text(1, name), message(430 if len(cells) == 2 else 420, said))


@pytest.mark.parametrize("kind", [303, 403, 500])
def test_a_layer_of_a_network_is_read_gate_by_gate(kind: int, write: Write) -> None:
    content = model(kind, message(1, text(1, "conv"), message(100, b"")), layer(cell(1)))
    read = load_checkpoint(write(content, "a.mlmodel"))
    assert (read.dialect, read.format, read.remarks) == ("coreml", "coreml", {})
    (site,) = find_cells(read.tensors, "coreml")
    assert site.name == "enc"
    assert site.weights(read.tensors, "coreml").same_bits(cell(1))
    order = [np.split(cell(1).weight_ih, 4)[k] for k in (0, 1, 3, 2)]  # i, f, o, z
    assert read.tensors["enc.weight_ih"].tobytes() == np.concatenate(order).tobytes()


def test_both_directions_no_biases_and_float16_are_read(write: Write) -> None:
    both = layer(cell(1), cell(2))
    bare = layer(cell(3, bias=False), params=(), name="bare")
    half = layer(cell(4), name="half", halves=True)
    read = load_checkpoint(write(model(500, both, bare, half), "a.mlmodel")).tensors
    sites = {site.name: site.weights(read, "coreml") for site in find_cells(read, "coreml")}
    assert list(sites) == ["enc[layer 0]", "enc[layer 0, reverse]", "bare", "half"]
    assert sites["enc[layer 0]"].same_bits(cell(1))
    assert sites["enc[layer 0, reverse]"].same_bits(cell(2))
    assert sites["bare"].same_bits(cell(3, bias=False))
    assert read["half.weight_ih"].dtype == np.float16


def spelled(one: Weights, spell: Callable[[bytes], bytes]) -> bytes:
    """Return a layer whose gates are kept as `spell` has their bytes."""
    said = b"".join(
        message(first + k, spell(part.tobytes()))
        for first, array in ((1, one.weight_ih), (20, one.weight_hh))
        for k, part in enumerate(np.split(array, 4))
    )
    return message(1, text(1, "enc"), message(420, whole(1, 3), whole(2, 4), message(20, said)))


@pytest.mark.parametrize(
    "spell",
    [
        lambda content: message(1, content[:8]) + message(1) + message(1, content[8:]),
        lambda content: b"".join(
            varint(1 << 3 | 5) + content[k : k + 4] for k in range(0, len(content), 4)
        ),
    ],
    ids=["pieces", "one by one"],
)
def test_numbers_in_several_pieces_are_joined(
    spell: Callable[[bytes], bytes], write: Write
) -> None:
    bare = cell(1, bias=False)
    read = load_checkpoint(write(model(500, spelled(bare, spell)), "a.mlmodel"))
    (site,) = find_cells(read.tensors, "coreml")
    assert site.weights(read.tensors, "coreml").same_bits(bare)
    assert read.remarks == {}


def test_quantized_numbers_and_two_kinds_of_them_are_named(write: Write) -> None:
    bare = cell(1, bias=False)
    quantized = spelled(bare, lambda content: message(30, content[::4]) + message(40, whole(1, 8)))
    read = load_checkpoint(write(model(500, quantized), "a.mlmodel"))
    assert (read.tensors, read.remarks) == (
        {},
        {"enc": "an LSTM with quantized weights, no LSTM cell"},
    )
    both = spelled(bare, lambda content: message(1, content) + message(2, content[::2]))
    with pytest.raises(CheckpointError, match="in float32 and in float16"):
        load_checkpoint(write(model(500, both), "a.mlmodel"))


def activation(*numbers: int) -> bytes:
    return b"".join(message(10, message(number, b"")) for number in numbers)


def clip(value: float) -> bytes:
    return varint(60 << 3 | 5) + struct.pack("<f", value)


@pytest.mark.parametrize(
    ("params", "more", "says"),
    [
        ((*PLAIN, whole(40, 1)), b"", "peepholes"),
        ((*PLAIN, whole(50, 1)), b"", "coupled gates"),
        ((*PLAIN, clip(3.0)), b"", "a clip at 3"),
        ((whole(30, 1),), b"", "a forget bias and no other biases"),
        (PLAIN, activation(41, 30, 30), "other activations"),
        (PLAIN, activation(40, 30, 10), "other activations"),
    ],
)
def test_a_layer_that_is_no_plain_lstm_is_named(
    params: tuple[bytes, ...], more: bytes, says: str, write: Write
) -> None:
    content = model(500, layer(cell(1), params=params, more=more))
    read = load_checkpoint(write(content, "a.mlmodel"))
    assert read.tensors == {}
    assert says in read.remarks["enc"]


def test_what_is_usual_is_no_reason_and_what_is_added_is_added(write: Write) -> None:
    params = (*PLAIN, whole(30, 1), clip(500.0))
    content = model(500, layer(cell(1), params=params, more=activation(40, 30, 30)))
    read = load_checkpoint(write(content, "a.mlmodel"))
    assert "1 is added" in read.remarks["enc"]
    want = cell(1).bias_ih
    assert want is not None
    got = find_cells(read.tensors, "coreml")[0].weights(read.tensors, "coreml").bias_ih
    assert got is not None
    assert np.array_equal(got[4:8], want[4:8] + 1)
    assert np.array_equal(np.delete(got, range(4, 8)), np.delete(want, range(4, 8)))


def tensor_type(shape: tuple[int, ...], kind: int = 11) -> bytes:
    dims = b"".join(message(3, message(1, whole(1, size))) for size in shape)
    return message(2, message(1, whole(1, kind), whole(2, len(shape)), dims))


def immediate(array: np.ndarray) -> bytes:
    return tensor_type(array.shape) + message(
        3, message(1, message(1, message(1, array.tobytes())))
    )


def said(value: str) -> bytes:
    return message(3, message(1, message(4, text(1, value))))


def stored(
    array: np.ndarray, offset: int, place: str = "@model_path/weights/weight.bin", kind: int = 11
) -> bytes:
    return tensor_type(array.shape, kind) + message(5, text(1, place), whole(2, offset))


def named(number: int, name: str, *parts: bytes) -> bytes:
    """Return an entry of a map."""
    return message(number, text(1, name), message(2, *parts))


def constant(name: str, value: bytes) -> bytes:
    return message(3, text(1, "const"), message(3, text(1, name)), named(5, "val", value))


def operation(inputs: dict[str, str], name: str = "enc", more: bytes = b"") -> bytes:
    bound = b"".join(named(2, key, message(1, text(1, each))) for key, each in inputs.items())
    called = named(5, "name", said(name))
    return message(3, text(1, "lstm"), bound, message(3, text(1, f"{name}_0")), called, more)


def program(*operations: bytes) -> bytes:
    return model(502, whole(1, 1), named(2, "main", named(3, "CoreML5", *operations)))


def blobs(arrays: list[np.ndarray]) -> tuple[bytes, list[int]]:
    """Return a file of constants, and where each is described."""
    content, offsets = struct.pack("<II", len(arrays), 2) + bytes(56), []
    for array in arrays:
        offsets.append(len(content))
        kind = {"float32": 2, "float16": 1}[array.dtype.name]
        content += struct.pack("<IIQQ", 0xDEADBEEF, kind, array.nbytes, len(content) + 64)
        content += bytes(40) + array.tobytes() + bytes(-array.nbytes % 64)
    return content, offsets


WIRED = {"x": "x", "weight_ih": "wi", "weight_hh": "wh", "bias": "b", "direction": "way"}


def wired(arrays: dict[str, np.ndarray], **inputs: str) -> bytes:
    """Return a program of one operation over constants of the program's own."""
    names = {"weight_ih": "wi", "weight_hh": "wh", "bias": "b"}
    constants = b"".join(constant(names[key], immediate(each)) for key, each in arrays.items())
    return program(
        constants,
        constant("way", said("forward")),
        constant("hard", said("sigmoid_hard")),
        operation(WIRED | inputs),
    )


def package(folder: Path, content: bytes, weight: bytes) -> Path:
    inner = folder / "a.mlpackage" / "Data" / "com.apple.CoreML"
    (inner / "weights").mkdir(parents=True)
    (inner / "model.mlmodel").write_bytes(content)
    (inner / "weights" / "weight.bin").write_bytes(weight)
    return folder / "a.mlpackage"


def test_an_operation_with_constants_of_its_own_is_read(write: Write) -> None:
    read = load_checkpoint(write(wired(cell(1).to_dialect("coreml")), "a.mlmodel"))
    (site,) = find_cells(read.tensors, "coreml")
    assert site.name == "enc"
    assert site.weights(read.tensors, "coreml").same_bits(cell(1))


def test_a_package_is_read_with_the_file_of_its_weights(tmp_path: Path) -> None:
    forward, backward = cell(1).to_dialect("coreml"), cell(2).to_dialect("coreml")
    head = np.ones((2, 8), np.float16)
    weight, offsets = blobs([*forward.values(), *backward.values(), head])
    names = ["wi", "wh", "b", "wib", "whb", "bb"]
    arrays = [*forward.values(), *backward.values()]
    content = program(
        *(constant(n, stored(a, o)) for n, a, o in zip(names, arrays, offsets, strict=False)),
        constant("head", stored(head, offsets[-1], kind=10)),
        constant("way", said("bidirectional")),
        operation(WIRED | {"weight_ih_back": "wib", "weight_hh_back": "whb", "bias_back": "bb"}),
    )
    read = load_checkpoint(package(tmp_path, content, weight)).tensors
    sites = find_cells(read, "coreml")
    assert [site.name for site in sites] == ["enc[layer 0]", "enc[layer 0, reverse]"]
    assert sites[0].weights(read, "coreml").same_bits(cell(1))
    assert sites[1].weights(read, "coreml").same_bits(cell(2))
    assert read["head"].tobytes() == head.tobytes()


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ({"clip": "way"}, "an LSTM with clip"),
        ({"peephole": "b"}, "an LSTM with peephole"),
        ({"recurrent_activation": "hard"}, "an LSTM with recurrent_activation"),
        ({"weight_ih": "elsewhere"}, "weight_ih computed"),
        ({"direction": "both"}, ""),
    ],
)
def test_an_operation_that_is_no_plain_lstm_is_named(
    inputs: dict[str, str], says: str, write: Write
) -> None:
    read = load_checkpoint(write(wired(cell(1).to_dialect("coreml"), **inputs), "a.mlmodel"))
    assert bool(read.tensors) == (says == "")
    assert says in read.remarks.get("enc", "")


ARRAY = np.ones((2, 3), np.float32)
BLOB, (AT,) = blobs([ARRAY])


def one(value: bytes) -> bytes:
    return program(constant("a", value))


def deep(levels: int) -> bytes:
    inner = b""
    for _ in range(levels):
        inner = message(3, text(1, "cond"), message(4, inner))
    return program(inner)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (whole(1, 4) + message(202, b""), "no network"),
        (model(500, layer(cell(1)))[:-5], "cut off"),
        (model(500, layer(cell(1), sizes=(5, 4))), "80 bytes, and 48 are there"),
        (model(500, layer(cell(1), sizes=(2**40, 2**40))), "are there"),
        (model(500, layer(cell(1), cell(2), cell(3))), "3 lists of weights"),
        (model(500, layer(cell(1)), layer(cell(2))), "twice"),
        (model(500, layer(cell(1, bias=False))), "lacks a gate"),
        (one(stored(ARRAY, AT, "/etc/passwd")), "lies in"),
        (one(stored(ARRAY, AT, "@model_path/../weight.bin")), "no path below"),
        (one(stored(ARRAY, AT, "@model_path//etc/passwd")), "no path below"),
        (one(stored(ARRAY, AT, "@model_path/weights/other.bin")), "no such file"),
        (one(stored(ARRAY, AT + 1)), "its file says"),
        (one(stored(ARRAY, 2**60)), "cut off"),
        (one(stored(np.ones((2, 4), np.float32), AT)), "32 bytes, and its file says 24"),
        (one(stored(ARRAY, AT, kind=10)), "12 bytes, and its file says 24"),
        (one(tensor_type((2**40, 2**40)) + stored(ARRAY, AT)[-40:]), ""),
        (program(constant("a", stored(ARRAY, AT)), deep(0)[:0], operation({})), ""),
        (deep(100), "nested deeper"),
        (program(*[message(3, text(1, "x" * 5000))]), "5000 bytes"),
        (wired(cell(1).to_dialect("coreml") | {"bias": np.ones(0, np.float32)}), ""),
    ],
    ids=range(20),
)  # fmt: skip
def test_a_hostile_model_is_refused_within_its_budget(
    content: bytes, says: str, tmp_path: Path, peak_below: PeakBelow
) -> None:
    path = package(tmp_path, content, BLOB)
    with peak_below(FLOOR + 20 * 2**20):
        if says:
            with pytest.raises(CheckpointError, match=says):
                load_checkpoint(path)
        else:
            with contextlib.suppress(CheckpointError):
                load_checkpoint(path)


def test_weights_that_lie_elsewhere_are_not_followed(tmp_path: Path) -> None:
    path = package(tmp_path, one(stored(ARRAY, AT)), b"")
    weight = path / "Data" / "com.apple.CoreML" / "weights" / "weight.bin"
    weight.unlink()
    (tmp_path / "outside.bin").write_bytes(BLOB)
    weight.symlink_to(tmp_path / "outside.bin")
    with pytest.raises(UnsafeCheckpointError, match="leads out"):
        load_checkpoint(path)


def test_a_model_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="read only"):
        save_checkpoint(tmp_path / "a.mlmodel", cell(1).to_dialect("coreml"), dialect="coreml")
    assert list(tmp_path.iterdir()) == []


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), network=st.booleans())
def test_a_garbled_model_loads_or_is_refused(
    data: st.DataObject, network: bool, write: Write
) -> None:
    valid = model(500, layer(cell(1))) if network else wired(cell(1).to_dialect("coreml"))
    content = bytearray(valid)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        if data.draw(st.booleans()):
            content[place] = data.draw(st.integers(0, 255))
        else:
            del content[place : place + data.draw(st.integers(1, 9))]
    with contextlib.suppress(CheckpointError):
        load_checkpoint(write(bytes(content), "a.mlmodel"))


@pytest.mark.slow
@pytest.mark.parametrize("form", ["mlprogram", "neuralnetwork"])
@pytest.mark.parametrize("both", [False, True])
def test_what_coremltools_makes_of_a_layer_of_torch_is_read_bit_for_bit(
    form: str, both: bool, tmp_path: Path
) -> None:
    tools: Any = pytest.importorskip("coremltools")
    torch: Any = pytest.importorskip("torch")

    class Model(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.enc = torch.nn.LSTM(3, 4, bidirectional=both)

        def forward(self, x: Any) -> Any:
            return self.enc(x)[0]

    module = Model().eval()
    traced = torch.jit.trace(module, torch.ones(5, 2, 3))
    shape = [tools.TensorType("x", shape=(5, 2, 3))]
    made = tools.convert(traced, inputs=shape, convert_to=form)
    path = tmp_path / ("a.mlpackage" if form == "mlprogram" else "a.mlmodel")
    made.save(str(path))
    read = load_checkpoint(path).tensors
    want = {n: t.numpy() for n, t in module.state_dict().items()}
    sites = find_cells(read, "coreml")
    assert len(sites) == 1 + both
    for site in sites:
        got = site.weights(read, "coreml")
        end = "_reverse" if site.reverse else ""
        assert got.weight_ih.tobytes() == want[f"enc.weight_ih_l0{end}"].tobytes()
        assert got.weight_hh.tobytes() == want[f"enc.weight_hh_l0{end}"].tobytes()
        both_biases = want[f"enc.bias_ih_l0{end}"] + want[f"enc.bias_hh_l0{end}"]
        assert got.bias_ih is not None
        assert np.array_equal(got.bias_ih, both_biases)

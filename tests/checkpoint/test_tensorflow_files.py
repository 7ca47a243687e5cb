"""TensorFlow's checkpoints: what it writes is read, what is written it reads, attacks are refused.

`golden/tensorflow` was made by TensorFlow itself, its README says how.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
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
from onecell.checkpoint.contents import look_into
from onecell.checkpoint.formats.protobuf import (
    encode_bytes_head,
    encode_text_field,
    encode_varint,
    encode_varint_field,
)
from onecell.checkpoint.formats.tensorflow import checksum
from onecell.checkpoint.formats.tensorflow.bundle import slice_key
from onecell.checkpoint.formats.tensorflow.checksum import crc32c, masked_crc
from onecell.checkpoint.formats.tensorflow.snappy import unpack
from onecell.checkpoint.formats.tensorflow.sorted_table import MAGIC, write_table
from onecell.checkpoint.limits import FLOOR, Budget
from onecell.dtypes import narrow, widen
from onecell.errors import (
    ArgumentError,
    CheckpointError,
    OutputExistsError,
    UnsafeCheckpointError,
)

Tensors = dict[str, np.ndarray]
PeakBelow = Callable[[int], AbstractContextManager[None]]
GOLDEN = Path(__file__).parents[1] / "golden" / "tensorflow"
EXPECTED = json.loads((GOLDEN / "expected.json").read_text())
DATA = ".data-00000-of-00001"


def field(number: int, content: bytes) -> bytes:
    return encode_bytes_head(number, len(content)) + content


def entry(
    array: np.ndarray, start: int = 0, *, kind: int = 1, shard: int = 0, **changes: Any
) -> bytes:
    """Return what an index says of an array, or something else."""
    content = array.tobytes()
    sizes = changes.get("shape", array.shape)
    shape = b"".join(field(2, encode_varint_field(1, size)) for size in sizes)
    said = encode_varint_field(1, kind) + field(2, shape) + encode_varint_field(3, shard)
    said += encode_varint_field(4, start)
    said += encode_varint_field(5, changes.get("size", len(content)))
    said += encode_varint(6 << 3 | 5) + masked_crc(content).to_bytes(4, "little")
    for box in changes.get("slices", ()):
        extents = [
            field(1, encode_varint_field(1, at) + (encode_varint_field(2, n) if n >= 0 else b""))
            for at, n in box
        ]
        said += field(7, b"".join(extents))
    return said


def table(entries: list[tuple[bytes, bytes]], *, shards: int = 1, header: bytes = b"") -> bytes:
    """Return an index."""
    file = io.BytesIO()
    write_table(file, [(b"", encode_varint_field(1, shards) + header), *entries])
    return file.getvalue()


def saved(folder: Path, index: bytes, content: bytes = b"") -> Path:
    (folder / f"m{DATA}").write_bytes(content)
    (folder / "m.index").write_bytes(index)
    return folder / "m.index"


def unroll(weights: Weights) -> tuple[np.ndarray, np.ndarray]:
    """Return the last state of a cell over the sequence of the golden files."""
    x = np.array(EXPECTED["x"], np.float32)
    h = c = np.zeros((len(x), 3))
    for step in range(x.shape[1]):
        h, c = reference.step(weights, x[:, step], h, c)
    return h, c


@pytest.mark.parametrize("called", ["adam", "adam/model.ckpt-1", "adam/model.ckpt-1.index"])
def test_a_checkpoint_of_tensorflow_1_computes_what_it_did(called: str) -> None:
    read = load_checkpoint(GOLDEN / called)
    assert (read.format, read.dialect, read.metadata) == ("tf", "tensorflow", {})
    assert read.left_out == {"tags": "a tensor of text"}
    (site,) = find_cells(read.tensors, "tensorflow")
    assert site.name == "rnn.rnn.lstm_cell"
    for got, key in zip(unroll(site.weights(read.tensors, "tensorflow")), "hc", strict=True):
        np.testing.assert_allclose(got, EXPECTED["tensorflow"][key], atol=1e-6)
    found = look_into(read)
    assert {name.rpartition(".")[2] for name in found.optimizer} == {
        *("Adam", "Adam_1", "beta1_power", "beta2_power"),
    }
    assert found.others == ("global_step",)
    assert [note.kind for note in found.notes] == [""]


@pytest.mark.parametrize("called", ["saved", "saved/variables", "saved/variables/variables"])
def test_a_saved_model_of_keras_gets_its_names_back(called: str) -> None:
    read = load_checkpoint(GOLDEN / called)
    assert (read.dialect, read.left_out) == ("keras", {})
    assert read.tensors.keys() == {f"l.cell.{n}" for n in ("kernel", "recurrent_kernel", "bias")}
    (site,) = find_cells(read.tensors, "keras")
    for got, key in zip(unroll(site.weights(read.tensors, "keras")), "hc", strict=True):
        np.testing.assert_allclose(got, EXPECTED["keras"][key], atol=1e-6)


def test_every_type_and_shape_keeps_its_bits(
    every_dtype: Tensors, shapes: Tensors, tmp_path: Path, assert_same_bits: Any
) -> None:
    many = {f"many.{number:04d}": np.full(2, number, np.float32) for number in range(600)}
    tensors = every_dtype | shapes | many
    save_checkpoint(tmp_path / "a.index", tensors)
    assert_same_bits(load_checkpoint(tmp_path / "a").tensors, tensors)
    assert {path.name for path in tmp_path.iterdir()} == {"a.index", f"a{DATA}"}


def test_a_cell_keeps_what_it_computes(tmp_path: Path) -> None:
    weights = Weights.random(Spec(3, 4), 1)
    tensors = convert(weights.to_dialect("torch", prefix="enc."), "torch", "tensorflow").tensors
    save_checkpoint(tmp_path / "a.index", tensors, dialect="tensorflow")
    read = load_checkpoint(tmp_path / "a.index")
    (site,) = find_cells(read.tensors, read.dialect or "")
    rng = np.random.default_rng(2)
    x, h, c = (rng.standard_normal((2, k)).astype("f4") for k in (3, 4, 4))
    got = reference.step(site.weights(read.tensors, "tensorflow"), x, h, c)
    for array, want in zip(got, reference.step(weights, x, h, c), strict=True):
        np.testing.assert_allclose(array, want, atol=1e-6)


def test_names_that_would_be_one_and_files_that_are_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="two tensors would be called 'a/b'"):
        save_checkpoint(tmp_path / "a.index", {"a.b": np.ones(2), "a/b": np.ones(2)})
    with pytest.raises(ArgumentError, match="at most 4096"):
        save_checkpoint(tmp_path / "a.index", {"a" * 5000: np.ones(2)})
    assert list(tmp_path.iterdir()) == []
    (tmp_path / f"a{DATA}").write_text("mine")
    with pytest.raises(OutputExistsError):
        save_checkpoint(tmp_path / "a.index", {"a": np.ones(2)})
    assert [path.name for path in tmp_path.iterdir()] == [f"a{DATA}"]


CELL = Weights.random(Spec(3, 4), 1).to_dialect("tensorflow", prefix="rnn.lstm_cell.")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("w_i_diag", "w_f_diag", "w_o_diag"), "an LSTM with peepholes, no LSTM cell"),
        (("projection.kernel",), "an LSTM with projections, no LSTM cell"),
    ],
    ids=range(2),
)  # fmt: skip
def test_what_is_no_plain_lstm_is_named(more: tuple[str, ...], says: str, tmp_path: Path) -> None:
    others = {f"rnn.lstm_cell.{name}": np.ones(4, np.float32) for name in more}
    save_checkpoint(tmp_path / "a.index", CELL | others)
    read = load_checkpoint(tmp_path / "a.index")
    assert find_cells(read.tensors, "tensorflow") == []
    assert read.remarks == {"rnn.lstm_cell": says}
    assert read.left_out == dict.fromkeys(CELL, says)
    assert read.tensors.keys() == others.keys()


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float32", "float64"])
def test_a_cell_that_adds_nothing_to_its_forget_gate_is_read_so(kind: str, tmp_path: Path) -> None:
    start = "rnn.cudnn_compatible_lstm_cell."
    weights = Weights.random(Spec(3, 4), 1)
    arrays = weights.to_dialect("tensorflow", prefix=start)
    arrays[f"{start}bias"] = arrays[f"{start}bias"].copy()
    arrays[f"{start}bias"][8:12] += 1
    arrays = {name: narrow(array, kind) for name, array in arrays.items()}
    save_checkpoint(tmp_path / "a.index", arrays)
    read = load_checkpoint(tmp_path / "a.index")
    (site,) = find_cells(read.tensors, "tensorflow")
    found = site.weights(read.tensors, "tensorflow")
    assert found.bias_ih is not None
    assert weights.bias_ih is not None
    assert weights.bias_hh is not None
    got, near = widen(found.bias_ih), {"float16": 1e-3, "bfloat16": 1e-2}.get(kind, 1e-6)
    np.testing.assert_allclose(got, weights.bias_ih + weights.bias_hh, atol=near)
    assert "adds nothing to its forget gate" in read.remarks[start[:-1]]


@pytest.mark.parametrize(
    ("kernel", "bias"), [("weights", "biases"), ("Linear.Matrix", "Linear.Bias"), ("W_0", "B")]
)
def test_a_cell_of_an_older_version_has_the_names_of_today(
    kernel: str, bias: str, tmp_path: Path
) -> None:
    old = {"kernel": kernel, "bias": bias}
    arrays = {name.rpartition(".")[2]: array for name, array in CELL.items()}
    tensors = {f"RNN.BasicLSTMCell.{old[name]}": array for name, array in arrays.items()}
    tensors |= {f"{name}.Adam": array for name, array in tensors.items()}
    tensors |= {"fully_connected.weights": np.ones((2, 8)), "fully_connected.biases": np.ones(8)}
    save_checkpoint(tmp_path / "a.index", tensors)
    read = load_checkpoint(tmp_path / "a.index")
    (site,) = find_cells(read.tensors, read.dialect or "")
    assert (site.name, read.dialect) == ("RNN.BasicLSTMCell", "tensorflow")
    for name, array in arrays.items():
        assert read.tensors[f"RNN.BasicLSTMCell.{name}"].tobytes() == array.tobytes()
    assert len(look_into(read).optimizer) == 2
    assert set(look_into(read).others) == {"fully_connected.weights", "fully_connected.biases"}


def test_both_kinds_of_cells_in_one_file_leave_the_choice_to_its_user(tmp_path: Path) -> None:
    keras = Weights.random(Spec(3, 4), 1).to_dialect("keras", prefix="dec.")
    save_checkpoint(tmp_path / "a.index", CELL | keras)
    read = load_checkpoint(tmp_path / "a.index")
    assert read.dialect is None
    assert len(find_cells(read.tensors, "keras")) == 1
    assert len(find_cells(read.tensors, "tensorflow")) == 1


def test_a_layer_beside_lstms_is_no_cell_of_tensorflows(tmp_path: Path) -> None:
    dense = {"lstm_model.dense.kernel": np.ones((9, 8), "f4"), "lstm_model.dense.bias": np.ones(8)}
    save_checkpoint(tmp_path / "a.index", dense)
    assert find_cells(load_checkpoint(tmp_path / "a.index").tensors, "tensorflow") == []


# The graph of objects.
def graph(*nodes: tuple[list[tuple[str, int]], list[tuple[str, str]]]) -> bytes:
    return b"".join(
        field(
            1,
            b"".join(
                field(1, encode_varint_field(1, n) + encode_text_field(2, name))
                for name, n in children
            )
            + b"".join(
                field(2, encode_text_field(2, own) + encode_text_field(3, key))
                for key, own in values
            ),
        )
        for children, values in nodes
    )


def with_graph(folder: Path, content: bytes, names: list[str]) -> Path:
    """Return a checkpoint of scalars with a graph of objects."""
    text = encode_varint(len(content)) + bytes(4) + content
    scalars = [np.array(n, np.float32) for n, _ in enumerate(names)]
    start = len(text)
    entries = [
        (b"_CHECKPOINTABLE_OBJECT_GRAPH", entry(np.frombuffer(text, "u1"), kind=7, shape=()))
    ]
    entries += [
        (name.encode(), entry(each, start + 4 * n))
        for n, (name, each) in enumerate(zip(names, scalars, strict=True))
    ]
    content = text + b"".join(each.tobytes() for each in scalars)
    return saved(folder, table(sorted(entries)), content)


VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"


def test_variables_in_lists_are_called_by_a_way_that_has_names_or_as_in_their_program(
    tmp_path: Path,
) -> None:
    keys = [f"variables/{n}{VALUE}" for n in range(5)] + [f"opt/_variables/0{VALUE}"]
    keys += [f"opt/_iterations{VALUE}", f"a.Sb..c/d{VALUE}"]
    content = graph(
        ([("variables", 1), ("net", 2), ("opt", 10)], []),
        ([(str(n), n + 3) for n in range(5)], []),
        ([("cell", 9), ("layers", 1)], []),
        ([], [(keys[0], "x")]),
        ([], [(keys[1], "scope/kernel")]),
        ([], [(keys[2], "scope/kernel")]),  # taken
        ([], [(keys[3], "adam/m/scope/kernel")]),  # a slot's
        ([], [(keys[4], "")]),
        ([], [(keys[5], "adam_kernel")]),  # an optimizer's
        ([("kernel", 3)], []),
        ([("_variables", 11)], []),
        ([("0", 8)], []),
    )
    read = load_checkpoint(with_graph(tmp_path, content, keys))
    found = {int(array): name for name, array in read.tensors.items()}
    assert found == {
        0: "net.cell.kernel",
        1: "scope.kernel",
        2: "variables.2",
        3: "variables.3",
        4: "variables.4",
        5: "opt._variables.0",
        6: "opt._iterations",
        7: "a.b.c.d",
    }


CHAIN = graph(*(([("a" * 50, n + 1)], []) for n in range(20_000)), ([], [("v/0", "")]))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (graph(([("a", 7)], [])), "leads to one that is not there"),
        (graph(([("a" * 5000, 0)], [])), "a name that is too long"),
        (b"\x0a\xff", "damaged"),
        (b"\x0a\x03\x0a\x7f\x00", "damaged"),
        (graph(([("a", 0), ("\u00e9", 0)], [])).replace(b"\xc3\xa9", b"\xff\xff"), "not text"),
        (b"\x0a\x00" * 400_000, "needs"),
        (CHAIN, ""),
    ],
    ids=range(7),
)  # fmt: skip
def test_a_hostile_graph_is_refused_within_its_budget(
    content: bytes, says: str, tmp_path: Path
) -> None:
    path = with_graph(tmp_path, content, ["v/0"])
    if not says:
        assert load_checkpoint(path).tensors.keys() == {"v.0"}
        return
    with pytest.raises(CheckpointError, match=says):
        load_checkpoint(path)


# The table, and what it says of tensors.
ONES = np.ones((2, 3), np.float32)
SLICES = [((0, 1), (0, -1)), ((1, 1), (0, -1))]


def sliced(slices: list[Any], shapes: list[tuple[int, ...]], **changes: Any) -> bytes:
    parts = sorted(
        (slice_key("a", box), entry(np.ones(shape, "f4"), shape=shape))
        for box, shape in zip(slices, shapes, strict=True)
    )
    return table([*parts, (b"a", entry(ONES, slices=slices, **changes))])


@pytest.mark.parametrize(
    ("index", "says"),
    [
        (b"", "empty"),
        (bytes(40), "cut off"),
        (bytes(100), "no index"),
        (MAGIC.rjust(48, b"\xff"), "damaged"),
        (MAGIC.rjust(48, b"\x7f"), "past the end"),
        (table([])[:-20] + MAGIC, "checksum|damaged|past the end|cut off"),
        (table([(b"a", entry(ONES)), (b"a", entry(ONES))]), "twice"),
        (table([(b"b", entry(ONES)), (b"a", entry(ONES))]), "out of order"),
        (table([], shards=0), "0 files"),
        (table([], shards=2**40), "files of tensors"),
        (table([], header=encode_varint_field(2, 1)), "last byte first"),
        (table([(b"\xff\xfe", entry(ONES))]), "not text"),
        (table([(b"a", entry(ONES, shape=(2**40, 3)))]), "and 24 are there"),
        (table([(b"a", entry(ONES, shape=(2**40, 3), size=2**42 * 3))]), "which has 24"),
        (table([(b"a", entry(ONES, shape=(2**62, 2**62)))]), "address"),
        (table([(b"a", entry(ONES, shape=(1,) * 40))]), "more than 32 dimensions"),
        (table([(b"a", entry(ONES, 4))]), "bytes 4 to 28"),
        (table([(b"a", entry(ONES, 2**63))]), "impossible place"),
        (table([(b"a", entry(ONES, shard=1))]), "file 1 of 1"),
        (table([(b"a", entry(ONES))], shards=2), "m.data-00000-of-00002"),
        (table([(b"a", entry(2 * ONES))]), "checksum"),
        (table([(b"a", b"\xff")]), "damaged"),
        (table([(b"a/b", entry(ONES)), (b"a.b", entry(ONES))][::-1]), "`a.b` twice"),
        (sliced(SLICES[:1], [(1, 3)]), "are not its shape"),
        (sliced([SLICES[0], SLICES[0]], [(1, 3)] * 2), "twice|overlap"),
        (sliced([((0, 2), (0, 2)), ((0, 1), (1, 2))], [(2, 2), (1, 2)]), "overlap"),
        (sliced([((1, 2), (0, -1))], [(2, 3)]), "outside"),
        (sliced([((0, -1),)], [(2,)]), "has 1 axes"),
        (sliced([((0, -1), (0, -1))], [(3, 2)]), "shape"),
        (table([(b"a", entry(ONES, slices=SLICES))]), "missing"),
    ],
    ids=range(30),
)  # fmt: skip
def test_a_hostile_index_is_refused(
    index: bytes, says: str, tmp_path: Path, peak_below: PeakBelow
) -> None:
    path = saved(tmp_path, index, ONES.tobytes())
    with peak_below(FLOOR), pytest.raises(CheckpointError, match=says):
        load_checkpoint(path)


def test_a_tensor_is_put_together_of_its_slices(tmp_path: Path) -> None:
    whole = np.arange(70 * 3, dtype=np.float32).reshape(70, 3)
    boxes = [((0, 66), (0, 1)), ((0, 66), (1, 2)), ((66, 4), (0, -1))]
    parts = [whole[:66, :1], whole[:66, 1:], whole[66:]]
    content, entries = b"", []
    for box, part in zip(boxes, parts, strict=True):
        entries.append((slice_key("a", box), entry(part, len(content))))
        content += part.tobytes()
    entries = [*sorted(entries), (b"a", entry(whole, slices=boxes))]
    read = load_checkpoint(saved(tmp_path, table(entries), content))
    assert read.tensors["a"].tobytes() == whole.tobytes()


def test_tensors_that_name_the_same_bytes_again_and_again_are_refused(
    tmp_path: Path, peak_below: PeakBelow
) -> None:
    large = np.ones(1_000_000, np.float32)
    index = table([(f"{n:04d}".encode(), entry(large)) for n in range(99)])
    path = saved(tmp_path, index, large.tobytes())
    with peak_below(2 * FLOOR + 40 * 2**20), pytest.raises(UnsafeCheckpointError, match="needs"):
        load_checkpoint(path)


def test_blocks_that_are_named_again_and_again_are_refused(tmp_path: Path) -> None:
    file = io.BytesIO()
    block = bytes([0, 0, 2, 8, 1]) + bytes(4) + bytes([1, 0, 0, 0])
    file.write(block + b"\0" + masked_crc(block + b"\0").to_bytes(4, "little"))
    handle = encode_varint(0) + encode_varint(len(block))
    entries = b"".join(bytes([0, 1, len(handle)]) + bytes([n]) + handle for n in range(100))
    index = entries + bytes(4) + bytes([1, 0, 0, 0])
    start = file.tell()
    file.write(index + b"\0" + masked_crc(index + b"\0").to_bytes(4, "little"))
    footer = (encode_varint(0) * 2 + encode_varint(start) + encode_varint(len(index))).ljust(
        40, b"\0"
    )
    with pytest.raises(CheckpointError, match=r"overlap|twice"):
        load_checkpoint(saved(tmp_path, file.getvalue() + footer + MAGIC))


@pytest.mark.parametrize("part", ["m.index", f"m{DATA}"])
def test_a_file_that_is_cut_off_anywhere_is_refused(part: str, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "m.index", CELL)
    content = (tmp_path / part).read_bytes()
    for end in range(len(content)):
        (tmp_path / part).write_bytes(content[:end])
        with pytest.raises(CheckpointError):
            load_checkpoint(tmp_path / "m.index")


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_garbled_checkpoint_loads_or_is_refused(data: st.DataObject, tmp_path: Path) -> None:
    source = GOLDEN / data.draw(st.sampled_from(["adam/model.ckpt-1", "saved/variables/variables"]))
    part = data.draw(st.sampled_from([".index", DATA]))
    for each in (".index", DATA):
        shutil.copy(f"{source}{each}", tmp_path / f"m{each}")
    content = bytearray((tmp_path / f"m{part}").read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    (tmp_path / f"m{part}").write_bytes(content)
    with contextlib.suppress(CheckpointError):
        load_checkpoint(tmp_path / "m")


# Where the files are.
@pytest.mark.parametrize(
    ("state", "called"),
    [
        ('model_checkpoint_path: "m"', "m"),
        ('model_checkpoint_path: "/home/someone/m"\nall_model_checkpoint_paths: "x"', "m"),
        ('model_checkpoint_path: "../m"', "m"),
        ('model_checkpoint_path: ".."', ""),
        ('model_checkpoint_path: "other"', ""),
        ("nothing", ""),
        ("", ""),
    ],
    ids=range(7),
)  # fmt: skip
def test_a_folder_says_which_is_the_latest_and_only_in_itself(
    state: str, called: str, tmp_path: Path
) -> None:
    save_checkpoint(tmp_path / "m.index", CELL)
    (tmp_path / "checkpoint").write_text(state)
    if called:
        assert load_checkpoint(tmp_path).tensors.keys() == CELL.keys()
    else:
        with pytest.raises(CheckpointError, match=r"is not there|it is a folder"):
            load_checkpoint(tmp_path)


@pytest.mark.parametrize("way", ["missing", "link", "pipe", "folder"])
def test_only_files_beside_the_index_are_opened(way: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    save_checkpoint(folder / "m.index", CELL)
    beside = folder / f"m{DATA}"
    beside.rename(tmp_path / "secret")
    if way == "link":
        beside.symlink_to(tmp_path / "secret")
    elif way == "pipe":
        os.mkfifo(beside)
    elif way == "folder":
        beside.mkdir()
    error = UnsafeCheckpointError if way == "link" else CheckpointError
    with pytest.raises(error, match="out of the folder" if way == "link" else "no such file"):
        load_checkpoint(folder / "m.index")


def test_a_part_is_refused_and_the_index_named(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "m.index", CELL)
    with pytest.raises(CheckpointError, match=r"Give its index, `m\.index`"):
        load_checkpoint(tmp_path / f"m{DATA}")


# The pieces below.
def test_the_checksum_is_that_of_the_standard_whatever_the_length() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    content = np.random.default_rng(0).integers(0, 256, 200_003, dtype=np.uint8).tobytes()
    for size in (0, 1, 4095, 4096, 4097, 8192, 65_537, 200_003):
        plain = checksum._register(0xFFFFFFFF, np.frombuffer(content[:size], np.uint8))
        assert crc32c(content[:size]) == plain ^ 0xFFFFFFFF


@pytest.mark.parametrize(
    ("content", "want"),
    [
        (b"\x00", b""),
        (b"\x05\x10abcde", b"abcde"),
        (b"\x0a\x04ab" + bytes([1 | (8 - 4) << 2, 2]), b"ab" * 5),
        (b"\x06\x04ab" + bytes([2 | (4 - 1) << 2, 1, 0]), b"abbbbb"),
        (b"\x06\x04ab" + bytes([3 | (4 - 1) << 2, 2, 0, 0, 0]), b"ababab"),
        (b"\x41" + bytes([60 << 2, 64]) + b"x" * 65, b"x" * 65),
        (b"\x05\x10abc", None),
        (b"\x04\x10abcde", None),
        (b"\x06\x10abcde", None),
        (b"\x06\x04ab" + bytes([2 | 3 << 2, 3, 0]), None),
        (b"\x06\x04ab" + bytes([2 | 3 << 2, 0, 0]), None),
        (b"\x06\x04ab\x0e", None),
        (b"\xff\xff\xff\xff\xff\xff", None),
        (b"", None),
    ],
    ids=range(14),
)  # fmt: skip
def test_snappy_is_unpacked_or_refused(content: bytes, want: bytes | None) -> None:
    if want is None:
        with pytest.raises(CheckpointError):
            unpack(content, Budget(100))
    else:
        assert unpack(content, Budget(100)) == want


def test_snappy_that_unfolds_to_more_than_it_may_is_refused(peak_below: PeakBelow) -> None:
    bomb = encode_varint(2**30) + b"\x00a" + bytes([2 | 63 << 2, 1, 0]) * 2**18
    with peak_below(FLOOR), pytest.raises(UnsafeCheckpointError, match="needs"):
        unpack(bomb, Budget(1000))


@pytest.mark.slow
def test_tensorflow_restores_what_is_written_here(tmp_path: Path) -> None:
    tensorflow = pytest.importorskip("tensorflow")
    save_checkpoint(tmp_path / "a.index", CELL)
    reader = tensorflow.train.load_checkpoint(str(tmp_path / "a"))
    for name, array in CELL.items():
        assert reader.get_tensor(name.replace(".", "/")).tobytes() == array.tobytes()

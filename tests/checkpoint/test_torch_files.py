"""torch's own files: what torch writes we read, what we write torch reads."""

from __future__ import annotations

import datetime
import functools
import json
import math
import pickle
import zipfile
from argparse import Namespace
from collections import Counter, OrderedDict, defaultdict, deque
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import torch
from torch.package.package_exporter import PackageExporter

from onecell.checkpoint import load_checkpoint, save_checkpoint
from onecell.dtypes import BFLOAT16
from onecell.errors import CheckpointError, UnsafeCheckpointError

Tensors = dict[str, np.ndarray]

FORMATS = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])


def bits(tensor: torch.Tensor) -> bytes:
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


class Net(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell = torch.nn.LSTMCell(3, 5)
        self.norm = torch.nn.BatchNorm1d(5)
        self.rnn = torch.nn.LSTM(5, 4, bidirectional=True, bias=False)


def save(content: object, path: Path, *, zipped: bool = True, **options: Any) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=zipped, **options)
    return path


@FORMATS
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_state_dict_is_read_bit_for_bit(zipped: bool, protocol: int, tmp_path: Path) -> None:
    state = Net().state_dict()
    path = save(state, tmp_path / "a.pt", zipped=zipped, pickle_protocol=protocol)
    loaded = load_checkpoint(path)
    assert (loaded.format, loaded.dialect, loaded.metadata) == ("pt", "torch", {})
    assert list(loaded.tensors) == list(state)
    for name, tensor in state.items():
        assert loaded.tensors[name].shape == tuple(tensor.shape)
        assert loaded.tensors[name].tobytes() == bits(tensor)


TYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]
NEW_TYPES = ["uint16", "uint32", "uint64"]


@pytest.mark.parametrize("name", [*TYPES, *NEW_TYPES, "complex64", "complex128"])
@FORMATS
def test_every_element_type_of_torch_is_read(name: str, zipped: bool, tmp_path: Path) -> None:
    tensor = torch.tensor([[0, 1, 1], [1, 0, 1]]).to(getattr(torch, name))
    loaded = load_checkpoint(save({"t": tensor}, tmp_path / "a.pt", zipped=zipped))
    assert loaded.tensors["t"].dtype.name == name
    np.testing.assert_array_equal(loaded.tensors["t"], tensor.numpy())


@FORMATS
def test_bfloat16_is_read(zipped: bool, tmp_path: Path) -> None:
    tensor = torch.randn(2, 3).bfloat16()
    loaded = load_checkpoint(save({"t": tensor}, tmp_path / "a.pt", zipped=zipped)).tensors["t"]
    assert loaded.dtype == BFLOAT16
    assert loaded.tobytes() == bits(tensor)


@FORMATS
def test_views_are_read_by_value(zipped: bool, tmp_path: Path) -> None:
    base = torch.arange(24.0).reshape(4, 6)
    views = {
        "base": base,
        "transposed": base.T,
        "rows": base[1:3],
        "steps": base[::2, 1::3],
        "one": base[2, 3],
        "none": base[4:],
        "expanded": torch.arange(3.0).expand(2, 3),
        "tied": base,
    }
    loaded = load_checkpoint(save(views, tmp_path / "a.pt", zipped=zipped)).tensors
    for name, tensor in views.items():
        np.testing.assert_array_equal(loaded[name], tensor.numpy())
    assert not np.shares_memory(loaded["base"], loaded["tied"])


@FORMATS
@pytest.mark.parametrize("axes", [(1, 0, 2), (2, 1, 0), (0, 2, 1)])
def test_a_permuted_tensor_alone_in_its_storage_is_read_by_value(
    axes: tuple[int, ...], zipped: bool, tmp_path: Path
) -> None:
    tensor = torch.arange(24.0).reshape(2, 3, 4).permute(axes)
    loaded = load_checkpoint(save({"t": tensor}, tmp_path / "a.pt", zipped=zipped)).tensors["t"]
    np.testing.assert_array_equal(loaded, tensor.numpy())
    assert loaded.flags.c_contiguous


@FORMATS
def test_a_training_checkpoint_is_read_by_dotted_path(zipped: bool, tmp_path: Path) -> None:
    net = torch.nn.LSTMCell(3, 5)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.25)
    net(torch.ones(2, 3))[0].sum().backward()
    optimizer.step()
    content = {
        "model": net.state_dict(),
        "optimizer": optimizer.state_dict(),
        "epoch": 3,
        "history": [0.5, {"loss": torch.tensor(1.5)}],
        7: (None, True, "text", b"\x00\xff", 2**100, 1 + 2j),
        "size": torch.Size([2, 3]),
        "dtype": torch.float32,
        "device": torch.device("cpu"),
        "seen": {5},
        "counts": Counter("aab"),
    }
    loaded = load_checkpoint(save(content, tmp_path / "a.pt", zipped=zipped))
    for name, tensor in net.state_dict().items():
        assert loaded.tensors[f"model.{name}"].tobytes() == bits(tensor)
    assert loaded.tensors["optimizer.state.0.exp_avg"].shape == (20, 3)
    assert loaded.tensors["history.1.loss"] == 1.5
    want = {
        "optimizer.param_groups.0.lr": "0.25",
        "epoch": "3",
        "history.0": "0.5",
        "7.0": "None",
        "7.1": "True",
        "7.2": "text",
        "7.3": "b'\\x00\\xff'",
        "7.4": str(2**100),
        "7.5": "(1+2j)",
        "size.1": "3",
        "dtype": "torch.float32",
        "device": "cpu",
        "seen.0": "5",
        "counts.a": "2",
    }
    assert want.items() <= loaded.metadata.items()


def test_parameters_and_tensors_with_attributes_are_tensors(tmp_path: Path) -> None:
    tensor, parameter = torch.ones(2), torch.nn.Parameter(torch.ones(3))
    plain = torch.nn.Parameter(torch.ones(4))
    tensor.note, parameter.note = "x", "y"  # type: ignore[attr-defined]
    path = save({"tensor": tensor, "parameter": parameter, "plain": plain}, tmp_path / "a.pt")
    shapes = {name: array.shape for name, array in load_checkpoint(path).tensors.items()}
    assert shapes == {"tensor": (2,), "parameter": (3,), "plain": (4,)}


def test_a_bare_tensor_gets_a_name(tmp_path: Path) -> None:
    assert list(load_checkpoint(save(torch.ones(2), tmp_path / "a.pt")).tensors) == ["tensor"]


def test_big_endian_files_load_by_value(tmp_path: Path) -> None:
    save({"t": torch.arange(6.0), "b": torch.arange(3.0).bfloat16()}, tmp_path / "a.pt")
    with (
        zipfile.ZipFile(tmp_path / "a.pt") as old,
        zipfile.ZipFile(tmp_path / "b.pt", "w") as new,
    ):
        for info in old.infolist():
            content = old.read(info)
            if info.filename.endswith("byteorder"):
                content = b"big"
            elif info.filename.endswith("data/0"):
                content = np.frombuffer(content, "<f4").astype(">f4").tobytes()
            elif info.filename.endswith("data/1"):
                content = np.frombuffer(content, "<u2").astype(">u2").tobytes()
            new.writestr(info.filename, content)
    loaded = load_checkpoint(tmp_path / "b.pt").tensors
    np.testing.assert_array_equal(loaded["t"], np.arange(6.0))
    assert loaded["b"].tobytes() == bits(torch.arange(3.0).bfloat16())


def test_what_we_write_torch_reads_with_weights_only(
    every_dtype: Tensors, shapes: Tensors, tmp_path: Path
) -> None:
    tensors = every_dtype | shapes
    save_checkpoint(tmp_path / "a.pt", tensors)
    loaded = torch.load(tmp_path / "a.pt", weights_only=True)
    assert isinstance(loaded, OrderedDict)
    assert list(loaded) == list(tensors)
    for name, array in tensors.items():
        kind = "bfloat16" if array.dtype == BFLOAT16 else array.dtype.name
        assert loaded[name].dtype == getattr(torch, kind)
        assert tuple(loaded[name].shape) == array.shape
        assert loaded[name].is_contiguous()
        assert bits(loaded[name]) == array.tobytes()


def test_torch_can_map_what_we_write(every_dtype: Tensors, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "a.pt", every_dtype)
    loaded = torch.load(tmp_path / "a.pt", weights_only=True, mmap=True)
    assert bits(loaded["t.float32"]) == every_dtype["t.float32"].tobytes()
    assert all(tensor.data_ptr() % 64 == 0 for tensor in loaded.values())


def test_a_strict_load_state_dict_accepts_what_we_write(tmp_path: Path) -> None:
    source, target = Net(), Net()
    save(source.state_dict(), tmp_path / "a.pt")
    save_checkpoint(tmp_path / "b.pt", load_checkpoint(tmp_path / "a.pt").tensors)
    target.load_state_dict(torch.load(tmp_path / "b.pt", weights_only=True), strict=True)
    for name, tensor in source.state_dict().items():
        assert bits(target.state_dict()[name]) == bits(tensor)


@FORMATS
@pytest.mark.parametrize(
    ("content", "name"),
    [
        (Net(), r"checkpoint.test_torch_files.Net|test_torch_files.Net"),
        (torch.nn.LSTMCell(3, 5), r"torch.nn.modules.rnn.LSTMCell"),
        ({"when": datetime.timedelta(3)}, r"datetime.timedelta"),
        ({"make": functools.partial(int)}, r"functools.partial"),
    ],
    ids=["net", "module", "object", "partial"],
)
def test_more_than_tensors_is_refused_by_name(
    content: object, name: str, zipped: bool, tmp_path: Path
) -> None:
    path = save(content, tmp_path / "a.pt", zipped=zipped)
    with pytest.raises(UnsafeCheckpointError, match=f"asks for `[^`]*({name})`"):
        load_checkpoint(path)


@FORMATS
@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float64(0.25), "0.25"),
        (np.float32(0.1), repr(float(np.float32(0.1)))),
        (np.float16(-2), "-2.0"),
        (np.array(3.5, ml_dtypes.bfloat16)[()], "3.5"),
        (np.int64(-(2**40)), str(-(2**40))),
        (np.uint8(200), "200"),
        (np.bool_(True), "True"),
        (np.complex64(1 + 2j), "(1+2j)"),
        (np.str_("权a"), "权a"),
        (np.bytes_(b"a\xff"), r"b'a\xff'"),
        (np.array([2.5], ">f8")[0], "2.5"),
        (Path("runs") / "a", "runs/a"),
        (np.float32, "numpy.float32"),
    ],
    ids=str,
)
def test_a_numpy_scalar_is_a_plain_value(
    value: object, text: str, protocol: int, zipped: bool, tmp_path: Path
) -> None:
    content = {"model": {"w": torch.ones(2)}, "best_loss": value}
    path = save(content, tmp_path / "a.pt", zipped=zipped, pickle_protocol=protocol)
    loaded = load_checkpoint(path)
    assert list(loaded.tensors) == ["model.w"]
    assert loaded.metadata == {"best_loss": text}


@FORMATS
@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6, dtype=np.int16).reshape(3, 2)),
        np.arange(6, dtype=">f4").reshape(2, 3),
        np.arange(24, dtype=np.uint8).reshape(2, 3, 4).transpose(2, 0, 1),
        np.array([True, False]),
        np.array(7),
        np.empty((0, 3), np.float16),
        np.array([1.5, -2], ml_dtypes.bfloat16),
        np.array([1 + 2j]),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_a_numpy_array_is_a_tensor(
    array: np.ndarray, protocol: int, zipped: bool, tmp_path: Path
) -> None:
    path = save({"a": [array]}, tmp_path / "a.pt", zipped=zipped, pickle_protocol=protocol)
    loaded = load_checkpoint(path).tensors["a.0"]
    assert loaded.shape == array.shape
    assert loaded.flags.c_contiguous
    assert loaded.flags.writeable
    if array.dtype.name == "bfloat16":
        assert loaded.dtype == BFLOAT16
        assert loaded.tobytes() == array.tobytes()
    else:
        assert loaded.dtype == array.dtype.newbyteorder("=")
        np.testing.assert_array_equal(loaded, array)


def test_plain_containers_are_read_by_path(tmp_path: Path) -> None:
    counts = defaultdict(int, {"a": 3})
    content = {
        "counts": counts,
        "nested": defaultdict(dict, {"b": {"c": 1}}),
        "args": Namespace(lr=0.5, sizes=[3, 5], device=torch.device("cpu")),
        "more": SimpleNamespace(steps=4),
        "last": deque([7, 8], maxlen=2),
        "order": OrderedDict(x=1),
        "tally": Counter("aab"),
        "set": {9},
        "rng": np.random.RandomState(3).get_state(),
        "t": torch.ones(2),
    }
    loaded = load_checkpoint(save(content, tmp_path / "a.pt"))
    assert loaded.metadata == {
        "counts.a": "3",
        "nested.b.c": "1",
        "args.lr": "0.5",
        "args.sizes.0": "3",
        "args.sizes.1": "5",
        "args.device": "cpu",
        "more.steps": "4",
        "last.0": "7",
        "last.1": "8",
        "order.x": "1",
        "tally.a": "2",
        "tally.b": "1",
        "set.0": "9",
        "rng.0": "MT19937",
        "rng.2": "624",
        "rng.3": "0",
        "rng.4": "0.0",
    }
    assert list(loaded.tensors) == ["rng.1", "t"]
    np.testing.assert_array_equal(loaded.tensors["rng.1"], content["rng"][1])  # type: ignore[index]


def test_a_large_container_of_plain_values_is_one_value(tmp_path: Path) -> None:
    groups = [{"lr": 0.5, "params": list(range(257))}, {"lr": 0.25, "params": list(range(256))}]
    words: dict[Any, Any] = {
        "a": 1,
        "b'\u6743": [2, None],
        **{f"w{i}": i for i in range(300)},
        7: math.inf,
    }
    content = {"param_groups": groups, "words": words, "t": torch.ones(2)}
    loaded = load_checkpoint(save(content, tmp_path / "a.pt")).metadata
    assert loaded["param_groups.0.lr"] == "0.5"
    assert json.loads(loaded["param_groups.0.params"]) == list(range(257))
    assert loaded["param_groups.1.params.255"] == "255"
    assert json.loads(loaded["words"]) == {str(key): value for key, value in words.items()}
    assert len(loaded) == 3 + 256 + 1
    alone = load_checkpoint(save(list(range(300)), tmp_path / "b.pt")).metadata
    assert json.loads(alone["values"]) == list(range(300))
    assert len(load_checkpoint(save(list(range(256)), tmp_path / "c.pt")).metadata) == 256


def test_what_is_neither_tensor_nor_plain_is_left_out_by_name(tmp_path: Path) -> None:
    content = {
        "words": np.array(["a", "b"]),
        "objects": np.array([None, {"a": 1}]),
        "day": np.datetime64("2026-01-02"),
        "rows": np.zeros(2, [("x", "<f4")]),
        "long": np.longdouble(1) if np.dtype("g").itemsize > 8 else np.datetime64("2026-01-02"),
        "pairs": {(1, 2): 3},
        "nul": "a\0b",
        "half": "\ud800",
        "t": torch.ones(2),
    }
    loaded = load_checkpoint(save(content, tmp_path / "a.pt"))
    assert list(loaded.tensors) == ["t"]
    assert loaded.metadata == {}
    assert loaded.left_out.keys() == content.keys() - {"t"}
    assert loaded.left_out["objects"] == "a NumPy array of Python objects"
    assert loaded.left_out["words"] == "a NumPy array of text"
    assert loaded.left_out["day"] == "a NumPy scalar of dates"
    assert loaded.left_out["pairs"] == "a dictionary of 1"
    assert loaded.left_out["nul"] == "text that is no Unicode, or holds a NUL character"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"a": [1]}, r"neither one that `torch.save` wrote.*`numpy.savez\(path, \*\*arrays\)`"),
        ([1, 2], r"Save a dictionary of tensors with `torch.save`"),
    ],
    ids=["dictionary", "list"],
)
def test_a_bare_pickle_is_told_how_to_be_saved(
    content: object, message: str, tmp_path: Path
) -> None:
    (tmp_path / "a.pt").write_bytes(pickle.dumps(content))
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(tmp_path / "a.pt")


@FORMATS
def test_a_stride_along_one_element_may_be_anything(zipped: bool, tmp_path: Path) -> None:
    numbers = torch.arange(6.0)
    views = {
        "row": torch.as_strided(numbers, (1, 3), (2**62, 1), 2),
        "one": torch.as_strided(numbers, (1, 1), (2**62, 2**61), 4),
    }
    loaded = load_checkpoint(save(views, tmp_path / "a.pt", zipped=zipped)).tensors
    np.testing.assert_array_equal(loaded["row"], [[2, 3, 4]])
    np.testing.assert_array_equal(loaded["one"], [[4]])


def quantized() -> torch.Tensor:
    return torch.quantize_per_tensor(torch.ones(2), 0.5, 0, torch.qint8)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: torch.eye(2).to_sparse(), r"`a\.t` is sparse; call `to_dense"),
        (lambda: torch.eye(2).to_sparse_csr(), r"`a\.t` is sparse; call `to_dense"),
        (quantized, r"`a\.t` is quantized; call `dequantize"),
        (lambda: torch.ones(2, device="meta"), r"`a\.t` is on device meta: it has no data"),
        (lambda: torch.ones(2, dtype=torch.complex64).conj(), r"`a\.t` is a lazy conjugate"),
        (lambda: torch.ones(2).to(torch.float8_e5m2), r"`a\.t` holds float8_e5m2"),
    ],
    ids=["sparse", "csr", "quantized", "meta", "conjugate", "float8"],
)
def test_tensors_without_an_array_are_refused_by_name(
    make: Any, message: str, tmp_path: Path
) -> None:
    path = save({"a": {"t": make()}}, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(path)


def test_two_names_for_one_path_are_an_error(tmp_path: Path) -> None:
    path = save({"a.b": torch.ones(1), "a": {"b": torch.ones(1)}}, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match=r"holds `a\.b` twice"):
        load_checkpoint(path)


def test_a_key_that_is_a_container_is_an_error(tmp_path: Path) -> None:
    path = save({"a": {(1, 2): torch.ones(1)}}, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match="a key inside `a` is a tuple"):
        load_checkpoint(path)


@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")
def test_a_package_is_refused_by_name_and_nothing_in_it_runs(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    with PackageExporter(str(tmp_path / "m.pt")) as made:
        made.save_source_string("mine", f"open({str(ran)!r}, 'w').close()")
        made.extern("**")
        made.save_pickle("model", "model.pkl", torch.nn.LSTM(3, 4))
    with pytest.raises(UnsafeCheckpointError, match=r"package of `torch\.package`"):
        load_checkpoint(tmp_path / "m.pt")
    assert not ran.exists()

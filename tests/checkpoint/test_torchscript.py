"""TorchScript archives: parameters, buffers and attributes by dotted name, and no code."""

from __future__ import annotations

import contextlib
import enum
import io
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onecell.checkpoint import find_cells, load_checkpoint
from onecell.checkpoint.limits import FLOOR
from onecell.errors import CheckpointError, UnsafeCheckpointError

Write = Callable[[bytes, str], Path]
PeakBelow = Callable[[int], AbstractContextManager[None]]


@pytest.fixture(autouse=True)
def no_warning_of_age() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch.jit's, of itself
        warnings.filterwarnings("ignore", "torch.quantize_per_tensor", UserWarning)
        yield


class Tone(enum.Enum):
    LOW = 1
    HIGH = 2


class Inner(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn = torch.nn.LSTM(3, 4, 2, bidirectional=True)
        self.register_buffer("steps", torch.arange(5))
        self.parts = [torch.ones(2), torch.zeros(3)]
        self.table = {"a": torch.full((2,), 3.0)}
        self.pair = (7, torch.ones(1))
        self.sizes, self.word, self.nothing = [1, 2], "hey", None
        self.tone = Tone.HIGH
        self.many = {f"w{i}": i for i in range(300)}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.rnn(x)[0] + self.parts[0].sum() + self.table["a"].sum() + self.pair[1]
        if self.tone == Tone.LOW and self.nothing is None:
            out = out + self.sizes[0] + len(self.word) + self.many["w1"]
        assert isinstance(out, torch.Tensor)
        return out


class Outer(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell = torch.nn.LSTMCell(3, 5)
        self.inner = Inner()
        self.heads = torch.nn.ModuleList([torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)])
        self.tied = self.heads[0].weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.inner(x)
        assert isinstance(out, torch.Tensor)
        return out


def save(module: Any, path: Path, **options: Any) -> Path:
    torch.jit.save(module, path, **options)
    return path


@pytest.fixture(scope="module")
def scripted() -> torch.jit.ScriptModule:
    torch.manual_seed(3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.script(Outer())


def test_all_of_the_state_dict_is_read_bit_for_bit(scripted: Any, tmp_path: Path) -> None:
    read = load_checkpoint(save(scripted, tmp_path / "a.jit"))
    assert (read.format, read.dialect) == ("torchscript", "torch")
    state = scripted.state_dict()
    assert list(state) == [name for name in read.tensors if name in state]
    for name, tensor in state.items():
        assert read.tensors[name].dtype == tensor.numpy().dtype
        np.testing.assert_array_equal(read.tensors[name], tensor.numpy())
    assert [site.name for site in find_cells(read.tensors, "torch")] == [
        "cell",
        "inner.rnn[layer 0]",
        "inner.rnn[layer 0, reverse]",
        "inner.rnn[layer 1]",
        "inner.rnn[layer 1, reverse]",
    ]


def test_attributes_are_read_and_what_is_none_is_named(scripted: Any, tmp_path: Path) -> None:
    read = load_checkpoint(save(scripted, tmp_path / "a.jit", _extra_files={"note.txt": "hello"}))
    more = read.tensors.keys() - scripted.state_dict().keys()
    assert more == {"inner.parts.0", "inner.parts.1", "inner.table.a", "inner.pair.1"}
    assert read.tensors["inner.table.a"].tolist() == [3, 3]
    values = {name: text for name, text in read.metadata.items() if name != "inner.many"}
    assert values == {
        "inner.pair.0": "7",
        "inner.sizes.0": "1",
        "inner.sizes.1": "2",
        "inner.word": "hey",
    }
    assert read.metadata["inner.many"].startswith('{"w0":0,')
    assert read.left_out == {
        "inner.tone": "an enumeration's value",
        "extra/note.txt": "a file beside the program",
    }


def test_a_traced_module_has_the_same_names(tmp_path: Path) -> None:
    net = torch.nn.Sequential(torch.nn.LSTM(3, 4), torch.nn.Identity()).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own shape checks
        traced = torch.jit.trace(net, torch.ones(2, 1, 3))
    read = load_checkpoint(save(traced, tmp_path / "a.ts")).tensors
    assert list(read) == list(net.state_dict())


def test_a_program_for_phones_is_read(scripted: Any, tmp_path: Path) -> None:
    scripted._save_for_lite_interpreter(str(tmp_path / "a.ptl"))
    assert scripted.state_dict().keys() <= load_checkpoint(tmp_path / "a.ptl").tensors.keys()


def test_frozen_weights_have_no_names_and_this_is_said(tmp_path: Path) -> None:
    net = torch.nn.Linear(3, 4).eval()
    frozen = torch.jit.freeze(torch.jit.script(net))
    read = load_checkpoint(save(frozen, tmp_path / "a.jit"))
    want = net.weight.detach().numpy()
    assert any(np.array_equal(want, array) for array in read.tensors.values())
    assert all(name.startswith("CONSTANTS.c") for name in read.tensors)
    assert "without names" in read.remarks["CONSTANTS"]


@pytest.mark.filterwarnings("ignore:torch.ao.quantization:DeprecationWarning")
def test_quantized_weights_are_left_out_by_name(tmp_path: Path) -> None:
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.LSTMCell(4, 5)).eval()
    kinds = {torch.nn.Linear, torch.nn.LSTMCell}
    quantized = torch.ao.quantization.quantize_dynamic(net, kinds, dtype=torch.qint8)
    read = load_checkpoint(save(torch.jit.script(quantized[0]), tmp_path / "a.jit"))
    assert list(read.left_out.values()) == ["a tensor that is quantized"]
    assert all(array.dtype == np.float32 for array in read.tensors.values())
    (name,) = read.left_out
    assert name == "_packed_params._packed_params.state.0"


def test_sparse_tensors_are_left_out_by_name(tmp_path: Path) -> None:
    cell = torch.nn.LSTMCell(3, 5)
    cell.register_buffer("mask", torch.eye(3).to_sparse())
    read = load_checkpoint(save(torch.jit.script(cell), tmp_path / "a.jit"))
    assert read.left_out == {"mask": "a tensor that is sparse"}


def archive(pickled: bytes, constants: bytes = b"\x80\x02).", **members: bytes) -> bytes:
    content = {"a/data.pkl": pickled, "a/constants.pkl": constants, **members}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name, each in content.items():
            made.writestr(name, each)
    return file.getvalue()


def module(state: bytes, before: bytes = b"") -> bytes:
    """Return the pickle of one object of a class of the archive's."""
    return b"\x80\x02" + before + b"c__torch__\nM\n)\x81" + state + b"."


_STORAGE = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0" + b"0X\x03\0\0\0cpuK\x01tQ"
_TENSOR = b"ctorch._utils\n_rebuild_tensor_v2\n(" + _STORAGE + b"K\0)(t\x89}tR"

HOSTILE: dict[str, tuple[bytes, str]] = {
    "a function": (archive(b"\x80\x02cposix\nsystem\nX\x02\0\0\0id\x85R."), "posix.system"),
    "a function in its attributes": (
        archive(module(b"}X\x01\0\0\0acposix\nsystem\nX\x02\0\0\0id\x85Rsb")),
        "posix.system",
    ),
    "a function as a constant": (
        archive(module(b"}b"), b"\x80\x02cbuiltins\neval\nX\x01\0\0\x001\x85R."),
        "builtins.eval",
    ),
    "no module": (archive(b"\x80\x02}."), "no module"),
    "a number": (archive(b"\x80\x02K\1."), "no module"),
    "a state set twice": (archive(module(b"}X\x01\0\0\0aK\1sb}X\x01\0\0\0bK\1sb")), "twice"),
    "an object of a function": (archive(b"\x80\x02cposix\nsystem\n)\x81."), "posix.system"),
    "constants that are none": (archive(module(b"}b"), b"\x80\x02}."), "no list of constants"),
    "constants cut off": (archive(module(b"}b"), b"\x80\x02("), "damaged"),
    "one name twice": (archive(module(b"}(X\x01\0\0\0aK\1X\x01\0\0\0aK\2ub")), "`a` twice"),
    "an endless module": (
        archive(b"\x80\x02c__torch__\nM\n)\x81q\0}X\x01\0\0\0ah\0sb."),
        "nested deeper",
    ),
    "a deep module": (
        archive(module(b"}X\x01\0\0\0a" * 300 + b"K\1" + b"s" * 300 + b"b")),
        "nested deeper",
    ),
    "a storage that is not there": (archive(module(b"}X\x01\0\0\0a" + _TENSOR + b"sb")), "data/0"),
    "a list of no list": (
        archive(module(b"}X\x01\0\0\0actorch.jit._pickle\nbuild_intlist\nK\1\x85Rsb")),
        "damaged",
    ),
    "a tag of no text": (
        archive(module(b"}X\x01\0\0\0actorch.jit._pickle\nrestore_type_tag\n]K\1\x86Rsb")),
        "damaged",
    ),
    "a constant of a tensor's name": (
        archive(
            module(b"}X\x09\0\0\0CONSTANTS}X\x02\0\0\0c0" + _TENSOR + b"ssb"),
            b"\x80\x02" + _TENSOR + b"\x85.",
            **{"a/data/0": b"1234", "a/constants/0": b"1234"},
        ),
        "`CONSTANTS.c0` twice",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused_within_its_budget(
    name: str, write: Write, peak_below: PeakBelow
) -> None:
    content, says = HOSTILE[name]
    path = write(content, "a.jit")
    with peak_below(FLOOR), pytest.raises(CheckpointError, match=says):
        load_checkpoint(path)


def test_a_class_of_an_archive_is_none_in_a_pickle_without_one(write: Write) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("a/data.pkl", module(b"}b"))
    with pytest.raises(UnsafeCheckpointError, match=r"`__torch__\.M`"):
        load_checkpoint(write(file.getvalue(), "a.pt"))


def test_the_code_is_not_looked_at(scripted: Any, tmp_path: Path) -> None:
    save(scripted, tmp_path / "a.jit")
    with (
        zipfile.ZipFile(tmp_path / "a.jit") as old,
        zipfile.ZipFile(tmp_path / "b.jit", "w") as new,
    ):
        for each in old.infolist():
            content = b"\xff" if "/code/" in each.filename else old.read(each)
            new.writestr(each.filename, content)
    read = load_checkpoint(tmp_path / "b.jit").tensors
    assert read.keys() == load_checkpoint(tmp_path / "a.jit").tensors.keys()


@settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_garbled_pickle_loads_or_is_refused(
    data: st.DataObject, scripted: Any, write: Write, tmp_path: Path
) -> None:
    if not (tmp_path / "a.jit").exists():
        save(scripted, tmp_path / "a.jit")
    with zipfile.ZipFile(tmp_path / "a.jit") as old:
        members = {name: old.read(name) for name in old.namelist()}
    name = data.draw(st.sampled_from(["a/data.pkl", "a/constants.pkl"]))
    content = bytearray(members[name])
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as new:
        for each, whole in members.items():
            new.writestr(each, bytes(content) if each == name else whole)
    with contextlib.suppress(CheckpointError):  # any other exception is a failure
        load_checkpoint(write(file.getvalue(), "b.jit"))

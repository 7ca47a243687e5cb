"""torch.export's archives: weights by name, out of today's layout and the older one."""

from __future__ import annotations

import contextlib
import io
import json
import warnings
import zipfile
from collections.abc import Callable
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
from onecell.dtypes import BFLOAT16
from onecell.errors import CheckpointError, UnsafeCheckpointError

Write = Callable[[bytes, str], Path]
PeakBelow = Callable[[int], AbstractContextManager[None]]


class Net(torch.nn.Module):
    steps: torch.Tensor
    scratch: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.cell = torch.nn.LSTMCell(3, 5)
        self.head = torch.nn.Linear(5, 2)
        self.tied = self.head.weight
        self.turned = torch.nn.Parameter(torch.arange(12.0).reshape(3, 4).T)
        self.small = torch.nn.Parameter(torch.ones(2, dtype=torch.bfloat16))
        self.register_buffer("steps", torch.arange(4))
        self.register_buffer("scratch", torch.full((2,), 7.0), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h, _ = self.cell(x)
        rest = self.steps.sum() + self.scratch.sum() + self.turned.sum() + self.small.sum()
        out = self.head(h) + rest
        assert isinstance(out, torch.Tensor)
        return out


@pytest.fixture(scope="module")
def net() -> Net:
    torch.manual_seed(5)
    return Net()


@pytest.fixture(scope="module")
def saved(net: Net, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "net.pt2"
    exported = torch.export.export(net, (torch.ones(2, 3),))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "No complete tensor found")  # of the transposed one
        torch.export.save(exported, path, extra_files={"note.txt": "hello"})
    return path


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def zipped(content: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name, each in content.items():
            made.writestr(name, each)
    return file.getvalue()


def assert_is_the_net(tensors: dict[str, np.ndarray], net: Net, prefix: str = "") -> None:
    for name, tensor in net.state_dict().items():
        array = tensors[prefix + name]
        assert array.shape == tuple(tensor.shape)
        bits = tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        assert array.tobytes() == bits
    assert tensors[prefix + "small"].dtype == BFLOAT16
    assert tensors[prefix + "scratch"].tolist() == [7, 7]


def test_what_torch_exports_is_read_bit_for_bit(saved: Path, net: Net) -> None:
    read = load_checkpoint(saved)
    assert (read.format, read.dialect) == ("pt2", "torch")
    assert_is_the_net(read.tensors, net)
    assert read.tensors.keys() == {*net.state_dict(), "scratch"}
    assert [site.name for site in find_cells(read.tensors, "torch")] == ["cell"]
    assert read.left_out == {"extra/note.txt": "a file beside the program"}


def pt(content: object) -> bytes:
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


@pytest.mark.parametrize("suffix", ["pt", "json"])
def test_the_layout_before_torch_2_9_is_read(suffix: str, net: Net, write: Write) -> None:
    content = {
        "serialized_exported_program.json": b"{}",
        f"serialized_state_dict.{suffix}": pt(net.state_dict()),
        f"serialized_constants.{suffix}": pt({"scratch": net.scratch}),
        "serialized_example_inputs.pt": b"",
        "version": b"8.1",
        "extra_files/note.txt": b"hello",
    }
    read = load_checkpoint(write(zipped(content), "a.pt2"))
    assert_is_the_net(read.tensors, net)
    assert read.left_out == {"extra_files/note.txt": "a file beside the program"}
    content[f"serialized_constants.{suffix}"] = b""
    assert load_checkpoint(write(zipped(content), "a.pt2")).tensors.keys() == set(net.state_dict())


def test_a_state_dict_in_one_file_is_read(net: Net, write: Write) -> None:
    content = {
        "a/archive_format": b"pt2",
        "a/data/weights/model.pt": pt(net.state_dict()),
        "a/data/constants/model.pt": pt({"scratch": net.scratch}),
    }
    assert_is_the_net(load_checkpoint(write(zipped(content), "a.pt2")).tensors, net)


def test_several_programs_keep_their_names_apart(saved: Path, net: Net, write: Write) -> None:
    content = members(saved)
    for folder, what in (("weights", "weights"), ("constants", "constants")):
        config = content[f"net/data/{folder}/model_{what}_config.json"]
        content[f"net/data/{folder}/other_{what}_config.json"] = config
    read = load_checkpoint(write(zipped(content), "a.pt2")).tensors
    for prefix in ("model.", "other."):
        assert_is_the_net(read, net, prefix)
    assert len(read) == 2 * (len(net.state_dict()) + 1)


def test_big_endian_archives_load_by_value(saved: Path, net: Net, write: Write) -> None:
    content = members(saved) | {"net/byteorder": b"big"}
    config = json.loads(content["net/data/weights/model_weights_config.json"])["config"]
    path = config["cell.weight_ih"]["path_name"]
    turned = np.frombuffer(content[f"net/data/weights/{path}"], "<f4").astype(">f4")
    content[f"net/data/weights/{path}"] = turned.tobytes()
    read = load_checkpoint(write(zipped(content), "a.pt2")).tensors
    np.testing.assert_array_equal(read["cell.weight_ih"], net.cell.weight_ih.detach().numpy())


def test_machine_code_is_refused_by_name(write: Write) -> None:
    content = {"a/archive_format": b"pt2", "a/data/aotinductor/model/x.wrapper.so": b"\x7fELF"}
    with pytest.raises(CheckpointError, match="AOTInductor"):
        load_checkpoint(write(zipped(content), "a.pt2"))
    with pytest.raises(CheckpointError, match="none of its weights"):
        load_checkpoint(write(zipped({"a/archive_format": b"pt2"}), "a.pt2"))


META = {
    "dtype": 7,
    "sizes": [{"as_int": 1}],
    "strides": [{"as_int": 1}],
    "storage_offset": {"as_int": 0},
    "layout": 7,
}


def entry(**changes: Any) -> dict[str, Any]:
    return {"path_name": "w", "use_pickle": False, "tensor_meta": META | changes}


def described(entries: object, **more: bytes) -> bytes:
    content = {
        "a/archive_format": b"pt2",
        "a/data/weights/model_weights_config.json": json.dumps({"config": entries}).encode(),
        "a/data/weights/w": b"1234",
    }
    return zipped(content | more)


def test_what_has_no_array_is_left_out_by_name(write: Write) -> None:
    entries = {
        "object": {"path_name": "w", "use_pickle": True, "tensor_meta": None},
        "sparse": entry(layout=1),
        "float8": entry(dtype=30),
        "plain": entry(),
    }
    read = load_checkpoint(write(described(entries), "a.pt2"))
    assert list(read.tensors) == ["plain"]
    assert read.left_out == {
        "object": "a pickled object",
        "sparse": "a tensor that is sparse",
        "float8": "a tensor of a type that NumPy does not have",
    }


CONFIG = "a/data/weights/model_weights_config.json"

HOSTILE = {
    "a stride of zero": (
        described({"a": entry(sizes=[{"as_int": 2**40}], strides=[{"as_int": 0}])}),
        "needs 4398046511",
    ),
    "beyond its storage": (described({"a": entry(sizes=[{"as_int": 2}])}), "outside"),
    "an offset": (described({"a": entry(storage_offset={"as_int": 1})}), "outside"),
    "a negative offset": (described({"a": entry(storage_offset={"as_int": -1})}), "impossible"),
    "a huge size": (described({"a": entry(sizes=[{"as_int": 2**62}])}), "address|impossible"),
    "an expression": (described({"a": entry(sizes=[{"as_expr": "s0"}])}), "impossible size"),
    "a flag for a size": (described({"a": entry(sizes=[{"as_int": True}])}), "impossible size"),
    "other strides": (described({"a": entry(strides=[])}), "stride"),
    "no such member": (described({"a": entry() | {"path_name": "../../x"}}), "no member"),
    "no tensor": (described({"a": 3}), "what `a` is"),
    "no type": (described({"a": entry(dtype="float")}), "what `a` is"),
    "no tensors": (described([]), "describes no tensors"),
    "one name twice": (
        described({}, **{CONFIG: b'{"config": {"a": {}, "a": {}}}'}),
        "`a` twice",
    ),
    "a weight that is a constant": (
        described(
            {"a": entry()},
            **{
                "a/data/constants/w": b"1234",
                "a/data/constants/model_constants_config.json": json.dumps(
                    {"config": {"a": entry()}}
                ).encode(),
            },
        ),
        "`a` twice",
    ),
    "deep JSON": (described({}, **{CONFIG: b"[" * 10_000}), "nested deeper"),
    "no JSON": (described({}, **{CONFIG: b"\xff"}), "no JSON"),
    "a byte order": (described({}, **{"a/byteorder": b"middle"}), "byte order"),
    "code in a state dict": (
        zipped(
            {
                "a/archive_format": b"pt2",
                "a/data/weights/model.pt": zipped(
                    {"a/data.pkl": b"\x80\x02cposix\nsystem\nX\x02\0\0\0id\x85R."}
                ),
            }
        ),
        "posix.system",
    ),
    "a state dict that is no zip file": (
        zipped({"a/archive_format": b"pt2", "a/data/weights/model.pt": b"no"}),
        "damaged",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused_within_its_budget(
    name: str, write: Write, peak_below: PeakBelow
) -> None:
    content, says = HOSTILE[name]
    path = write(content, "a.pt2")
    with peak_below(FLOOR), pytest.raises(CheckpointError, match=says):
        load_checkpoint(path)


def test_a_bomb_inside_the_archive_is_refused(write: Write, peak_below: PeakBelow) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a/data.pkl", b"\x80\x02}.")
        made.writestr("a/data/0", bytes(2 * FLOOR))
    content = {"serialized_exported_program.json": b"", "serialized_state_dict.pt": bomb.getvalue()}
    path = write(zipped(content), "a.pt2")
    with peak_below(FLOOR), pytest.raises(UnsafeCheckpointError, match="may unfold"):
        load_checkpoint(path)


@settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_garbled_description_loads_or_is_refused(
    data: st.DataObject, saved: Path, write: Write
) -> None:
    content = members(saved)
    name = "net/data/weights/model_weights_config.json"
    garbled = bytearray(content[name])
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(garbled) - 1))
        if data.draw(st.booleans()):
            garbled[place] = data.draw(st.sampled_from(b'0123456789-{}[]":,.e'))
        else:
            del garbled[place : place + data.draw(st.integers(1, 9))]
    with contextlib.suppress(CheckpointError):  # any other exception is a failure
        load_checkpoint(write(zipped(content | {name: bytes(garbled)}), "b.pt2"))

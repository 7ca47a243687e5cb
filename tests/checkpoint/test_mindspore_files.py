"""MindSpore's own files: what it writes we read, what we write it reads."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from onecell.checkpoint import convert, find_cells, load_checkpoint, save_checkpoint
from onecell.checkpoint.formats import mindspore_ckpt
from onecell.dtypes import BFLOAT16
from onecell.errors import ArgumentError, CheckpointError, UnsafeCheckpointError

Tensors = dict[str, np.ndarray]

PLAIN = ["bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"]
FLOATS = ["float16", "float32", "float64"]


@pytest.fixture(scope="module")
def net(mindspore: Any) -> Any:
    nn = mindspore.nn
    return nn.SequentialCell(
        nn.LSTMCell(3, 5), nn.LSTM(3, 4, 2, has_bias=False, bidirectional=True), nn.Dense(4, 2)
    )


def named(net: Any) -> Tensors:
    return {parameter.name: parameter.asnumpy() for parameter in net.get_parameters()}


@pytest.mark.parametrize("suffix", ["ckpt", "safetensors"])
@pytest.mark.parametrize("checked", [False, True], ids=["plain", "crc"])
def test_what_mindspore_writes_is_read_bit_for_bit(
    suffix: str, checked: bool, mindspore: Any, net: Any, tmp_path: Path
) -> None:
    path = tmp_path / f"a.{suffix}"
    mindspore.save_checkpoint(net, str(path), format=suffix, crc_check=checked)
    loaded = load_checkpoint(path)
    assert (loaded.format, loaded.dialect, loaded.metadata) == (suffix, "mindspore", {})
    assert loaded.tensors.keys() == named(net).keys()
    for name, array in named(net).items():
        assert loaded.tensors[name].dtype == array.dtype
        assert loaded.tensors[name].shape == array.shape
        assert loaded.tensors[name].tobytes() == array.tobytes()


def test_cells_of_a_network_are_found(mindspore: Any, net: Any, tmp_path: Path) -> None:
    mindspore.save_checkpoint(net, str(tmp_path / "a.ckpt"))
    sites = find_cells(load_checkpoint(tmp_path / "a.ckpt").tensors, "mindspore")
    assert sorted(site.name for site in sites) == [
        "0",
        "1[layer 0, reverse]",
        "1[layer 0]",
        "1[layer 1, reverse]",
        "1[layer 1]",
    ]


@pytest.mark.parametrize("optimizer", ["Adam", "RMSProp", "AdamWeightDecay", "Lamb", "FTRL"])
def test_the_state_of_an_optimizer_is_no_cell(
    optimizer: str, mindspore: Any, net: Any, tmp_path: Path
) -> None:
    state = getattr(mindspore.nn, optimizer)(net.trainable_params(), learning_rate=0.1)
    mindspore.save_checkpoint(state, str(tmp_path / "a.ckpt"))
    tensors = load_checkpoint(tmp_path / "a.ckpt").tensors
    assert sum("0.weight_ih" in name for name in tensors) > 1
    assert len(find_cells(tensors, "mindspore")) == 5


@pytest.mark.parametrize("kind", [*PLAIN, *FLOATS])
@pytest.mark.parametrize("suffix", ["ckpt", "safetensors"])
def test_every_element_type_of_mindspore_is_read(
    kind: str, suffix: str, mindspore: Any, tmp_path: Path
) -> None:
    array = np.array([[0, 1, 1], [1, 0, 1]], kind)
    content = [{"name": "t", "data": mindspore.Tensor(array)}]
    mindspore.save_checkpoint(content, str(tmp_path / f"a.{suffix}"), format=suffix)
    loaded = load_checkpoint(tmp_path / f"a.{suffix}").tensors["t"]
    assert loaded.dtype == array.dtype
    np.testing.assert_array_equal(loaded, array)


def test_bfloat16_is_read_from_ckpt(mindspore: Any, tmp_path: Path) -> None:
    tensor = mindspore.Tensor(np.array([[1.5, -2.0, 3.0]], np.float32)).astype(mindspore.bfloat16)
    mindspore.save_checkpoint([{"name": "t", "data": tensor}], str(tmp_path / "a.ckpt"))
    loaded = load_checkpoint(tmp_path / "a.ckpt").tensors["t"]
    assert loaded.dtype == BFLOAT16
    assert loaded.tobytes() == tensor.get_bytes()


def test_scalars_and_appended_values_are_read(mindspore: Any, tmp_path: Path) -> None:
    content = [{"name": "scalar", "data": mindspore.Tensor(3.5, mindspore.float32)}]
    append = {"epoch": 3, "lr": 0.5, "note": "权重 ü", "flag": True}
    mindspore.save_checkpoint(content, str(tmp_path / "a.ckpt"), append_dict=append)
    loaded = load_checkpoint(tmp_path / "a.ckpt")
    assert {name: (a.shape, a.item()) for name, a in loaded.tensors.items()} == {
        "scalar": ((), 3.5),
        "epoch": ((), 3),
        "lr": ((), 0.5),
        "flag": ((), True),
    }
    assert loaded.metadata == {"note": "权重 ü"}


@pytest.mark.parametrize("mode", ["AES-GCM", "AES-CBC", "SM4-CBC"])
def test_an_encrypted_file_is_refused_by_name(
    mode: str, mindspore: Any, net: Any, tmp_path: Path
) -> None:
    path = tmp_path / "a.ckpt"
    mindspore.save_checkpoint(net, str(path), enc_key=b"0123456789abcdef", enc_mode=mode)
    with pytest.raises(UnsafeCheckpointError, match=rf"encrypted by MindSpore \({mode}\)"):
        load_checkpoint(path)


@pytest.mark.parametrize("suffix", ["ckpt", "safetensors"])
def test_damage_under_a_checksum_is_found(
    suffix: str, mindspore: Any, net: Any, tmp_path: Path
) -> None:
    path = tmp_path / f"a.{suffix}"
    mindspore.save_checkpoint(net, str(path), format=suffix, crc_check=True)
    content = bytearray(path.read_bytes())
    content[-40] ^= 1
    (tmp_path / f"b.{suffix}").write_bytes(content)
    with pytest.raises(CheckpointError, match="its checksum is"):
        load_checkpoint(tmp_path / f"b.{suffix}")


@pytest.mark.parametrize("suffix", ["ckpt", "safetensors"])
def test_what_we_write_mindspore_reads(
    suffix: str, every_dtype: Tensors, shapes: Tensors, mindspore: Any, tmp_path: Path
) -> None:
    tensors = {
        name: array
        for name, array in (every_dtype | shapes).items()
        if array.dtype.kind != "c" and (suffix == "ckpt" or array.dtype != BFLOAT16)
    }
    save_checkpoint(tmp_path / f"a.{suffix}", tensors, dialect="mindspore")
    loaded = mindspore.load_checkpoint(str(tmp_path / f"a.{suffix}"), format=suffix)
    assert loaded.keys() == tensors.keys()
    for name, array in tensors.items():
        assert loaded[name].shape == array.shape
        if array.dtype == BFLOAT16:
            assert loaded[name].dtype == mindspore.bfloat16
        else:
            assert loaded[name].asnumpy().dtype == array.dtype
        if array.size:
            assert loaded[name].get_bytes() == array.tobytes()


def test_text_that_we_write_mindspore_reads(mindspore: Any, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "a.ckpt", {"t": np.ones(1)}, metadata={"a": "权重", "b": ""})
    loaded = mindspore.load_checkpoint(str(tmp_path / "a.ckpt"))
    assert (loaded["a"], loaded["b"]) == ("权重", "")


def test_an_empty_vector_is_refused_as_mindspore_would_read_a_scalar(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"`t` has shape \(0,\)"):
        save_checkpoint(tmp_path / "a.ckpt", {"t": np.empty(0, np.float32)})


def test_a_large_tensor_is_sliced_and_joined(
    mindspore: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(mindspore_ckpt, "_SLICE", 1000)
    tensors: Tensors = {"a": np.arange(1234, dtype=np.float32), "b": np.ones(3, np.int8)}
    save_checkpoint(tmp_path / "a.ckpt", tensors)
    assert (tmp_path / "a.ckpt").read_bytes().count(b"Float32") == 5
    loaded = load_checkpoint(tmp_path / "a.ckpt").tensors
    np.testing.assert_array_equal(loaded["a"], tensors["a"])
    theirs = mindspore.load_checkpoint(str(tmp_path / "a.ckpt"))
    np.testing.assert_array_equal(theirs["a"].asnumpy(), tensors["a"])


@pytest.mark.parametrize("kind", ["float32", "float16", "bfloat16"])
def test_torch_to_mindspore_and_back_keeps_every_bit(
    kind: str, mindspore: Any, tmp_path: Path
) -> None:
    source = torch.nn.ModuleDict({"cell": torch.nn.LSTMCell(3, 5)}).to(getattr(torch, kind))
    torch.save(source.state_dict(), tmp_path / "a.pt")
    there = convert(load_checkpoint(tmp_path / "a.pt").tensors, "torch", "mindspore")
    save_checkpoint(tmp_path / "b.ckpt", there.tensors, dialect="mindspore")
    parameters = mindspore.load_checkpoint(str(tmp_path / "b.ckpt"))
    mindspore.save_checkpoint(list_of(parameters), str(tmp_path / "c.ckpt"))
    back = convert(load_checkpoint(tmp_path / "c.ckpt").tensors, "mindspore", "torch")
    save_checkpoint(tmp_path / "d.pt", back.tensors, dialect="torch")
    state = torch.load(tmp_path / "d.pt", weights_only=True)
    for name, tensor in source.state_dict().items():
        assert state[name].dtype == tensor.dtype
        assert torch.equal(state[name].view(torch.uint8), tensor.view(torch.uint8))


def list_of(parameters: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, "data": value} for name, value in parameters.items()]


def test_a_converted_checkpoint_loads_into_mindspores_cell(mindspore: Any, tmp_path: Path) -> None:
    source = torch.nn.LSTMCell(3, 5)
    torch.save(source.state_dict(), tmp_path / "a.pt")
    tensors = convert(load_checkpoint(tmp_path / "a.pt").tensors, "torch", "mindspore").tensors
    save_checkpoint(tmp_path / "b.ckpt", tensors)
    target = mindspore.nn.LSTMCell(3, 5)
    parameters = mindspore.load_checkpoint(str(tmp_path / "b.ckpt"))
    assert mindspore.load_param_into_net(target, parameters) == ([], [])
    np.testing.assert_array_equal(target.weight_hh.asnumpy(), source.weight_hh.detach().numpy())


def test_our_file_is_not_read_only_as_mindspores_is(
    mindspore: Any, net: Any, tmp_path: Path, model: Tensors
) -> None:
    mindspore.save_checkpoint(net, str(tmp_path / "a.ckpt"))
    save_checkpoint(tmp_path / "b.ckpt", model)
    assert stat.S_IMODE((tmp_path / "a.ckpt").stat().st_mode) == 0o400
    assert (tmp_path / "b.ckpt").stat().st_mode & stat.S_IWUSR


def field(number: int, content: bytes | int) -> bytes:
    """Return a protobuf field; every length here fits one byte of a varint or two."""

    def varint(value: int) -> bytes:
        return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + varint(value >> 7)

    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def value(tag: str, dims: list[int], content: bytes, kind: str = "Float32") -> bytes:
    tensor = b"".join(field(1, size) for size in dims) + field(2, kind.encode())
    return field(1, field(1, tag.encode()) + field(2, tensor + field(3, content)))


F3 = np.arange(3, dtype=np.float32).tobytes()


def test_dims_0_with_content_is_a_scalar_and_without_is_empty(
    write: Callable[[bytes, str], Path],
) -> None:
    content = value("s", [0], F3[4:8]) + value("e", [0], b"")
    loaded = load_checkpoint(write(content, "a.ckpt")).tensors
    assert (loaded["s"].shape, loaded["s"].item(), loaded["e"].shape) == ((), 1.0, (0,))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (value("a", [4], F3), r"`a` of shape \(4,\) and type Float32 is 16 bytes, and 12 are"),
        (value("a", [2], F3), r"`a` of shape \(2,\) and type Float32 is 8 bytes, and 12 are"),
        (value("a", [], F3), r"`a` of shape \(\)"),
        (value("a", [2**62, 2**62], b""), r"`a` has shape .*, more than memory can address"),
        (value("a", [2**40], F3), r"`a` of shape \(1099511627776,\)"),
        (value("a", [1] * 40, F3[:4]), r"`a` has more than 32 dimensions"),
        (value("a", [3], F3) + value("b", [3], F3) + value("a", [3], F3), r"holds `a` twice"),
        (value("a", [6], F3) + value("a", [3], F3), r"the slices of `a` differ"),
        (value("a", [6], F3) + value("a", [6], F3, "Int32"), r"the slices of `a` differ"),
        (value("a", [3], F3, "Float24"), r"`a` holds Float24"),
        (value("a", [0], b"abc", "str"), r"the text `a` is damaged"),
        (value("a", [3], F3)[:-1], r"damaged or cut off at"),
        (value("a", [3], F3) + b"\x0a", r"damaged or cut off at"),
        (
            value("a", [3], F3) + b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            r"damaged or cut off at",
        ),
        (value("a", [3], F3) + field(2, b""), r"field 2 where MindSpore writes only values"),
        (field(1, field(2, b"")), r"has no tag"),
        (field(1, field(1, b"a")), r"`a` has no tensor"),
        (field(1, field(1, b"a") + field(3, b"")), r"`a` is a MapParameter"),
        (field(1, field(1, b"a") + field(2, field(2, b"Float32"))), r"`a` has no type or no con"),
        (field(1, field(1, b"\xff") + field(2, b"")), r"is not text"),
        (field(1, field(1, b"a" * 5000) + field(2, b"")), r"has 5000 bytes, more than 4096"),
    ],
    ids=range(21),
)
def test_a_damaged_ckpt_is_refused_by_name(
    content: bytes, message: str, write: Callable[[bytes, str], Path]
) -> None:
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(write(content, "a.ckpt"))

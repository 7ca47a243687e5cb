"""Paddle's .pdparams: read as `paddle.save` writes it, written as `paddle.load` reads it."""

from __future__ import annotations

import contextlib
import pickle
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
from onecell.dtypes import BFLOAT16
from onecell.errors import CheckpointError, DtypeError

Tensors = dict[str, np.ndarray]
Write = Callable[[bytes, str], Path]
PeakBelow = Callable[[int], AbstractContextManager[None]]
TABLE = "StructuredToParameterName@@"


class Tensor:
    """What a nested tensor of Paddle's is pickled as: a tuple of its name and its array."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __reduce__(self) -> tuple[Any, ...]:
        return tuple, (("lstm_cell_0.w_0", self.array),)


def layers() -> Tensors:
    """Return two layers of I = 3, H = 4 both ways, and a cell of I = 3, H = 5."""
    tensors: Tensors = {}
    for layer in (0, 1):
        for reverse in (False, True):
            weights = Weights.random(Spec(8 if layer else 3, 4), rng=2 * layer + reverse)
            tensors |= weights.to_dialect("paddle", prefix="rnn.", layer=layer, reverse=reverse)
    return tensors | Weights.random(Spec(3, 5), rng=9).to_dialect("paddle", prefix="cell.")


def as_paddle_saves(tensors: Tensors) -> dict[str, Any]:
    """Return a state dict as `paddle.save` has it: each of a layer twice, and the names."""
    state: dict[str, Any] = dict(tensors)
    for name, array in tensors.items():
        for layer in "01":
            for end, cell in ((f"_l{layer}", "cell_fw"), (f"_l{layer}_reverse", "cell_bw")):
                if name.endswith(end):
                    kind = name.removeprefix("rnn.").removesuffix(end)
                    state[f"rnn.{layer}.{cell}.{kind}"] = array
    return state | {TABLE: dict.fromkeys(state, "lstm_cell_0.w_0")}


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_a_state_dict_is_read_bit_for_bit_and_each_parameter_once(
    protocol: int, write: Write, assert_same_bits: Any
) -> None:
    state = as_paddle_saves(layers())
    assert len(state) == 16 + 16 + 4 + 1
    read = load_checkpoint(write(pickle.dumps(state, protocol), "a.pdparams"))
    assert (read.format, read.dialect, read.left_out) == ("pdparams", "paddle", {})
    assert_same_bits(read.tensors, layers())
    assert len(find_cells(read.tensors, "paddle")) == 5


def test_a_second_name_of_other_numbers_is_kept(write: Write) -> None:
    state = as_paddle_saves(layers())
    state["rnn.0.cell_fw.weight_ih"] = state["rnn.0.cell_fw.weight_ih"] + 1
    read = load_checkpoint(write(pickle.dumps(state), "a.pdparams"))
    assert "rnn.0.cell_fw.weight_ih" in read.tensors


def test_what_is_nested_is_read_by_dotted_path(write: Write) -> None:
    content = {
        "model": {name: Tensor(array) for name, array in layers().items()},
        "epoch": 3,
        "list": [Tensor(np.ones(2)), (1, 2)],
    }
    read = load_checkpoint(write(pickle.dumps(content, 4), "a.pdparams"))
    assert list(read.tensors) == [*(f"model.{name}" for name in layers()), "list.0"]
    assert read.metadata == {"epoch": "3", "list.1.0": "1", "list.1.1": "2"}


def test_a_large_array_is_put_together_from_its_slices(write: Write) -> None:
    whole = np.arange(12, dtype=np.float32).reshape(3, 4)
    info = {"w": {"OriginShape": (3, 4), "slices": ["w@@.0", "w@@.1"]}}
    flat = whole.reshape(-1)
    content = {"b": np.ones(2), "w@@.0": flat[:7], "w@@.1": flat[7:], TABLE: {}}
    content["UnpackBigParamInfor@@"] = info
    read = load_checkpoint(write(pickle.dumps(content, 2), "a.pdparams")).tensors
    assert read.keys() == {"b", "w"}
    assert read["w"].tolist() == whole.tolist()


def test_bfloat16_is_what_paddle_calls_uint16(write: Write, tmp_path: Path) -> None:
    bits = np.array([0x3F80, 0x4000], np.uint16)
    read = load_checkpoint(write(pickle.dumps({"w": bits}), "a.pdparams")).tensors
    assert read["w"].dtype == BFLOAT16
    save_checkpoint(tmp_path / "b.pdparams", read)
    assert pickle.loads((tmp_path / "b.pdparams").read_bytes())["w"].tolist() == bits.tolist()


def test_what_is_written_is_what_paddle_saves(tmp_path: Path, assert_same_bits: Any) -> None:
    save_checkpoint(tmp_path / "a.pdparams", layers(), dialect="paddle")
    content = pickle.loads((tmp_path / "a.pdparams").read_bytes())
    want = as_paddle_saves(layers())
    assert content.pop(TABLE).keys() == want.pop(TABLE).keys()
    assert_same_bits(content, want)
    assert content["rnn.0.cell_fw.weight_ih"] is content["rnn.weight_ih_l0"]
    assert_same_bits(load_checkpoint(tmp_path / "a.pdparams").tensors, layers())


def test_a_layer_of_one_direction_has_the_names_of_one(tmp_path: Path) -> None:
    weights = Weights.random(Spec(3, 4)).to_dialect("paddle", prefix="rnn.", layer=0)
    save_checkpoint(tmp_path / "a.pdparams", weights)
    content = pickle.loads((tmp_path / "a.pdparams").read_bytes())
    assert content["rnn.0.cell.bias_hh"] is content["rnn.bias_hh_l0"]


def test_a_layer_whose_weights_are_in_parts_is_read_and_written(tmp_path: Path) -> None:
    tensors = Weights.random(Spec(3, 4)).to_dialect("paddle", prefix="rnn.", layer=0)
    whole = tensors.pop("rnn.weight_hh_l0")
    tensors["rnn.weight_hh_l0_v"] = whole
    tensors["rnn.weight_hh_l0_g"] = np.linalg.norm(whole, axis=1, keepdims=True)
    save_checkpoint(tmp_path / "a.pdparams", tensors)
    read = load_checkpoint(tmp_path / "a.pdparams").tensors
    assert read.keys() == tensors.keys()
    assert len(find_cells(read, "paddle")) == 1


def test_every_type_and_shape_comes_back(
    every_dtype: Tensors, shapes: Tensors, tmp_path: Path, assert_same_bits: Any
) -> None:
    known = {n: a for n, a in every_dtype.items() if not n.startswith("t.uint") or n == "t.uint8"}
    save_checkpoint(tmp_path / "a.pdparams", known | shapes)
    assert_same_bits(load_checkpoint(tmp_path / "a.pdparams").tensors, known | shapes)
    with pytest.raises(DtypeError, match="uint16, which Paddle"):
        save_checkpoint(tmp_path / "b.pdparams", every_dtype)
    assert not (tmp_path / "b.pdparams").exists()


def test_a_cell_without_biases_gets_those_of_paddle(tmp_path: Path) -> None:
    bare = Weights.random(Spec(3, 5, bias=False)).to_dialect("torch", prefix="cell.")
    converted = convert(bare, "torch", "paddle")
    assert [loss.kind for loss in converted.lost] == ["zeros"]
    assert converted.tensors["cell.bias_hh"].tolist() == [0] * 20


class Call:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


def sliced(shape: Any, slices: Any, **more: Any) -> bytes:
    content = {"w@@.0": np.ones(3), "w@@.1": np.ones(1), **more}
    entry = {"OriginShape": shape, "slices": slices}
    return pickle.dumps({**content, "UnpackBigParamInfor@@": {"w": entry}}, 2)


BOTH = ["w@@.0", "w@@.1"]
HOSTILE: dict[str, tuple[bytes, str]] = {
    "a function": (pickle.dumps({"w": Call(print, "x")}), "builtins.print"),
    "paddle's own eval": (
        pickle.dumps({"w": Call(eval, "data", {"data": np.ones(2)})}),
        "builtins.eval",
    ),
    "a module": (pickle.dumps({"w": contextlib.suppress}), "contextlib.suppress"),
    "another shape": (sliced((5,), BOTH), "do not make its shape"),
    "a shape without end": (sliced((2**40, 2**40), BOTH), "address"),
    "a negative shape": (sliced((-4,), BOTH), "impossible shape"),
    "no shape": (sliced([4], BOTH), "damaged at `w`"),
    "no slices": (sliced((4,), []), "damaged at `w`"),
    "a slice that is not there": (sliced((4,), ["w@@.0", "v"]), "`v` is not there"),
    "a slice twice": (sliced((6,), ["w@@.0", "w@@.0"]), "a slice twice"),
    "slices of two types": (
        sliced((4,), BOTH, **{"w@@.1": np.ones(1, ">f8").astype("i8")}),
        "do not make",
    ),
    "a whole one beside its slices": (sliced((4,), BOTH, w=np.ones(4)), "damaged at `w`"),
    "a table that is none": (
        pickle.dumps({"a": np.ones(1), "UnpackBigParamInfor@@": [1]}),
        "table of slices is a list",
    ),
    "one name twice": (
        b"\x80\x02}(X\x01\0\0\0aK\1X\x01\0\0\0aK\2u.",
        "`a` twice",
    ),
    "something behind it": (pickle.dumps({"a": np.ones(1)}) + b"x", "followed by something else"),
    "nested without end": (b"\x80\x02}q\0X\x01\0\0\0ah\0s.", "nested deeper"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_within_its_budget(
    name: str, write: Write, peak_below: PeakBelow
) -> None:
    content, says = HOSTILE[name]
    path = write(content, "a.pdparams")
    with peak_below(FLOOR), pytest.raises(CheckpointError, match=says):
        load_checkpoint(path)


def test_a_file_is_cut_off_wherever_it_ends(write: Write) -> None:
    content = pickle.dumps(as_paddle_saves({"w": np.ones(2)}), 2)
    for end in range(1, len(content)):
        with pytest.raises(CheckpointError):
            load_checkpoint(write(content[:end], "a.pdparams"))


def test_other_files_of_paddle_are_refused_by_name(write: Write) -> None:
    content = pickle.dumps({"w_moment1_0": np.ones(2)})
    with pytest.raises(CheckpointError, match="optimizer's state"):
        load_checkpoint(write(content, "a.pdopt"))
    with pytest.raises(CheckpointError, match=r"give the \.pdiparams"):
        load_checkpoint(write(bytes(40), "a.pdmodel"))


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_garbled_file_loads_or_is_refused(data: st.DataObject, write: Write) -> None:
    content = bytearray(sliced((4,), BOTH, cell=Tensor(np.ones(2))))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        if data.draw(st.booleans()):
            content[place] = data.draw(st.integers(0, 255))
        else:
            del content[place : place + data.draw(st.integers(1, 9))]
    with contextlib.suppress(CheckpointError):  # any other exception is a failure
        load_checkpoint(write(bytes(content) or b"x", "a.pdparams"))

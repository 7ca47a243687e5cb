"""Paddle's programs for inference: arrays in a row, named by the program beside them."""

from __future__ import annotations

import contextlib
import json
import struct
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onecell import Spec, Weights
from onecell.checkpoint import find_cells, load_checkpoint
from onecell.checkpoint.formats.protobuf import (
    encode_bytes_head,
    encode_text_field,
    encode_varint_field,
)
from onecell.checkpoint.limits import FLOOR
from onecell.dtypes import BFLOAT16
from onecell.errors import CheckpointError, UnsafeCheckpointError

Tensors = dict[str, np.ndarray]
PeakBelow = Callable[[int], AbstractContextManager[None]]
KINDS = {"bool": 0, "int64": 3, "float32": 5, "float64": 6, "int8": 21, "bfloat16": 22}
CELL = Weights.random(Spec(3, 5), rng=3)


def tensor(array: np.ndarray, *, dims: Iterable[int] | None = None, kind: int = -1) -> bytes:
    """Return an array as Paddle puts it into a file."""
    name = "bfloat16" if array.dtype == BFLOAT16 else array.dtype.name
    about = encode_varint_field(1, KINDS[name] if kind < 0 else kind)
    for size in array.shape if dims is None else dims:
        about += encode_varint_field(2, size)
    return struct.pack("<IQIi", 0, 0, 0, len(about)) + about + array.tobytes()


def arrays() -> Tensors:
    """Return Paddle's names → arrays, in no order."""
    spelled = dict(zip(("w_0", "w_1", "b_0", "b_1"), CELL.arrays().values(), strict=True))
    return {
        "linear_0.w_0": np.ones((5, 2), np.float32),
        **{f"lstm_cell_0.{name}": array for name, array in spelled.items()},
        "batch_norm_0.w_1": np.arange(3),
        "a": np.ones(2, np.uint16).view(BFLOAT16),
    }


def in_order(tensors: Tensors) -> bytes:
    return b"".join(tensor(tensors[name]) for name in sorted(tensors))


def as_json(names: Iterable[str]) -> bytes:
    """Return a program of Paddle 3's, with a state that no file has."""
    state: list[Any] = [{"#": "p", "A": [0, 1, 1, "lstm_0.state"], "OA": [0, 1, 0]}]
    kept = [{"#": "p", "A": [0, 1, 1, name], "OA": [1, 0, 1]} for name in names]
    rest = [{"#": "1.matmul", "A": [], "OA": []}]
    blocks = [{"#": "block_0", "ops": [*state, *kept, *rest]}]
    return json.dumps({"program": {"regions": [{"#": "region_0", "blocks": blocks}]}}).encode()


def message(number: int, content: bytes) -> bytes:
    return encode_bytes_head(number, len(content)) + content


def as_protobuf(names: Iterable[str]) -> bytes:
    """Return a program of before Paddle 3, with what it is fed with and what is not kept."""

    def variable(name: str, kind: int, kept: int) -> bytes:
        types = message(2, encode_varint_field(1, kind))
        return message(3, encode_text_field(1, name) + types + encode_varint_field(3, kept))

    variables = [variable("feed", 9, 1), variable("x", 7, 0), variable("fetch", 10, 1)]
    variables += [variable(name, 7, 1) for name in names]
    return message(1, encode_varint_field(1, 0) + b"".join(variables)) + encode_varint_field(4, 0)


def place(folder: Path, content: bytes, program: bytes | None, suffix: str = ".json") -> Path:
    (folder / "net.pdiparams").write_bytes(content)
    if program is not None:
        (folder / f"net{suffix}").write_bytes(program)
    return folder / "net.pdiparams"


@pytest.mark.parametrize(
    ("suffix", "spell"), [(".json", as_json), (".pdmodel", as_protobuf)], ids=["json", "pdmodel"]
)
def test_arrays_get_the_names_of_the_program(
    suffix: str, spell: Callable[[Iterable[str]], bytes], tmp_path: Path
) -> None:
    read = load_checkpoint(place(tmp_path, in_order(arrays()), spell(arrays()), suffix))
    assert (read.format, read.dialect) == ("pdiparams", "paddle")
    (site,) = find_cells(read.tensors, "paddle")
    assert site.name == "lstm_cell_0"
    assert site.weights(read.tensors, "paddle").same_bits(CELL)
    for name in ("linear_0.w_0", "batch_norm_0.w_1", "a"):
        assert read.tensors[name].dtype == arrays()[name].dtype
        assert read.tensors[name].tobytes() == arrays()[name].tobytes()
    assert len(read.tensors) == len(arrays())


ONE = {"w": np.ones(2, np.float32)}
WHOLE = tensor(ONE["w"])
HOSTILE: dict[str, tuple[bytes, bytes | None, str]] = {
    "no program": (WHOLE, None, "no program lies beside it"),
    "a program of something else": (WHOLE, b"{}", "none of Paddle's"),
    "no JSON": (WHOLE, b"\xff", "no JSON"),
    "a deep program": (WHOLE, b"[" * 9999, "nested deeper"),
    "a name too many": (WHOLE, as_json(["v", "w"]), "`w`, which is not there"),
    "a name too few": (WHOLE * 2, as_json(["w"]), "more are there"),
    "one name twice": (WHOLE * 2, as_json(["w", "w"]), "`w` twice"),
    "a huge array": (tensor(ONE["w"], dims=[2**40]), as_json(["w"]), "cut off"),
    "an impossible array": (tensor(ONE["w"], dims=[2**62, 9]), as_json(["w"]), "address"),
    "another size": (tensor(ONE["w"], dims=[1]), as_json(["w"]), "more are there"),
    "an unknown type": (tensor(ONE["w"], kind=7), as_json(["w"]), "not known here, 7"),
    "levels": (struct.pack("<IQ", 0, 1) + bytes(90), as_json(["w"]), "several levels"),
    "another version": (struct.pack("<I", 7) + WHOLE[4:], as_json(["w"]), "no description"),
    "a long description": (
        struct.pack("<IQIi", 0, 0, 0, -1) + bytes(90),
        as_json(["w"]),
        "no description",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_within_its_budget(
    name: str, tmp_path: Path, peak_below: PeakBelow
) -> None:
    content, program, says = HOSTILE[name]
    path = place(tmp_path, content, program)
    with peak_below(FLOOR), pytest.raises(CheckpointError, match=says):
        load_checkpoint(path)


def test_a_program_elsewhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "net.json").write_bytes(as_json(["w"]))
    path = place(tmp_path / "out", WHOLE, None)
    (tmp_path / "out" / "net.json").symlink_to(tmp_path / "net.json")
    with pytest.raises(UnsafeCheckpointError, match="leads out of the folder"):
        load_checkpoint(path)


def test_a_large_program_is_paid_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onecell.checkpoint.limits.FLOOR", 2**16)
    path = place(tmp_path, WHOLE, as_json(["w", *["v" * 1000] * 100]))
    with pytest.raises(UnsafeCheckpointError, match="may unfold"):
        load_checkpoint(path)


@settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), suffix=st.sampled_from(["", ".json", ".pdmodel"]))
def test_a_garbled_file_loads_or_is_refused(
    data: st.DataObject, suffix: str, tmp_path: Path
) -> None:
    programs = {".json": as_json(ONE), ".pdmodel": as_protobuf(ONE)}
    garbled = bytearray(programs.get(suffix, WHOLE))
    for _ in range(data.draw(st.integers(1, 3))):
        garbled[data.draw(st.integers(0, len(garbled) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "net.json").unlink(missing_ok=True)
    program = bytes(garbled) if suffix else programs[".json"]
    path = place(tmp_path, WHOLE if suffix else bytes(garbled), program, suffix or ".json")
    with contextlib.suppress(CheckpointError):  # any other exception is a failure
        load_checkpoint(path)

"""Bare pickles of arrays, and the names that people give to the arrays of a tree of JAX's."""

from __future__ import annotations

import contextlib
import pickle
import sys
import types
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onecell import Spec, Weights
from onecell.checkpoint import find_cells, load_checkpoint, save_checkpoint
from onecell.checkpoint.limits import FLOOR
from onecell.errors import CheckpointError, UnsafeCheckpointError

Write = Callable[[bytes, str], Path]
PeakBelow = Callable[[int], AbstractContextManager[None]]
CELL = Weights.random(Spec(3, 5), rng=4)
ARRAYS = CELL.to_dialect("haiku", prefix="lstm.")
HAIKU = {
    "lstm/linear": {"w": ARRAYS["lstm.linear.w"], "b": ARRAYS["lstm.linear.b"]},
    "net/~/head": {"w": np.ones((5, 2), np.float32)},
}
"""Parameters as Haiku has them: a dictionary of modules, each one of arrays."""
WANT = {**ARRAYS, "net.~.head.w": HAIKU["net/~/head"]["w"]}


class Reduced:
    """A thing that is pickled as a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


@pytest.fixture
def jax_names(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What JAX's and Haiku's pickles name, so that pickles that name it can be written."""
    made: dict[str, Any] = {}
    for path in ("jax._src.array._reconstruct_array", "haiku._src.data_structures.FlatMapping"):
        module, _, name = path.rpartition(".")
        parts = module.split(".")
        for count in range(1, len(parts) + 1):
            whole = ".".join(parts[:count])
            monkeypatch.setitem(sys.modules, whole, types.ModuleType(whole))

        def function(*_: Any) -> None:
            raise AssertionError("it was called")

        function.__module__, function.__qualname__ = module, name
        setattr(sys.modules[module], name, function)
        made[name] = function
    return made


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("suffix", ["pkl", "pickle", "pt", "params"])
def test_a_tree_of_arrays_is_read(
    protocol: int, suffix: str, write: Write, assert_same_bits: Any
) -> None:
    read = load_checkpoint(write(pickle.dumps(HAIKU, protocol), f"a.{suffix}"))
    assert (read.format, read.dialect) == ("pkl", "haiku")
    assert_same_bits(read.tensors, WANT)
    (site,) = find_cells(read.tensors, "haiku")
    assert site.weights(read.tensors, "haiku").same_bits(
        Weights.from_dialect(ARRAYS, "haiku", prefix="lstm.")
    )


@pytest.mark.parametrize("protocol", [2, 4])
def test_arrays_of_jax_in_a_mapping_of_haiku_are_read(
    protocol: int, jax_names: dict[str, Any], write: Write, assert_same_bits: Any
) -> None:
    def as_jax_has_it(array: np.ndarray) -> Reduced:
        reduced: Any = array.__reduce__()
        function, arguments, state = reduced[:3]
        about = {"weak_type": False}
        return Reduced(jax_names["_reconstruct_array"], function, arguments, state, about)

    mapping = jax_names["FlatMapping"]
    tree = {
        module: Reduced(mapping, {name: as_jax_has_it(array) for name, array in arrays.items()})
        for module, arrays in HAIKU.items()
    }
    content = pickle.dumps({"params": tree, "step": 3}, protocol)
    read = load_checkpoint(write(content, "a.pkl"))
    assert_same_bits(read.tensors, {f"params.{name}": array for name, array in WANT.items()})
    assert read.metadata == {"step": "3"}


def test_lists_and_plain_values_are_read_as_in_other_pickles(write: Write) -> None:
    tree = [np.ones(2), OrderedDict(a=(np.zeros(3), "text")), 7, np.float32(0.5)]
    read = load_checkpoint(write(pickle.dumps(tree), "a.pkl"))
    assert list(read.tensors) == ["0", "1.a.0"]
    assert read.metadata == {"1.a.1": "text", "2": "7", "3": "0.5"}
    assert read.dialect is None


@pytest.mark.parametrize(
    "spell",
    [
        lambda module, name: f"{module}/{name}",
        lambda module, name: f"{module}.{name}",
        lambda module, name: f"['{module}']['{name}']",
        lambda module, name: f"['params']['{module}']['{name}']",
    ],
    ids=["slash", "dot", "path", "inner path"],
)
def test_the_usual_names_in_an_npz_become_dotted(
    spell: Callable[[str, str], str], tmp_path: Path, assert_same_bits: Any
) -> None:
    flat: dict[str, Any] = {
        spell(m, n): array for m, arrays in HAIKU.items() for n, array in arrays.items()
    }
    np.savez(tmp_path / "a.npz", **flat)
    read = load_checkpoint(tmp_path / "a.npz")
    before = "params." if "params" in spell("a", "b") else ""
    assert_same_bits(read.tensors, {before + name: array for name, array in WANT.items()})
    assert read.dialect == "haiku"


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (("flax",), "flax"),
        (("flax-nnx",), "flax-nnx"),
        (("flax", "flax-nnx"), None),
        (("haiku", "flax"), None),
    ],
    ids=range(4),
)
@pytest.mark.parametrize("spell", ["a/b", "['a']['b']"])
def test_flax_with_slashes_is_told(
    cells: tuple[str, ...], told: str | None, spell: str, tmp_path: Path
) -> None:
    start, between, end = spell.replace("a", " ").replace("b", " ").split(" ")
    arrays: dict[str, Any] = {}
    for dialect in cells:
        arrays |= CELL.to_dialect(dialect, prefix=f"params.{dialect}_lstm.")
    flat: dict[str, Any] = {
        start + name.replace(".", between) + end: array for name, array in arrays.items()
    }
    np.savez(tmp_path / "a.npz", **flat)
    read = load_checkpoint(tmp_path / "a.npz")
    assert (read.dialect, read.tensors.keys()) == (told, arrays.keys())
    for dialect in cells:
        sites = {site.name: site for site in find_cells(read.tensors, dialect)}
        site = next(each for name, each in sites.items() if f"{dialect}_lstm" in name)
        found = site.weights(read.tensors, dialect)
        np.testing.assert_array_equal(found.weight_ih, CELL.weight_ih)


def test_other_names_stay_as_they_are(tmp_path: Path) -> None:
    names = ["a/b", "linear/w", "lstm/linear/wx", "ch/kernel", "['a']x", "/h", "lstm.linear.w"]
    save_checkpoint(tmp_path / "a.npz", {name: np.ones(2) for name in names})
    read = load_checkpoint(tmp_path / "a.npz")
    assert (list(read.tensors), read.dialect) == (names, None)


def test_two_names_that_become_one_are_refused(tmp_path: Path) -> None:
    flat: dict[str, Any] = {name: np.ones(2) for name in ("lstm/linear/w", "lstm/linear.w")}
    np.savez(tmp_path / "a.npz", **flat)
    with pytest.raises(CheckpointError, match=r"`lstm\.linear\.w` twice"):
        load_checkpoint(tmp_path / "a.npz")


ODD = np.array([None], object)
HOSTILE: dict[str, tuple[bytes, str]] = {
    "a function": (pickle.dumps([np.ones(1), Reduced(print, "x")]), "builtins.print"),
    "a class": (pickle.dumps({"a": contextlib.suppress}), "contextlib.suppress"),
    "tensors of torch": (pickle.dumps({"w": torch.ones(2)}), "torch.storage._load_from_bytes"),
    "no array": (pickle.dumps({"a": 1}), "nor one of arrays"),
    "something behind it": (pickle.dumps([np.ones(1)]) + b"x", "followed by something else"),
    "two pickles": (pickle.dumps([np.ones(1)]) * 2, "followed by something else"),
    "objects alone": (pickle.dumps({"a": ODD}), "nor one of arrays"),
    "another size": (
        pickle.dumps({"w": np.ones(2)}, 2).replace(b"K\x02\x85", b"K\x03\x85", 1),
        "24 bytes, and 16",
    ),
    "a storage of torch": (
        (
            b"\x80\x02}X\1\0\0\0actorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\n"
            b"FloatStorage\nX\1\0\0\0000X\3\0\0\0cpuK\1tQK\0(K\1t(K\1t\x89}tRs."
        ),
        "which is in no pickle",
    ),
    "nested without end": (b"\x80\x02]q\0h\0a.", "nested deeper|nor one of arrays"),
    "an odd array of JAX's": (
        b"\x80\x02cjax._src.array\n_reconstruct_array\n(cposix\nsystem\n)}}tR.",
        "posix.system",
    ),
    "an array of JAX's made of nothing": (
        b"\x80\x02cjax._src.array\n_reconstruct_array\n(cnumpy\ndtype\n)}}tR.",
        "damaged",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pickle_is_refused_within_its_budget(
    name: str, write: Write, peak_below: PeakBelow
) -> None:
    content, says = HOSTILE[name]
    path = write(content, "a.pkl")
    with peak_below(FLOOR), pytest.raises(CheckpointError, match=says):
        load_checkpoint(path)


def test_many_long_names_take_no_longer_than_their_file(write: Write) -> None:
    name = "lstm" * 1000
    names = {f"{name}{i}/linear/v": np.zeros(1, np.int8) for i in range(500)}
    assert load_checkpoint(write(pickle.dumps(names), "a.pkl")).dialect is None


def test_one_array_in_many_places_is_paid_for_each_time(write: Write) -> None:
    array = np.zeros(2**17)
    content = pickle.dumps([array] * 200)
    with pytest.raises(UnsafeCheckpointError, match="may unfold"):
        load_checkpoint(write(content, "a.pkl"))


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), protocol=st.sampled_from([2, 5]))
def test_a_garbled_pickle_loads_or_is_refused(
    data: st.DataObject, protocol: int, write: Write
) -> None:
    content = bytearray(pickle.dumps(HAIKU, protocol))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        if data.draw(st.booleans()):
            content[place] = data.draw(st.integers(0, 255))
        else:
            del content[place : place + data.draw(st.integers(1, 9))]
    with contextlib.suppress(CheckpointError):  # any other exception is a failure
        load_checkpoint(write(bytes(content) or b"x", "a.pkl"))

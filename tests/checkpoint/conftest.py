"""Tensors of every type, and MindSpore, imported once where a test asks for it."""

from __future__ import annotations

import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onecell.checkpoint.content import DTYPES
from onecell.dtypes import BFLOAT16
from onecell.spec import Spec
from onecell.weights import Weights

Tensors = dict[str, np.ndarray]


@pytest.fixture(scope="session")
def mindspore() -> Any:
    """The framework; its import warns of what its own dependencies deprecated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mindspore as framework
    return framework


@pytest.fixture(scope="session")
def every_dtype() -> Tensors:
    """One (2, 3) tensor of each type that a checkpoint can hold, out of random bits."""
    rng = np.random.default_rng(5)
    tensors = {}
    for name, dtype in DTYPES.items():
        bits = rng.integers(0, 2 if name == "bool" else 256, 6 * dtype.itemsize, dtype=np.uint8)
        tensors[f"t.{name}"] = bits.view(dtype).reshape(2, 3)
    return tensors


@pytest.fixture(scope="session")
def shapes() -> Tensors:
    """Shapes at the edges: no dimensions, no elements, many dimensions, a large one."""
    return {
        "scalar": np.array(2.5, np.float32),
        "one": np.array([7], np.int64),
        "none": np.empty((0, 3), np.float32),
        "none.inside": np.empty((2, 0, 3), BFLOAT16),
        "deep": np.arange(24, dtype=np.int16).reshape(1, 2, 1, 3, 4, 1),
        "large": np.arange(700_001, dtype=np.float64),
    }


@pytest.fixture(scope="session")
def model() -> Tensors:
    """A small model: a cell (I=3, H=5) among other things."""
    cell = Weights.random(Spec(3, 5), rng=1)
    return {
        "embed.weight": np.arange(12, dtype=np.float32).reshape(4, 3),
        **cell.to_dialect("torch", prefix="decoder.cell."),
        "head.weight": np.linspace(-1, 1, 10, dtype=np.float32).reshape(2, 5),
        "steps": np.array(17, np.int64),
    }


@pytest.fixture(scope="session")
def assert_same_bits() -> Callable[[Tensors, Tensors], None]:
    """Compare names, types, shapes and bits."""

    def compare(got: Tensors, want: Tensors) -> None:
        assert got.keys() == want.keys()
        for name, array in want.items():
            assert got[name].dtype == array.dtype, name
            assert got[name].shape == array.shape, name
            assert got[name].tobytes() == array.tobytes(), name

    return compare


@pytest.fixture
def write(tmp_path: Path) -> Callable[[bytes, str], Path]:
    """Write bytes to a file called by the name that is given."""

    def write_file(content: bytes, name: str) -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write_file


@pytest.fixture
def peak_below() -> Callable[[int], AbstractContextManager[None]]:
    """What fails where more than so many bytes are held at once within it."""

    @contextmanager
    def watched(limit: int) -> Iterator[None]:
        tracemalloc.start()
        try:
            yield
            assert tracemalloc.get_traced_memory()[1] < limit
        finally:
            tracemalloc.stop()

    return watched

"""MindSpore in a process where warnings are errors, and fast enough for tests."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

with warnings.catch_warnings():
    # MindSpore's logger calls threading.Thread.getName(), its parsers what Python is to remove.
    warnings.simplefilter("ignore", DeprecationWarning)
    import mindspore as ms

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let MindSpore's own modules use what is deprecated; everybody else's warnings stay errors."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore::DeprecationWarning:mindspore"))


@pytest.fixture(scope="session", autouse=True)
def _framework() -> None:
    """Let MindSpore fail where it fails once in a process."""
    ones = ms.Tensor(np.ones((2, 3), np.float32))
    try:
        ones + 1
    except SystemError:
        # On NumPy 2, MindSpore 2.10 fails once in a process here, and not again.
        ones + 1
    assert ones[0].shape == (3,)


@pytest.fixture(autouse=True)
def _settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Start from the same numbers, and leave behind neither a mode nor files of failed compiles."""
    monkeypatch.chdir(tmp_path)
    np.random.seed(0)  # noqa: NPY002 - what MindSpore's initialisers draw from
    ms.set_seed(0)
    yield
    ms.set_context(mode=ms.PYNATIVE_MODE)

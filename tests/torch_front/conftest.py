"""Fixtures that say which way a call took."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from onecell.torch import calls, reading


class Kernel:
    """Counts the calls of the kernel, looks at the addresses, and may forbid it."""

    def __init__(self) -> None:
        self.calls = 0
        self.forbidden = False

    def counted(self, function: Callable[..., None], size: int) -> Callable[..., None]:
        def call(*arguments: int) -> None:
            assert not self.forbidden, "the kernel was given addresses of what is not plain memory"
            addresses = [a for a in arguments if a > 2**20]
            assert not any(a % size for a in addresses), "an address is not aligned"
            self.calls += 1
            function(*arguments)

        return call


class Reader:
    """The reader of tensors, with the kernel's calls behind it counted, or forbidden."""

    def __init__(self, reader: Any, kernel: Kernel) -> None:
        self._reader, self._kernel = reader, kernel
        self.totals = reader.totals

    def _seen(self, done: Any) -> Any:
        if done:
            assert not self._kernel.forbidden, "the kernel read what is not plain memory"
            self._kernel.calls += 1
        return done

    def step(self, *arguments: Any) -> Any:
        return self._seen(self._reader.step(*arguments))

    def call(self, *arguments: Any) -> Any:
        return self._seen(self._reader.call(*arguments))

    def back(self, *arguments: Any) -> Any:
        return self._seen(self._reader.back(*arguments))

    def run(self, *arguments: Any) -> Any:
        return self._seen(self._reader.run(*arguments))


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    """Watch every call of the kernel."""
    watched = Kernel()
    tables: tuple[dict[Any, Any], ...] = (calls.UNROLL, calls.BACKWARD)
    for table in tables:
        for dtype, function in dict(table).items():
            monkeypatch.setitem(table, dtype, watched.counted(function, dtype.itemsize))
    assert reading.step_reader is not None, "this torch should have the exchange interface"
    monkeypatch.setattr(reading, "step_reader", Reader(reading.step_reader, watched))
    return watched


@pytest.fixture
def no_kernel(kernel: Kernel) -> Kernel:
    """Fail wherever the kernel is called."""
    kernel.forbidden = True
    return kernel


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    """Leave torch's generator as it was, and start each test from the same numbers."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield

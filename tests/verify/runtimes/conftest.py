"""Which runtimes `make test` asks, and which only `make test-all` has."""

from __future__ import annotations

import pytest

from onecell.verify.runtimes.table import RUNTIMES

EVERY_DAY = ("keras", "flax", "onnx")
"""Of the engines that are installed for `make test`, one of each kind; the others are slow."""

NAMES = [
    pytest.param(name, marks=() if name in EVERY_DAY else pytest.mark.slow) for name in RUNTIMES
]

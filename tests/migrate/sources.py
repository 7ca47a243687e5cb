"""Source that uses the cell in the plainest way, and what the tests of files ask of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

USE = """\
import torch
from torch.nn import LSTMCell

cell = LSTMCell(3, 4)
state = (torch.zeros(2, 4), torch.zeros(2, 4))
h, c = cell(torch.ones(2, 3), state)
"""
"""Every rule that this needs is certain; the tests here are of what is around it."""

MOVED = "from onecell.mindspore import LSTMCell"
"""Stands in what becomes of `USE` for MindSpore."""


def write(path: Path, content: bytes | str) -> Path:
    """Write a file, bytes or text in UTF-8, and the folders that it needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def notebook(*cells: str | list[str], **more: Any) -> dict[str, Any]:
    """Return a notebook of format 4 with these code cells."""
    return {
        "cells": [
            {
                "cell_type": "code",
                "execution_count": None,
                "metadata": {},
                "outputs": [],
                "source": cell,
            }
            for cell in cells
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
        **more,
    }


def as_file(content: dict[str, Any], **form: Any) -> str:
    """Return a notebook as Jupyter writes it, unless `form` says otherwise."""
    return json.dumps(content, **{"indent": 1, "ensure_ascii": False, **form}) + "\n"


def sources(content: bytes) -> list[str]:
    """Return the text of each cell of a notebook."""
    return ["".join(cell["source"]) for cell in json.loads(content)["cells"]]


def snapshot(paths: Iterable[Path]) -> dict[Path, bytes]:
    """Return what is in some files."""
    return {path: path.read_bytes() for path in paths}

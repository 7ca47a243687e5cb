"""A copy of a model with other arrays in the place of its own, as a format makes it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from onecell.checkpoint.atomic import Content


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """What is to be written."""

    content: bytes | bytearray
    """Of the file itself."""
    beside: Mapping[Path, Content] = field(default_factory=dict)
    """Path → content of the data files that go with it, written before it."""
    reread: bool = True
    """Whether `content` can be read beside the data files of the old model, as a check."""


class InMemory(io.BytesIO):
    """The content of a file, called as it is."""

    def __init__(self, content: bytes | bytearray, name: str) -> None:
        super().__init__(content)
        self.name = name

"""Checkpoint files of every framework, read and written without any of them.

`load_checkpoint` and `save_checkpoint` touch files; `find_cells` and `convert` are pure.
"""

from __future__ import annotations

from onecell.checkpoint.cells import CellSite, Note, NoteKind, Survey, find_cells, survey
from onecell.checkpoint.content import Checkpoint
from onecell.checkpoint.conversion import Conversion, convert
from onecell.checkpoint.files import load_checkpoint, save_checkpoint

__all__ = [
    "CellSite",
    "Checkpoint",
    "Conversion",
    "Note",
    "NoteKind",
    "Survey",
    "convert",
    "find_cells",
    "load_checkpoint",
    "save_checkpoint",
    "survey",
]


def __dir__() -> list[str]:
    return list(__all__)

"""The formats of other frameworks than those with a front end: one row each.

A reader takes a file that is open and the budget; a writer takes one, the tensors, metadata and
the form of a graph. A format's own library is imported inside its reader or writer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final, Literal

import numpy as np

from onecell.checkpoint.content import Checkpoint
from onecell.checkpoint.formats import onnx_file, onnx_graph
from onecell.checkpoint.limits import Budget

Form = Literal["step", "sequence"]
Texts = Mapping[str, str]
Tensors = Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Format:
    """How files of one format are told, read and written."""

    name: str
    suffixes: tuple[str, ...]
    starts: tuple[bytes, ...]
    """What such a file begins with, one of these; `()` where its suffix alone tells."""
    read: Callable[[BinaryIO, Budget], Checkpoint]
    write: Callable[[BinaryIO, Tensors, Texts, Form | None], None]
    title: str
    """What a person calls it."""
    cells_alone: bool = False
    """Whether it is written with LSTM cells and nothing else."""
    metadata: bool = True
    """Whether it has a place for text beside the tensors."""

    def tells(self, start: bytes, suffix: str) -> bool:
        """Whether a file that begins so and is called so is of this format."""
        return suffix in self.suffixes and start.startswith(self.starts or (b"",))


FORMATS: Final[Mapping[str, Format]] = {
    row.name: row
    for row in (
        Format(
            "onnx",
            (".onnx",),
            (onnx_file.START,),
            onnx_file.read,
            onnx_graph.write_tensors,
            "ONNX (.onnx)",
            cells_alone=True,
        ),
    )
}

"""A file to compare: its cells by name, and what tells it from others."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from onecell.checkpoint import Checkpoint, Note, find_cells, survey
from onecell.checkpoint.cells import CellSite
from onecell.checkpoint.files import read_from
from onecell.dialect import TORCH, Dialect, with_forget_bias
from onecell.errors import CheckpointError, WhichCellError
from onecell.spec import WEIGHTS
from onecell.verify.comparing.claim import Claim, quoted
from onecell.verify.comparing.comparison import FileFacts, Label
from onecell.verify.plan import check_offsets, read_checkpoint, say_no_cell, source_dialect

_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class CellsOfFile:
    """A checkpoint file, read once, with every cell in it."""

    path: Path
    dialect: str
    tensors: Mapping[str, np.ndarray]
    sites: Mapping[str, CellSite]
    notes: tuple[str, ...]
    """How it was read."""
    known: tuple[Note, ...]
    """What is to be known of what is in it."""
    facts: FileFacts
    row: Dialect
    """Of `dialect`, with the forget bias that its cell adds."""
    told: bool = False
    """Whether the caller said what `dialect` is."""

    def claim(self, label: Label, cell: str | None, *, perhaps: bool = False) -> Claim:
        """Return one cell of it; arguments and errors as `read_claim`."""
        names = list(self.sites)
        if perhaps and len(names) == 1:
            cell = None
        name = _choose(label, str(self.path), names, cell)
        site = self.sites[name]
        weights = site.weights(self.tensors, self.row)
        known = [note for note in self.known if note.name in {name, site.owner}]
        return Claim(
            label,
            str(self.path),
            "file",
            name,
            tuple(names),
            self.dialect,
            weights,
            {},
            None,
            file=self.facts,
            row=self.row,
            told=self.told,
            pieces=site.pieces(self.tensors, self.dialect),
            notes=(*self.notes, *map(str, known)),
            looks=tuple(note for note in known if note.kind),
        )


def read_cells(
    path: Path,
    source: str | None = None,
    *,
    forget_bias: float | None = None,
    perhaps: bool = False,
) -> CellsOfFile:
    """Read a checkpoint file.

    Args:
        path: the file.
        source: the framework that wrote it, where the file does not tell; None for torch then.
        perhaps: whether `source` counts for nothing where the file tells its own.
        forget_bias: what a cell that adds one when it runs adds, see `dialect.with_forget_bias`.

    Raises:
        CheckpointError: it cannot be read, or holds no cell.
        ArgumentError: the file tells another framework, or of a cell that it adds nothing.
    """
    checkpoint = read_checkpoint(path)
    check_offsets(checkpoint, forget_bias, path)
    if perhaps and checkpoint.dialect is not None:
        source = None
    if source is not None:
        source = source_dialect(checkpoint, source, path)
    dialect = source or checkpoint.dialect or TORCH.name
    notes = []
    if source is None and checkpoint.dialect is None:
        notes.append("the file does not tell its framework; its names are read as torch's")
    tensors, said = _sites(checkpoint, dialect)
    notes += said
    found = survey(tensors, dialect)
    if not found.cells:
        raise CheckpointError(f"{path}: {say_no_cell(checkpoint, found.notes)}")
    return CellsOfFile(
        path,
        dialect,
        tensors,
        {site.name: site for site in found.cells},
        tuple(notes),
        tuple(found.notes),
        file_facts(path, path, dialect, checkpoint.format),
        with_forget_bias(dialect, forget_bias),
        source is not None,
    )


def _sites(checkpoint: Checkpoint, dialect: str) -> tuple[Mapping[str, np.ndarray], list[str]]:
    """Return the tensors, with matrices of the shape (K, 4H) taken in the order they lie in."""
    tensors = checkpoint.tensors
    if find_cells(tensors, dialect):
        return tensors, []
    reshaped = {
        name: array.reshape(array.shape[::-1])
        if name.rpartition(".")[2].startswith(WEIGHTS) and array.ndim == 2
        else array
        for name, array in tensors.items()
    }
    if find_cells(reshaped, dialect):
        return reshaped, ["its matrices have the shapes (I, 4H) and (H, 4H)"]
    return tensors, []


def _choose(label: Label, given: str, names: list[str], cell: str | None) -> str:
    if cell is None and len(names) == 1:
        return names[0]
    if cell is None:
        raise WhichCellError(
            f"`{label}` ({given}) holds {len(names)} cells: {quoted(names)}; say which (--cell)."
        )
    if cell not in names:
        raise WhichCellError(f"`{label}` ({given}) has no cell {cell!r}; it has {quoted(names)}.")
    return cell


def file_facts(path: Path, name: Path, dialect: str, kind: str) -> FileFacts:
    """Return the size and digest of the file at `path`, to be reported under `name`.

    Of a checkpoint in several files they are those of all, one after the other.
    """
    digest, size = hashlib.sha256(), 0
    for file in read_from(path):
        for chunk in chunks(file):
            digest.update(chunk)
            size += len(chunk)
    return FileFacts(name, dialect, kind, size, digest.hexdigest())


def chunks(path: Path) -> Iterator[bytes]:
    """Yield the content of a file in pieces."""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk

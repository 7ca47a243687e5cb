"""Cells in files: safetensors with one cell each, live or frozen; guides/saving.md: the schema."""

from __future__ import annotations

import mmap
import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np

from onecell.checkpoint.content import CELL
from onecell.checkpoint.files import load_checkpoint, save_checkpoint
from onecell.checkpoint.formats.safetensors import Contents, read_header
from onecell.checkpoint.limits import Budget, read_array
from onecell.errors import ArgumentError, CheckpointError, DtypeError, OnecellError
from onecell.packed import WEIGHT_DTYPES, Array, Pieces, WeightDtype, are_aligned, has_bias, layout
from onecell.spec import PARAMETERS, Spec
from onecell.text import listed, short
from onecell.weights import Weights

VERSION: Final = "1"
"""Of the schema; a reader refuses any other."""

_SUFFIX: Final = ".safetensors"
_SIZES: Final = ("input_size", "hidden_size")
_LOADERS: Final = {"live": "onecell.LSTMCell.load", "frozen": "onecell.FrozenCell.load"}


@dataclass(frozen=True, slots=True)
class Frozen:
    """What a file has of a frozen cell."""

    spec: Spec
    weight_dtype: WeightDtype
    pieces: dict[str, Array]
    mapped: bool
    """Whether the pieces lie in the file itself, as every process that maps it sees them."""


def save_live(path: str | os.PathLike[str], weights: Weights, *, force: bool) -> None:
    """Write the parameters of a live cell."""
    _save(path, "live", weights.spec, weights.arrays(), {}, force)


def save_frozen(
    path: str | os.PathLike[str],
    spec: Spec,
    weight_dtype: WeightDtype,
    pieces: Pieces,
    *,
    force: bool,
) -> None:
    """Write the pieces of a frozen cell, as they lie in memory."""
    _save(path, "frozen", spec, pieces, {"onecell.weight_dtype": weight_dtype}, force)


def _save(
    path: str | os.PathLike[str],
    kind: str,
    spec: Spec,
    tensors: Pieces,
    more: Mapping[str, str],
    force: bool,
) -> None:
    if Path(path).suffix != _SUFFIX:
        raise ArgumentError(f"`path` must end in {_SUFFIX}, got {Path(path).name!r}.")
    told = {f"onecell.{name}": str(getattr(spec, name)) for name in _SIZES}
    metadata = {CELL: kind, "onecell.version": VERSION, **told, **more}
    # Names and layout of a live cell are torch's, and a converter has to be told so by the file.
    dialect = "torch" if kind == "live" else None
    save_checkpoint(path, tensors, dialect=dialect, metadata=metadata, force=force)


def load_live(path: str | os.PathLike[str]) -> Weights:
    """Read what `save_live` wrote, or any checkpoint of exactly the parameters of one cell.

    Raises:
        CheckpointError: it is damaged, or holds no such cell.
        OSError: it cannot be opened.
    """
    checkpoint = load_checkpoint(path)
    try:
        _check_kind(checkpoint.metadata, "live", marked=False)
        found = checkpoint.tensors
        if not found.keys() <= set(PARAMETERS):
            raise CheckpointError(
                f"it must hold {', '.join(PARAMETERS)} and nothing else, got {listed(found)}. "
                "To take a cell out of a model, use onecell.checkpoint and Weights.from_dialect."
            )
        try:
            weights = Weights(**found)
        except TypeError as error:  # a matrix is missing; or of integers
            raise CheckpointError(f"it must hold a whole cell, got {listed(found)}.") from error
        sizes = {n: checkpoint.metadata.get(f"onecell.{n}") for n in _SIZES}
        for name, told in sizes.items():
            if told is not None and told != str(getattr(weights, name)):
                raise CheckpointError(
                    f"its metadata says {name} = {short(told, 20)}, and its tensors are of "
                    f"{getattr(weights, name)}."
                )
    except OnecellError as error:
        raise CheckpointError(f"{path}: {error}") from error
    return weights


def load_frozen(path: str | os.PathLike[str], *, mapped: bool) -> Frozen:
    """Read what `save_frozen` wrote; with `mapped` its pieces stay in the file, read-only.

    What stands in the pieces is not checked here.

    Raises:
        CheckpointError: it is damaged, or holds no frozen cell.
        OSError: it cannot be opened, or not be mapped.
    """
    path = Path(path)
    if not stat.S_ISREG(path.stat().st_mode):
        raise CheckpointError(f"{path}: it is a folder, a device or a pipe, not a file.")
    with path.open("rb") as file:
        try:
            return _read_frozen(file, mapped)
        except OnecellError as error:
            raise CheckpointError(f"{path}: {error}") from error


def _read_frozen(file: BinaryIO, mapped: bool) -> Frozen:
    size = os.fstat(file.fileno()).st_size
    contents = read_header(file, Budget(size))
    metadata = contents.metadata
    _check_kind(metadata, "frozen", marked=True)
    sizes = [_number(metadata, name) for name in _SIZES]
    spec = Spec(sizes[0], sizes[1], has_bias(contents.entries))
    weight_dtype = _weight_dtype(metadata.get("onecell.weight_dtype", ""))
    wanted = layout(spec, weight_dtype)
    found = {name: (contents.dtype(name), entry.shape) for name, entry in contents.entries.items()}
    if found != wanted:
        wrong = next((n for n in wanted if found.get(n) != wanted[n]), None)
        wrong = next(n for n in found if n not in wanted) if wrong is None else wrong
        raise CheckpointError(
            f"`{short(wrong)}` is not as a frozen cell of {spec.input_size}, {spec.hidden_size} "
            f"and {weight_dtype} has it."
        )
    if mapped:
        pieces = _map(file, contents, size)
        if are_aligned(pieces):
            return Frozen(spec, weight_dtype, pieces, True)
    return Frozen(spec, weight_dtype, _read(file, contents), False)


def _map(file: BinaryIO, contents: Contents, size: int) -> dict[str, Array]:
    """Return read-only arrays over the file itself, which keep it mapped."""
    more: dict[str, Any] = {"trackfd": False} if sys.version_info >= (3, 13) else {}
    view = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ, **more)
    if os.fstat(file.fileno()).st_size != size:
        raise CheckpointError("it changed its size while it was opened.")
    pieces = {}
    for name, entry in contents.entries.items():
        start, nbytes = contents.start + entry.start, entry.end - entry.start
        flat = np.frombuffer(view, np.uint8, nbytes, start)
        pieces[name] = flat.view(contents.dtype(name)).reshape(entry.shape)
    return pieces


def _read(file: BinaryIO, contents: Contents) -> dict[str, Array]:
    """Read the pieces into memory."""
    pieces = {}
    for name, entry in contents.entries.items():
        file.seek(contents.start + entry.start)
        pieces[name] = read_array(file, entry.shape, contents.dtype(name), name)
    return pieces


def _check_kind(metadata: Mapping[str, str], kind: str, *, marked: bool) -> None:
    """Raise unless the file says that it holds a cell of `kind`, or says nothing and need not."""
    found = metadata.get(CELL)
    if found is None:
        if marked:
            raise CheckpointError(f"it is no {kind} cell that onecell saved.")
        return
    version = metadata.get("onecell.version", "")
    if version != VERSION:
        raise CheckpointError(
            f"its schema has version {short(version, 20)!r}, and {VERSION} is known here. "
            "A newer onecell may read it."
        )
    if found != kind:
        hint = f" Use {_LOADERS[found]}." if found in _LOADERS else ""
        raise CheckpointError(f"it holds a {short(found, 20)} cell, not a {kind} one.{hint}")


def _number(metadata: Mapping[str, str], name: str) -> int:
    text = metadata.get(f"onecell.{name}", "")
    if text.isascii() and text.isdigit() and len(text) < 16:
        return int(text)
    raise CheckpointError(f"its metadata must say {name}, got {short(text, 20)!r}.")


def _weight_dtype(text: str) -> WeightDtype:
    for name in WEIGHT_DTYPES:
        if text == name:
            return name
    names = ", ".join(WEIGHT_DTYPES)
    raise DtypeError(f"its weight_dtype must be one of {names}, got {short(text, 20)!r}.")

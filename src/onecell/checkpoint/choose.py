"""The part of a checkpoint that is wanted: patterns over the names of tensors and cells."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from onecell.checkpoint.called import own_name
from onecell.checkpoint.cells import find_cells
from onecell.checkpoint.content import Checkpoint
from onecell.dialect import Dialect
from onecell.errors import ArgumentError
from onecell.text import listed, short

_END: Final = re.compile(r"\\[Zz]$")


def choose(
    checkpoint: Checkpoint,
    dialect: str | Dialect,
    *,
    only: Sequence[str] = (),
    drop: Sequence[str] = (),
) -> tuple[Checkpoint, list[str]]:
    """Return what is chosen of `checkpoint`, and the names of what is not.

    A pattern is a glob (`*`, `?`, `[a-z]`), and `*` matches dots too. It chooses a tensor or a
    plain value whose name it matches, or the name of a module above it ("encoder" chooses
    `encoder.weight`); and all parts of a cell whose name it matches ("rnn[layer 0]"), or what its
    maker calls it.

    Args:
        checkpoint: what was read.
        dialect: whose names its cells have.
        only: take what one of these chooses; everything, where there are none.
        drop: of that, leave out what one of these chooses.

    Raises:
        ArgumentError: a pattern chooses nothing, or nothing is left.
    """
    if not only and not drop:
        return checkpoint, []
    names = [*checkpoint.tensors, *checkpoint.metadata]
    cells: dict[str, list[str]] = {}
    for site in find_cells(checkpoint.tensors, dialect):
        parts = site.parts(checkpoint.tensors, dialect)
        for name in {site.name, *filter(None, [own_name(site.owner, checkpoint.aliases)])}:
            cells.setdefault(name, []).extend(parts)
    taken = _match("--only", only, names, cells) if only else set(names)
    taken -= _match("--drop", drop, names, cells)
    if not taken & checkpoint.tensors.keys():
        raise ArgumentError("--only and --drop leave no tensor to be taken.")
    part = replace(
        checkpoint,
        tensors={name: array for name, array in checkpoint.tensors.items() if name in taken},
        metadata={name: text for name, text in checkpoint.metadata.items() if name in taken},
    )
    return part, [name for name in names if name not in taken]


def _match(
    option: str, patterns: Iterable[str], names: Sequence[str], cells: Mapping[str, list[str]]
) -> set[str]:
    """Return the names that any of `patterns` chooses; each must choose one."""
    every: set[str] = set()
    for pattern in patterns:
        glob = _END.sub("", fnmatch.translate(pattern))
        above = re.compile(rf"{glob}(?:\..*)?", re.DOTALL)
        found = {name for name in names if above.fullmatch(name)}
        for cell, parts in cells.items():
            if cell == pattern or above.fullmatch(cell):
                found.update(parts)
        if not found:
            raise ArgumentError(
                f"{option} {short(pattern)!r} chooses nothing of {listed(cells or names)}."
            )
        every |= found
    return every


def rename(
    checkpoint: Checkpoint, *, strip_prefix: str = "", names: Sequence[str] = ()
) -> Checkpoint:
    """Return `checkpoint` with other names: whole parts of them, from the first one on.

    Args:
        checkpoint: what was read.
        strip_prefix: what is taken off every name that begins with it, "model" or "model.".
        names: "old=new": what is called `old`, and all below it, is called `new`.

    Raises:
        ArgumentError: a name is no "old=new", nothing is called so, or two would be called alike.
    """
    pairs = [(strip_prefix.removesuffix("."), "")] if strip_prefix else []
    for each in names:
        old, equals, new = each.partition("=")
        if not (old and equals):
            raise ArgumentError(f"--rename must be old=new, got {short(each)!r}.")
        pairs.append((old.removesuffix("."), new.removesuffix(".")))
    tensors = checkpoint.tensors
    for old, new in pairs:
        renamed = {_renamed(name, old, new): array for name, array in tensors.items()}
        if renamed.keys() == tensors.keys() and old != new:
            raise ArgumentError(f"nothing is called {short(old)!r}; there is {listed(tensors)}.")
        if len(renamed) < len(tensors) or "" in renamed:
            raise ArgumentError(f"two tensors would have one name without {short(old)!r}.")
        tensors = renamed
    return replace(checkpoint, tensors=tensors)


def _renamed(name: str, old: str, new: str) -> str:
    if name == old:
        return new
    if not name.startswith(f"{old}."):
        return name
    return f"{new}.{name[len(old) + 1 :]}" if new else name[len(old) + 1 :]

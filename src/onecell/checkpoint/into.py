"""The cells of one checkpoint put into a copy of a model that exists.

Which cell goes where is decided by names, and everything is checked before anything is written:
sizes, biases, element types. What a format has to do is its `put`, see `formats.table`: it returns
the file with other arrays in the place of its own, everything else as it was.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from onecell.checkpoint.atomic import check_output, write_whole
from onecell.checkpoint.called import called, own_name
from onecell.checkpoint.cells import CellSite, Note, find_cells
from onecell.checkpoint.content import Checkpoint
from onecell.checkpoint.conversion import Loss, losses
from onecell.checkpoint.files import SUFFIXES
from onecell.checkpoint.formats.placed import InMemory
from onecell.checkpoint.formats.table import FORMATS
from onecell.checkpoint.limits import Budget, read_bytes
from onecell.dialect import Dialect, get_dialect
from onecell.dialect.arrays import from_canonical
from onecell.errors import ArgumentError, CheckpointError
from onecell.text import listed, short
from onecell.weights import Weights

Way = tuple[int, bool]
"""A layer and whether it is backward: what one cell is within its module."""


@dataclass(frozen=True, slots=True, eq=False)
class Insertion:
    """What a model that exists is to hold instead of its own numbers."""

    tensors: dict[str, np.ndarray]
    """By the model's names, of its shapes and element types."""
    cells: list[tuple[CellSite, CellSite]]
    """Whose weights go where."""
    lost: list[Loss] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def insert(
    tensors: Mapping[str, np.ndarray],
    source: str | Dialect,
    model: Checkpoint,
    places: Mapping[str, str] | None = None,
) -> Insertion:
    """Return what `model` is to hold for the cells among `tensors`; nothing is written to.

    A cell goes to where the model has its name, or that of the module that it belongs to. Where
    there is one module on either side, names do not matter.

    Args:
        tensors: name → array.
        source: their dialect.
        model: what was read of the model.
        places: name of a cell among `tensors` → of one in the model, where that is known.

    Raises:
        ArgumentError: a cell has no place there, or does not fit the one that it has.
    """
    row, goal = get_dialect(source), get_dialect(model.dialect or "")
    given, there = find_cells(tensors, row), find_cells(model.tensors, goal)
    if not given:
        raise ArgumentError("there is no LSTM cell to be put into the model.")
    if not there:
        raise ArgumentError(f"the model has no LSTM cell, only {listed(model.tensors)}.")
    pairs, notes = _pair(given, there, model.aliases, places or {})
    found = Insertion({}, pairs, notes=notes)
    for site, place in pairs:
        weights = site.weights(tensors, row)
        found.lost.extend(losses(site.name, weights, row, goal))
        _put(found.tensors, site, weights, place, model, goal)
    for _, place in pairs:
        state = [n for n in model.tensors if n.startswith(place.prefix) and _begins(n)]
        if np.any([np.any(model.tensors[name]) for name in state]):
            text = f"the state that the model begins with stays, {listed(state)}"
            found.notes.append(Note(place.name, text))
    return found


def _begins(name: str) -> bool:
    return name.rpartition(".")[2].startswith("initial_")


def _put(
    new: dict[str, np.ndarray],
    site: CellSite,
    weights: Weights,
    place: CellSite,
    model: Checkpoint,
    goal: Dialect,
) -> None:
    """Put the arrays of one cell among `new`, or raise `ArgumentError` if they do not fit."""
    names = {p: n for p, n in place.names(goal).items() if n in model.tensors}
    old = place.weights(model.tensors, goal)
    ours, theirs = short(site.name), short(place.name)
    i, h, wide, units = weights.input_size, weights.hidden_size, old.input_size, old.hidden_size
    if (i, h) != (wide, units):
        raise ArgumentError(
            f"`{ours}` has I = {i} and H = {h}, and `{theirs}` of the model I = {wide} and "
            f"H = {units}."
        )
    if not old.bias and any(np.any(a) for a in (weights.bias_ih, weights.bias_hh) if a is not None):
        raise ArgumentError(f"`{ours}` has a bias, and `{theirs}` of the model no place for one.")
    kind, here = old.dtype_name, weights.dtype_name
    stored = weights.astype(kind)
    if not stored.astype(here).same_bits(weights):
        raise ArgumentError(
            f"`{ours}` holds {here}, which would be rounded to the {kind} of `{theirs}` in the "
            f"model."
        )
    arrays = stored.arrays()
    if old.bias and not stored.bias:
        zeros = np.zeros(4 * stored.hidden_size, stored.weight_ih.dtype)
        arrays |= {"bias_ih": zeros, "bias_hh": zeros}
    pieces = from_canonical(arrays, goal.layout)
    for piece, name in names.items():
        now = model.tensors[name]
        array = pieces[piece]
        if goal.layout.directions and array.ndim == now.ndim:
            whole = new.get(name, now).copy()
            whole[int(place.reverse)] = array[0]
            array = whole
        elif goal.layout.directions:
            array = array[0]
        if array.shape != now.shape:
            raise ArgumentError(f"`{short(name)}` of the model has the odd shape {now.shape}.")
        new[name] = array


def _pair(
    given: Sequence[CellSite],
    there: Sequence[CellSite],
    aliases: Mapping[str, str],
    places: Mapping[str, str],
) -> tuple[list[tuple[CellSite, CellSite]], list[Note]]:
    """Return which cell goes where, and what is to be said of it."""
    known = {site.name: site for site in there}
    pairs: list[tuple[CellSite, CellSite]] = []
    notes: list[Note] = []
    theirs = _modules(there)
    for site in given:
        # A backward direction goes with its forward one, unless it is named itself.
        said = places.get(site.name, places.get(replace(site, reverse=False).name))
        if said is not None:
            pairs.append((site, _named(said, site, known, theirs, aliases)))
    placed = {site for site, _ in pairs}
    ours = _modules([site for site in given if site not in placed])
    alone = len(ours) == len(theirs) == 1 and not pairs
    for owner, cells in ours.items():
        fits = [name for name in theirs if owner in called(name, aliases)]
        if not fits and alone:
            fits = list(theirs)
            notes.append(Note(owner, f"goes to {fits[0]}, the only one of the model"))
        if len(fits) != 1:
            first, has = next(iter(cells.values())).name, _spelled(there, aliases)
            raise ArgumentError(
                f"no cell of the model is called `{short(owner)}`; it has {has}. Say which is "
                f"which: --rename '{first}={there[0].name}'."
            )
        target = theirs[fits[0]]
        if len(cells) == len(target) == 1:
            pairs.append((next(iter(cells.values())), next(iter(target.values()))))
            continue
        for way, site in cells.items():
            if way not in target:
                has = listed(each.name for each in target.values())
                raise ArgumentError(
                    f"`{short(site.name)}` has no place in the model, which has {has}."
                )
            pairs.append((site, target[way]))
    taken: dict[CellSite, CellSite] = {}
    for site, place in pairs:
        if (other := taken.setdefault(place, site)) != site:
            raise ArgumentError(
                f"`{short(other.name)}` and `{short(site.name)}` would both go to "
                f"`{short(place.name)}` of the model; choose one (--only)."
            )
    return pairs, notes


def _modules(sites: Sequence[CellSite]) -> dict[str, dict[Way, CellSite]]:
    """Return module → the cells of it."""
    found: dict[str, dict[Way, CellSite]] = {}
    for site in sites:
        found.setdefault(site.owner, {})[site.layer or 0, site.reverse] = site
    return found


def _named(
    name: str,
    site: CellSite,
    known: Mapping[str, CellSite],
    modules: Mapping[str, Mapping[Way, CellSite]],
    aliases: Mapping[str, str],
) -> CellSite:
    """Return the cell of a model that is called so, in the direction of `site`."""
    if name in known and known[name].reverse == site.reverse:
        return known[name]
    fits = [c for owner, c in modules.items() if name in called(owner, aliases)]
    if name in known:
        fits = [modules[known[name].owner]]
    ways = [c for way, c in fits[0].items() if way[1] == site.reverse] if len(fits) == 1 else []
    if len(ways) != 1:
        spelled = _spelled(list(known.values()), aliases)
        raise ArgumentError(
            f"`{short(site.name)}` is to go to {name!r}, and the model has no one cell called so; "
            f"it has {spelled}."
        )
    return ways[0]


def _spelled(sites: Sequence[CellSite], aliases: Mapping[str, str]) -> str:
    """Return the cells of a model as a person may call them."""
    names = []
    for site in sites:
        own = own_name(site.owner, aliases)
        names.append(f"{site.name} (called {own})" if own else site.name)
    return listed(names)


def check_into(model: Path, kind: str, target: Path) -> None:
    """Raise `ArgumentError` unless a copy of a model of a format can be written to `target`."""
    if kind not in FORMATS or FORMATS[kind].put is None:
        can = listed(s for row in FORMATS.values() if row.put for s in row.suffixes)
        raise ArgumentError(
            f"`--into` is for files with a model in them: {can}; {model} has tensors alone, and "
            f"`onecell convert` writes all of it anew."
        )
    if SUFFIXES.get(target.suffix) != kind:
        raise ArgumentError(
            f"{target}: a copy of {model} must be called *{model.suffix}, as that is."
        )


def save_into(
    target: Path,
    model: Path,
    kind: str,
    tensors: Mapping[str, np.ndarray],
    *,
    force: bool = False,
) -> None:
    """Write a copy of a model with these arrays in the place of its own, whole or not at all.

    Args:
        target: the new file; data files of the model are written beside it, where it needs any.
        model: the file of the model, which stays as it is.
        kind: its format, as `check_into` has passed it.
        tensors: by the names of its reader, of the same shapes and types.
        force: replace files that are there.

    Raises:
        CheckpointError: they cannot be there without changing anything else, or it is damaged.
        OutputExistsError: a file is there and `force` is not set.
        OSError: the folder or the disk refuses.
    """
    put = FORMATS[kind].put
    assert put is not None  # noqa: S101 - `check_into`
    check_output(target, force=force)
    with model.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        content = bytes(read_bytes(file, size, "the file"))
    made = put(InMemory(content, str(model)), Budget(size), tensors, target)
    if made.reread:
        read = FORMATS[kind].read
        before, after = (
            read(InMemory(each, str(model)), Budget(len(each))) for each in (content, made.content)
        )
        _compare(before, after, tensors)
    for path in made.beside:
        check_output(path, force=force)
    for path, chunks in made.beside.items():
        write_whole(path, chunks, force=force)
    write_whole(target, [made.content], force=force)


def _compare(before: Checkpoint, after: Checkpoint, tensors: Mapping[str, np.ndarray]) -> None:
    """Raise `CheckpointError` unless a copy has what was put, and all else as it was."""
    for name in before.tensors.keys() | after.tensors.keys():
        want, got = tensors.get(name, before.tensors.get(name)), after.tensors.get(name)
        if want is None or got is None or want.tobytes() != got.tobytes():
            why = "two cells of the model share it" if name in tensors else "it shares its numbers"
            raise CheckpointError(f"`{short(name)}` of the model would not be as it should: {why}.")

"""The cells inside a checkpoint: where they sit, and what else has the names of one.

A cell is told by the names of its dialect and by its shapes, at any nesting:
`decoder.cell.weight_ih` belongs to the cell `decoder.cell`, `rnn.weight_ih_l1_reverse` to layer 1
of the LSTM `rnn`, backward. A parameter may be there as the parts that it is computed from, see
`derived`. Whatever has these names and is no cell is left to be carried over like any other tensor,
and a `Note` says why: a GRU or a plain RNN, told by `weight_hh` (3H, H) or (H, H) where a cell has
(4H, H), an LSTM with projections, half a cell, other shapes, numbers that are not floating-point.
Optimizer state has them too, see `optimizer_state`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np

from onecell.checkpoint.derived import PARAMETRIZATIONS, derive, find_parts
from onecell.checkpoint.optimizer_state import slots, span
from onecell.dialect import Dialect, get_dialect
from onecell.dialect.layout import is_weight
from onecell.dtypes import FLOAT_NAMES, dtype_name
from onecell.errors import DtypeError, ShapeError
from onecell.spec import GATES
from onecell.text import listed, short
from onecell.weights import Weights

_PROJECTION: Final = "weight_hr"
_ENDING: Final = r"(?:_(?:g|v|u|orig|mask)){0,3}|\.(?:original[01]?|[0-9]{1,3}\..+)"
_PLAIN: Final = ""
_HALF: Final = "half a cell"
_NOT_PROVED: Final = "an LSTM cell perhaps, and not one that can be proved"
_PERHAPS: Final = (_HALF, "an LSTM cell perhaps")


@dataclass(frozen=True, slots=True)
class CellSite:
    """Where one cell sits in a checkpoint."""

    prefix: str
    """What stands before the cell's own names, its last dot included: "decoder.cell."."""
    layer: int | None = None
    """The layer of an LSTM that the cell is; None for an LSTMCell."""
    reverse: bool = False
    """Whether it is the backward direction of that layer, or of what has no layers."""
    both: bool = False
    """Whether it is named as one of two directions (`Dialect.both_forms`)."""

    @property
    def owner(self) -> str:
        """The module that the cell's parameters belong to: "decoder.cell", "(root)"."""
        return self.prefix.removesuffix(".") or "(root)"

    @property
    def name(self) -> str:
        """The site as a person would say it: "decoder.cell", "(root)", "rnn[layer 0, reverse]"."""
        if self.layer is None:
            return f"{self.owner}[reverse]" if self.reverse else self.owner
        return f"{self.owner}[layer {self.layer}{', reverse' if self.reverse else ''}]"

    @property
    def _place(self) -> dict[str, Any]:
        """The site as `Dialect.spell` and `Weights.from_dialect` want it."""
        place = {"prefix": self.prefix, "layer": self.layer}
        return place | {"reverse": self.reverse, "both": self.both}

    def names(self, dialect: str | Dialect) -> dict[str, str]:
        """Return piece (`Layout.pieces`) → its name in a checkpoint of `dialect`."""
        row = get_dialect(dialect)
        return {piece: row.spell(piece, **self._place) for piece in row.layout.pieces}

    def parts(self, tensors: Mapping[str, np.ndarray], dialect: str | Dialect) -> list[str]:
        """Return the names in `tensors`, of `dialect`, of all that the cell here is made of."""
        found = (find_parts(tensors, name) for name in self.names(dialect).values())
        return [name for parts in found for name in parts.values()]

    def pieces(
        self, tensors: Mapping[str, np.ndarray], dialect: str | Dialect
    ) -> dict[str, np.ndarray] | None:
        """Return piece → its array, as it lies in `tensors` of `dialect`, of this direction alone.

        None where a weight is not there itself, but computed from others.
        """
        row = get_dialect(dialect)
        names = self.names(row)
        found = {piece: tensors[name] for piece, name in names.items() if name in tensors}
        if any(piece not in found for piece in row.layout.required):
            return None
        if row.layout.directions:
            at = slice(int(self.reverse), int(self.reverse) + 1)
            axes = {piece: 3 if is_weight(piece) else 2 for piece in found}
            found = {p: a[at] if a.ndim == axes[p] else a for p, a in found.items()}
        return found

    def weights(self, tensors: Mapping[str, np.ndarray], dialect: str | Dialect) -> Weights:
        """Return the weights of the cell here, in `tensors` of `dialect`.

        Errors are those of `Weights.from_dialect`.
        """
        arrays = {}
        for name in self.names(dialect).values():
            parts = find_parts(tensors, name)
            made = derive({ending: tensors[each] for ending, each in parts.items()})
            if made is not None:
                arrays[name] = made[0]
        return Weights.from_dialect(arrays, dialect, **self._place)


NoteKind = Literal["", "other", "unsure", "beside"]
"""What a verdict must say of it: "other": it has a cell's names, and its shapes show that it is
none; "unsure": nothing shows that it is none, and it cannot be proved as one; "beside": a cell that
something else stands beside; "": nothing."""


@dataclass(frozen=True, slots=True)
class Note:
    """What whoever uses a checkpoint ought to know of one place in it."""

    name: str
    """A cell, a module or a tensor."""
    text: str
    kind: NoteKind = ""

    def __str__(self) -> str:
        return f"{short(self.name)}: {self.text}"


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What the names and shapes of a checkpoint tell."""

    cells: list[CellSite]
    """In file order."""
    notes: list[Note]
    """What has the names of a cell and is none; what stands beside one; what was computed."""


def find_cells(tensors: Mapping[str, np.ndarray], dialect: str | Dialect) -> list[CellSite]:
    """Return every cell in `tensors`, a checkpoint of `dialect`, in file order, NaN or not.

    What has the names of a cell and is none is passed over; `survey` says what that is.
    """
    return survey(tensors, dialect).cells


def survey(tensors: Mapping[str, np.ndarray], dialect: str | Dialect) -> Survey:
    """Return the cells in `tensors`, a checkpoint of `dialect`, and what is to be said of it."""
    row = get_dialect(dialect)
    state = slots(tensors, row.optimizer)
    groups = _group((name for name in tensors if name not in state), row)
    cells: list[CellSite] = []
    notes: list[Note] = []
    parts: set[str] = set()
    for site, found in groups.items():
        arrays, computed = _compute(found, tensors)
        sites = [site]
        if _two_directions(arrays, row):
            sites.append(replace(site, reverse=True))
        said = (_why_no_cell(each, found, arrays, row) for each in sites)
        why = next((each for each in said if each is not None), None)
        if why is not None:
            notes.append(Note(site.name, why, _kind(row, arrays, why)))
            continue
        cells += sites
        notes += [Note(site.name, text) for text in computed]
        parts.update(name for each in found.values() for name in _parts(each).values())
    notes += _neighbours(cells, sorted(tensors.keys() - parts - state))
    return Survey(cells, notes)


def _two_directions(arrays: Mapping[str, np.ndarray], row: Dialect) -> bool:
    """Whether a cell shares its arrays with the one of the backward direction."""
    return row.layout.directions and any(
        array.ndim == (3 if is_weight(piece) else 2) and len(array) == 2
        for piece, array in arrays.items()
    )


Found = dict[str, dict[str, str]]
"""Piece → ending → name in the file; the ending "" is the parameter itself."""


def _group(names: Iterator[str], row: Dialect) -> dict[CellSite, Found]:
    """Return site → what is there, by name alone."""
    canonical = {spelled: piece for piece, spelled in row.names.items()}
    if row.projection:
        canonical[row.projection] = _PROJECTION
    patterns = row.patterns("|".join(map(re.escape, canonical)), _ENDING)
    groups: dict[CellSite, Found] = {}
    for name in names:
        match = next((m for each in patterns if (m := each.fullmatch(name))), None)
        if match is None:
            continue
        prefix = match["prefix"]
        if match["ending"].startswith("."):
            if not prefix.endswith(PARAMETRIZATIONS):
                continue
            prefix = prefix.removesuffix(PARAMETRIZATIONS)
        told = match.groupdict()
        layer = None if told.get("layer") is None else int(told["layer"])
        site = CellSite(prefix, layer, bool(told.get("reverse")), bool(told.get("both")))
        if row.may_own(prefix):
            found = groups.setdefault(site, {}).setdefault(canonical[match["name"]], {})
            found[match["ending"]] = name
    alone = {piece for piece, name in row.names.items() if name in row.common}
    return {site: found for site, found in groups.items() if found.keys() - alone}


def _parts(found: Mapping[str, str]) -> Mapping[str, str]:
    """Return what a parameter is made of: itself, where it is there, else all that is."""
    return {_PLAIN: found[_PLAIN]} if _PLAIN in found else found


def _compute(
    found: Found, tensors: Mapping[str, np.ndarray]
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Return the parameters that are there or can be computed, and what is to be said of these."""
    arrays, said = {}, []
    for parameter, every in found.items():
        parts = _parts(every)
        made = derive({ending: tensors[name] for ending, name in parts.items()})
        if made is not None:
            arrays[parameter], how = made
            if how:
                said.append(f"`{parameter}` is computed from {listed(parts.values())} ({how})")
    return arrays, said


def _why_no_cell(
    site: CellSite, found: Found, arrays: Mapping[str, np.ndarray], row: Dialect
) -> str | None:
    """Return what it is instead of a cell; None if it is one."""
    names = site.names(row)
    if other := _other_layer(found, arrays, row) or _half(names, found, row):
        return other
    for parameter, parts in found.items():
        if parameter not in arrays:
            return (
                f"an LSTM cell perhaps, but `{parameter}` cannot be computed from "
                f"{listed(parts.values())}; remove the parametrization before saving"
            )
    for parameter, array in arrays.items():
        if (kind := dtype_name(array.dtype)) not in FLOAT_NAMES:
            return (
                f"{_NOT_PROVED}: `{parameter}` holds {kind}, and the parameters of a cell hold one "
                f"of {', '.join(FLOAT_NAMES)}"
            )
    try:
        site.weights({names[p]: array for p, array in arrays.items()}, row)
    except ShapeError as error:
        where = ", ".join(f"`{p}` {array.shape}" for p, array in arrays.items())
        return f"no LSTM cell: {error} There are {where}"
    except DtypeError as error:
        return f"{_NOT_PROVED}: {error}"
    return None


def _kind(row: Dialect, arrays: Mapping[str, np.ndarray], why: str) -> NoteKind:
    """Return whether the shapes show that it is no cell; what is missing or of two types may be."""
    if not why.startswith(_PERHAPS):
        return "other"
    if row.layout.per_gate:
        return "unsure"
    gates = [
        array.shape[-2 if row.layout.gates_first and is_weight(piece) and array.ndim > 1 else -1]
        for piece, array in arrays.items()
        if array.ndim
    ]
    return "other" if any(rows % len(GATES) for rows in gates) else "unsure"


def _other_layer(found: Found, arrays: Mapping[str, np.ndarray], row: Dialect) -> str | None:
    """Return which other recurrent layer this is, by a third matrix or the shape of `weight_hh`."""
    if _PROJECTION in found:
        return f"an LSTM with projections (`{row.projection}`), no LSTM cell"
    if "weight_hh" not in arrays:
        return None
    shape = arrays["weight_hh"].shape
    if len(shape) != 2:
        return None
    gates, units = shape if row.layout.gates_first else shape[::-1]
    if units > 0 and gates in {units, 3 * units}:
        what = "a plain RNN" if gates == units else "a GRU"
        name = row.names["weight_hh"]
        return f"{what} by its shapes (`{name}` {shape}), no LSTM cell"
    return None


def _half(names: Mapping[str, str], found: Found, row: Dialect) -> str | None:
    """Return which parameter of a cell is missing."""
    biases = {piece for piece in names if not is_weight(piece)}
    missing = (set(row.layout.required) | (biases if found.keys() & biases else set())) - set(found)
    if not missing:
        return None
    gone = max(missing)
    there = listed(name for parts in found.values() for name in parts.values())
    return f"{_HALF}: `{short(names[gone])}` is missing, and there is {there}"


def _neighbours(cells: Sequence[CellSite], others: Sequence[str]) -> Iterator[Note]:
    """Say what stands right beside the parameters of a cell; `others` are sorted."""
    owners = {site.prefix: site for site in cells}
    for prefix, site in owners.items():
        start, end = span(others, prefix)
        if start < end:
            beside = listed(others[start : min(end, start + _SHOWN)])
            more = end - start - _SHOWN
            rest = f" and {more} more" if more > 0 else ""
            kind = "cell" if site.layer is None else "layer"
            yield Note(
                site.owner,
                f"something else stands there, {beside}{rest}: this may not be a plain LSTM {kind}",
                "beside",
            )


_SHOWN: Final = 6

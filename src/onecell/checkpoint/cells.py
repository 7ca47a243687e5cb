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
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from onecell.checkpoint.derived import PARAMETRIZATIONS, derive, find_parts
from onecell.checkpoint.optimizer_state import mindspore_slots, span
from onecell.dialect import Dialect, get_dialect
from onecell.dtypes import FLOAT_NAMES, dtype_name
from onecell.errors import DtypeError, ShapeError
from onecell.spec import BIASES, GATES, WEIGHTS
from onecell.text import listed, short
from onecell.weights import Weights

_PROJECTION: Final = "weight_hr"
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
    """Whether it is the backward direction of that layer."""

    @property
    def owner(self) -> str:
        """The module that the cell's parameters belong to: "decoder.cell", "(root)"."""
        return self.prefix.removesuffix(".") or "(root)"

    @property
    def name(self) -> str:
        """The site as a person would say it: "decoder.cell", "(root)", "rnn[layer 0, reverse]"."""
        if self.layer is None:
            return self.owner
        return f"{self.owner}[layer {self.layer}{', reverse' if self.reverse else ''}]"

    def names(self, dialect: str | Dialect) -> dict[str, str]:
        """Return canonical parameter → its name in a checkpoint of `dialect`."""
        row = get_dialect(dialect)
        return {
            parameter: self.prefix + row.spell(parameter, layer=self.layer, reverse=self.reverse)
            for parameter in row.parameters
        }

    def parts(self, tensors: Mapping[str, np.ndarray], dialect: str | Dialect) -> list[str]:
        """Return the names in the file of all that the cell here is made of."""
        found = (find_parts(tensors, name) for name in self.names(dialect).values())
        return [name for parts in found for name in parts.values()]

    def weights(self, tensors: Mapping[str, np.ndarray], dialect: str | Dialect) -> Weights:
        """Return the weights of the cell here; errors as `Weights.from_dialect`."""
        arrays = {}
        for name in self.names(dialect).values():
            parts = find_parts(tensors, name)
            made = derive({ending: tensors[each] for ending, each in parts.items()})
            if made is not None:
                arrays[name] = made[0]
        return Weights.from_dialect(
            arrays, dialect, prefix=self.prefix, layer=self.layer, reverse=self.reverse
        )


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
    """Return every cell in a checkpoint of `dialect`, in file order. NaN and Inf are no hindrance.

    What has the names of a cell and is none is passed over; `survey` says what that is.
    """
    return survey(tensors, dialect).cells


def survey(tensors: Mapping[str, np.ndarray], dialect: str | Dialect) -> Survey:
    """Return the cells in a checkpoint of `dialect`, and what is to be said of it."""
    row = get_dialect(dialect)
    slots = mindspore_slots(tensors) if row.name == "mindspore" else set()
    groups = _group((name for name in tensors if name not in slots), row)
    cells: list[CellSite] = []
    notes: list[Note] = []
    parts: set[str] = set()
    for site, found in groups.items():
        arrays, computed = _compute(found, tensors)
        why = _why_no_cell(site, found, arrays, row)
        if why is not None:
            notes.append(Note(site.name, why, _kind(row, arrays, why)))
            continue
        cells.append(site)
        notes += [Note(site.name, text) for text in computed]
        parts.update(name for each in found.values() for name in _parts(each).values())
    notes += _neighbours(cells, sorted(tensors.keys() - parts - slots))
    return Survey(cells, notes)


Found = dict[str, dict[str, str]]
"""Canonical parameter → ending → name in the file; the ending "" is the parameter itself."""


def _group(names: Iterator[str], row: Dialect) -> dict[CellSite, Found]:
    """Return site → what is there, by name alone."""
    canonical = {spelled: parameter for parameter, spelled in row.parameters.items()}
    spelled = "|".join(map(re.escape, (*canonical, _PROJECTION)))
    number = "(?P<layer>0|[1-9][0-9]{0,5})"
    layer = re.escape(row.layer_suffix).replace(re.escape("{layer}"), number)
    pattern = re.compile(
        rf"(?P<prefix>(?:.*\.)?)(?P<name>{spelled})"
        rf"(?:{layer}(?P<reverse>{re.escape(row.reverse_suffix)})?)?"
        rf"(?P<ending>(?:_(?:g|v|u|orig|mask)){{0,3}}|\.(?:original[01]?|[0-9]{{1,3}}\..+))",
        re.DOTALL,
    )
    groups: dict[CellSite, Found] = {}
    for name in names:
        match = pattern.fullmatch(name)
        if match is None:
            continue
        prefix = match["prefix"]
        if match["ending"].startswith("."):
            if not prefix.endswith(PARAMETRIZATIONS):
                continue
            prefix = prefix.removesuffix(PARAMETRIZATIONS)
        index = None if match["layer"] is None else int(match["layer"])
        site = CellSite(prefix, index, match["reverse"] is not None)
        parameter = canonical.get(match["name"], _PROJECTION)
        groups.setdefault(site, {}).setdefault(parameter, {})[match["ending"]] = name
    return groups


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
        Weights.from_dialect(
            {names[p]: array for p, array in arrays.items()},
            row,
            prefix=site.prefix,
            layer=site.layer,
            reverse=site.reverse,
        )
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
    gates = [a.shape[0 if row.layout.gates_first else -1] for a in arrays.values() if a.ndim]
    return "other" if any(rows % len(GATES) for rows in gates) else "unsure"


def _other_layer(found: Found, arrays: Mapping[str, np.ndarray], row: Dialect) -> str | None:
    """Return which other recurrent layer this is, by a third matrix or the shape of `weight_hh`."""
    if _PROJECTION in found:
        return f"an LSTM with projections (`{_PROJECTION}`), no LSTM cell"
    if "weight_hh" not in arrays or not row.layout.gates_first:
        return None
    shape = arrays["weight_hh"].shape
    if len(shape) == 2 and shape[1] > 0 and shape[0] in {shape[1], 3 * shape[1]}:
        what = "a plain RNN" if shape[0] == shape[1] else "a GRU"
        return f"{what} by its shapes (`weight_hh` {shape}), no LSTM cell"
    return None


def _half(names: Mapping[str, str], found: Found, row: Dialect) -> str | None:
    """Return which parameter of a cell is missing."""
    pair = set(BIASES) if row.layout.biases == 2 and found.keys() & set(BIASES) else set()
    missing = (set(WEIGHTS) | pair) - found.keys()
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

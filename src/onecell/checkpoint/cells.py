"""The cells inside a checkpoint: where they sit, and what they are called in another framework.

A cell is told by the names of its dialect and by its shapes, at any nesting:
`decoder.cell.weight_ih` belongs to the cell `decoder.cell`, `rnn.weight_ih_l1_reverse` to layer 1
of the LSTM `rnn`, backward.
Three kinds of tensors have the names of a cell and are carried over like any other tensor:

- those of a GRU or a plain RNN, told by `weight_hh` (3H, H) or (H, H) where a cell has (4H, H);
- those of an LSTM with projections, which has a third matrix, `weight_hr`;
- optimizer state, which MindSpore keeps beside the parameters under their own names: a group below
  one of `OPTIMIZER_SLOTS` whose twin without that first word is there with equal shapes
  (`moment1.cell.weight_ih` beside `cell.weight_ih`). Without a twin it is a cell: any module may
  be called `moment1`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from onecell.dialect import Dialect, get_dialect
from onecell.dtypes import FLOAT_NAMES, dtype_name
from onecell.errors import CheckpointError, DtypeError, ShapeError
from onecell.spec import BIASES, WEIGHTS
from onecell.weights import Weights

OPTIMIZER_SLOTS: Final = frozenset(
    [
        "accum",
        "accum_update",
        "adam_m",
        "adam_v",
        "ax",
        "ax_",
        "exp_avg",
        "exp_avg_sq",
        "exp_inf",
        "lamb_m",
        "lamb_v",
        "linear",
        "max_exp_avg_sq",
        "mean_grad",
        "mean_square",
        "moment",
        "moment1",
        "moment2",
        "moments",
        "prev",
        "stat",
        "step_size",
        "vhat",
    ]
)
"""The first words of optimizer state in mindspore.nn.optim and mindspore.experimental.optim."""

_PROJECTION: Final = "weight_hr"


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
    def name(self) -> str:
        """The site as a person would say it: "decoder.cell", "rnn[layer 0, reverse]", "(root)"."""
        owner = self.prefix.removesuffix(".") or "(root)"
        if self.layer is None:
            return owner
        return f"{owner}[layer {self.layer}{', reverse' if self.reverse else ''}]"

    def names(self, dialect: str | Dialect) -> dict[str, str]:
        """Return canonical parameter → its name in a checkpoint of `dialect`."""
        row = get_dialect(dialect)
        return {
            parameter: self.prefix + row.spell(parameter, layer=self.layer, reverse=self.reverse)
            for parameter in row.parameters
        }

    def weights(self, tensors: Mapping[str, np.ndarray], dialect: str | Dialect) -> Weights:
        """Return the weights of the cell here; errors as `Weights.from_dialect`."""
        return Weights.from_dialect(
            tensors, dialect, prefix=self.prefix, layer=self.layer, reverse=self.reverse
        )


@dataclass(frozen=True, slots=True, eq=False)
class Conversion:
    """A checkpoint in another dialect."""

    tensors: dict[str, np.ndarray]
    """Everything, in the order of the source."""
    cells: list[CellSite]
    carried: list[str]
    """The names in the source of all tensors that belong to no cell; their bits are unchanged."""
    renamed: dict[str, str]
    """Of these, old name → new name where they differ."""


def find_cells(tensors: Mapping[str, np.ndarray], dialect: str | Dialect) -> list[CellSite]:
    """Return every cell in a checkpoint of `dialect`, in file order. NaN and Inf are no hindrance.

    Raises:
        CheckpointError: half a cell, shapes that are no cell's, or parameters that are not one
            floating-point type; names the tensor.
    """
    row = get_dialect(dialect)
    groups = _group(tensors, row)
    sites = []
    for site, found in groups.items():
        twin = _twin(site)
        if (
            twin is not None
            and groups.get(twin) == found
            and _same_shapes(tensors, site.names(row), twin.names(row), found)
        ):
            continue
        if _is_other_layer(site, tensors, row, found):
            continue
        _check(site, tensors, row, found)
        sites.append(site)
    return sites


def convert(
    tensors: Mapping[str, np.ndarray],
    source: str | Dialect,
    target: str | Dialect,
    renames: Mapping[str, str] | None = None,
) -> Conversion:
    """Return a checkpoint of dialect `source` in dialect `target`.

    Cells get the names and the layout of `target`, moving bits only where the two layouts have
    the same biases; every other tensor is carried over as it is, the same object. Nothing in
    `tensors` is written to; what needs no new layout shares its memory.

    Args:
        tensors: name → array.
        source: their dialect.
        target: the one they are to have.
        renames: what tensors that belong to no cell are called in the new checkpoint, where that
            is known to be something else.

    Raises:
        CheckpointError: as `find_cells`; or two tensors would have one name.
    """
    cells = find_cells(tensors, source)
    replaced: dict[str, dict[str, np.ndarray]] = {}
    parts: set[str] = set()
    for site in cells:
        weights = site.weights(tensors, source)
        old = [name for name in site.names(source).values() if name in tensors]
        first = next(name for name in tensors if name in old)
        replaced[first] = weights.to_dialect(
            target, prefix=site.prefix, layer=site.layer, reverse=site.reverse
        )
        parts.update(old)
    carried = {name: (renames or {}).get(name, name) for name in tensors if name not in parts}
    converted: dict[str, np.ndarray] = {}
    for name, array in tensors.items():
        new = {carried[name]: array} if name in carried else replaced.get(name, {})
        for taken in new.keys() & converted.keys():
            raise CheckpointError(f"two tensors would be called `{taken}` in the new checkpoint.")
        converted |= new
    renamed = {name: new for name, new in carried.items() if new != name}
    return Conversion(converted, cells, list(carried), renamed)


def _group(tensors: Mapping[str, np.ndarray], row: Dialect) -> dict[CellSite, set[str]]:
    """Return site → the canonical parameters that are there, by name alone."""
    canonical = {spelled: parameter for parameter, spelled in row.parameters.items()}
    spelled = "|".join(map(re.escape, (*canonical, _PROJECTION)))
    number = "(?P<layer>0|[1-9][0-9]{0,5})"
    layer = re.escape(row.layer_suffix).replace(re.escape("{layer}"), number)
    pattern = re.compile(
        rf"(?P<prefix>(?:.*\.)?)(?P<name>{spelled})"
        rf"(?:{layer}(?P<reverse>{re.escape(row.reverse_suffix)})?)?",
        re.DOTALL,
    )
    groups: dict[CellSite, set[str]] = {}
    for name in tensors:
        if match := pattern.fullmatch(name):
            index = None if match["layer"] is None else int(match["layer"])
            site = CellSite(match["prefix"], index, match["reverse"] is not None)
            groups.setdefault(site, set()).add(canonical.get(match["name"], _PROJECTION))
    return groups


def _twin(site: CellSite) -> CellSite | None:
    """Return the site whose optimizer state this would be."""
    slot, dot, rest = site.prefix.partition(".")
    if dot and slot in OPTIMIZER_SLOTS:
        return CellSite(rest, site.layer, site.reverse)
    return None


def _same_shapes(
    tensors: Mapping[str, np.ndarray],
    mine: Mapping[str, str],
    theirs: Mapping[str, str],
    found: set[str],
) -> bool:
    return all(
        tensors[mine[parameter]].shape == tensors[theirs[parameter]].shape
        for parameter in found & mine.keys()
    )


def _is_other_layer(
    site: CellSite, tensors: Mapping[str, np.ndarray], row: Dialect, found: set[str]
) -> bool:
    """Whether this is a GRU, a plain RNN, or an LSTM with projections."""
    if _PROJECTION in found:
        return True
    if "weight_hh" not in found or not row.layout.gates_first:
        return False
    shape = tensors[site.names(row)["weight_hh"]].shape
    return len(shape) == 2 and shape[1] > 0 and shape[0] in {shape[1], 3 * shape[1]}


def _check(
    site: CellSite, tensors: Mapping[str, np.ndarray], row: Dialect, found: set[str]
) -> None:
    """Raise `CheckpointError` unless the tensors at `site` are a whole cell."""
    names = site.names(row)
    pair = set(BIASES) if row.layout.biases == 2 else set()
    missing = set(WEIGHTS) - found | (pair - found if pair & found else set())
    for parameter in sorted(missing, reverse=True):
        there = ", ".join(f"`{names[p]}`" for p in names if p in found)
        raise CheckpointError(
            f"half a cell: `{names[parameter]}` is missing, and {there} is there. "
            f"If the module is reparametrized (weight_norm, prune), remove that before saving."
        )
    for parameter in sorted(found, reverse=True):
        if (kind := dtype_name(tensors[names[parameter]].dtype)) not in FLOAT_NAMES:
            raise CheckpointError(
                f"`{names[parameter]}` holds {kind}; the parameters of a cell must hold one of "
                f"{', '.join(FLOAT_NAMES)}."
            )
    try:
        site.weights(tensors, row)
    except (ShapeError, DtypeError) as error:
        where = ", ".join(f"`{names[p]}` {tensors[names[p]].shape}" for p in names if p in found)
        raise CheckpointError(f"no cell at `{site.name}`: {error} There are {where}.") from error

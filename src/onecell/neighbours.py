"""How the frameworks call the parameters of the layers that a cell lives among.

The cell itself is in `onecell.dialect`. A layer that is not here calls its parameters the same
(`Linear` and `Dense`) or is not translated. Source migration and checkpoint conversion read this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from onecell.dialect import DIALECTS
from onecell.errors import ArgumentError


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One kind of layer, and what each framework calls its parameters."""

    layer: str
    classes: Mapping[str, str]
    """Framework → import path of the layer's class."""
    parameters: Mapping[str, tuple[str, ...]]
    """Framework → its parameter names, in the same order for every framework."""
    ranks: tuple[int | None, ...]
    """Rank of each parameter; None where it may have any."""


LINEAR: Final = Neighbour(
    "linear",
    {"torch": "torch.nn.Linear", "mindspore": "mindspore.nn.Dense"},
    {"torch": ("weight", "bias"), "mindspore": ("weight", "bias")},
    (2, 1),
)
EMBEDDING: Final = Neighbour(
    "embedding",
    {"torch": "torch.nn.Embedding", "mindspore": "mindspore.nn.Embedding"},
    {"torch": ("weight",), "mindspore": ("embedding_table",)},
    (2,),
)
LAYER_NORM: Final = Neighbour(
    "layer_norm",
    {"torch": "torch.nn.LayerNorm", "mindspore": "mindspore.nn.LayerNorm"},
    {"torch": ("weight", "bias"), "mindspore": ("gamma", "beta")},
    (None, None),
)

NEIGHBOURS: Final = (LINEAR, EMBEDDING, LAYER_NORM)


def find_neighbour(framework: str, path: str) -> Neighbour | None:
    """Return the row whose class in `framework` has the import path `path`, or None."""
    for row in NEIGHBOURS:
        if row.classes.get(framework) == path:
            return row
    return None


def rename_parameters(layer: Neighbour, source: str, to: str) -> dict[str, str]:
    """Return what `to` calls each parameter of `layer`, by the name that `source` gives it.

    Raises:
        ArgumentError: `source` or `to` is no framework of the table.
    """
    for name, framework in (("source", source), ("to", to)):
        if framework not in layer.parameters:
            choices = ", ".join(DIALECTS)
            raise ArgumentError(f"`{name}` must be one of {choices}, got {framework!r}.")
    return dict(zip(layer.parameters[source], layer.parameters[to], strict=True))

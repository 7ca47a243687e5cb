"""What a row of the table says of one framework."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from onecell.dialect.layout import Layout

_LAYER: Final = "(?P<layer>0|[1-9][0-9]{0,5})"
_NUMBERED: Final = "l{layer}"
"""What a layer of another framework's stack is called where this one has a module for it."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one framework spells the cell and lays out its weights.

    Argument and parameter names are canonical → spelled. Names in a file are dotted, whatever the
    file has between its parts; what they begin with, "decoder.cell.", is the caller's.
    """

    name: str
    cell: str
    """Import path of the cell class, or what its users call it."""
    sequence: str
    """The same of the multi-step layer that holds the same cell under `layer_form`."""
    state: str
    """Order of the state tuple, in and out."""
    layout: Layout
    parameters: Mapping[str, str]
    """Stem of a piece (`Layout.stems`) → the framework's name, with "{gate}" where each gate has
    one; and a piece that is an exception → its name."""
    common: frozenset[str] = frozenset()
    """Those of these names that other layers have too: alone they are no part of a cell."""
    owner: str = ""
    """A word in the name of the module that is the cell, where other layers have all its names;
    a cell elsewhere is written as a module called so."""
    layer_form: str = "{name}_l{layer}{reverse}"
    """Name of a parameter of `sequence`."""
    reverse_forms: tuple[str, str] = ("", "_reverse")
    """What stands there for "{reverse}" in the forward and in the backward direction."""
    both_forms: tuple[str, str] = ("", "")
    """Name of a parameter of a layer in both directions, forward and backward, below the layer's
    own name, where that is not a matter of `reverse_forms`."""
    projection: str = ""
    """The parameter that makes a layer one with projections, which no cell has."""
    formats: tuple[str, ...] = ()
    """The file formats that only this framework reads, the one that it writes itself first."""
    suffix: str = ".safetensors"
    """Suffix of a file written for it, unless another is asked for."""
    inside: str = ""
    """The framework whose module it is, so that it is in that one's files too."""
    metadata_format: str = ""
    """What "format" is in the metadata of its safetensors files; "" where it writes none."""
    optimizer: Literal["groups", "slots", "nested", ""] = ""
    """How its optimizers keep their state in a checkpoint, see `checkpoint.optimizer_state`."""
    onecell: str = ""
    """Import path of onecell's class with this signature; "" where onecell has no front end."""
    constructor: Mapping[str, str] = field(default_factory=dict)
    """Constructor arguments, in order."""
    call: Mapping[str, str] = field(default_factory=dict)
    """Call arguments, in order: `x` and `state`."""
    forget_told: bool = False
    """Whether who makes a cell may say what it adds to its forget gate when it runs."""
    default_state: Literal["zeros", "required"] = "zeros"
    """What the framework does when a caller leaves the state out."""

    @property
    def names(self) -> dict[str, str]:
        """Piece → the framework's name of it in a cell."""
        names = {}
        for piece in self.layout.pieces:
            stem, _, gate = piece.partition(".")
            names[piece] = self.parameters.get(piece, self.parameters[stem].format(gate=gate))
        return names

    def spell(
        self,
        piece: str,
        *,
        prefix: str = "",
        layer: int | None = None,
        reverse: bool = False,
        both: bool = False,
    ) -> str:
        """Return this framework's name of a piece of a cell or of a layer of `sequence`.

        Args:
            piece: one of `layout.pieces`.
            prefix: what stands before the cell's own names, its last dot included.
            layer: the layer, of a layer of `sequence`.
            reverse: whether it is the backward direction.
            both: whether the layer has both directions.
        """
        name = self.names[piece]
        if both and (form := self.both_forms[reverse]):
            above = "" if layer is None else f"{_NUMBERED.format(layer=layer)}."
            name = above + form.format(name=name)
        elif layer is not None:
            form, which = self.layer_form, self.reverse_forms[reverse]
            name = form.format(name=name, layer=layer, reverse=which)
        return prefix + name if self.may_own(prefix) else f"{prefix}{self.owner}.{name}"

    def may_own(self, prefix: str) -> bool:
        """Whether what stands under `prefix` may be a cell, by the name of the module."""
        return self.owner in prefix.removesuffix(".").rpartition(".")[2].lower()

    def patterns(self, names: str, ending: str) -> tuple[re.Pattern[str], ...]:
        """Return what the names of parameters look like, to be tried in this order.

        Args:
            names: a pattern of names of pieces.
            ending: a pattern of what may follow.

        Returns:
            Patterns with the groups "prefix", "name" and "ending", and perhaps "layer", "reverse"
            and "both": of a layer in both directions, of a layer, of a cell. "reverse" matches
            nothing or "" in the forward direction.
        """
        name = f"(?P<name>{names})"
        forward, backward = map(re.escape, self.reverse_forms)
        told = forward != backward
        form = re.escape(self.layer_form)
        for place, pattern in (
            ("{name}", name),
            ("{layer}", _LAYER),
            ("{reverse}", f"(?:(?P<reverse>{backward})|{forward})" if told else "(?P<reverse>)"),
        ):
            form = form.replace(re.escape(place), pattern)
        forms = [form, name]
        if self.both_forms[0]:
            forward, backward = (each.partition("{name}")[0] for each in self.both_forms)
            ways = f"(?P<both>(?P<reverse>{re.escape(backward)})|{re.escape(forward)})"
            numbered = _NUMBERED.format(layer=_LAYER)
            forms = [rf"{numbered}\.{ways}{name}", f"{ways}{name}", *forms]
        return tuple(
            re.compile(rf"(?P<prefix>(?:.*\.)?){each}(?P<ending>{ending})", re.DOTALL)
            for each in forms
        )

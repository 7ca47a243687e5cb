"""One row per framework: how it spells the cell and how it lays out the weights.

Everything that differs between frameworks is data in this table. Checkpoint conversion, the
migrator, the difference table and the front ends read it; none of them knows a framework's
spelling by itself. To add a framework, add a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from onecell.errors import ArgumentError
from onecell.gates import GATES, PARAMETERS


@dataclass(frozen=True, slots=True)
class Layout:
    """Where one framework keeps the four gates inside its weight arrays."""

    gates: str
    """Order of the blocks along the gate axis, in the letters of `spec.GATES`."""
    gates_first: bool
    """True: (4H, I) and (4H, H), as `x @ w.T`. False: (I, 4H) and (H, 4H), as `x @ w`."""
    biases: Literal[0, 1, 2]
    """2: bias_ih and bias_hh apart. 1: their sum in bias_ih. 0: the framework has none."""

    def __post_init__(self) -> None:
        if sorted(self.gates) != sorted(GATES):
            raise ArgumentError(f"`gates` must be an order of {GATES!r}, got {self.gates!r}.")

    @property
    def is_canonical(self) -> bool:
        """Whether arrays in this layout are the canonical arrays as they stand."""
        return self == CANONICAL


CANONICAL: Final = Layout(gates=GATES, gates_first=True, biases=2)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one framework spells `LSTMCell`. Argument and parameter names are canonical → spelled."""

    name: str
    cell: str
    """Import path of the cell class."""
    sequence: str
    """Import path of the multi-step layer that holds the same cell under suffixed names."""
    onecell: str
    """Import path of onecell's class with this signature."""
    constructor: Mapping[str, str]
    """Constructor arguments, in order."""
    call: Mapping[str, str]
    """Call arguments, in order: `x` and `state`."""
    state: str
    """Order of the state tuple, in and out."""
    default_state: Literal["zeros", "required"]
    """What the framework does when a caller leaves the state out."""
    parameters: Mapping[str, str]
    """Canonical parameter name → the framework's."""
    layout: Layout
    layer_suffix: str = "_l{layer}"
    """What `sequence` appends to the parameter names of layer `layer`."""
    reverse_suffix: str = "_reverse"
    """What `sequence` appends after that for the backward direction."""

    def spell(self, parameter: str, *, layer: int | None = None, reverse: bool = False) -> str:
        """Return this framework's name of a canonical parameter of a cell or of an LSTM layer."""
        name = self.parameters[parameter]
        if layer is not None:
            name += self.layer_suffix.format(layer=layer)
        return name + self.reverse_suffix if reverse else name


_SAME_NAMES: Final = {name: name for name in PARAMETERS}

TORCH: Final = Dialect(
    name="torch",
    cell="torch.nn.LSTMCell",
    sequence="torch.nn.LSTM",
    onecell="onecell.torch.LSTMCell",
    constructor={
        "input_size": "input_size",
        "hidden_size": "hidden_size",
        "bias": "bias",
        "device": "device",
        "dtype": "dtype",
    },
    call={"x": "input", "state": "hx"},
    state="hc",
    default_state="zeros",
    parameters=_SAME_NAMES,
    layout=CANONICAL,
)

MINDSPORE: Final = Dialect(
    name="mindspore",
    cell="mindspore.nn.LSTMCell",
    sequence="mindspore.nn.LSTM",
    onecell="onecell.mindspore.LSTMCell",
    constructor={
        "input_size": "input_size",
        "hidden_size": "hidden_size",
        "bias": "has_bias",
        "dtype": "dtype",
    },
    call={"x": "x", "state": "hx"},
    state="hc",
    default_state="required",
    parameters=_SAME_NAMES,
    layout=CANONICAL,
)

DIALECTS: Final[Mapping[str, Dialect]] = {row.name: row for row in (TORCH, MINDSPORE)}


def get_dialect(dialect: str | Dialect) -> Dialect:
    """Return the row called `dialect`; a row passes through.

    Raises:
        ArgumentError: no row has that name.
    """
    if isinstance(dialect, Dialect):
        return dialect
    if dialect not in DIALECTS:
        raise ArgumentError(f"`dialect` must be one of {', '.join(DIALECTS)}, got {dialect!r}.")
    return DIALECTS[dialect]

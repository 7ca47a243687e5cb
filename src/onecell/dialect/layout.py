"""Where a framework keeps the four gates inside its weight arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from onecell.errors import ArgumentError
from onecell.gates import GATES

WEIGHT_STEMS: Final = ("weight_ih", "weight_hh", "weight")
"""What a piece with weights is called, before its gate."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where one framework keeps the four gates inside its weight arrays.

    The arrays of one cell are its *pieces*. A piece is called as the canonical parameter that it
    is, `weight_ih`; as `weight` or `bias` where it holds two of them; and with a gate behind,
    `weight_ih.f`, where each gate has an array of its own.

    Raises:
        ArgumentError: `gates` is no order of the four, or two fields contradict each other.
    """

    gates: str
    """Order of the blocks along the gate axis, in the letters of `spec.GATES`."""
    gates_first: bool
    """True: (4H, I) and (4H, H), as `x @ w.T`. False: (I, 4H) and (H, 4H), as `x @ w`."""
    biases: Literal[0, 1, 2]
    """2: bias_ih and bias_hh. 1: their sum, `bias`. 0: the framework has none."""
    joined: bool = False
    """Both kernels in one array `weight`, that of x before that of h: (I+H, 4H) or (4H, I+H)."""
    halves: bool = False
    """Both biases in one array `bias` of 8H, bias_ih before bias_hh."""
    per_gate: bool = False
    """An array for each gate: (H, I) or (I, H), and biases of H."""
    directions: bool = False
    """Both directions in one array, along an axis before all others, forward before backward."""
    forget_offset: float = 0.0
    """What the framework adds to the forget gate when it runs: its file has that much less."""
    always_bias: bool = False
    """Whether a cell without biases is written with a bias of zeros, as there is none without."""

    def __post_init__(self) -> None:
        if sorted(self.gates) != sorted(GATES):
            raise ArgumentError(f"`gates` must be an order of {GATES!r}, got {self.gates!r}.")
        if self.halves and self.biases != 2:
            raise ArgumentError(f"`halves` are of 2 biases, got `biases` = {self.biases}.")
        if self.forget_offset and not self.always_bias:
            raise ArgumentError("`forget_offset` needs `always_bias`: without, nothing undoes it.")
        if self.always_bias and not self.biases:
            raise ArgumentError("`always_bias` needs `biases`, got 0.")
        if self.joined and self.per_gate:
            raise ArgumentError("`joined` kernels have all gates; they cannot be `per_gate`.")

    @property
    def is_canonical(self) -> bool:
        """Whether arrays in this layout are the canonical arrays as they stand."""
        return self == CANONICAL

    @property
    def stems(self) -> tuple[str, ...]:
        """What the pieces are called, without their gates: weights before biases."""
        weights = ("weight",) if self.joined else ("weight_ih", "weight_hh")
        if not self.biases:
            return weights
        return (*weights, *(("bias_ih", "bias_hh") if self.two_biases else ("bias",)))

    @property
    def two_biases(self) -> bool:
        """Whether the two biases are two arrays."""
        return self.biases == 2 and not self.halves

    @property
    def pieces(self) -> tuple[str, ...]:
        """The names of the arrays that make a cell with biases."""
        if not self.per_gate:
            return self.stems
        return tuple(f"{stem}.{gate}" for stem in self.stems for gate in self.gates)

    @property
    def required(self) -> tuple[str, ...]:
        """The pieces without which there is no cell."""
        return tuple(p for p in self.pieces if self.always_bias or is_weight(p))


CANONICAL: Final = Layout(gates=GATES, gates_first=True, biases=2)


def is_weight(piece: str) -> bool:
    """Whether a piece holds weights, and not biases."""
    return piece.partition(".")[0] in WEIGHT_STEMS

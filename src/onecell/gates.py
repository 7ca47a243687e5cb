"""The names of the cell's gates and parameters, for what needs no arrays."""

from __future__ import annotations

from typing import Final

GATES: Final = "ifgo"
"""The canonical order of the gate blocks: input, forget, candidate, output."""

PARAMETERS: Final = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
"""The canonical names, in the order in which both frameworks register and initialise them."""

"""Prove that two cells are the same: outputs, gradients, training, rollouts, on every side.

Importing this loads no framework: the sides reach theirs when they are opened.
"""

from __future__ import annotations

from onecell.verify.comparing.comparison import (
    Caught,
    Comparison,
    Diagnosis,
    Divergence,
    FileFacts,
    Party,
)
from onecell.verify.comparing.parity import compare, self_test
from onecell.verify.comparing.whole_files import Comparisons, compare_files
from onecell.verify.comparing.wrong_ports import WRONG_PORTS
from onecell.verify.mutation import GATE_SWAPS, Mutation
from onecell.verify.plan import Plan, plan_port
from onecell.verify.port import Proof, carry_out, port_checkpoint
from onecell.verify.proof import CellProof, Sabotage, prove_cell
from onecell.verify.quantities.cases import Case, make_case
from onecell.verify.quantities.columns import Column, choose_columns
from onecell.verify.quantities.readings import Quantity, Reading
from onecell.verify.record import to_json
from onecell.verify.sides import SIDES, Side
from onecell.verify.wording import Finding

__all__ = [
    "GATE_SWAPS",
    "SIDES",
    "WRONG_PORTS",
    "Case",
    "Caught",
    "CellProof",
    "Column",
    "Comparison",
    "Comparisons",
    "Diagnosis",
    "Divergence",
    "FileFacts",
    "Finding",
    "Mutation",
    "Party",
    "Plan",
    "Proof",
    "Quantity",
    "Reading",
    "Sabotage",
    "Side",
    "carry_out",
    "choose_columns",
    "compare",
    "compare_files",
    "make_case",
    "plan_port",
    "port_checkpoint",
    "prove_cell",
    "self_test",
    "to_json",
]


def __dir__() -> list[str]:
    return list(__all__)

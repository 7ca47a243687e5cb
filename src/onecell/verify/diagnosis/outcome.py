"""What a search of the answers cannot know: which quantities failed, and whether answers last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from onecell.verify.comparing.comparison import Diagnosis
from onecell.verify.quantities.cases import Case
from onecell.verify.quantities.optimizers import OPTIMIZERS
from onecell.verify.sides import Side
from onecell.verify.wording import Finding


def is_repeatable(side: Side, case: Case) -> bool:
    """Return whether the same call gives the same bits twice."""
    given = case.x[0], case.h, case.c
    pairs = zip(side.step(*given), side.step(*given), strict=True)
    return all(np.array_equal(one, other, equal_nan=True) for one, other in pairs)


def refine(told: Diagnosis, failing: Sequence[str]) -> Diagnosis:
    """Return a diagnosis that says where a cell is wrong whose probed steps are right.

    Args:
        told: what the search of the answers found.
        failing: the quantities that do not hold.
    """
    if not any(found.kind == "step right" for found in told.findings):
        return told
    kinds = {name.partition(".")[0] for name in failing}
    if kinds <= {"gradient", *OPTIMIZERS}:
        return replace(told, findings=(Finding("gradients differ", {}),))
    if kinds & {"forward", "extreme"}:
        return replace(told, explained=False, findings=(Finding("far inputs differ", {}),))
    return told

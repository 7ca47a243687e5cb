"""Port a whole project: its code, its checkpoints, and the proof.

`plan_project` decides and checks, `carry_out_project` writes. Importing this loads neither a
framework nor LibCST.
"""

from __future__ import annotations

from onecell.project.find import Place, is_project
from onecell.project.layers import Naming, name_parameters
from onecell.project.plan import ProjectPlan, plan_project
from onecell.project.port import CheckpointPort, ProjectPort, Verdict, carry_out_project
from onecell.project.requirements import Required

__all__ = [
    "CheckpointPort",
    "Naming",
    "Place",
    "ProjectPlan",
    "ProjectPort",
    "Required",
    "Verdict",
    "carry_out_project",
    "is_project",
    "name_parameters",
    "plan_project",
]


def __dir__() -> list[str]:
    return list(__all__)

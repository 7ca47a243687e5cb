"""Port a project: migrate its code, convert its checkpoints, prove their cells.

Code is only parsed and checkpoints are only read: nothing of the project is run. Everything goes
to one folder, in the tree in which it was found; the project itself stays as it is.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from onecell.checkpoint.atomic import write_whole
from onecell.errors import ArgumentError, CheckpointError, DtypeError
from onecell.project.find import Place
from onecell.project.layers import Naming, name_parameters
from onecell.project.plan import ProjectPlan
from onecell.verify import Proof, carry_out, plan_port
from onecell.verify.cases import ROLLOUT_STEPS
from onecell.verify.port import Progress
from onecell.verify.proof import SelfTest

if TYPE_CHECKING:  # LibCST and pathspec are an extra, needed only where there is code
    from onecell.migrate import Migration

_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class CheckpointPort:
    """What became of one checkpoint."""

    path: Path
    proof: Proof | None = None
    """None where it could not be ported."""
    naming: Naming | None = None
    """How the code names the tensors of other layers; None where there is no code."""
    error: str = ""
    """Why it could not be ported, in one line."""

    @property
    def holds(self) -> bool:
        """Whether the new checkpoint was written and proved."""
        return self.proof is not None and self.proof.holds


@dataclass(frozen=True, slots=True)
class ProjectPort:
    """What became of a whole project."""

    out: Path
    to: str
    migration: Migration | None
    """As it was written; None where there is no code."""
    checkpoints: tuple[CheckpointPort, ...]
    copied: tuple[Path, ...]
    """Files, as seen from `out`, that went along as they are."""
    seconds: float

    @property
    def holds(self) -> bool:
        """Whether every checkpoint was written and every cell of it proved."""
        return all(each.holds for each in self.checkpoints)

    @property
    def left(self) -> int:
        """How many uses in the code are left to do by hand."""
        return sum(len(each.left) for each in self.migration.results) if self.migration else 0


def carry_out_project(
    plan: ProjectPlan,
    *,
    rollout_steps: int = ROLLOUT_STEPS,
    self_test: SelfTest = "quick",
    progress: Progress | None = None,
) -> ProjectPort:
    """Write the code, then the checkpoints, each with its proof, then what goes along.

    Args:
        plan: what to do; see `plan_project`.
        rollout_steps: see `prove_cell`.
        self_test: see `prove_cell`.
        progress: told before every cell of a checkpoint and after its last.

    Returns:
        What became of it all. A checkpoint that cannot be read or converted is in there by its
        `error`, and the others are ported; one whose proof fails has not been written.

    Raises:
        OutputExistsError: a file to be written is there and `force` is not set.
        OSError: the folder or the disk refuses.
    """
    began = time.perf_counter()
    migration = plan.migration
    if migration is not None:
        from onecell.migrate import write_tree  # noqa: PLC0415

        migration = write_tree(migration, plan.out, force=plan.force)
    checkpoints = tuple(
        _port_checkpoint(place, plan, rollout_steps, self_test, progress)
        for place in plan.checkpoints
    )
    for place in plan.others:
        _copy(place, plan.out, force=plan.force)
    return ProjectPort(
        plan.out,
        plan.to,
        migration,
        checkpoints,
        tuple(place.relative for place in plan.others),
        time.perf_counter() - began,
    )


def _port_checkpoint(
    place: Place,
    plan: ProjectPlan,
    rollout_steps: int,
    self_test: SelfTest,
    progress: Progress | None,
) -> CheckpointPort:
    named: list[Naming] = []

    def rename(names: Sequence[str], source: str) -> Mapping[str, str]:
        named.append(name_parameters(names, plan.sources, source, plan.to))
        return named[0].renamed

    try:
        port = plan_port(
            place.path,
            plan.to,
            plan.out / place.relative.parent,
            source=plan.dialects.get(place.path),
            suffix=plan.suffix,
            force=plan.force,
            sides=plan.sides,
            rename=rename if plan.sources else None,
            need_cell=False,
        )
        proof = carry_out(port, rollout_steps=rollout_steps, self_test=self_test, progress=progress)
    except (CheckpointError, ArgumentError, DtypeError) as error:
        return CheckpointPort(place.path, error=str(error))
    return CheckpointPort(place.path, proof, named[0] if named else None)


def _copy(place: Place, out: Path, *, force: bool) -> None:
    target = out / place.relative
    target.parent.mkdir(parents=True, exist_ok=True)
    with place.path.open("rb") as file:
        write_whole(target, iter(lambda: file.read(_CHUNK), b""), force=force)
    target.chmod(place.path.stat().st_mode & 0o777)

"""Port a project: migrate its code, convert its checkpoints, prove their cells.

Code is only parsed and checkpoints are only read: nothing of the project is run. Everything goes
to one folder, in the tree in which it was found; the project itself stays as it is.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from onecell.checkpoint.atomic import write_whole
from onecell.checkpoint.files import PORTED
from onecell.checkpoint.formats.sharded import goes_by
from onecell.errors import ArgumentError, CheckpointError, DtypeError
from onecell.project.find import Place
from onecell.project.layers import Naming, name_parameters
from onecell.project.plan import ProjectPlan, other
from onecell.project.requirements import Required, find_required
from onecell.verify import Proof, carry_out, plan_port
from onecell.verify.plan import OWN_SUFFIX, Shape
from onecell.verify.proof import Progress, SelfTest
from onecell.verify.quantities.cases import ROLLOUT_STEPS

if TYPE_CHECKING:  # LibCST and pathspec are an extra, needed only where there is code
    from onecell.migrate import FileResult, Migration

_CHUNK: Final = 1 << 20


class Verdict(StrEnum):
    """What a port of a project comes to: the gravest of what became of its parts."""

    HOLDS = "HOLDS"
    """All was ported, a cell at least was proved, and nothing of the source framework is left."""
    FAILS = "FAILS"
    """The proof of a checkpoint fails; it was not written."""
    NOT_FINITE = "NOT FINITE"
    """It fails because cells hold NaN or infinity, and for no other reason."""
    INPUT = "BAD INPUT"
    """A checkpoint could not be ported."""
    SOURCE = "BAD SOURCE"
    """A source file could not be migrated."""
    LEFT = "LEFT"
    """Something is left to do by hand, or a file still uses or asks for the source framework."""
    UNPROVED = "UNPROVED"
    """All was ported, and no cell was there to prove, or what may be one could not be proved."""
    NOTHING = "NOTHING"
    """There was nothing to do, and nothing was written."""


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
    already: tuple[Path, ...]
    """Of these, checkpoints that are `to`'s own already."""
    required: tuple[Required, ...]
    """Of these and of `setup.py`, files that ask for the source framework."""
    nothing: bool
    """Whether there was nothing to do; then nothing was written."""
    seconds: float

    @property
    def verdict(self) -> Verdict:
        """What it all comes to."""
        failing = [e.proof for e in self.checkpoints if e.proof is not None and not e.holds]
        proved = any(each.proof is not None and each.proof.cells for each in self.checkpoints)
        reasons = {
            Verdict.NOTHING: self.nothing,
            Verdict.FAILS: any(not proof.not_finite for proof in failing),
            Verdict.NOT_FINITE: bool(failing),
            Verdict.INPUT: any(each.error for each in self.checkpoints),
            Verdict.SOURCE: self.migration is not None and bool(self.migration.failed),
            Verdict.LEFT: bool(self.left or self.remaining or self.required or self.by_hand),
            Verdict.UNPROVED: not proved
            or any(e.proof and e.proof.unproved for e in self.checkpoints),
        }
        return next((verdict for verdict, found in reasons.items() if found), Verdict.HOLDS)

    @property
    def holds(self) -> bool:
        """Whether the verdict is HOLDS."""
        return self.verdict is Verdict.HOLDS

    @property
    def left(self) -> int:
        """How many uses in the code are left to do by hand."""
        return self.migration.left if self.migration else 0

    @property
    def by_hand(self) -> int:
        """How many tensors are to be named by hand, since the code does not tell their layer."""
        return sum(len(each.naming.by_hand) for each in self.checkpoints if each.naming)

    @property
    def remaining(self) -> tuple[FileResult, ...]:
        """The source files that still use the source framework."""
        return self.migration.remaining if self.migration else ()


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
        progress: told before every step of every cell of a checkpoint and after its last.

    Returns:
        What became of it all; where there is nothing to do, nothing is written. A checkpoint that
        cannot be read or converted is in there by its `error`, and the others are ported; one
        whose proof fails has not been written.

    Raises:
        OutputExistsError: a file to be written is there and `force` is not set.
        OSError: the folder or the disk refuses.
    """
    began = time.perf_counter()
    migration = plan.migration
    if plan.nothing:
        already = tuple(place.relative for place in plan.already)
        return ProjectPort(
            plan.out, plan.to, migration, (), (), already, (), nothing=True, seconds=0.0
        )
    if migration is not None:
        from onecell.migrate import write_tree  # noqa: PLC0415

        migration = write_tree(migration, plan.out, force=plan.force)
    checkpoints = tuple(
        _port_checkpoint(place, plan, rollout_steps, self_test, progress)
        for place in plan.checkpoints
    )
    for place in plan.others:
        if migration is not None and migration.todo == plan.out / place.relative:
            continue  # an older list of what is left
        _copy(place, plan.out, force=plan.force)
    return ProjectPort(
        plan.out,
        plan.to,
        migration,
        checkpoints,
        tuple(place.relative for place in plan.others),
        tuple(place.relative for place in plan.already),
        _required(plan),
        nothing=False,
        seconds=time.perf_counter() - began,
    )


def _required(plan: ProjectPlan) -> tuple[Required, ...]:
    """Return the files that ask for the framework of the code; none where there is no code."""
    if plan.migration is None:
        return ()
    sources = (Place(each.path, each.relative) for each in plan.migration.results)
    return tuple(find_required(plan.others, sources, other(plan.to)))


def _port_checkpoint(
    place: Place,
    plan: ProjectPlan,
    rollout_steps: int,
    self_test: SelfTest,
    progress: Progress | None,
) -> CheckpointPort:
    named: list[Naming] = []
    attributes = plan.migration.renamed if plan.migration is not None else {}

    def rename(
        shapes: Mapping[str, Shape], source: str
    ) -> tuple[Mapping[str, str], Mapping[str, Shape], tuple[str, ...]]:
        named.append(name_parameters(shapes, plan.sources, source, plan.to, attributes))
        return named[0].renamed, named[0].shapes, named[0].left

    try:
        port = plan_port(
            place.path,
            plan.to,
            plan.out / place.relative.parent,
            source=plan.dialects.get(place.path),
            suffix=plan.suffix,
            name=goes_by(place.relative, plan.suffix or OWN_SUFFIX[plan.to], PORTED).name,
            force=plan.force,
            sides=plan.sides,
            rename=rename if plan.sources else None,
            attributes=attributes,
            need_cell=False,
            runs_on=plan.target,
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

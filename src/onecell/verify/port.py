"""Port a checkpoint: convert it, write it, read it back, and prove every cell of what was written.

The new checkpoint gets its name only when its proof holds. Until then it lies in a hidden folder
beside it, so that no file under the name of a result was ever unproven. The report is written
either way.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from onecell.checkpoint import Note, load_checkpoint, save_checkpoint
from onecell.checkpoint.atomic import write_whole
from onecell.dialect import get_dialect
from onecell.dtypes import dtype_name
from onecell.ending import hidden_folder
from onecell.text import listed
from onecell.verify.comparing.cells_of_file import chunks, file_facts
from onecell.verify.comparing.comparison import FileFacts
from onecell.verify.plan import Plan, plan_port, split_metadata
from onecell.verify.proof import CellProof, Progress, SelfTest, prove_cell
from onecell.verify.quantities.cases import ROLLOUT_STEPS
from onecell.verify.quantities.columns import Cell
from onecell.verify.record import to_json
from onecell.verify.remarks import Remarks
from onecell.verify.sides import get_reader


@dataclass(frozen=True, slots=True)
class Proof:
    """All that was found about one port."""

    source: FileFacts
    target: FileFacts
    report: Path
    cells: tuple[CellProof, ...]
    carried: tuple[str, ...]
    """Tensors that belong to no cell and were copied."""
    renamed: Mapping[str, str]
    """Of these, old name → new name where the code told another."""
    reshaped: Mapping[str, tuple[int, ...]]
    """Of these, old name → new shape where the code told another; the same bits in order."""
    perhaps: tuple[str, ...]
    """Of these, tensors that may need another shape: which layer they are, the file cannot tell."""
    dropped: tuple[str, ...]
    """Names of plain values in the source, such as an epoch, that the new format has no place for.
    """
    intact: bool
    """Whether the file, read back, holds exactly the tensors that were to be written."""
    read_by: Mapping[str, bool]
    """Frameworks that read the written file by themselves, and whether they saw the same bits."""
    left_out: Mapping[str, str]
    """Sides that could not take part, and why."""
    runs_on: str
    """The side that the result runs on: the cell that `target` stands for in `to`."""
    seconds: float
    left: tuple[str, ...] = ()
    """The source's optimizer state, which no other framework's optimizer reads."""
    unchosen: tuple[str, ...] = ()
    """What was not to be taken, see `checkpoint.choose`."""
    counters: tuple[str, ...] = ()
    """Counters of the source's norms, which the new framework's do not keep."""
    notes: tuple[Note, ...] = ()
    """What is to be known of the source's cells, see `checkpoint.Survey`."""

    @property
    def holds(self) -> bool:
        """Whether the file is intact for every reader and nothing is wrong with any cell.

        Then it is written. Whether all of it is proved as well, `unproved` says.
        Of a checkpoint without cells (`plan_port` refuses it unless told) that is the file alone.
        """
        return self.intact and all(self.read_by.values()) and all(cell.holds for cell in self.cells)

    @property
    def remarks(self) -> Remarks:
        """What the verdict says beside what holds."""
        return Remarks({cell.name: cell.quantities for cell in self.cells}, self.notes)

    @property
    def unproved(self) -> Mapping[str, str]:
        """What may be a cell and is not proved → why, in a few words."""
        return {name: why.text() for name, why in self.remarks.unproved.items()}

    @property
    def not_finite(self) -> bool:
        """Whether NaN or infinity in a cell is all that keeps the proof from holding."""
        failing = [cell for cell in self.cells if not cell.holds]
        rest = self.intact and all(self.read_by.values())
        return rest and bool(failing) and all(cell.not_finite for cell in failing)

    @property
    def unable(self) -> tuple[str, ...]:
        """What the result cannot do where it runs, a line each; then the proof does not hold."""
        found: dict[tuple[str, str], int] = {}
        for cell in self.cells:
            for side in cell.unable:
                found[side, cell.computed] = found.get((side, cell.computed), 0) + 1
        return tuple(_say_unable(*key, count) for key, count in found.items())

    @property
    def faults(self) -> tuple[str, ...]:
        """What sides that the result does not run on miss, a line each side."""
        found: dict[str, list[str]] = {}
        for cell in self.cells:
            for side, names in cell.faults.items():
                found.setdefault(side, []).extend(f"{cell.name}: {name}" for name in names)
        return tuple(
            f"{side} misses its limit in {listed(names)}; the result runs on {self.runs_on}."
            for side, names in found.items()
        )

    @property
    def proved(self) -> int:
        """How many tensors the cells that are proved are made of."""
        return sum(len(cell.target.arrays()) for cell in self.cells_proved)

    @property
    def cells_proved(self) -> tuple[CellProof, ...]:
        """The cells that hold, each by something that could fail."""
        return tuple(cell for cell in self.cells if cell.holds and not cell.unproved)

    @property
    def tensors(self) -> int:
        """How many tensors there are, in cells and carried over."""
        return sum(len(cell.target.arrays()) for cell in self.cells) + len(self.carried)


def carry_out(
    plan: Plan,
    *,
    rollout_steps: int = ROLLOUT_STEPS,
    self_test: SelfTest = "quick",
    progress: Progress | None = None,
) -> Proof:
    """Write the new checkpoint, read it back, and prove every cell of it.

    Args:
        plan: what to do; see `plan_port`.
        rollout_steps: see `prove_cell`.
        self_test: see `prove_cell`.
        progress: told before every step of every cell and at the end.

    Returns:
        The proof. Only where it holds is there a new checkpoint; the report is there anyway.

    Raises:
        ArgumentError, DtypeError: the new format cannot hold what the old one held.
        OutputExistsError: a file to be written has come to be there and `force` is not set.
        OSError: the folder or the disk refuses.
    """
    began = time.perf_counter()
    target, to, tensors = plan.target, plan.to, plan.conversion.tensors
    with hidden_folder(target.parent) as folder:
        fresh = folder / f"{target.name.removesuffix(plan.suffix)}{plan.suffix}"
        metadata, dropped = split_metadata(plan.checkpoint, plan.suffix, plan.conversion)
        save_checkpoint(fresh, tensors, dialect=to, metadata=metadata)
        written = load_checkpoint(fresh)
        cells = tuple(_prove_cells(plan, written.tensors, rollout_steps, self_test, progress))
        proof = Proof(
            source=file_facts(plan.model, plan.model, plan.source, plan.checkpoint.format),
            target=file_facts(fresh, target, to, written.format),
            report=plan.report,
            cells=cells,
            carried=tuple(plan.conversion.carried),
            renamed=dict(plan.conversion.renamed),
            reshaped=dict(plan.reshaped),
            perhaps=plan.perhaps,
            dropped=dropped,
            intact=_same_tensors(tensors, written.tensors),
            read_by=_read_by(to, fresh, written.tensors),
            left_out=dict(plan.left_out) | {n: why for c in cells for n, why in c.left_out.items()},
            runs_on=to if plan.runs_on == "native" else f"onecell.{to}",
            seconds=time.perf_counter() - began,
            left=tuple(plan.conversion.left),
            unchosen=plan.unchosen,
            counters=plan.counters,
            notes=tuple(plan.conversion.notes),
        )
        text = json.dumps(to_json(proof), indent=2, allow_nan=False).encode() + b"\n"
        # A disk that has no room for the report says so here, before anything has a name.
        write_whole(fresh.with_name(plan.report.name), [text])
        if proof.holds:
            write_whole(target, chunks(fresh), force=plan.force)
        write_whole(plan.report, [text], force=plan.force)
    return proof


def port_checkpoint(
    model: str | os.PathLike[str],
    to: str,
    out: str | os.PathLike[str] = ".",
    *,
    source: str | None = None,
    suffix: str | None = None,
    force: bool = False,
    sides: Sequence[str] | None = None,
    runs_on: Cell = "onecell",
) -> Proof:
    """Plan a port and carry it out.

    Arguments and errors are those of `plan_port` and `carry_out`.
    """
    return carry_out(
        plan_port(
            model,
            to,
            out,
            source=source,
            suffix=suffix,
            force=force,
            sides=sides,
            runs_on=runs_on,
        )
    )


def _say_unable(side: str, dtype: str, count: int) -> str:
    cells = f"{count} cell{'s' if count > 1 else ''}"
    ways = [] if side.startswith("onecell.") else ["--target onecell, whose cell can"]
    ways += ["weights in float32"] if dtype == "float64" else []
    return (
        f"{side} does not compute in {dtype}, which {cells} would run in. "
        f"What helps: {', or '.join(ways)}."
    )


def _prove_cells(
    plan: Plan,
    written: Mapping[str, np.ndarray],
    rollout_steps: int,
    self_test: SelfTest,
    progress: Progress | None,
) -> Iterator[CellProof]:
    sites = plan.conversion.cells
    layouts = get_dialect(plan.source).layout, get_dialect(plan.to).layout
    for number, site in enumerate(sites):
        yield prove_cell(
            site.name,
            site.weights(plan.checkpoint.tensors, plan.source),
            site.weights(written, plan.to),
            plan.columns,
            same_layout=layouts[0] == layouts[1],
            rollout_steps=rollout_steps,
            self_test=self_test,
            progress=_of_many(progress, site.name, number, len(sites)),
        )


def _of_many(progress: Progress | None, cell: str, number: int, cells: int) -> Progress | None:
    """Return what counts the steps of one of several cells among those of all."""
    if progress is None:
        return None

    def told(what: str, done: int, total: int) -> None:
        if done < total or number == cells - 1:
            said = f"{cell}: {what}" if what else ""
            progress(said, number * total + done, cells * total)

    return told


def _same_tensors(want: Mapping[str, np.ndarray], got: Mapping[str, np.ndarray]) -> bool:
    return want.keys() == got.keys() and all(
        array.dtype == got[name].dtype
        and array.shape == got[name].shape
        and array.tobytes() == got[name].tobytes()
        for name, array in want.items()
    )


def _read_by(framework: str, path: Path, tensors: Mapping[str, np.ndarray]) -> dict[str, bool]:
    """Have the framework read the file by itself, where it can; say whether it saw the same."""
    reader = get_reader(framework, path)
    if reader is None:
        return {}
    left = dict(tensors)
    try:
        same = True
        for name, kind, shape, content in reader(path):
            array = left.pop(name, None)
            same = same and array is not None and shape == array.shape
            same = same and array is not None and kind == dtype_name(array.dtype)
            same = same and array is not None and content == array.tobytes()
    except (ValueError, TypeError, RuntimeError, AttributeError):
        return {framework: False}
    return {framework: same and not left}

"""The port of a project as a person reads it: code, proofs, and one summary at the end."""

from __future__ import annotations

from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from onecell.cli.exits import Status
from onecell.cli.migrate_table import as_json, print_migration
from onecell.cli.table import print_proof
from onecell.migrate.rules.findings import Outcome
from onecell.project import CheckpointPort, ProjectPort
from onecell.text import plain
from onecell.verify import to_json

NAMES: Final = 4
"""Of files or tensors, so many are named in the summary."""


def project_status(done: ProjectPort) -> Status:
    """Return what a port says to the shell: the gravest of what became of its parts."""
    if any(each.proof is not None and not each.holds for each in done.checkpoints):
        return Status.FAILS
    if any(each.error for each in done.checkpoints):
        return Status.INPUT
    if done.migration is not None and done.migration.failed:
        return Status.SOURCE
    return Status.LEFT if done.left else Status.HOLDS


def project_to_json(done: ProjectPort) -> dict[str, Any]:
    """Return what became of a project for `json.dumps`: code, proofs, and what it comes to."""
    status = project_status(done)
    code = None if done.migration is None else as_json(done.migration, written=True)
    return {
        "to": done.to,
        "out": str(done.out),
        "status": int(status),
        "verdict": _verdict(status, done),
        "code": code,
        "checkpoints": [
            {
                "path": str(each.path),
                "error": each.error or None,
                "proof": None if each.proof is None else to_json(each.proof),
            }
            for each in done.checkpoints
        ],
        "copied": [str(path) for path in done.copied],
        "seconds": round(done.seconds, 3),
    }


def print_project(done: ProjectPort, console: Console, *, verbose: bool = False) -> None:
    """Print what became of the code, the proof of each checkpoint, and the summary."""
    if done.migration is not None:
        console.rule("code", style="dim")
        print_migration(done.migration, console, written=f"to {done.out}", check=False)
    for each in done.checkpoints:
        console.rule(Text(plain(str(each.path))), style="dim")
        if each.proof is not None:
            named = each.naming is not None and not each.naming.unknown
            print_proof(each.proof, console, verbose=verbose, most=0, named=named)
        else:
            console.print(Text(plain(each.error), "bold red"), soft_wrap=True)
        for name, why in each.naming.unsure.items() if each.naming else ():
            console.print(Text(plain(f"{name} keeps its name: {why}."), "yellow"), soft_wrap=True)
    console.rule("port", style="dim")
    _print_summary(done, console)


def _print_summary(done: ProjectPort, console: Console) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column()
    table.add_row("code", _code(done))
    if not done.checkpoints:
        table.add_row("checkpoint", Text("none found, so nothing is proved", "yellow"))
    for each in done.checkpoints:
        table.add_row("checkpoint", _checkpoint(each))
    if done.copied:
        table.add_row("copied", Text(plain(_some([str(path) for path in done.copied]))))
    status = project_status(done)
    style = "bold green" if status is Status.HOLDS else "bold red"
    table.add_row("verdict", Text(f"{_verdict(status, done)} (exit status {int(status)})", style))
    console.print(table)
    console.print(Text(f"Everything is in {plain(str(done.out))}"), soft_wrap=True)


def _code(done: ProjectPort) -> Text:
    if done.migration is None:
        return Text("none")
    found = done.migration
    counts = [
        f"{count} {outcome.value}"
        for outcome in Outcome
        if (count := found.count(outcome)) and outcome is not Outcome.FAILED
    ]
    files = f"{len(found.changed)} of {len(found.results)} files changed"
    failed = f"; {len(found.failed)} could not be migrated" if found.failed else ""
    return Text(f"{files}; uses: {', '.join(counts) or 'none'}{failed}")


def _checkpoint(each: CheckpointPort) -> Text:
    if each.proof is None:
        return Text(plain(f"{each.path.name}: {each.error}"), "red")
    proof = each.proof
    cells = f"{len(proof.cells)} cell{'' if len(proof.cells) == 1 else 's'}"
    if not proof.holds:
        return Text(plain(f"{each.path.name}: the proof FAILS; {proof.report.name}"), "red")
    said = f"{cells} proved" if proof.cells else "no cell to prove"
    renamed = f", {len(proof.renamed)} of another layer renamed" if proof.renamed else ""
    kept = len(proof.carried) - len(proof.renamed)
    return Text(
        plain(f"{each.path.name} → {proof.target.path.name}: {said}{renamed}")
        + (f", {kept} as before" if kept else "")
    )


def _verdict(status: Status, done: ProjectPort) -> str:
    match status:
        case Status.FAILS:
            return "FAILS: a new checkpoint does not compute the same; it was not written"
        case Status.INPUT:
            return "a checkpoint could not be ported"
        case Status.SOURCE:
            return "a source file could not be migrated"
        case Status.LEFT:
            uses = f"{done.left} use{'' if done.left == 1 else 's'}"
            return f"ported; {uses} left to do by hand, each marked TODO(onecell)"
        case _:
            return "HOLDS: ported, nothing left to do by hand"


def _some(names: list[str]) -> str:
    more = len(names) - NAMES
    return ", ".join(names[:NAMES]) + (f" and {more} more" if more > 0 else "")

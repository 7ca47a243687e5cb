"""The port of a project as a person reads it: code, proofs, and one summary at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from onecell.cli.exits import Status
from onecell.cli.migrate_table import as_json, print_migration
from onecell.cli.table import count, print_proof, say_verdict
from onecell.migrate.rules.findings import Outcome
from onecell.project import CheckpointPort, ProjectPort, Required, Verdict
from onecell.project.plan import other
from onecell.text import listed, plain
from onecell.verify import Proof
from onecell.verify.record import to_json

NAMES: Final = 4
"""Of files or tensors, so many are named in the summary."""
SCHEMA: Final = "onecell.port/1"
"""Changes when a reader of the old form would misread the new one."""

STATUS: Final = {
    Verdict.HOLDS: Status.HOLDS,
    Verdict.FAILS: Status.FAILS,
    Verdict.NOT_FINITE: Status.NOT_FINITE,
    Verdict.INPUT: Status.INPUT,
    Verdict.SOURCE: Status.SOURCE,
    Verdict.LEFT: Status.LEFT,
    Verdict.UNPROVED: Status.UNPROVED,
    Verdict.NOTHING: Status.NOTHING,
}
"""What a port says to the shell."""


def proof_verdict(proof: Proof) -> Verdict:
    """Return what the port of a single checkpoint comes to."""
    if proof.holds:
        return Verdict.UNPROVED if proof.unproved else Verdict.HOLDS
    return Verdict.NOT_FINITE if proof.not_finite else Verdict.FAILS


def project_to_json(done: ProjectPort) -> dict[str, Any]:
    """Return the port of a project for `json.dumps`, whole."""
    migration = done.migration
    return {
        "schema": SCHEMA,
        "verdict": done.verdict.value,
        "status": int(STATUS[done.verdict]),
        "to": done.to,
        "out": str(done.out),
        "code": None if migration is None else as_json(migration, written=not done.nothing),
        "checkpoints": [_checkpoint_to_json(each) for each in done.checkpoints],
        "copied": [str(path) for path in done.copied],
        "already": [str(path) for path in done.already],
        "required": [
            {
                "path": str(each.relative),
                "packages": [{"name": name, "line": line} for name, line in each.names],
            }
            for each in done.required
        ],
        "seconds": round(done.seconds, 3),
    }


def proof_to_json(proof: Proof) -> dict[str, Any]:
    """Return the port of a single checkpoint for `json.dumps`: its proof and what it comes to."""
    verdict = proof_verdict(proof)
    return to_json(proof) | {"verdict": verdict.value, "status": int(STATUS[verdict])}


def _checkpoint_to_json(each: CheckpointPort) -> dict[str, Any]:
    return {
        "path": str(each.path),
        "error": each.error or None,
        "unsure": dict(each.naming.unsure) if each.naming else {},
        "unknown": list(each.naming.unknown) if each.naming else [],
        "by_hand": list(each.naming.by_hand) if each.naming else [],
        "proof": None if each.proof is None else to_json(each.proof),
    }


def print_project(done: ProjectPort, console: Console, *, verbose: bool = False) -> None:
    """Print what became of the code, the proof of each checkpoint, and the summary."""
    if done.migration is not None:
        console.rule("code", style="dim")
        written = None if done.nothing else f"to {done.out}"
        print_migration(done.migration, console, written=written, check=done.nothing)
    for each in done.checkpoints:
        console.rule(Text(plain(str(each.path))), style="dim")
        if each.proof is not None:
            print_proof(each.proof, console, verbose=verbose, named=each.naming is not None)
        else:
            console.print(Text(plain(each.error), "bold red"), soft_wrap=True)
        if each.naming and (names := each.naming.by_hand):
            said = "To be named by hand, the code does not tell the layer: "
            said += listed(names, len(names))
            console.print(Text(said, "yellow"), soft_wrap=True)
        for name, why in each.naming.unsure.items() if each.naming else ():
            console.print(Text(plain(f"{name} keeps its name: {why}."), "yellow"), soft_wrap=True)
    console.rule("port", style="dim")
    _print_summary(done, console, verbose=verbose)


def _print_summary(done: ProjectPort, console: Console, *, verbose: bool) -> None:
    def some(names: list[str]) -> Text:
        return Text(listed(names, len(names) if verbose else NAMES))

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column()
    table.add_row("code", _code(done))
    if done.remaining:
        # Whole: these are what is left to do.
        names = [str(each.relative) for each in done.remaining]
        table.add_row(f"still {other(done.to)}", Text(listed(names, len(names)), "yellow"))
    for asking in done.required:
        table.add_row(f"asks for {other(done.to)}", Text(_required(asking), "yellow"))
    if not (done.checkpoints or done.nothing):
        table.add_row("checkpoint", Text("none found, so nothing is proved", "yellow"))
    for each in done.checkpoints:
        table.add_row("checkpoint", _checkpoint(each))
    if done.already:
        table.add_row(f"{done.to}'s already", some([str(path) for path in done.already]))
    if copied := [str(path) for path in done.copied if path not in done.already]:
        table.add_row("copied", some(copied))
    status = STATUS[done.verdict]
    style = "bold green" if status is Status.HOLDS else "bold red"
    console.print(table)
    # What a script looks for is never broken over lines.
    said = f"{_verdict(done)} (exit status {int(status)})"
    console.print(Text.assemble(("verdict     ", "bold"), (said, style)), soft_wrap=True)
    if not done.nothing:
        console.print(Text(f"Everything is in {plain(str(done.out))}"), soft_wrap=True)


def _required(each: Required) -> str:
    return f"{each.relative}: " + ", ".join(f"{name} (line {line})" for name, line in each.names)


def _code(done: ProjectPort) -> Text:
    if done.migration is None:
        return Text("none")
    found = done.migration
    counts = [
        f"{number} {outcome.value}"
        for outcome in Outcome
        if (number := found.count(outcome)) and outcome is not Outcome.FAILED
    ]
    files = f"{len(found.changed)} of {len(found.results)} files changed"
    failed = f"; {len(found.failed)} could not be migrated" if found.failed else ""
    return Text(f"{files}; uses: {', '.join(counts) or 'none'}{failed}")


def _checkpoint(each: CheckpointPort) -> Text:
    if each.proof is None:
        return Text(plain(f"{each.path.name}: {each.error}"), "red")
    proof = each.proof
    if not proof.holds:
        return Text(plain(f"{each.path.name}: the proof FAILS; {proof.report.name}"), "red")
    return Text(plain(f"{each.path.name} → {proof.target.path.name}: {say_verdict(proof)}"))


def _unproved(proofs: Sequence[Proof]) -> str:
    """Return what was not proved, by name."""
    said = [f"{name}: {why}" for proof in proofs for name, why in proof.unproved.items()]
    return f"not proved: {'; '.join(said)}" if said else "no cell of a checkpoint to prove"


def _verdict(done: ProjectPort) -> str:
    source = other(done.to)
    proofs = [each.proof for each in done.checkpoints if each.proof is not None]
    cells = count(sum(len(proof.cells) for proof in proofs), "cell")
    proved, tensors = (sum(p.proved for p in proofs), sum(p.tensors for p in proofs))
    left = {
        f"{count(done.left, 'use')} left to do by hand, each marked TODO(onecell)": done.left,
        f"{count(len(done.remaining), 'file')} still {source}": done.remaining,
        f"{count(len(done.required), 'file')} asking for {source}": done.required,
        f"{count(done.by_hand, 'tensor')} to be named by hand": done.by_hand,
    }
    beside = dict.fromkeys(each.text() for proof in proofs for each in proof.remarks.beside)
    remarks = "".join(f"; {each}" for each in beside)
    said = {
        Verdict.HOLDS: (
            f"{cells} ({proved} of {tensors} tensors) proved, nothing of {source} left{remarks}"
        ),
        Verdict.FAILS: "a new checkpoint is not proved to compute the same; it was not written",
        Verdict.NOT_FINITE: "a cell holds NaN or infinity; its checkpoint was not written",
        Verdict.INPUT: "a checkpoint could not be ported",
        Verdict.SOURCE: "a source file could not be migrated",
        Verdict.LEFT: ", ".join(words for words, here in left.items() if here),
        Verdict.UNPROVED: f"ported, nothing of {source} left; {_unproved(proofs)}{remarks}",
        Verdict.NOTHING: f"nothing of {source} is in it; nothing was written",
    }
    return f"{done.verdict.value}: {said[done.verdict]}"

"""The port of a project as a person reads it: code, proofs, and one summary at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from onecell.cli.exits import Status
from onecell.cli.migrate_table import as_json, print_migration
from onecell.cli.table import print_proof, say_verdict
from onecell.language import counted, joined, listed, say, spoken, translated, verdict
from onecell.migrate.rules.findings import Outcome
from onecell.project import CheckpointPort, ProjectPort, Required, Verdict
from onecell.project.plan import other
from onecell.text import plain
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
        console.rule(say("code"), style="dim")
        written = None if done.nothing else say("to {out}", out=str(done.out))
        print_migration(done.migration, console, written=written, check=done.nothing)
    for each in done.checkpoints:
        console.rule(Text(plain(str(each.path))), style="dim")
        if each.proof is not None:
            print_proof(each.proof, console, verbose=verbose, named=each.naming is not None)
        else:
            console.print(Text(plain(translated(each.error)), "bold red"), soft_wrap=True)
        if each.naming and (names := each.naming.by_hand):
            said = say("To be named by hand, the code does not tell the layer: ")
            said += listed(names, len(names))
            console.print(Text(said, "yellow"), soft_wrap=True)
        for name, why in each.naming.unsure.items() if each.naming else ():
            said = say("{name} keeps its name: {why}.", name=name, why=translated(why))
            console.print(Text(plain(said), "yellow"), soft_wrap=True)
    console.rule(say("port"), style="dim")
    _print_summary(done, console, verbose=verbose)


def _print_summary(done: ProjectPort, console: Console, *, verbose: bool) -> None:
    def some(names: list[str]) -> Text:
        return Text(listed(names, len(names) if verbose else NAMES))

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column()
    table.add_row(say("code"), _code(done))
    if done.remaining:
        # Whole: these are what is left to do.
        names = [str(each.relative) for each in done.remaining]
        still = say("still {framework}", framework=other(done.to))
        table.add_row(still, Text(listed(names, len(names)), "yellow"))
    for asking in done.required:
        asks = say("asks for {framework}", framework=other(done.to))
        table.add_row(asks, Text(_required(asking), "yellow"))
    if not (done.checkpoints or done.nothing):
        table.add_row(say("checkpoint"), Text(say("none found, so nothing is proved"), "yellow"))
    for each in done.checkpoints:
        table.add_row(say("checkpoint"), _checkpoint(each))
    if done.already:
        already = say("{framework}'s already", framework=done.to)
        table.add_row(already, some([str(path) for path in done.already]))
    if copied := [str(path) for path in done.copied if path not in done.already]:
        table.add_row(say("copied"), some(copied))
    status = STATUS[done.verdict]
    style = "bold green" if status is Status.HOLDS else "bold red"
    console.print(table)
    # What a script looks for is never broken over lines.
    said = say("{verdict} (exit status {status})", verdict=_verdict(done), status=int(status))
    heading = f"{say('verdict')}     "
    console.print(Text.assemble((heading, "bold"), (said, style)), soft_wrap=True)
    if not done.nothing:
        said = say("Everything is in {out}", out=plain(str(done.out)))
        console.print(Text(said), soft_wrap=True)


def _required(each: Required) -> str:
    lines = [say("{name} (line {line})", name=name, line=line) for name, line in each.names]
    return f"{each.relative}: " + ", ".join(lines)


def _code(done: ProjectPort) -> Text:
    if done.migration is None:
        return Text(say("none"))
    found = done.migration
    counts = [
        say(f"{{number}} {outcome.value}", number=number)
        for outcome in Outcome
        if (number := found.count(outcome)) and outcome is not Outcome.FAILED
    ]
    parts = [
        say(
            "{changed} of {every} files changed",
            changed=len(found.changed),
            every=len(found.results),
        ),
        say("uses: {counts}", counts=", ".join(counts) or say("none")),
    ]
    if found.failed:
        parts.append(say("{failed} could not be migrated", failed=len(found.failed)))
    return Text(joined(parts))


def _checkpoint(each: CheckpointPort) -> Text:
    if each.proof is None:
        return Text(plain(f"{each.path.name}: {translated(each.error)}"), "red")
    proof = each.proof
    if not proof.holds:
        said = say("{name}: the proof FAILS; {proof}", name=each.path.name, proof=proof.report.name)
        return Text(plain(said), "red")
    return Text(plain(f"{each.path.name} → {proof.target.path.name}: {say_verdict(proof)}"))


def _unproved(proofs: Sequence[Proof]) -> str:
    """Return what was not proved, by name."""
    said = [
        say("{name}: {text}", name=name, text=why.text(spoken()))
        for proof in proofs
        for name, why in proof.remarks.unproved.items()
    ]
    if not said:
        return say("no cell of a checkpoint to prove")
    return say("not proved: {names}", names=joined(said))


def _verdict(done: ProjectPort) -> str:
    source = other(done.to)
    proofs = [each.proof for each in done.checkpoints if each.proof is not None]
    cells = counted(sum(len(proof.cells) for proof in proofs), "cell")
    proved, tensors = (sum(p.proved for p in proofs), sum(p.tensors for p in proofs))
    left = {
        say(
            "{uses} left to do by hand, each marked TODO(onecell)", uses=counted(done.left, "use")
        ): done.left,
        say(
            "{files} still {source}", files=counted(len(done.remaining), "file"), source=source
        ): done.remaining,
        say(
            "{files} asking for {source}", files=counted(len(done.required), "file"), source=source
        ): done.required,
        say("{tensors} to be named by hand", tensors=counted(done.by_hand, "tensor")): done.by_hand,
    }
    beside = dict.fromkeys(each.text(spoken()) for p in proofs for each in p.remarks.beside)
    said = {
        Verdict.HOLDS: say(
            "{cells} ({proved} of {tensors} tensors) proved, nothing of {source} left",
            cells=cells,
            proved=proved,
            tensors=tensors,
            source=source,
        ),
        Verdict.FAILS: say(
            "a new checkpoint is not proved to compute the same; it was not written"
        ),
        Verdict.NOT_FINITE: say("a cell holds NaN or infinity; its checkpoint was not written"),
        Verdict.INPUT: say("a checkpoint could not be ported"),
        Verdict.SOURCE: say("a source file could not be migrated"),
        Verdict.LEFT: ", ".join(words for words, here in left.items() if here),
        Verdict.UNPROVED: joined(
            [say("ported, nothing of {source} left", source=source), _unproved(proofs)]
        ),
        Verdict.NOTHING: say("nothing of {source} is in it; nothing was written", source=source),
    }[done.verdict]
    if done.verdict in {Verdict.HOLDS, Verdict.UNPROVED}:
        said = joined([said, *beside])
    return say("{name}: {text}", name=verdict(done.verdict.value), text=said)

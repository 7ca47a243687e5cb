"""A migration as a person, a program or `patch` reads it."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from onecell.migrate import FileOutcome, FileResult, Finding, Migration, Outcome
from onecell.migrate.rules.table.scan import other_framework
from onecell.migrate.run.results import LEFT, Remain
from onecell.text import listed, plain, short

MOST_ROWS: Final = 60
"""With more uses than this, those that are done are counted instead of listed."""

MOST_REMAINS: Final = 6
"""Of what is left in a file, so many names are printed, and of each so many lines."""

NARROW: Final = 100
"""In a terminal with fewer columns places and rules would be broken: a row is a line there."""

_DONE: Final = "Rewritten for "
"""How a message begins that says no more than what it was and is."""

_COLOURS: Final = {
    Outcome.CONVERTED: "green",
    Outcome.ASSUMED: "yellow",
    Outcome.ALREADY: "dim",
    Outcome.REFUSED: "bold red",
    Outcome.MARKED: "yellow",
    Outcome.FAILED: "bold red",
}


def print_migration(
    migration: Migration, console: Console, *, written: str | None, check: bool
) -> None:
    """Print a row for each use that was touched or is left, and what that comes to.

    Of many uses, those that are done are counted by rule, and what is assumed by its condition.

    Args:
        migration: what to print.
        console: where.
        written: how the files were written; None if they were not.
        check: whether nobody wanted them written.
    """
    table = Table(box=None, pad_edge=False, header_style="bold", collapse_padding=True)
    table.add_column("where", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    table.add_column("rule", no_wrap=True)
    table.add_column("what")
    # On one line there may be several alike, three annotations, say.
    rows = list(dict.fromkeys(row for result in migration.results for row in _rows(result)))
    if len(rows) > MOST_ROWS:
        for counted in _counted(migration):
            console.print(Text(counted), soft_wrap=True)
        console.print()
        rows = [row for row in rows if row[1] in LEFT]
    longest = max((len(where) for where, *_ in rows), default=0)
    narrow = console.width < NARROW or longest > console.width // 3
    if narrow or not console.is_terminal:
        for where, outcome, rule, what, by_hand in rows:
            decided = f"{outcome} ({rule})" if rule else str(outcome)
            left = f" By hand: {by_hand}" if by_hand else ""
            console.print(Text(f"{where}: {decided}: {what}{left}"), soft_wrap=True)
    elif rows:
        for where, outcome, rule, what, by_hand in rows:
            told = Text(what).append(f"\nBy hand: {by_hand}" if by_hand else "", "bold")
            table.add_row(Text(where), Text(outcome, _COLOURS[outcome]), Text(rule), told)
        console.print(table)
    if rows:
        console.print()
    print_remains(migration, console)
    for path, why in migration.skipped:
        console.print(Text(plain(f"{path}: not looked into, {why}."), "dim"), soft_wrap=True)
    for line in _summary(migration, written=written, check=check):
        console.print(line, soft_wrap=True)


def print_remains(migration: Migration, console: Console) -> None:
    """Print a line for each file in which something of the source framework is left."""
    source = other_framework(migration.to)
    for result in migration.remaining:
        # What is used first: an import alone says less.
        every = sorted(result.remains, key=lambda each: each.kind == "import")
        said = _cut([_remain(each) for each in every], "; --json has all")
        # Of a file that changes, the lines are those of its new content.
        new = ", as it comes out" if result.outcome is FileOutcome.CHANGED else ""
        text = f"{plain(str(result.path))}: still {source}{new}: {said}"
        console.print(Text(text, "yellow"), soft_wrap=True)
    if migration.remaining:
        console.print()


def _remain(remain: Remain) -> str:
    lines = [str(line) if cell is None else f"{cell}:{line}" for cell, line in remain.places]
    where = "line" if remain.places[0][0] is None else "cell:line"
    word = "import " if remain.kind == "import" else ""
    return f"{word}{short(remain.name)} ({where} {_cut(lines)})"


def _cut(words: list[str], hint: str = "") -> str:
    more = len(words) - MOST_REMAINS
    said = ", ".join(words[:MOST_REMAINS])
    return f"{said} and {more} more{hint}" if more > 0 else said


_Row = tuple[str, Outcome, str, str, str]
"""Where, outcome, rule, what was done or why not, what is left to do by hand."""


def _rows(result: FileResult) -> Iterator[_Row]:
    if result.outcome is FileOutcome.FAILED:
        yield plain(str(result.path)), Outcome.FAILED, "", plain(result.error), ""
        return
    shown = (found for found in result.findings if found.outcome is not Outcome.ALREADY)
    for told, run in groupby(shown, lambda f: (f.outcome, f.rule, _what(f), f.by_hand)):
        first, *more = run
        outcome, rule, what, by_hand = told
        if more and outcome in LEFT:
            others = list(dict.fromkeys(str(result.cell_line(each)[1]) for each in more))
            what = f"{what} So {'is' if len(others) == 1 else 'are'} line {_cut(others)}."
            more = []
        for found in (first, *more):
            yield plain(result.place(found)), outcome, plain(rule), plain(what), plain(by_hand)


def _what(found: Finding) -> str:
    """Return what was done, old → new, or why not."""
    if not found.before:
        return found.message.removeprefix("Left as it is: ")
    done, _, condition = found.message.partition("; ")
    became = "stays" if found.before == found.after else f"→ {found.after or 'nothing'}"
    said = f"{found.before} {became}"
    if not done.startswith((_DONE, "`")):
        said += f": {done}"
    return f"{said}; {condition}" if condition else said


def _counted(migration: Migration) -> Iterator[str]:
    """Yield how often each rule was used, and on what the assumed uses depend."""
    found = [(each, f) for each in migration.results for f in each.findings]
    done = [(each, f) for each, f in found if f.outcome is Outcome.CONVERTED]
    rules = Counter(f.rule for _, f in done)
    if rules:
        first = {f.rule: _what(f) for _, f in reversed(done)}
        yield "Converted, by rule, the first of each (--diff shows all):"
        for rule, times in rules.most_common():
            yield f"  {plain(rule)} {times}: {plain(first[rule])}"
        files = Counter(_name(each) for each, _ in done)
        yield f"Converted, by file: {_cut([f'{p} {times}' for p, times in files.most_common()])}."
    assumed: dict[str, list[str]] = {}
    for result, f in found:
        if f.outcome is Outcome.ASSUMED:
            condition = f.message.partition("; ")[2].removesuffix(".") or f.message
            kind, about = _kind(condition)
            place = f"{_name(result)}{result.place(f)[len(str(result.path)) :]}"
            assumed.setdefault(kind, []).append(f"{about} ({place})" if about else place)
    for kind, places in sorted(assumed.items(), key=lambda each: -len(each[1])):
        uses = f"{len(places)} use{'s' * (len(places) != 1)}"
        yield f"Assumed, {uses}: {plain(kind)}: {listed(places, most=3, longest=300)}"


def _kind(condition: str) -> tuple[str, str]:
    """Return a condition without the name that it begins with, and that name."""
    found = re.match("exact if (`[^`]*`)", condition)
    if found is None:
        return condition, ""
    return f"exact if … {condition[found.end() :].lstrip()}", found[1]


def _name(result: FileResult) -> str:
    """Return what a file is called in the folder that was named, or as it was named itself."""
    return plain(str(result.path) if result.root is None else result.relative.as_posix())


def _summary(migration: Migration, *, written: str | None, check: bool) -> Iterator[Text]:
    changed, failed = len(migration.changed), len(migration.failed)
    uses = [
        f"{count} {outcome.value}"
        for outcome in Outcome
        if (count := migration.count(outcome)) and outcome is not Outcome.FAILED
    ]
    if uses:
        yield Text(f"Uses: {', '.join(uses)}.")
    if migration.renamed:
        pairs = ", ".join(f"{old} → {new}" for old, new in migration.renamed.items())
        yield Text(
            f"Called anew, since {migration.to}'s modules have such names: {plain(pairs)}. Tensors "
            "in checkpoints are called so too: `onecell port` of code and checkpoints does it."
        )
    did = "changed" if written or migration.nothing else "would change"
    if left := [each for each in migration.results if each.left]:
        rules = Counter(found.rule for each in left for found in each.left)
        files_left = {_name(each): len(each.left) for each in left}
        every = sorted(files_left, key=lambda path: -files_left[path])
        yield Text(f"Left, by rule: {_cut([f'{r} {n}' for r, n in rules.most_common()])}.")
        yield Text(f"Left, by file: {_cut([f'{p} {files_left[p]}' for p in every])}.")
    files = f"{_files(len(migration.results))}: {changed} {did}"
    files += f", {failed} could not be migrated" if failed else ""
    if remaining := len(migration.remaining):
        word = "uses" if remaining == 1 else "use"
        files += f", {remaining} still {word} {other_framework(migration.to)}"
    if changed and written:
        files += f"; written {plain(written)}"
    yield Text(f"{files}.", "bold red" if failed else "bold")
    if migration.todo is not None:
        yield Text(f"What is left, as a list to work through: {plain(str(migration.todo))}")
    if migration.nothing:
        yield Text(f"NOTHING to do: no {other_framework(migration.to)} in what was looked into.")
    if changed and not written and not check:
        yield Text("Nothing was written: --diff shows the change, --write or --out makes it.")


def _files(count: int) -> str:
    return f"{count} file{'' if count == 1 else 's'}"


def print_diff(migration: Migration, console: Console) -> None:
    """Print a unified diff that `patch` and `git apply` take, or for a person a coloured one."""
    for result in migration.changed:
        for line in _diff(result):
            if console.is_terminal:
                shown = plain(line.decode(errors="replace").rstrip("\r\n").replace("\t", "    "))
                colour = {"+": "green", "-": "red", "@": "cyan"}.get(shown[:1], "")
                console.print(Text(shown, colour), soft_wrap=True)
            else:
                typer.echo(line, nl=False)


def _diff(result: FileResult) -> Iterator[bytes]:
    name = plain(result.path.as_posix())
    old, new = (name, name) if result.path.is_absolute() else (f"a/{name}", f"b/{name}")
    lines = (each.split(b"\n") for each in (result.before, result.after))
    before, after = ([*(line + b"\n" for line in whole), last] for *whole, last in lines)
    for line in difflib.diff_bytes(
        difflib.unified_diff,
        before if before[-1] else before[:-1],
        after if after[-1] else after[:-1],
        old.encode(),
        new.encode(),
    ):
        yield line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n"


def as_json(migration: Migration, *, written: bool) -> dict[str, Any]:
    """Return a migration for `json.dumps`: every file that changes, failed or has a use.

    Args:
        migration: what to say.
        written: whether the changed files were written.
    """
    return {
        "to": migration.to,
        "target": migration.target,
        "written": written,
        "todo": None if migration.todo is None else str(migration.todo),
        "files": [
            _file(each)
            for each in migration.results
            if each.findings or each.remains or each.outcome is not FileOutcome.SAME
        ],
        "renamed": dict(migration.renamed),
        "skipped": [{"path": str(path), "why": why} for path, why in migration.skipped],
        "counts": {
            "files": len(migration.results),
            "remaining": len(migration.remaining),
            **{
                outcome.value: sum(each.outcome is outcome for each in migration.results)
                for outcome in FileOutcome
            },
        },
        "uses": {
            outcome.value: migration.count(outcome)
            for outcome in Outcome
            if outcome is not Outcome.FAILED
        },
    }


def _file(result: FileResult) -> dict[str, Any]:
    return {
        "path": str(result.path),
        "outcome": result.outcome.value,
        "error": result.error or None,
        "findings": [_finding(result, found) for found in result.findings],
        "remains": [
            {
                "name": each.name,
                "kind": each.kind,
                "places": [{"cell": cell, "line": line} for cell, line in each.places],
            }
            for each in result.remains
        ],
    }


def _finding(result: FileResult, found: Finding) -> dict[str, Any]:
    cell, line = result.cell_line(found)
    return {
        "rule": found.rule,
        "outcome": found.outcome.value,
        "cell": cell,
        "line": line,
        "column": found.column,
        "message": found.message,
        "by_hand": found.by_hand or None,
        "before": found.before or None,
        "after": found.after if found.before else None,
    }

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

from onecell.language import counted, joined, listed, say, spoken, translated
from onecell.migrate import FileOutcome, FileResult, Finding, Migration, Outcome
from onecell.migrate.rules.table.scan import other_framework
from onecell.migrate.run.results import LEFT, Remain
from onecell.text import plain, short

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
    for name in ("where", "outcome", "rule"):
        table.add_column(say(name), no_wrap=True)
    table.add_column(say("what"))
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
            decided = f"{say(outcome.value)} ({rule})" if rule else say(outcome.value)
            left = say(" By hand: {by_hand}", by_hand=by_hand) if by_hand else ""
            console.print(Text(f"{where}: {decided}: {what}{left}"), soft_wrap=True)
    elif rows:
        for where, outcome, rule, what, by_hand in rows:
            left = "\n" + say(" By hand: {by_hand}", by_hand=by_hand).strip() if by_hand else ""
            told = Text(what).append(left, "bold")
            decision = Text(say(outcome.value), _COLOURS[outcome])
            table.add_row(Text(where), decision, Text(rule), told)
        console.print(table)
    if rows:
        console.print()
    print_remains(migration, console)
    for path, why in migration.skipped:
        said = say("{path}: not looked into, {why}.", path=str(path), why=translated(why))
        console.print(Text(plain(said), "dim"), soft_wrap=True)
    for line in _summary(migration, written=written, check=check):
        console.print(line, soft_wrap=True)


def print_remains(migration: Migration, console: Console) -> None:
    """Print a line for each file in which something of the source framework is left."""
    source = other_framework(migration.to)
    for result in migration.remaining:
        # What is used first: an import alone says less.
        every = sorted(result.remains, key=lambda each: each.kind == "import")
        said = _cut([_remain(each) for each in every], say("; --json has all"))
        # Of a file that changes, the lines are those of its new content.
        new = result.outcome is FileOutcome.CHANGED
        still = "{path}: still {source}, as it comes out: {names}"
        text = say(
            still if new else "{path}: still {source}: {names}",
            path=plain(str(result.path)),
            source=source,
            names=said,
        )
        console.print(Text(text, "yellow"), soft_wrap=True)
    if migration.remaining:
        console.print()


def _remain(remain: Remain) -> str:
    lines = [str(line) if cell is None else f"{cell}:{line}" for cell, line in remain.places]
    where = say("line" if remain.places[0][0] is None else "cell:line")
    word = "import " if remain.kind == "import" else ""
    return f"{word}{short(remain.name)} ({where} {_cut(lines)})"


def _cut(words: list[str], hint: str = "") -> str:
    more = len(words) - MOST_REMAINS
    said = ", ".join(words[:MOST_REMAINS])
    if more <= 0:
        return said
    return say("{names} and {more} more", names=said, more=more) + hint


_Row = tuple[str, Outcome, str, str, str]
"""Where, outcome, rule, what was done or why not, what is left to do by hand."""


def _rows(result: FileResult) -> Iterator[_Row]:
    if result.outcome is FileOutcome.FAILED:
        yield plain(str(result.path)), Outcome.FAILED, "", plain(translated(result.error)), ""
        return
    shown = (found for found in result.findings if found.outcome is not Outcome.ALREADY)
    for told, run in groupby(shown, lambda f: (f.outcome, f.rule, _what(f), f.by_hand)):
        first, *more = run
        outcome, rule, what, by_hand = told
        if more and outcome in LEFT:
            others = list(dict.fromkeys(str(result.cell_line(each)[1]) for each in more))
            so = "{what} So is line {lines}." if len(others) == 1 else "{what} So are line {lines}."
            what = say(so, what=what, lines=_cut(others))
            more = []
        for found in (first, *more):
            yield (
                plain(result.place(found)),
                outcome,
                plain(rule),
                plain(what),
                plain(translated(by_hand)),
            )


def _what(found: Finding) -> str:
    """Return what was done, old → new, or why not."""
    if not found.before:
        return translated(found.message.removeprefix("Left as it is: "))
    done, _, condition = found.message.partition("; ")
    became = say("stays") if found.before == found.after else f"→ {found.after or say('nothing')}"
    said = f"{found.before} {became}"
    if not done.startswith((_DONE, "`")):
        said = say("{name}: {text}", name=said, text=translated(done))
    return joined([said, translated(condition)]) if condition else said


def _counted(migration: Migration) -> Iterator[str]:
    """Yield how often each rule was used, and on what the assumed uses depend."""
    found = [(each, f) for each in migration.results for f in each.findings]
    done = [(each, f) for each, f in found if f.outcome is Outcome.CONVERTED]
    rules = Counter(f.rule for _, f in done)
    if rules:
        first = {f.rule: _what(f) for _, f in reversed(done)}
        yield say("Converted, by rule, the first of each (--diff shows all):")
        for rule, times in rules.most_common():
            yield f"  {plain(rule)} {times}: {plain(first[rule])}"
        files = Counter(_name(each) for each, _ in done)
        names = _cut([f"{path} {times}" for path, times in files.most_common()])
        yield say("Converted, by file: {names}.", names=names)
    assumed: dict[str, list[str]] = {}
    for result, f in found:
        if f.outcome is Outcome.ASSUMED:
            condition = f.message.partition("; ")[2].removesuffix(".") or f.message
            kind, about = _kind(condition)
            kind = translated(kind)
            place = f"{_name(result)}{result.place(f)[len(str(result.path)) :]}"
            assumed.setdefault(kind, []).append(f"{about} ({place})" if about else place)
    for kind, places in sorted(assumed.items(), key=lambda each: -len(each[1])):
        yield say(
            "Assumed, {uses}: {kind}: {places}",
            uses=counted(len(places), "use"),
            kind=plain(kind),
            places=listed(places, most=3, longest=300),
        )


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
        say(f"{{number}} {outcome.value}", number=count)
        for outcome in Outcome
        if (count := migration.count(outcome)) and outcome is not Outcome.FAILED
    ]
    if uses:
        yield Text(say("Uses: {uses}.", uses=", ".join(uses)))
    if migration.renamed:
        pairs = ", ".join(f"{old} → {new}" for old, new in migration.renamed.items())
        yield Text(
            say(
                "Called anew, since {framework}'s modules have such names: {names}. Tensors in "
                "checkpoints are called so too: `onecell port` of code and checkpoints does it.",
                framework=migration.to,
                names=plain(pairs),
            )
        )
    did = "{files}: {changed} changed"
    if not (written or migration.nothing):
        did = "{files}: {changed} would change"
    if left := [each for each in migration.results if each.left]:
        rules = Counter(found.rule for each in left for found in each.left)
        files_left = {_name(each): len(each.left) for each in left}
        every = sorted(files_left, key=lambda path: -files_left[path])
        names = _cut([f"{rule} {number}" for rule, number in rules.most_common()])
        yield Text(say("Left, by rule: {names}.", names=names))
        names = _cut([f"{path} {files_left[path]}" for path in every])
        yield Text(say("Left, by file: {names}.", names=names))
    files = [say(did, files=counted(len(migration.results), "file"), changed=changed)]
    if failed:
        files.append(say("{failed} could not be migrated", failed=failed))
    if remaining := len(migration.remaining):
        still = "{number} still uses {source}" if remaining == 1 else "{number} still use {source}"
        files.append(say(still, number=remaining, source=other_framework(migration.to)))
    said = (", " if spoken() == "en" else "，").join(files)
    if changed and written:
        said = joined([said, say("written {where}", where=plain(written))])
    yield Text(say("{sentence}.", sentence=said), "bold red" if failed else "bold")
    if migration.todo is not None:
        todo = plain(str(migration.todo))
        yield Text(say("What is left, as a list to work through: {path}", path=todo))
    if migration.nothing:
        source = other_framework(migration.to)
        yield Text(say("NOTHING to do: no {source} in what was looked into.", source=source))
    if changed and not written and not check:
        yield Text(say("Nothing was written: --diff shows the change, --write or --out makes it."))


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

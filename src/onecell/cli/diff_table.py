"""A difference table as a person reads it in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.box import HORIZONTALS
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text as Styled

from onecell.text import plain
from onecell.verify.difference import SECTIONS, Change, Finding, Language, Table, Verdict
from onecell.verify.difference.words import (
    CHANGED,
    PAGE,
    TITLES,
    UNCHANGED,
    count,
    describe_page,
    describe_verdict,
    describe_versions,
    lines,
)

NARROW: Final = 100
"""In a terminal with fewer columns a table would be all hyphens: rows stand below each other."""

_STYLES: Final = {
    Verdict.SAME: "green",
    Verdict.DIFFERS: "yellow",
    Verdict.WRONG: "bold red",
    Verdict.CRASHED: "bold red",
    Verdict.NOT_RUN: "dim",
}


def print_table(table: Table, console: Console, language: Language = "en") -> None:
    """Print every row, section by section, and how many hold."""
    for section, heading in SECTIONS.items():
        found = [each for each in table.findings if each.section == section]
        if not found:
            continue
        if console.width < NARROW:
            _print_narrow(found, heading.get(language), table, language, console)
        else:
            console.print(_section(found, heading.get(language), table, language))
    console.print(plain(describe_versions(table, language)))
    console.print(count(table, language))


def print_changes(
    changes: Sequence[Change], before: Table, console: Console, lang: Language = "en"
) -> None:
    """Print what has changed since `before`, a line each."""
    text = CHANGED if changes else UNCHANGED
    console.print(plain(text.get(lang).format(versions=describe_versions(before, lang))))
    for change in changes:
        console.print(Styled(f"  {plain(change.describe(lang))}", "bold red"))


def _section(findings: Sequence[Finding], title: str, table: Table, language: Language) -> Grid:
    grid = Grid(title=title, title_justify="left", title_style="bold", box=HORIZONTALS)
    # An id is what `--only` takes: it is never broken over lines.
    grid.add_column("id", no_wrap=True, style="dim")
    for framework in table.frameworks:
        grid.add_column(TITLES[framework], ratio=5, overflow="fold")
    grid.add_column("", ratio=6, overflow="fold")
    ours = [plain(finding.onecell.get(language)) for finding in findings]
    if any(ours):
        grid.add_column("onecell", ratio=4, overflow="fold")
    grid.expand = grid.show_lines = True
    for finding, text in zip(findings, ours, strict=True):
        answers = (_answer(finding, framework, language) for framework in table.frameworks)
        last = (Styled(text),) if any(ours) else ()
        grid.add_row(plain(finding.id), *answers, _verdict(finding, language), *last)
    return grid


def _print_narrow(
    findings: Sequence[Finding], title: str, table: Table, language: Language, console: Console
) -> None:
    """Print one row below the other, each line beginning with whose answer it is."""
    console.rule(Styled(title, "bold"), style="dim")
    for finding in findings:
        console.print(Styled(plain(finding.id), "bold"))
        for framework in table.frameworks:
            said = _answer(finding, framework, language)
            console.print(Padding(Styled(f"{TITLES[framework]}: ").append(said), (0, 0, 0, 2)))
        console.print(Padding(_verdict(finding, language), (0, 0, 0, 2)))
        if ours := finding.onecell.get(language):
            console.print(Padding(Styled(f"onecell: {plain(ours)}"), (0, 0, 0, 2)))
    console.print()


def _answer(finding: Finding, framework: str, language: Language) -> Styled:
    asked = finding.of(framework)
    return Styled("\n".join(map(plain, lines(asked, language))) if asked is not None else "")


def _verdict(finding: Finding, language: Language) -> Styled:
    text = Styled(describe_verdict(finding, language), _STYLES[finding.verdict])
    text.append(f"\n{plain(finding.claim.get(language))}", "default")
    if finding.page is not None:
        style = "red" if finding.page_verdict is Verdict.WRONG else "dim"
        said = (PAGE.get(language), finding.page.get(language), describe_page(finding, language))
        text.append("\n" + plain(": ".join(said)), style)
    return text

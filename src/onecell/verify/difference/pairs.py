"""Any two frameworks: torch and MindSpore by the rows about them, all others by common matters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from onecell.dialect import DIALECTS
from onecell.errors import ArgumentError
from onecell.verify.difference.common.adapters import ADAPTERS
from onecell.verify.difference.common.claims import layout_of
from onecell.verify.difference.common.run import MATTERS, pair, run_pair
from onecell.verify.difference.common.stored import stored_answers
from onecell.verify.difference.record import stored_table
from onecell.verify.difference.row import FRAMEWORKS
from onecell.verify.difference.run import Progress, choose_rows, run_table
from onecell.verify.difference.values import Table
from onecell.verify.runtimes import find_interpreter
from onecell.verify.sides import is_installed

UNASKED: Final = tuple(name for name in DIALECTS if name not in ADAPTERS)
"""Dialects of frameworks without a runtime that Python could ask."""


def has_rows(frameworks: Iterable[str]) -> bool:
    """Return whether the two are those that the rows with claims and their own probes are about."""
    return set(frameworks) == set(FRAMEWORKS)


def rows_of(frameworks: Iterable[str], only: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the ids of the rows called `only`, or of all, in the order of the table.

    Raises:
        ArgumentError: there is no row of a name.
    """
    if has_rows(frameworks):
        return tuple(row.id for row in choose_rows(only))
    wanted = tuple(only)
    for name in wanted:
        if name not in MATTERS:
            raise ArgumentError(
                f"`only` must name rows of the table, got {name!r}; there are {', '.join(MATTERS)}."
            )
    return tuple(name for name in MATTERS if not wanted or name in wanted)


def run_rows(
    frameworks: tuple[str, str], names: Iterable[str], progress: Progress | None = None
) -> Table:
    """Return the table of two frameworks, run; a framework that is not there is said to be so."""
    wanted = set(names)
    if has_rows(frameworks):
        return run_table(choose_rows(wanted), frameworks=frameworks, progress=progress)
    return run_pair(frameworks, [m for m in MATTERS.values() if m.id in wanted], progress)


def stored_rows(frameworks: tuple[str, str]) -> Table:
    """Return the table of two frameworks that comes with onecell."""
    if has_rows(frameworks):
        table = stored_table()
        return Table(frameworks, table.versions, table.findings)
    first, second = map(stored_answers, frameworks)
    return pair(first, second)


def table_beside(first: str | None, second: str | None) -> Table | None:
    """Return the stored table that belongs to a comparison of cells of two frameworks.

    Of torch and MindSpore, and of cells of nobody's, it is that of the two; of one framework
    beside itself, and of one that cannot be asked, there is none.
    """
    if {first, second} <= {*FRAMEWORKS, None}:
        return stored_table()
    if first is None or second is None or first == second or not {first, second} <= set(ADAPTERS):
        return None
    return stored_rows((first, second))


def is_there(framework: str, frameworks: Iterable[str]) -> bool:
    """Return whether `framework` could be asked here, beside the other of the two."""
    if has_rows(frameworks):
        return is_installed(framework)
    return framework == "numpy" or find_interpreter(framework) is not None


def known(framework: str) -> str:
    """Return what is known of a framework that cannot be asked: what its dialect's row says."""
    row = DIALECTS[framework]
    pieces = "; ".join(f"{name} {text}" for name, text in layout_of(row).items())
    return f"{pieces}; state ({', '.join(row.state)})"

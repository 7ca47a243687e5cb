"""Run the rows of the table on what is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from onecell.ending import at_end
from onecell.errors import ArgumentError
from onecell.verify.child import LIMIT
from onecell.verify.difference.claims import judge
from onecell.verify.difference.row import FRAMEWORKS, Row, in_order
from onecell.verify.difference.rows import ROWS
from onecell.verify.difference.session import Session
from onecell.verify.difference.values import Finding, Observation, Table, Verdict
from onecell.verify.record import version

Progress = Callable[[str, int, int], None]
"""Called with a row's id, and how many answers are in, of how many; from more than one thread."""


def choose_rows(only: Iterable[str] = (), rows: Mapping[str, Row] = ROWS) -> tuple[Row, ...]:
    """Return the rows called `only`, or all, in the order of the table.

    Raises:
        ArgumentError: there is no row of a name.
    """
    wanted = set(only)
    if unknown := sorted(wanted - rows.keys()):
        raise ArgumentError(
            f"`only` must name rows of the table, got {unknown[0]!r}; there are {', '.join(rows)}."
        )
    return tuple(each for each in in_order(rows) if not wanted or each.id in wanted)


def run_table(
    rows: Sequence[Row] | None = None,
    *,
    frameworks: tuple[str, str] = FRAMEWORKS,
    limit: float = LIMIT,
    progress: Progress | None = None,
) -> Table:
    """Run every row's probe on both frameworks, and on onecell under both signatures.

    Each framework runs in a process of its own, so that none is imported here and a crash is an
    answer; both run at the same time.

    Args:
        rows: what to run; None for all.
        frameworks: the two, in the order in which the table shows them.
        limit: seconds that one probe may take on one side.
        progress: see `Progress`.

    Raises:
        ArgumentError: `frameworks` are not the two that the rows are about.
    """
    if sorted(frameworks) != sorted(FRAMEWORKS):
        raise ArgumentError(
            f"`frameworks` must be {' and '.join(FRAMEWORKS)}, in either order, "
            f"got {' and '.join(frameworks)}."
        )
    rows = choose_rows() if rows is None else rows
    # Here, by one thread: CPython 3.11 fails where two parse at once.
    questions = {
        framework: [
            (row, side, row.program(side))
            for row in rows
            for side in row.sides
            if side.removeprefix("onecell.") == framework
        ]
        for framework in frameworks
    }
    total = sum(map(len, questions.values()))
    answers: dict[tuple[str, str], Observation] = {}

    with ExitStack() as stack:
        # Entered first, so that on an error the sessions end before their threads are waited for.
        pool = stack.enter_context(ThreadPoolExecutor(len(frameworks)))
        sessions = {f: stack.enter_context(Session(f, limit=limit)) for f in frameworks}
        for session in sessions.values():
            stack.enter_context(at_end(session.close))

        def examine(framework: str) -> None:
            for row, side, program in questions[framework]:
                answers[row.id, side] = sessions[framework].ask(side, program)
                if progress is not None:
                    progress(row.id, len(answers), total)

        for done in [pool.submit(examine, framework) for framework in frameworks]:
            done.result()
    order = (*frameworks, *(f"onecell.{framework}" for framework in frameworks))
    return Table(
        frameworks,
        {name: version(name) for name in (*frameworks, "onecell")},
        tuple(
            conclude(row, [answers[row.id, side] for side in order if side in row.sides])
            for row in rows
        ),
    )


def conclude(row: Row, observations: Sequence[Observation]) -> Finding:
    """Return the row with the answers and what they say about its claims."""
    verdict, wrong = judge(row.claim, observations)
    about_us, wrong_of_us = judge(row.onecell, observations)
    if not about_us.holds and verdict not in {Verdict.WRONG, Verdict.CRASHED}:
        verdict = about_us
    return Finding(
        id=row.id,
        section=row.section,
        sources=row.sources,
        matter=row.matter,
        claim=row.claim.text,
        onecell=row.onecell.text,
        code={each.side: row.program(each.side) for each in observations},
        observations=tuple(observations),
        verdict=verdict,
        wrong=wrong + wrong_of_us,
        page=None if row.page is None else row.page.text,
        page_verdict=None if row.page is None else judge(row.page, observations)[0],
    )

"""Every rule has a case, every case a rule, and every direction of a row is seen.

Rows whose calls `test_rows` draws, rewrites there and back and runs need no case.
"""

from __future__ import annotations

from migrate.corpus import CASES, rewritten
from onecell.migrate import Outcome, rewrite
from onecell.migrate.rules.catalogue import RULES as TOLD
from onecell.migrate.rules.families.registry import every
from onecell.migrate.rules.table.lookup import ROWS
from onecell.migrate.rules.table.scan import other_framework

RULES = {
    *TOLD,
    *(family.rule for source in ("torch", "mindspore") for family in every(source).values()),
}
DONE = (Outcome.CONVERTED, Outcome.ASSUMED)
DRAWN = {row.rule for row in ROWS if row.proof in ("drawn", "random") and row.one_way != "torch"}


def test_cases_mirror_rules() -> None:
    assert RULES - DRAWN <= {case.rule for case in CASES} <= RULES


def test_case_is_about_its_rule() -> None:
    for case in CASES:
        done = rewritten(case)
        assert case.rule in {found.rule for found in done.findings}, case.name


def test_findings_name_known_rules() -> None:
    for case in CASES:
        done = rewritten(case)
        assert {found.rule for found in done.findings} <= RULES, case.name


def test_rows_are_seen_in_every_direction_they_go() -> None:
    seen = set()
    for case in CASES:
        ways = [(case.before, case.to, case.target)]
        if case.back:
            ways.append((case.after, other_framework(case.to), case.back))  # type: ignore[arg-type]
        for source, to, target in ways:
            done = rewrite(source, to=to, target=target, whole_file=case.whole_file)
            seen |= {(f.rule, to) for f in done.findings if f.outcome in DONE}
    wanted = {
        (row.rule, to)
        for row in ROWS
        for to in ("torch", "mindspore")
        if row.one_way in ("", to) and row.rule not in DRAWN
    }
    assert wanted <= seen, sorted(wanted - seen)

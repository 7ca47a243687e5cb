"""What each case becomes, to the byte; that a second run changes nothing; and the way back."""

from __future__ import annotations

import ast
from collections import Counter

import pytest

from migrate.corpus import CASES, RewriteCase, rewritten
from onecell.migrate import Outcome, rewrite
from onecell.migrate.rewriting.comments import run_of
from onecell.migrate.rules.table.scan import other_framework

LEFT = (Outcome.REFUSED, Outcome.MARKED)
MARK = "# TODO(onecell): "


@pytest.mark.parametrize("case", CASES, ids=str)
def test_before_becomes_after(case: RewriteCase) -> None:
    done = rewritten(case)
    assert done.after == case.after
    assert done.before == case.before


@pytest.mark.parametrize("case", CASES, ids=str)
def test_findings_are_counted(case: RewriteCase) -> None:
    done = rewritten(case)
    assert Counter(f.outcome for f in done.findings) == case.findings


@pytest.mark.parametrize("case", CASES, ids=str)
def test_second_run_changes_nothing(case: RewriteCase) -> None:
    done = rewrite(case.after, to=case.to, target=case.target, whole_file=case.whole_file)
    assert done.after == case.after
    assert not done.changed


@pytest.mark.parametrize("case", [c for c in CASES if c.back], ids=str)
def test_way_back_gives_the_same_text(case: RewriteCase) -> None:
    assert case.back is not None
    back = other_framework(case.to)
    done = rewrite(case.after, to=back, target=case.back, whole_file=case.whole_file)  # type: ignore[arg-type]
    assert done.after == case.before


@pytest.mark.parametrize("case", CASES, ids=str)
def test_after_parses(case: RewriteCase) -> None:
    ast.parse(case.after)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_finding_names_a_place_in_the_source(case: RewriteCase) -> None:
    lines = case.before.splitlines()
    for found in rewritten(case).findings:
        assert found.message
        assert 1 <= found.line <= len(lines)
        assert 0 <= found.column <= len(lines[found.line - 1])


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_left_is_said_in_one_comment_each(case: RewriteCase) -> None:
    left = [found for found in rewritten(case).findings if found.outcome in LEFT]
    marks = [line.strip() for line in case.after.splitlines() if line.lstrip().startswith(MARK)]
    assert sum(times for _, times in map(run_of, marks)) == len(left)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_left_says_what_to_do_by_hand(case: RewriteCase) -> None:
    left = [found for found in rewritten(case).findings if found.outcome in LEFT]
    assert all(found.by_hand for found in left)


@pytest.mark.parametrize("case", [c for c in CASES if c.run], ids=str)
def test_what_runs_has_nothing_left(case: RewriteCase) -> None:
    assert not set(case.findings) & set(LEFT)


@pytest.mark.parametrize("case", [c for c in CASES if not c.run], ids=str)
def test_what_does_not_run_says_why(case: RewriteCase) -> None:
    assert case.why

"""A verdict follows from the answers and from nothing else."""

from __future__ import annotations

import pytest

from onecell.verify.difference import Json, Observation, Outcome, Verdict
from onecell.verify.difference.claims import (
    Between,
    Claim,
    Crash,
    Expected,
    both,
    each,
    judge,
    matches,
    says,
)

TEXT = ("text", "文字")
ANSWERED = Outcome.ANSWERED


def saw(side: str, value: Json, outcome: Outcome = ANSWERED) -> Observation:
    return Observation(side, "1", outcome, value)


def seen(torch: Json, mindspore: Json) -> list[Observation]:
    return [saw("torch", torch), saw("mindspore", mindspore)]


@pytest.mark.parametrize(
    ("expected", "value", "fits"),
    [
        (1, 1, True),
        (1, 1.0, False),
        (1, True, False),
        (True, 1, False),
        (None, None, True),
        (None, False, False),
        ("a", "a", True),
        ("a", ["a"], False),
        ([2, 4], [2, 4], True),
        ([2, 4], [2, 4, 4], False),
        ([2, 4], "24", False),
        ({"a": [1]}, {"a": [1]}, True),
        ({"a": 1}, {"a": 1, "b": 1}, False),
        (Between(1.0, 2.0), 2.0, True),
        (Between(1.0, 2.0), 2.1, False),
        (Between(0.0, 2.0), True, False),
        (Between(0.0, 2.0), "1", False),
        ([0.0, Between(0.1, 1.0)], [0.0, 0.3], True),
        ([0.0, Between(0.1, 1.0)], [0.0, 0.0], False),
        (Crash(), "SIGSEGV", False),
    ],
)
def test_an_answer_fits_what_is_claimed(expected: Expected, value: Json, fits: bool) -> None:
    assert matches(expected, saw("torch", value)) is fits


def test_a_crash_fits_a_crash_and_no_value() -> None:
    crashed = saw("torch", "SIGSEGV", Outcome.CRASHED)
    assert matches(Crash(), crashed)
    assert not matches("SIGSEGV", crashed)


@pytest.mark.parametrize(
    ("claim", "answers", "verdict", "wrong"),
    [
        (both(*TEXT, 1), (1, 1), Verdict.SAME, ()),
        (both(*TEXT, 1), (1, 2), Verdict.WRONG, ("mindspore",)),
        (each(*TEXT, torch=1, mindspore=2), (1, 2), Verdict.DIFFERS, ()),
        (each(*TEXT, torch=1, mindspore=2), (2, 1), Verdict.WRONG, ("torch", "mindspore")),
        (says(*TEXT, "same"), ([1], [1]), Verdict.SAME, ()),
        (says(*TEXT, "same"), ([1], [2]), Verdict.WRONG, ("torch", "mindspore")),
        (says(*TEXT, "different"), (1, 2), Verdict.DIFFERS, ()),
        (says(*TEXT, "different"), (1, 1), Verdict.WRONG, ("torch", "mindspore")),
    ],
)
def test_the_verdict(
    claim: Claim, answers: tuple[Json, Json], verdict: Verdict, wrong: tuple[str, ...]
) -> None:
    assert judge(claim, seen(*answers)) == (verdict, wrong)


def test_who_is_missing_contradicts_nobody() -> None:
    missing = saw("mindspore", None, Outcome.MISSING)
    claim = both(*TEXT, 1)
    assert judge(claim, [saw("torch", 1), missing]) == (Verdict.NOT_RUN, ())
    assert judge(claim, [saw("torch", 2), missing]) == (Verdict.WRONG, ("torch",))
    assert judge(says(*TEXT, "same"), [saw("torch", 1), missing]) == (Verdict.NOT_RUN, ())


@pytest.mark.parametrize("outcome", [Outcome.CRASHED, Outcome.TIMED_OUT])
def test_an_end_that_is_not_claimed_is_a_crash(outcome: Outcome) -> None:
    observed = [saw("torch", 1), saw("mindspore", "SIGSEGV", outcome)]
    assert judge(both(*TEXT, 1), observed) == (Verdict.CRASHED, ("mindspore",))

"""What a row claims that each side answers, and what the answers say about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from onecell.language import Text
from onecell.verify.difference.values import Json, Observation, Outcome, Verdict

OURS: Final = ("onecell.torch", "onecell.mindspore")
"""onecell's class under each signature, as sides of a probe."""


@dataclass(frozen=True, slots=True)
class Between:
    """A number from `low` to `high`, both included: for errors, which vary with the machine."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Crash:
    """The end of the process, by whatever signal."""


Expected: TypeAlias = (
    "str | int | float | Between | Crash | Sequence[Expected] | Mapping[str, Expected] | None"
)
"""An answer as claimed: as `Json`, with numbers or a crash that are not told exactly."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence, and the answers that make it true."""

    text: Text
    answers: Mapping[str, Expected] | Literal["same", "different"]
    """Side → what it answers, if the sentence is true; or only that both frameworks' answers are
    the same, or are not."""


def both(en: str, zh: str, answer: Expected) -> Claim:
    """Return the claim that both frameworks give this answer."""
    return Claim(Text(en, zh), {"torch": answer, "mindspore": answer})


def each(en: str, zh: str, *, torch: Expected, mindspore: Expected) -> Claim:
    """Return the claim that the frameworks give these answers."""
    return Claim(Text(en, zh), {"torch": torch, "mindspore": mindspore})


def says(en: str, zh: str, answers: Literal["same", "different"]) -> Claim:
    """Return the claim that the frameworks' answers are the same, or are not."""
    return Claim(Text(en, zh), answers)


def ours(en: str, zh: str, *, torch: Expected, mindspore: Expected) -> Claim:
    """Return the claim that onecell gives these answers, under the signature of each."""
    return Claim(Text(en, zh), dict(zip(OURS, (torch, mindspore), strict=True)))


def unasked(en: str, zh: str) -> Claim:
    """Return what onecell has to say where there is nothing to run."""
    return Claim(Text(en, zh), {})


def matches(expected: Expected, observed: Observation) -> bool:
    """Return whether a side answered as claimed."""
    if isinstance(expected, Crash):
        return observed.outcome is Outcome.CRASHED
    return observed.outcome is Outcome.ANSWERED and _equal(expected, observed.value)


def judge(claim: Claim, observations: Sequence[Observation]) -> tuple[Verdict, tuple[str, ...]]:
    """Return what the answers say about `claim`, and the sides that answered otherwise.

    Sides that the claim does not speak of are not looked at. A side that is not installed
    contradicts nobody; the verdict is then that it was not run, unless another side is wrong.
    """
    if isinstance(claim.answers, str):
        return _compare(observations, alike=claim.answers == "same")
    there = {
        each.side: each
        for each in observations
        if each.side in claim.answers and each.outcome is not Outcome.MISSING
    }
    wrong = tuple(n for n, o in there.items() if not matches(claim.answers[n], o))
    if any(there[name].outcome is Outcome.ANSWERED for name in wrong):
        return Verdict.WRONG, wrong
    if wrong:
        return Verdict.CRASHED, wrong
    if not claim.answers:
        return Verdict.SAME, ()
    if len(there) < len(claim.answers):
        return Verdict.NOT_RUN, ()
    first, *others = claim.answers.values()
    return (Verdict.SAME if all(other == first for other in others) else Verdict.DIFFERS), ()


def _compare(
    observations: Sequence[Observation], *, alike: bool
) -> tuple[Verdict, tuple[str, ...]]:
    """Judge the claim that the frameworks' answers are, or are not, the same."""
    theirs = [each for each in observations if each.side not in OURS]
    if any(each.outcome is Outcome.MISSING for each in theirs):
        return Verdict.NOT_RUN, ()
    first, *others = ((each.outcome, each.value) for each in theirs)
    if all(other == first for other in others) is not alike:
        return Verdict.WRONG, tuple(each.side for each in theirs)
    return (Verdict.SAME if alike else Verdict.DIFFERS), ()


def _equal(expected: Expected, value: Json) -> bool:
    if isinstance(expected, Between):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and expected.low <= value <= expected.high  # type: ignore[operator]
    if isinstance(expected, Mapping):
        if not isinstance(value, dict) or expected.keys() != value.keys():
            return False
        return all(_equal(want, value[name]) for name, want in expected.items())
    if isinstance(expected, Sequence) and not isinstance(expected, str):
        if not isinstance(value, list) or len(expected) != len(value):
            return False
        return all(_equal(want, got) for want, got in zip(expected, value, strict=True))
    return type(expected) is type(value) and expected == value

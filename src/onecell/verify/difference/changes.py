"""What has changed between two runs of the difference table, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from onecell.language import Language, Text
from onecell.verify.difference.values import Finding, Json, Observation, Outcome, Table
from onecell.verify.difference.words import VERDICTS, describe

ROUNDING: Final = 1e-3
"""Smaller numbers are errors of rounding, which vary with the machine,"""
FACTOR: Final = 4.0
"""by less than this factor. Larger numbers are told to two decimals,"""
LAST_PLACE: Final = 0.011
"""so that they may differ by one in the last."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was stored."""

    row: str
    matter: Text
    kind: Literal["answer", "verdict", "added", "removed"]
    side: str | None = None
    before: Text | None = None
    after: Text | None = None

    def describe(self, language: Language = "en") -> str:
        """Return the change as one line of text."""
        chinese = language == "zh"
        if self.before is None or self.after is None:
            gone = self.kind == "removed"
            what = ("已删除" if gone else "新增") if chinese else ("removed" if gone else "new")
            return f"{self.row}{'：' if chinese else ': '}{what}"
        who = self.side or ("结论" if chinese else "verdict")
        before, after = self.before.get(language), self.after.get(language)
        if chinese:
            return f"{self.row}，{who}：原为 {before}，现为 {after}"
        return f"{self.row}, {who}: was {before}, is {after}"


def changes(before: Table, after: Table) -> tuple[Change, ...]:
    """Return what is not in `after` as it was in `before`.

    Rows that only one of the tables has count, so give both the same rows to look at a few. What
    could not be run in either is passed over, as are texts, messages and the programs.
    """
    return tuple(_changes(before, after))


def not_compared(before: Table, after: Table) -> tuple[str, ...]:
    """Return the sides of `after` that did not run where they did in `before`."""
    found: dict[str, None] = {}
    for finding in after.findings:
        old = before.get(finding.id)
        for each in finding.observations if old is not None else ():
            if each.outcome is Outcome.MISSING:
                found[each.side] = None
    return tuple(found)


def alike(before: Json, after: Json) -> bool:
    """Return whether two answers are the same up to what rounding does to numbers."""
    if isinstance(before, float) and isinstance(after, float):
        small, large = sorted((abs(before), abs(after)))
        if large < ROUNDING:
            return large <= FACTOR * small or large < 1e-6
        return abs(before - after) < LAST_PLACE
    if isinstance(before, list) and isinstance(after, list):
        pairs = zip(before, after, strict=False)
        return len(before) == len(after) and all(alike(b, a) for b, a in pairs)
    if isinstance(before, dict) and isinstance(after, dict):
        same = before.keys() == after.keys()
        return same and all(alike(value, after[key]) for key, value in before.items())
    return type(before) is type(after) and before == after


def _changes(before: Table, after: Table) -> Iterator[Change]:
    for finding in after.findings:
        old = before.get(finding.id)
        if old is None:
            yield Change(finding.id, finding.matter, "added")
            continue
        yield from _answers(old, finding)
        ran = all(
            e.outcome is not Outcome.MISSING for e in (*old.observations, *finding.observations)
        )
        if ran and old.verdict is not finding.verdict:
            verdicts = VERDICTS[old.verdict], VERDICTS[finding.verdict]
            yield Change(finding.id, finding.matter, "verdict", None, *verdicts)
    there = {finding.id for finding in after.findings}
    for finding in before.findings:
        if finding.id not in there:
            yield Change(finding.id, finding.matter, "removed")


def _answers(before: Finding, after: Finding) -> Iterator[Change]:
    for new in after.observations:
        old = before.of(new.side)
        if old is None or Outcome.MISSING in {old.outcome, new.outcome}:
            continue
        if old.outcome is not new.outcome or not alike(old.value, new.value):
            texts = _in_both(old), _in_both(new)
            yield Change(after.id, after.matter, "answer", new.side, *texts)


def _in_both(observation: Observation) -> Text:
    return Text(describe(observation, "en"), describe(observation, "zh"))

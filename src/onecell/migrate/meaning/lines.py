"""What becomes of the lines of a block: which go, which become others, which get one after them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final

import libcst as cst

_KEPT: Final = re.compile(
    r"#\s*(?:%%|(?:\w+\s*:\s*)?(?:fmt|isort|yapf|region|endregion)\b|[-=#*~_]{3})"
)
"""Comments that are about more than the line below: a notebook's cell, a ruler, a formatter."""
_OF_DEVICES: Final = re.compile(
    r"cuda|gpu|cudnn|cpu|device|\bcards?\b|benchmark|\bfast|speed|\b(?:mov|send|transfer|dispatch)",
    re.IGNORECASE,
)
"""What comments say that are about what goes, even over more lines than that."""


@dataclass(frozen=True, slots=True)
class Lines:
    """What becomes of lines; each is named by its node as it was."""

    gone: set[cst.CSTNode] = field(default_factory=set)
    deleted: set[cst.CSTNode] = field(default_factory=set)
    """Of these, what is left out for good, so that the comment over it goes as well."""
    instead: dict[cst.CSTNode, list[cst.BaseStatement]] = field(default_factory=dict)
    """Statement → those that stand in its place."""
    followed: dict[cst.CSTNode, cst.BaseStatement] = field(default_factory=dict)
    """Statement → the one that has to follow it."""

    def delete(self, node: cst.CSTNode) -> None:
        """Leave a statement out, with what is said of it."""
        self.gone.add(node)
        self.deleted.add(node)

    def empties(self, suite: cst.BaseSuite) -> bool:
        """Whether nothing of a block is left."""
        return suite in self.gone or all(line in self.gone for line in suite.body)


def rearranged(
    original: Sequence[cst.CSTNode], updated: Sequence[cst.BaseStatement], lines: Lines
) -> tuple[list[cst.BaseStatement], list[cst.EmptyLine]]:
    """Return a block's statements as `lines` has them, and what stood over the last that went.

    Comments and blank lines over a statement that moves are then over the next one.
    """
    result: list[cst.BaseStatement] = []
    held: list[cst.EmptyLine] = []
    for place, (before, statement) in enumerate(zip(original, updated, strict=True)):
        if before in lines.gone:
            over = list(getattr(statement, "leading_lines", ()))
            if before in lines.deleted:
                held += _less_said(over, alone=_is_alone(original, place, lines))
            else:
                beside = getattr(statement, "trailing_whitespace", cst.TrailingWhitespace()).comment
                held += [*over, *([cst.EmptyLine(comment=beside)] if beside is not None else ())]
            continue
        first, *more = lines.instead.get(before, [statement])
        if held:
            over = list(getattr(first, "leading_lines", ()))
            if over and over[0].comment is None:  # its own blank lines are enough
                while held and held[-1].comment is None:
                    held.pop()
                if not any(line.comment for line in held):
                    held = []
            first = first.with_changes(leading_lines=[*held, *over])
            held = []
        result += [first, *more]
        if before in lines.followed:
            result.append(lines.followed[before])
    return result, held if any(line.comment for line in held) else []


def _is_alone(original: Sequence[cst.CSTNode], place: int, lines: Lines) -> bool:
    """Whether nothing that stays follows a statement without a line between them."""
    after = original[place + 1 :]
    near = takewhile(lambda line: not getattr(line, "leading_lines", ()), after)
    return all(line in lines.gone for line in near)


def _less_said(over: list[cst.EmptyLine], *, alone: bool) -> list[cst.EmptyLine]:
    """Return the lines over a statement that goes, less what is said of it alone."""
    start = len(over)
    while start and (comment := over[start - 1].comment) and not _KEPT.match(comment.value):
        start -= 1
    said = "".join(line.comment.value for line in over[start:] if line.comment)
    return over[:start] if alone or _OF_DEVICES.search(said) else over

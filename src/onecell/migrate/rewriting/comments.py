"""Comments: the one that a use left as it is gets, and those of statements that go."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import libcst as cst

from onecell.migrate.meaning.names import Names
from onecell.migrate.meaning.syntax import children, code

MARK: Final = "# TODO(onecell): "
"""What every comment that says what is left begins with."""


def with_todos(
    module: cst.Module, original: cst.CSTNode, updated: cst.BaseStatement, todos: Sequence[str]
) -> cst.BaseStatement:
    """Return `updated` with each comment in front of it whose rule has none there yet.

    A second run may have another reason for what the first one left.
    """
    if not todos:
        return updated
    over = getattr(original, "leading_lines", ())
    if module.body and module.body[0] is original:
        over = [*module.header, *over]
    there = {_rule_of(e.comment.value) for e in over if e.comment}
    new = [
        cst.EmptyLine(comment=cst.Comment(text)) for text in todos if _rule_of(text) not in there
    ]
    if not new:
        return updated
    lines = getattr(updated, "leading_lines", ())
    return updated.with_changes(leading_lines=[*lines, *new])


_RUN: Final = re.compile(r"; so too the next (?:(\d+) lines|line)$")
"""How a mark ends that is for the lines below as well."""


def run_of(comment: str) -> tuple[str, int]:
    """Return a mark without what it says of the lines below, and how many lines it is for."""
    found = _RUN.search(comment)
    if found is None:
        return comment, 1
    return comment[: found.start()], int(found[1] or 1) + 1


def with_runs(
    module: cst.Module,
    original: Sequence[cst.BaseStatement],
    updated: Sequence[cst.BaseStatement],
    todos: Mapping[cst.CSTNode, Sequence[str]],
) -> list[cst.BaseStatement]:
    """Return the statements of a block, plain lines with the comments that are due over them.

    Lines one under the other of which the same is to be said get it once.
    """
    result = list(updated)
    place = 0
    while place < len(result):
        said = todos.get(original[place], ())
        end = place + 1
        if said and isinstance(original[place], cst.SimpleStatementLine):
            while (
                end < len(result)
                and not _imports(original[end - 1])
                and _goes_on(original[end], todos.get(original[end]), said)
            ):
                end += 1
            more = end - place - 1
            tail = (
                "" if not more else f"; so too the next {f'{more} lines' if more > 1 else 'line'}"
            )
            told = [f"{text}{tail}" for text in said]
            result[place] = with_todos(module, original[place], result[place], told)
        place = end
    return result


def _goes_on(line: cst.BaseStatement, said: Sequence[str] | None, before: Sequence[str]) -> bool:
    """Whether the same is to be said of a line as of that before, with nothing between them."""
    return (
        said == before
        and isinstance(line, cst.SimpleStatementLine)
        and not line.leading_lines
        and all(text.startswith(MARK) for text in before)
    )


def _imports(line: cst.BaseStatement) -> bool:
    """Whether a line imports: the next may not stay that, as imports are settled afterwards."""
    return isinstance(line, cst.SimpleStatementLine) and any(
        isinstance(part, cst.Import | cst.ImportFrom) for part in line.body
    )


def _rule_of(comment: str) -> str:
    """Return the rule that a mark names, or nothing for any other comment."""
    return comment.removeprefix(MARK).split(":")[0] if comment.startswith(MARK) else ""


_BLOCKS: Final = (
    cst.BaseSuite
    | cst.If
    | cst.Else
    | cst.Finally
    | cst.ExceptHandler
    | cst.ExceptStarHandler
    | cst.MatchCase
)


def marked_before(module: cst.Module, names: Names) -> frozenset[cst.CSTNode]:
    """Return the statements under a mark of an earlier run, less blocks in them."""
    found: set[cst.CSTNode] = set()
    for node in names.parents:
        if not hasattr(node, "leading_lines"):
            continue
        over = getattr(node, "leading_lines", ())
        if module.body and node is module.body[0]:
            over = [*module.header, *over]
        if not any(e.comment and e.comment.value.startswith(MARK) for e in over):
            continue
        if isinstance(node, cst.SimpleStatementLine):
            block = names.parents[node]
            body = list(block.body) if isinstance(block, cst.IndentedBlock | cst.Module) else []
            longest = max(run_of(e.comment.value)[1] for e in over if e.comment)
            at = body.index(node) if body else 0
            found.update(body[at : at + longest] or [node])
        else:
            found.update(part for part in children(node) if not isinstance(part, _BLOCKS))
    return frozenset(found)


def lost_between(before: cst.CSTNode, after: cst.CSTNode) -> list[str]:
    """Return the comments of `before` that `after` no longer has, in order."""
    if "#" not in code(before):
        return []
    left = Counter(_comments(after))
    lost = []
    for comment in _comments(before):
        if left[comment]:
            left[comment] -= 1
        else:
            lost.append(comment)
    return lost


def _comments(node: cst.CSTNode) -> list[str]:
    """Return the comments in a node; LibCST's matchers, which find them too, load for long."""
    found: list[str] = []
    stack = [node]
    while stack:
        part = stack.pop()
        if isinstance(part, cst.Comment):
            found.append(part.value)
        stack.extend(reversed(part.children))
    return found

"""The one comment that a use left as it is gets, once."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst


def with_todos(
    module: cst.Module, original: cst.CSTNode, updated: cst.BaseStatement, todos: Sequence[str]
) -> cst.BaseStatement:
    """Return `updated` with each comment in front of it that is not there yet."""
    if not todos:
        return updated
    there = {e.comment.value for e in getattr(original, "leading_lines", ()) if e.comment}
    if module.body and module.body[0] is original:
        there |= {e.comment.value for e in module.header if e.comment}
    new = [cst.EmptyLine(comment=cst.Comment(text)) for text in todos if text not in there]
    if not new:
        return updated
    lines = getattr(updated, "leading_lines", ())
    return updated.with_changes(leading_lines=[*lines, *new])

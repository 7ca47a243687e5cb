"""Blocks of which nothing is left: `if cuda:` around what only moves things to a device."""

from __future__ import annotations

from typing import Final

import libcst as cst

from onecell.migrate.meaning.lines import Lines
from onecell.migrate.meaning.syntax import children

_ASKING: Final = frozenset(
    "bool callable getattr hasattr int isinstance issubclass len str type".split()  # noqa: SIM905 - one line
)
_ASKING_METHODS: Final = frozenset(("dim", "endswith", "get", "lower", "size", "startswith"))


def without_empty(
    original: cst.If, updated: cst.If, lines: Lines, *, is_elif: bool
) -> cst.If | cst.Else:
    """Return an `if` less its branches that are empty now; of one that goes, `lines` is told.

    Nothing of a test is lost that does more than ask.
    """
    orelse = original.orelse
    if orelse is not None and (
        lines.empties(orelse.body) if isinstance(orelse, cst.Else) else orelse in lines.gone
    ):
        updated = updated.with_changes(orelse=None)
    if not lines.empties(original.body) or not _only_asks(updated.test):
        return updated
    never = isinstance(updated.test, cst.Name) and updated.test.value == "False"
    rest = updated.orelse
    if rest is None:
        lines.delete(original)
    elif is_elif:
        return rest if never else updated
    elif isinstance(rest, cst.If):
        return rest.with_changes(leading_lines=updated.leading_lines) if never else updated
    elif never:
        lines.instead[original] = _statements(rest.body, updated.leading_lines)
    else:
        return updated.with_changes(test=_negated(updated.test), body=rest.body, orelse=None)
    return updated


def without_empty_try(original: cst.Try, updated: cst.Try, lines: Lines) -> None:
    """Tell `lines` of a `try` that guards nothing any more: what follows in it is plain."""
    if not lines.empties(original.body):
        return
    rest: list[cst.BaseStatement] = []
    for old, new in ((original.orelse, updated.orelse), (original.finalbody, updated.finalbody)):
        if old is not None and new is not None and not lines.empties(old.body):
            rest += _statements(new.body, () if rest else updated.leading_lines)
    if rest:
        lines.instead[original] = rest
    else:
        lines.delete(original)


def _statements(suite: cst.BaseSuite, over: object) -> list[cst.BaseStatement]:
    """Return the statements of a block, the first with the lines `over` the block's."""
    if isinstance(suite, cst.SimpleStatementSuite):
        found: list[cst.BaseStatement] = [cst.SimpleStatementLine(suite.body)]
    else:
        found = [line for line in suite.body if isinstance(line, cst.BaseStatement)]
    first = found[0]
    assert isinstance(over, list | tuple)  # noqa: S101 - lines of LibCST's
    found[0] = first.with_changes(leading_lines=[*over, *getattr(first, "leading_lines", ())])
    return found


def _negated(test: cst.BaseExpression) -> cst.BaseExpression:
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        return test.expression
    if isinstance(test, cst.BooleanOperation | cst.Comparison | cst.IfExp) and not test.lpar:
        test = test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    return cst.UnaryOperation(cst.Not(), test)


def _only_asks(test: cst.CSTNode) -> bool:
    """Whether nothing is lost where a test is not made."""
    if isinstance(test, cst.NamedExpr | cst.Await | cst.Yield | cst.Lambda):
        return False
    if isinstance(test, cst.Call):
        func = test.func
        asks = (isinstance(func, cst.Name) and func.value in _ASKING) or (
            isinstance(func, cst.Attribute) and func.attr.value in _ASKING_METHODS
        )
        if not asks:
            return False
    return all(_only_asks(part) for part in children(test))

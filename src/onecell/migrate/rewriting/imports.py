"""Put the imports right: the ones that became unused go, the ones that are needed come."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import libcst as cst

from onecell.migrate.meaning.bindings import AnyImport, Binding
from onecell.migrate.meaning.syntax import children, code
from onecell.migrate.rewriting.comments import MARK
from onecell.migrate.rules.spelling import Speller
from onecell.migrate.rules.table.lookup import counterpart


@dataclass(frozen=True, slots=True)
class Imported:
    """One name that a statement imports from the other framework."""

    statement: AnyImport
    index: int
    """Which of the statement's names."""
    binding: Binding
    kept: bool
    """Whether something that stays as it is still reads it."""
    used: bool
    """Whether anything read it before, or it is known that nothing does, here or elsewhere."""


@dataclass(slots=True)
class _Change:
    """What becomes of one import statement."""

    gone: set[int] = field(default_factory=set)
    instead: list[Binding] = field(default_factory=list)
    before: list[Binding] = field(default_factory=list)
    after: list[Binding] = field(default_factory=list)


def settle(module: cst.Module, found: Sequence[Imported], speller: Speller) -> cst.Module:
    """Return `module` with the imports that the rewritten code needs.

    A new import takes the place of the one that it replaces, where there is one; further plain
    imports come before the first of these, further `from` imports after the last.
    """
    changes: dict[AnyImport, _Change] = {}
    top = {s for line in module.body if isinstance(line, _LINE) for s in line.body}
    deep = any(one.statement not in top for one in found)
    owners = dict(_owners(module.body, None)) if deep else {}
    placed: dict[Binding, set[cst.CSTNode | None]] = {new: set() for new in speller.needed}
    for one in found:
        owner = owners.get(one.statement)
        left = {new for new, seen in placed.items() if not seen & {owner, None}}
        new = speller.in_place(one.binding) or _leaf_for(one.binding, left)
        change = changes.setdefault(one.statement, _Change())
        if not one.kept:
            if not one.used and new is None:
                continue
            change.gone.add(one.index)
            there = bool(placed.get(new, set()) & {owner, None}) if new is not None else True
            if new is not None and (new in left or not (one.used or there)):
                placed.setdefault(new, set()).add(owner)
                if new not in change.instead and speller.present.get(new.path) != new.name:
                    change.instead.append(new)
    wanted = []
    for new in sorted(speller.needed):
        likes = speller.likes.get(new.name)
        readers = {owners.get(o.statement) for o in found if not likes or o.binding in likes}
        if None not in placed[new] and not (placed[new] and readers <= placed[new]):
            wanted.append(new)
    if wanted:
        module = _place(module, changes, wanted, owners)
    _after_stars(module, changes)
    if not any(c.gone or c.before or c.after for c in changes.values()):
        return module
    settled = module.visit(_Settle(changes))
    assert isinstance(settled, cst.Module)  # noqa: S101 - a module stays one
    return settled


def _owners(
    body: Iterable[cst.CSTNode], owner: cst.CSTNode | None
) -> Iterator[tuple[AnyImport, cst.CSTNode | None]]:
    """Yield each import with the statement that keeps its names from the rest of the module."""
    for line in body:
        if isinstance(line, cst.Import | cst.ImportFrom):
            yield line, owner
        elif isinstance(line, cst.If) and code(line.test).rpartition(".")[2] == "TYPE_CHECKING":
            yield from _owners([line.body], owner or line)
            yield from _owners([line.orelse] if line.orelse is not None else [], owner)
        elif isinstance(line, cst.FunctionDef | cst.ClassDef):
            yield from _owners(children(line), owner or line)
        elif isinstance(line, _BLOCKS | cst.SimpleStatementLine):
            yield from _owners(children(line), owner)


def _leaf_for(old: Binding, wanted: Collection[Binding]) -> Binding | None:
    """Return the import of a thing by itself that takes the place of `old`."""
    if old.home == "import":
        return None
    own_name = old.name != old.leaf
    for new in sorted(wanted):
        if new.home == "import" or (
            new.home in ("torch", "mindspore") and new.leaf in ("nn", "ops")
        ):
            continue
        same = new.name == (old.name if own_name else new.leaf)
        if same and (own_name or counterpart(old.path, new.path)):
            return new
    return None


def _place(
    module: cst.Module,
    changes: dict[AnyImport, _Change],
    wanted: Sequence[Binding],
    owners: Mapping[AnyImport, cst.CSTNode | None],
) -> cst.Module:
    """Note where further imports come; return the module, with a place for them if it had none."""
    top = [
        s
        for line in module.body
        if isinstance(line, cst.SimpleStatementLine)
        for s in line.body
        if isinstance(s, cst.Import | cst.ImportFrom)
    ]
    fit = [s for s in changes if owners.get(s) is None]
    if not fit and len({owners.get(s) for s in changes}) == 1:
        fit = list(changes)  # all in one function
    known = [s for s in top if s in changes] or fit or top[-1:]
    if not known:
        return _headed(module, wanted) if changes else module
    first, last = (changes.setdefault(s, _Change()) for s in (known[0], known[-1]))
    for new in wanted:
        same = [changes[s] for s in fit if any(b.home == new.home for b in changes[s].instead)]
        if new.home in ("import", "functools") and fit:
            first.before.append(new)
        elif same:
            same[0].instead.append(new)
        else:
            last.after.append(new)
    return module


def _after_stars(module: cst.Module, changes: dict[AnyImport, _Change]) -> None:
    """Let new names come after `from model import *`, which may bring the other framework's `nn`.

    The other file keeps its own import of it where something there is left as it is.
    """
    before: list[AnyImport] = []
    star: tuple[AnyImport, int] | None = None
    for line in module.body:
        small = line.body if isinstance(line, cst.SimpleStatementLine) else ()
        for s in small:
            if isinstance(s, cst.ImportFrom) and isinstance(s.names, cst.ImportStar):
                star = s, len(before)
            elif isinstance(s, cst.Import | cst.ImportFrom):
                before.append(s)
        if not small or not all(isinstance(s, _IMPORTS) for s in small):
            break
    if star is None:
        return
    for statement in before[: star[1]]:
        change = changes.get(statement)
        if change is None:
            continue
        later = [
            b for b in (*change.instead, *change.after) if b.name not in ("mindspore", "torch")
        ]
        change.instead = [b for b in change.instead if b not in later]
        change.after = [b for b in change.after if b not in later]
        if later:
            changes.setdefault(star[0], _Change()).after += later


def _headed(module: cst.Module, wanted: Sequence[Binding]) -> cst.Module:
    """Return a module without imports of its own with some at its head."""
    has_text = module.get_docstring() is not None
    lines = [cst.SimpleStatementLine([_statement(group)]) for group in _grouped(wanted)]
    if has_text:
        lines[0] = lines[0].with_changes(leading_lines=[cst.EmptyLine(indent=False)])
    place = 1 if has_text else 0
    return module.with_changes(body=[*module.body[:place], *lines, *module.body[place:]])


_LINE: Final = cst.SimpleStatementLine
_IMPORTS: Final = cst.Import | cst.ImportFrom | cst.Expr
_BLOCKS: Final = (
    cst.Module
    | cst.IndentedBlock
    | cst.BaseCompoundStatement
    | cst.Else
    | cst.Finally
    | cst.ExceptHandler
    | cst.ExceptStarHandler
    | cst.MatchCase
)


class _Settle(cst.CSTTransformer):
    def __init__(self, changes: Mapping[AnyImport, _Change]) -> None:
        super().__init__()
        self.changes = changes

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Go where statements are, and no deeper: what is not visited stays the same object."""
        return isinstance(node, _BLOCKS)

    def leave_Module(self, original_node: cst.Module, updated_node: cst.Module) -> cst.Module:
        del original_node
        body, left = self._body(updated_node.body)
        footer = [*left, *updated_node.footer] if left else updated_node.footer
        return updated_node.with_changes(body=body, footer=footer)

    def leave_IndentedBlock(
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        del original_node
        body, left = self._body(updated_node.body)
        if not body:
            body = [cst.SimpleStatementLine([cst.Pass()], leading_lines=left)]
        return updated_node.with_changes(body=body)

    def _body(
        self, body: Sequence[cst.BaseStatement]
    ) -> tuple[list[cst.BaseStatement], list[cst.EmptyLine]]:
        """Return the statements, and comment lines that lost the statement they stood over."""
        result: list[cst.BaseStatement] = []
        pending: list[cst.EmptyLine] = []
        removed = False
        for line in body:
            new = self._line(line) if isinstance(line, cst.SimpleStatementLine) else [line]
            if not new:
                removed = True
                assert isinstance(line, cst.SimpleStatementLine)  # noqa: S101 - the others stay
                pending += [e for e in line.leading_lines if e.comment or not pending]
                if line.trailing_whitespace.comment is not None and not _is_pragma(line):
                    pending.append(cst.EmptyLine(comment=line.trailing_whitespace.comment))
                continue
            if pending:
                head = new[0]
                lines = [*pending, *getattr(head, "leading_lines", ())]
                if not result and not any(e.comment for e in pending):
                    lines = _without_blanks(lines)
                elif not any(e.comment for e in lines):
                    lines = lines[: max(len(pending), len(lines) - len(pending))]
                new[0] = head.with_changes(leading_lines=lines)
                pending = []
                removed = False
            elif removed and not result:
                head = new[0]
                over = _without_blanks(getattr(head, "leading_lines", ()))
                new[0] = head.with_changes(leading_lines=over)
            result += new
        return result, pending

    def _line(self, line: cst.SimpleStatementLine) -> list[cst.BaseStatement]:
        small = [s for s in line.body if isinstance(s, cst.Import | cst.ImportFrom)]
        changes = [self.changes[s] for s in small if s in self.changes]
        if not any(c.gone or c.before or c.after for c in changes):
            return [line]
        statements: list[cst.BaseSmallStatement] = []
        for s in line.body:
            if isinstance(s, cst.Import | cst.ImportFrom) and s in self.changes:
                statements += _replace(s, self.changes[s])
            else:
                statements.append(s)
        before = [_statement([b]) for c in changes for b in c.before]
        after = [_statement(group) for group in _grouped([b for c in changes for b in c.after])]
        if len(line.body) > 1:
            if statements and statements[-1] is not line.body[-1]:
                end = cst.MaybeSentinel.DEFAULT
                statements[-1] = statements[-1].with_changes(semicolon=end)
            middle = [line.with_changes(body=statements)] if statements else []
        else:
            middle = [line.with_changes(body=[s], leading_lines=[]) for s in statements]
            for extra in range(1, len(middle)):
                middle[extra] = middle[extra].with_changes(
                    trailing_whitespace=cst.TrailingWhitespace()
                )
        lines: list[cst.BaseStatement] = [
            *(cst.SimpleStatementLine([b]) for b in before),
            *middle,
            *(cst.SimpleStatementLine([a]) for a in after),
        ]
        if lines:
            over = line.leading_lines
            if before and middle:
                # A mark stays over the statement that it is about.
                marks = [e for e in over if e.comment and e.comment.value.startswith(MARK)]
                over = [e for e in over if e not in marks]
                lines[len(before)] = lines[len(before)].with_changes(leading_lines=marks)
            lines[0] = lines[0].with_changes(leading_lines=over)
            if not middle:
                lines[-1] = lines[-1].with_changes(trailing_whitespace=line.trailing_whitespace)
        return lines


def _without_blanks(lines: Sequence[cst.EmptyLine]) -> list[cst.EmptyLine]:
    """Return the lines from the first comment on: a block begins without a gap."""
    first = next((i for i, e in enumerate(lines) if e.comment), len(lines))
    return list(lines[first:])


def _is_pragma(line: cst.SimpleStatementLine) -> bool:
    comment = line.trailing_whitespace.comment
    return comment is not None and comment.value.lstrip("# ").startswith(
        ("noqa", "type:", "pylint")
    )


def _grouped(bindings: Sequence[Binding]) -> list[list[Binding]]:
    groups: dict[str, list[Binding]] = {}
    for b in bindings:
        groups.setdefault(b.leaf if b.home == "import" else b.home, []).append(b)
    return list(groups.values())


def _statement(group: Sequence[Binding]) -> cst.BaseSmallStatement:
    """Return one import statement for bindings that share a home."""
    parts = []
    for b in group:
        plain = b.name == (b.leaf.partition(".")[0] if b.home == "import" else b.leaf)
        parts.append(b.leaf if plain else f"{b.leaf} as {b.name}")
    text = ", ".join(parts)
    home = group[0].home
    line = cst.parse_statement(
        f"import {text}" if home == "import" else f"from {home} import {text}"
    )
    assert isinstance(line, cst.SimpleStatementLine)  # noqa: S101 - as written
    return line.body[0]


def _replace(statement: AnyImport, change: _Change) -> list[cst.BaseSmallStatement]:
    """Return what takes the place of one import statement."""
    names = statement.names
    if isinstance(names, cst.ImportStar):
        return [statement]  # here for what comes after it
    left = [alias for i, alias in enumerate(names) if i not in change.gone]
    result: list[cst.BaseSmallStatement] = []
    groups = _grouped(change.instead)
    if left:
        if names[-1] is not left[-1]:
            left[-1] = left[-1].with_changes(comma=names[-1].comma)
        result.append(statement.with_changes(names=left))
    elif groups and isinstance(statement, cst.ImportFrom) and groups[0][0].home != "import":
        result.append(_like(statement, groups.pop(0)))
    return result + [_statement(group) for group in groups]


def _like(statement: cst.ImportFrom, group: Sequence[Binding]) -> cst.BaseSmallStatement:
    """Return the new names in the old statement's layout: parentheses, line breaks, comments."""
    new = _statement(group)
    assert isinstance(new, cst.ImportFrom)  # noqa: S101 - no plain import comes here
    old_names, new_names = statement.names, new.names
    assert not isinstance(old_names, cst.ImportStar)  # noqa: S101
    assert not isinstance(new_names, cst.ImportStar)  # noqa: S101
    if "\n" not in code(statement) or len(new_names) > len(old_names):
        return new.with_changes(lpar=statement.lpar, rpar=statement.rpar)
    names = [n.with_changes(comma=o.comma) for n, o in zip(new_names, old_names, strict=False)]
    names[-1] = names[-1].with_changes(comma=old_names[-1].comma)
    return statement.with_changes(module=new.module, names=names)

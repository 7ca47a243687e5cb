"""Turn the arguments of a call from one signature to the other's."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import libcst as cst

from onecell.migrate.meaning.syntax import as_keyword, code, is_none, keyword, literal
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.table.row import SAME, Row, Signature


@dataclass(frozen=True, slots=True)
class Bound:
    """One argument of a call and the parameter it is for; None for `*args` and `**kwargs`."""

    parameter: str | None
    index: int
    """Which argument of the call."""


def bind(args: Sequence[cst.Arg], signature: Signature) -> list[Bound]:
    """Return which parameter each argument is for.

    Raises:
        Unsure: there are more positions than parameters, or a keyword that no parameter has.
    """
    found: list[Bound] = []
    for index, arg in enumerate(args):
        if arg.star:
            found.append(Bound(None, index))
        elif arg.keyword is not None:
            if arg.keyword.value not in signature.names:
                raise Unsure(f"`{arg.keyword.value}` has no exact counterpart")
            found.append(Bound(arg.keyword.value, index))
        elif index < len(signature.positional):
            found.append(Bound(signature.positional[index], index))
        elif signature.rest is not None:
            found.append(Bound(signature.rest, index))
        else:
            raise Unsure(f"argument {index + 1} has no exact counterpart")
    return found


@dataclass(frozen=True, slots=True)
class Converter:
    """Rewrite the arguments of one call."""

    row: Row
    source: str
    to: str
    make: Callable[[str], cst.BaseExpression]
    """Parse a value of the table, with its import paths spelled for the module."""
    same: Callable[[cst.BaseExpression, str], bool]
    """Whether an expression of the module is this value of the table."""
    loose: bool = False
    """Let `*args` and `**kwargs` through: where they do not fit, the call raises."""

    def convert(self, args: Sequence[cst.Arg], updated: Sequence[cst.Arg]) -> list[cst.Arg]:
        """Return the arguments for the other side.

        Raises:
            Unsure: the call would not surely compute the same.
        """
        old, new = self.row.side(self.source), self.row.side(self.to)
        names = self.row.names(self.source)
        bound = bind(args, old)
        given = {b.parameter for b in bound}
        hidden = [arg.star for arg in args if arg.star]
        for argument, other in self.row.needs.items():
            if self.source == "torch" and argument in given and other not in given:
                raise Unsure(
                    f"`{argument}` means something else without `{other}`", f"give `{other}`"
                )
        if hidden and not self.loose:
            self._check_hidden(hidden, given, old, new, names)
        result: list[cst.Arg] = []
        by_keyword = False
        for b in bound:
            arg = updated[b.index]
            if b.parameter is None or b.parameter == old.rest:
                result.append(arg)
                continue
            name = self._target(b.parameter, args[b.index].value, names)
            if name is None:
                _drop(result, arg)
                by_keyword = True
                continue
            if arg.keyword is None:
                place = new.positional.index(name) if name in new.positional else -1
                by_keyword = by_keyword or place != b.index
            if arg.keyword is not None or by_keyword:
                arg = as_keyword(arg, name)
            result.append(arg)
        added = [] if hidden else self._defaults(given, old, new, names)
        for name, value in added:
            _append(result, keyword(name, self.make(value)))
        return result

    def _target(
        self, parameter: str, value: cst.BaseExpression, names: Mapping[str, str]
    ) -> str | None:
        """Return the other side's name, or None where the argument is to be left out."""
        fixed = self.row.fixed.get(parameter)
        if fixed is not None and not self.same(value, fixed):
            raise Unsure(f"`{parameter}` is exact only as {fixed}")
        name = names.get(parameter)
        if name is None:
            if fixed is None and parameter not in self.row.dropped:
                raise Unsure(f"`{parameter}` has no exact counterpart")
            return None
        old = self.row.side(self.source).defaults.get(parameter)
        new = self.row.side(self.to).defaults.get(name)
        if old == SAME and is_none(value):
            return None
        # Written out on the way here because the defaults differ: the way back leaves it out.
        if old is not None and new is not None and not _equal(old, new) and self.same(value, new):
            return None
        return name

    def _defaults(
        self, given: set[str | None], old: Signature, new: Signature, names: Mapping[str, str]
    ) -> list[tuple[str, str]]:
        """Return what has to be written out because the other side's default differs."""
        found = []
        for parameter, default in old.defaults.items():
            name = names.get(parameter)
            if parameter in given or name is None:
                continue
            if name not in new.defaults or not _equal(default, new.defaults[name]):
                found.append((name, default))
        required = set(old.names) - set(old.defaults) - given
        if required:
            raise Unsure(f"`{min(required)}` is not given")
        for name, value in self.row.fixed.items():
            lost = name in old.defaults and name not in names and name not in given
            if lost and not _equal(old.defaults[name], value):
                raise Unsure(f"`{name}` is exact only as {value}")
        backwards = set(names.values())
        for name, value in self.row.fixed.items():
            only_new = name in new.defaults and name not in backwards
            if only_new and not _equal(new.defaults[name], value):
                found.append((name, value))
        return found

    def _check_hidden(
        self,
        hidden: Sequence[str],
        given: set[str | None],
        old: Signature,
        new: Signature,
        names: Mapping[str, str],
    ) -> None:
        """Raise unless what `*args` and `**kwargs` may carry means the same on both sides."""
        left = [name for name in old.names if name not in given]
        exact = all(
            names.get(name) == name
            and name not in self.row.fixed
            and _equal(old.defaults.get(name, ""), new.defaults.get(name, ""))
            for name in left
        )
        places = all(
            name in names and place < len(new.positional) and new.positional[place] == names[name]
            for place, name in enumerate(old.positional)
        )
        extra = any(name in new.defaults for name in self.row.fixed if name not in names.values())
        if old.rest is not None and new.rest is not None and hidden == ["*"] * len(hidden):
            return
        if "**" in hidden and (not exact or extra):
            raise Unsure("`**` may carry arguments that are called otherwise")
        if "*" in hidden and (not places or not exact or extra):
            raise Unsure("`*` may carry arguments that stand elsewhere")


def _equal(one: str, other: str) -> bool:
    """Whether two sources of a default are the same value."""
    if one == other:
        return True
    try:
        return bool(ast.literal_eval(one) == ast.literal_eval(other))
    except (ValueError, SyntaxError):
        return False


def equals(value: cst.BaseExpression, wanted: str) -> bool:
    """Whether an expression is the literal `wanted`."""
    found = literal(value)
    if found is literal:
        return code(value).strip() == wanted
    try:
        return type(found) is type(ast.literal_eval(wanted)) and found == ast.literal_eval(wanted)
    except (ValueError, SyntaxError):
        return False


def _drop(result: list[cst.Arg], arg: cst.Arg) -> None:
    """Leave `arg` out; what stood before it is then followed by what followed it."""
    if not result:
        return
    comma, before = arg.comma, result[-1].comma
    if isinstance(before, cst.Comma):
        over = before.whitespace_after
        if isinstance(over, cst.ParenthesizedWhitespace) and over.first_line.comment:
            # The comment is about what stays.
            after = comma.whitespace_after if isinstance(comma, cst.Comma) else None
            if isinstance(after, cst.ParenthesizedWhitespace):
                over = after.with_changes(first_line=over.first_line)
            comma = before.with_changes(whitespace_after=over)
    result[-1] = result[-1].with_changes(comma=comma)


def _append(result: list[cst.Arg], arg: cst.Arg) -> None:
    """Add `arg` at the end, in the style of the list: after a trailing comma, with one."""
    if result and isinstance(result[-1].comma, cst.Comma):
        last = result[-1].comma
        before = result[-2].comma if len(result) > 1 else last
        result[-1] = result[-1].with_changes(comma=before)
        arg = arg.with_changes(comma=last)
    result.append(arg)

"""Small pieces of syntax: make them, read them, compare them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import fields
from functools import cache
from typing import Final

import libcst as cst

_EMPTY = cst.Module([])
_TIGHT = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))


def code(node: cst.CSTNode) -> str:
    """Return the source text of `node`."""
    return _EMPTY.code_for_node(node)


def expression(text: str, **nodes: cst.BaseExpression) -> cst.BaseExpression:
    """Parse `text`, with the names in it that `nodes` has replaced by these."""
    parsed = cst.parse_expression(text)
    if not nodes:
        return parsed
    filled = parsed.visit(_Fill(nodes))
    assert isinstance(filled, cst.BaseExpression)  # noqa: S101 - names become expressions
    return filled


class _Fill(cst.CSTTransformer):
    def __init__(self, nodes: dict[str, cst.BaseExpression]) -> None:
        super().__init__()
        self.nodes = nodes

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        found = self.nodes.get(original_node.value)
        return updated_node if found is None else found.deep_clone()

    def leave_Attribute(
        self, original_node: cst.Attribute, updated_node: cst.Attribute
    ) -> cst.Attribute:
        del original_node
        return updated_node.with_changes(value=atom(updated_node.value))


def atom(node: cst.BaseExpression) -> cst.BaseExpression:
    """Return `node` in parentheses if an attribute of it needs them."""
    plain = cst.Name | cst.Attribute | cst.Call | cst.Subscript | cst.List | cst.ListComp
    if isinstance(node, plain) or node.lpar:
        return node
    return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def operand(node: cst.BaseExpression) -> cst.BaseExpression:
    """Return `node` in parentheses if an operator beside it needs them."""
    return node if isinstance(node, cst.Integer | cst.Float | cst.SimpleString) else atom(node)


def is_named(arg: cst.Arg, name: str) -> bool:
    """Whether an argument is given by this keyword."""
    return arg.keyword is not None and arg.keyword.value == name


def keyword(name: str, value: cst.BaseExpression) -> cst.Arg:
    """Return the argument `name=value`."""
    return cst.Arg(value=value, keyword=cst.Name(name), equal=_TIGHT)


def as_keyword(arg: cst.Arg, name: str) -> cst.Arg:
    """Return `arg` given by the keyword `name`."""
    if arg.keyword is not None:
        return arg.with_changes(keyword=cst.Name(name))
    return arg.with_changes(keyword=cst.Name(name), equal=_TIGHT)


_CONSTANTS: Final[dict[str, object]] = {"True": True, "False": False, "None": None}


def literal(node: cst.BaseExpression) -> object:
    """Return the value of a literal, or the literal class itself for anything else."""
    if isinstance(node, cst.Name):
        return _CONSTANTS.get(node.value, literal)
    try:
        return ast.literal_eval(code(node).strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return literal


def is_none(node: cst.BaseExpression | None) -> bool:
    """Whether `node` is the word None."""
    return isinstance(node, cst.Name) and node.value == "None"


def is_pure(node: cst.BaseExpression) -> bool:
    """Whether `node` may be written twice: names, attributes, and indices made of these."""
    if isinstance(node, cst.Name | cst.Integer):
        return True
    if isinstance(node, cst.Attribute):
        return is_pure(node.value)
    if isinstance(node, cst.Subscript):
        return is_pure(node.value) and all(
            not isinstance(e.slice, cst.Index) or is_pure(e.slice.value) for e in node.slice
        )
    return isinstance(node, cst.UnaryOperation) and is_pure(node.expression)


def elements(node: cst.BaseExpression) -> Sequence[cst.BaseExpression] | None:
    """Return the elements of a tuple or list that is written out, None for anything else."""
    if not isinstance(node, cst.Tuple | cst.List):
        return None
    if any(isinstance(e, cst.StarredElement) for e in node.elements):
        return None
    return [e.value for e in node.elements]


_LAYOUT: Final = (
    cst.BaseParenthesizableWhitespace
    | cst.TrailingWhitespace
    | cst.EmptyLine
    | cst.Newline
    | cst.Comment
    | cst.Comma
    | cst.AssignEqual
    | cst.LeftParen
    | cst.RightParen
    | cst.Dot
    | cst.MaybeSentinel
)
"""What holds no name: most of the nodes of a module."""


# LibCST's nodes have an abstract base, so that `isinstance` is slow; their classes are few.
_parts: Final[dict[type, bool]] = {}


def is_part(kind: type) -> bool:
    """Whether instances of a class are nodes, and no layout."""
    known = _parts.get(kind)
    if known is None:
        known = issubclass(kind, cst.CSTNode) and not issubclass(kind, _LAYOUT)
        _parts[kind] = known
    return known


_PUNCTUATION: Final = (
    *("whitespace", "lpar", "rpar", "comma", "semicolon", "colon", "leading_lines", "lines_after"),
    *("lbracket", "rbracket", "lbrace", "rbrace", "header", "footer", "operator", "posonly_ind"),
)
_LATE: Final = {"decorators": -1, "body": 1, "handlers": 2, "orelse": 3, "finalbody": 4}


@cache
def parts_of(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    """Return the fields of a class of nodes that are no layout, in the order of the source."""
    names = [f.name for f in fields(kind) if not any(part in f.name for part in _PUNCTUATION)]
    if kind is cst.IfExp:
        return ("body", "test", "orelse")
    return tuple(sorted(names, key=lambda name: _LATE.get(name, 0)))


def children(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yield the parts of a node, less layout; LibCST's own `children` copies each of them."""
    for name in parts_of(type(node)):
        value = getattr(node, name)
        if is_part(type(value)):
            yield value
        elif type(value) in (list, tuple):
            for part in value:
                if is_part(type(part)):
                    yield part


def parents_of(module: cst.CSTNode) -> dict[cst.CSTNode, cst.CSTNode]:
    """Return the parent of every node but layout, in no special order."""
    found: dict[cst.CSTNode, cst.CSTNode] = {}
    stack: list[cst.CSTNode] = [module]
    while stack:
        node = stack.pop()
        for child in children(node):
            found[child] = node
            stack.append(child)
    return found


def upwards(node: cst.CSTNode, parents: dict[cst.CSTNode, cst.CSTNode]) -> Iterator[cst.CSTNode]:
    """Yield the nodes around `node`, the nearest first."""
    up = parents.get(node)
    while up is not None:
        yield up
        up = parents.get(up)

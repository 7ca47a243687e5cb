"""Small pieces of syntax: make them, read them, compare them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

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

    def leave_Name(  # noqa: N802 - LibCST's name
        self, original_node: cst.Name, updated_node: cst.Name
    ) -> cst.BaseExpression:
        found = self.nodes.get(original_node.value)
        return updated_node if found is None else found.deep_clone()

    def leave_Attribute(  # noqa: N802 - LibCST's name
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


def keyword(name: str, value: cst.BaseExpression) -> cst.Arg:
    """Return the argument `name=value`."""
    return cst.Arg(value=value, keyword=cst.Name(name), equal=_TIGHT)


def as_keyword(arg: cst.Arg, name: str) -> cst.Arg:
    """Return `arg` given by the keyword `name`."""
    if arg.keyword is not None:
        return arg.with_changes(keyword=cst.Name(name))
    return arg.with_changes(keyword=cst.Name(name), equal=_TIGHT)


def literal(node: cst.BaseExpression) -> object:
    """Return the value of a literal, or the literal class itself for anything else."""
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
            isinstance(e.slice, cst.Slice) or is_pure(e.slice.value) for e in node.slice
        )
    return isinstance(node, cst.UnaryOperation) and is_pure(node.expression)


def elements(node: cst.BaseExpression) -> Sequence[cst.BaseExpression] | None:
    """Return the elements of a tuple or list that is written out, None for anything else."""
    if not isinstance(node, cst.Tuple | cst.List):
        return None
    if any(isinstance(e, cst.StarredElement) for e in node.elements):
        return None
    return [e.value for e in node.elements]


def parents_of(module: cst.Module) -> dict[cst.CSTNode, cst.CSTNode]:
    """Return the parent of every node."""
    found: dict[cst.CSTNode, cst.CSTNode] = {}
    stack: list[cst.CSTNode] = [module]
    while stack:
        node = stack.pop()
        for child in node.children:
            found[child] = node
            stack.append(child)
    return found


def upwards(node: cst.CSTNode, parents: dict[cst.CSTNode, cst.CSTNode]) -> Iterator[cst.CSTNode]:
    """Yield the nodes around `node`, the nearest first."""
    up = parents.get(node)
    while up is not None:
        yield up
        up = parents.get(up)

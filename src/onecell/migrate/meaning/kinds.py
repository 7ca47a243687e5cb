"""Tell what an expression is, as far as the module itself says: a cell, a layer, a tensor.

Kinds are these words: "cell", "cells" (a list of them), "layer" (from the table; a call gives a
tensor), "layers", "module" (a class of the user's), "modules", "state" (h and c), "tensor",
"optimizer", "device", "dtype"; "" where nothing is known. Nothing is guessed from a name alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

import libcst as cst

from onecell.migrate.meaning.classes import Classes, Known
from onecell.migrate.meaning.scopes import ImportAssignment
from onecell.migrate.meaning.syntax import code, elements, is_none, upwards

_ONE_OF: Final = {
    "cells": "cell",
    "layers": "layer",
    "modules": "module",
    "state": "tensor",
    "pair": "tensor",
    "tensors": "tensor",
}
OPERATOR: Final = "operator:"
"""Begins the kind of an operator that is made; what a call of it gives follows."""
_LIST_OF: Final = {"cell": "cells", "layer": "layers", "module": "modules"}
_NO_TENSOR: Final = {
    "item",
    "tolist",
    "numpy",
    "asnumpy",
    "size",
    "dim",
    "numel",
    "ndimension",
    "nelement",
    "stride",
    "data_ptr",
    "element_size",
    "get_device",
}
PARAMETERS: Final = frozenset(
    (
        *("weight", "bias", "weight_ih", "weight_hh", "bias_ih", "bias_hh"),
        *("gamma", "beta", "embedding_table"),
    )
)
"""What layers and cells of either framework call their parameters."""
_SAME_KIND: Final = {"to", "cuda", "cpu", "train", "eval", "set_train", "float", "double", "half"}


_Row = TypeVar("_Row", bound=Known)


@dataclass(slots=True)
class Kinds(Classes[_Row]):
    """Tell the kind of an expression."""

    makers: Mapping[str, str] = field(default_factory=dict)
    """Import path of a function without a row → kind of what it gives."""
    _cache: dict[cst.CSTNode, str | None] = field(default_factory=dict)

    def of(self, node: cst.CSTNode) -> str:
        """Return the kind of `node`, "" where it is not known."""
        return self._of(node) or ""

    def _of(self, node: cst.CSTNode) -> str | None:
        """As `of`; None while the answer is being looked for."""
        if node in self._cache:
            return self._cache[node]
        self._cache[node] = None
        self._cache[node] = found = self._find(node)
        return found

    def _agree(self, nodes: Iterable[cst.CSTNode]) -> str:
        kinds = {self._of(node) for node in nodes} - {None}
        return next(iter(kinds)) or "" if len(kinds) == 1 else ""

    def _find(self, node: cst.CSTNode) -> str:
        match node:
            case cst.Name():
                return self._name(node)
            case cst.Attribute():
                return self._attribute(node)
            case cst.Call():
                return self._call(node)
            case cst.Subscript():
                return self._item(self.of(node.value))
            case cst.BinaryOperation():
                return "tensor" if "tensor" in (self.of(node.left), self.of(node.right)) else ""
            case cst.UnaryOperation():
                return "" if isinstance(node.operator, cst.Not) else self.of(node.expression)
            case cst.Comparison():
                return self._comparison(node)
            case cst.IfExp():
                return self._agree([node.body, node.orelse])
            case cst.ListComp() | cst.GeneratorExp():
                return _LIST_OF.get(self.of(node.elt), "")
            case cst.List() | cst.Tuple():
                return _LIST_OF.get(self._agree(elements(node) or ()), "")
        return ""

    def _comparison(self, node: cst.Comparison) -> str:
        first = node.comparisons[0]
        if isinstance(first.operator, cst.Is | cst.IsNot | cst.In | cst.NotIn):
            return ""
        return "tensor" if "tensor" in (self.of(node.left), self.of(first.comparator)) else ""

    def _item(self, kind: str) -> str:
        return _ONE_OF.get(kind, "tensor" if kind == "tensor" else "")

    def _name(self, node: cst.Name) -> str:
        kinds = set()
        for binding in self.names.assignments(node):
            if isinstance(binding, ImportAssignment):
                return self._import(node)
            if binding.node in self.evidence:
                return "module"
            kind = self._binding(binding.node)
            if kind is not None:
                kinds.add(kind)
        return kinds.pop() if len(kinds) == 1 else ""

    def _import(self, node: cst.Name) -> str:
        row = self.row(node)
        return row.gives if row is not None and row.gives == "dtype" else ""

    def _binding(self, target: cst.CSTNode) -> str | None:
        """Return the kind of what a name is bound to; None for the word None."""
        if isinstance(target, cst.Param):
            return self.of_parameter(target)
        place: list[int] = []
        node = target
        while True:
            parent = self.names.parents.get(node)
            if isinstance(parent, cst.Element):
                pair = self.names.parents[parent]
                assert isinstance(pair, cst.Tuple | cst.List)  # noqa: S101 - LibCST's grammar
                place.insert(0, list(pair.elements).index(parent))
                node = pair
                continue
            break
        value: cst.BaseExpression | None = None
        looped = False
        if isinstance(parent, cst.AssignTarget):
            value = self.names.value_of(node)
        elif isinstance(parent, cst.AnnAssign) and parent.target is node:
            value = parent.value
            kind = self.of_type(parent.annotation.annotation)
            if kind:
                return kind
        elif isinstance(parent, cst.For | cst.CompFor) and parent.target is node:
            value, looped = parent.iter, True
        elif isinstance(parent, cst.AugAssign):
            return None  # it stays what it was
        if value is None:
            return ""
        if is_none(value):
            return None
        return self._part(value, place, looped)

    def _part(self, value: cst.BaseExpression, place: list[int], looped: bool) -> str | None:
        """Return the kind of one part of what is assigned or looped over."""
        if looped:
            if isinstance(value, cst.Call) and isinstance(value.func, cst.Name):
                args = [arg.value for arg in value.args if not arg.star]
                name = value.func.value
                if name == "enumerate" and args:
                    return self._part(args[0], place[1:], True) if place[:1] == [1] else ""
                if name == "zip" and place and place[0] < len(args):
                    return self._part(args[place[0]], place[1:], True)
                if name == "reversed" and args:
                    return self._part(args[0], place, True)
            kind = self._item(self.of(value))
        else:
            parts = elements(value)
            if place and parts is not None and place[0] < len(parts):
                return self._part(parts[place[0]], place[1:], False)
            kind = self._of(value) or ""
            if self._of(value) is None:
                return None
        for _ in place:
            kind = self._item(kind)
        return kind

    def of_parameter(self, param: cst.Param) -> str:
        """Return the kind of what a function is given as `param`."""
        if param.annotation is not None:
            found = self.of_type(param.annotation.annotation)
            if found:
                return found
        if param.star in ("*", "**"):
            return ""
        function = next(
            (u for u in upwards(param, self.names.parents) if isinstance(u, cst.FunctionDef)), None
        )
        owner = self.method_of(function) if function is not None else None
        if function is None or owner is None:
            return ""
        kind = self.of_class(owner)
        if function.params.params and function.params.params[0] is param:
            return "" if _is_plain(function) else kind
        is_step = kind and function.name.value == self.step
        return "tensor" if is_step and param.default is None and param.annotation is None else ""

    def _attribute(self, node: cst.Attribute) -> str:
        row = self.row(node)
        if row is not None:
            return row.gives if row.gives == "dtype" else ""
        name = node.attr.value
        if isinstance(node.value, cst.Name):
            owner = self._owner(node.value)
            if owner is not None and name in self.attributes.get(owner, {}):
                return self._agree(v for v in self.attributes[owner][name] if not is_none(v))
        kind = self.of(node.value)
        if kind == "tensor" and name in ("T", "data", "grad", "mT"):
            return "tensor"
        return "tensor" if kind in ("layer", "cell") and name in PARAMETERS else ""

    def _call(self, node: cst.Call) -> str:
        row = self.row(node.func)
        if row is not None:
            if row.gives == "modules" and node.args:
                return self.of(node.args[0].value) or "modules"
            if row.gives == "loss":
                return ""  # a function with its settings
            if row.gives == "extreme":
                return "tensor" if self.along_axis(node) is False else "pair"
            return {"tensor_type": "tensor"}.get(row.gives, row.gives)
        path = self.names.path(node.func)
        if path == "torch.device":
            return "device"
        if path is not None and (kind := self.makers.get(path)):
            return kind
        local = self.local_class(node.func)
        if local is not None:
            kind = self.of_class(local)
            return (
                "cell" if kind == "cell" and not self.own(local, self.step) else kind and "module"
            )
        if self._is_module_elsewhere(node.func):
            return "module"
        kind = self.of(node.func)
        if kind in ("cell", "layer"):
            return {"cell": "state", "layer": "tensor"}[kind]
        if kind.startswith(OPERATOR):
            return kind.removeprefix(OPERATOR)
        if isinstance(node.func, cst.Attribute):
            return self._method(node, node.func)
        return ""

    def along_axis(self, node: cst.Call, place: int = 1) -> bool | None:
        """Whether a call of `max` or `min` is along an axis; None where that is not seen.

        `place` is where the axis stands: first in a method of a tensor.
        """
        names = {arg.keyword.value for arg in node.args if arg.keyword is not None}
        if names & {"dim", "axis", "keepdim", "keepdims"}:
            return True
        if len(node.args) <= place or "other" in names:
            return False
        second = node.args[place].value
        if isinstance(second, cst.UnaryOperation):
            second = second.expression
        if isinstance(second, cst.Integer):
            return True
        if isinstance(second, cst.Name | cst.Attribute) and self.of(second) != "tensor":
            return True if code(second).rpartition(".")[2] in ("dim", "axis") else None
        return False if self.of(second) == "tensor" else None

    def _method(self, node: cst.Call, func: cst.Attribute) -> str:
        kind, name = self.of(func.value), func.attr.value
        if name == self.step and kind in ("cell", "layer"):
            return {"cell": "state", "layer": "tensor"}[kind]
        if name in _SAME_KIND and kind:
            return kind
        if kind != "tensor" or name in _NO_TENSOR:
            return ""
        row = self.rows.get(f"{self.framework}.Tensor.{name}")
        gives = row.gives if row is not None else ""
        if gives == "extreme":
            return "pair" if self.along_axis(node, 0) else "tensor"
        return gives if gives in ("pair", "tensors") else "tensor"


def _is_plain(function: cst.FunctionDef) -> bool:
    """Whether what a method is given first is no instance of its class."""
    return any(
        isinstance(each.decorator, cst.Name)
        and each.decorator.value in ("staticmethod", "classmethod")
        for each in function.decorators
    )

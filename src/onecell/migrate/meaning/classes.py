"""The classes of a module: what they derive from, what they define, whose instance a name is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, Protocol, TypeVar

import libcst as cst

from onecell.migrate.meaning.names import Names
from onecell.migrate.meaning.syntax import upwards

STEP: Final = {"torch": "forward", "mindspore": "construct"}
"""Framework → the method of a module that computes."""


class Known(Protocol):
    """What is known of a thing that has an import path: of a row of the table, say."""

    @property
    def gives(self) -> str:
        """The kind of what a call of it returns."""


_Row = TypeVar("_Row", bound=Known)


@dataclass(slots=True)
class Classes(Generic[_Row]):
    """Tell which classes are modules, and whose instances things are."""

    names: Names
    rows: Mapping[str, _Row]
    """By every import path that leads to it."""
    framework: str
    """The framework that the module is written for."""
    attributes: dict[cst.ClassDef, dict[str, list[cst.BaseExpression]]] = field(
        default_factory=dict
    )
    """Class → what its methods assign to each attribute of `self`."""
    evidence: frozenset[str | cst.CSTNode] = frozenset()
    """Import paths of classes, and names bound here, that are treated as modules; see
    `evidence_of`."""
    modules: frozenset[str] = frozenset()
    """Names of classes that are modules, in whichever file of the project they are."""
    _methods: set[str] | None = field(default=None, init=False)

    def class_around(self, node: cst.CSTNode) -> cst.ClassDef | None:
        """Return the class in whose method `node` stands, or None."""
        for up in upwards(node, self.names.parents):
            if isinstance(up, cst.ClassDef):
                return up
        return None

    def method_of(self, function: cst.CSTNode) -> cst.ClassDef | None:
        """Return the class that `function` is a method of, or None."""
        up = self.names.parents.get(function)
        up = self.names.parents.get(up) if up is not None else None
        return up if isinstance(up, cst.ClassDef) else None

    def of_class(self, node: cst.ClassDef, depth: int = 10) -> str:
        """Return "cell" or "module" for a class that derives from one, else ""."""
        for base in node.bases:
            kind = self.of_type(base.value, depth)
            if kind in ("cell", "module", "layer"):
                return "cell" if kind == "cell" else "module"
        return ""

    def base_row(self, node: cst.ClassDef) -> _Row | None:
        """Return the row of the layer that a class derives from, and from nothing else."""
        row = self.row(node.bases[0].value) if len(node.bases) == 1 else None
        return row if row is not None and row.gives == "layer" else None

    def of_type(self, node: cst.BaseExpression, depth: int = 10) -> str:
        """Return the kind of an instance of the class that `node` names."""
        if depth == 0:
            return ""
        row = self.row(node)
        if row is not None:
            return {"tensor_type": "tensor"}.get(row.gives, row.gives)
        local = self.local_class(node)
        if local is not None:
            return self.of_class(local, depth - 1)
        return "module" if self._is_module_elsewhere(node) else ""

    def _is_module_elsewhere(self, node: cst.BaseExpression) -> bool:
        """Whether `node` names a class of another file that is a module."""
        path = self.names.path(node)
        if path is None:  # behind a star, if anything
            hidden = isinstance(node, cst.Name) and not self.names.assignments(node)
            return hidden and isinstance(node, cst.Name) and node.value in self.modules
        first, _, rest = path.partition(".")
        if first in ("torch", "mindspore", "onecell"):
            return path in self.evidence
        return path in self.evidence or bool(rest and path.rpartition(".")[2] in self.modules)

    def local_class(self, node: cst.BaseExpression) -> cst.ClassDef | None:
        """Return the class of this module that `node` names, or None."""
        if not isinstance(node, cst.Name):
            return None
        found = [binding.node for binding in self.names.assignments(node)]
        only = found[0] if len(found) == 1 else None
        return only if isinstance(only, cst.ClassDef) else None

    def row(self, node: cst.CSTNode) -> _Row | None:
        """Return the row of what `node` names, or None."""
        path = self.names.path(node)
        return self.rows.get(path) if path is not None else None

    def own(self, owner: cst.ClassDef, method: str) -> bool:
        """Whether a class, or one of this module that it derives from, defines `method`."""
        if any(isinstance(s, cst.FunctionDef) and s.name.value == method for s in owner.body.body):
            return True
        bases = [self.local_class(base.value) for base in owner.bases]
        return any(
            base is not None and base is not owner and self.own(base, method) for base in bases
        )

    def defines(self, method: str) -> bool:
        """Whether any class of this module has a method of that name."""
        if self._methods is None:
            self._methods = {
                node.name.value
                for node in self.names.of_kind(cst.FunctionDef)
                if self.method_of(node) is not None
            }
        return method in self._methods

    def values_of(self, node: cst.BaseExpression) -> list[cst.BaseExpression | None]:
        """Return what an attribute of `self`, or a name, is given; None for what is not seen."""
        if isinstance(node, cst.Name):
            return [self.names.value_of(bound.node) for bound in self.names.assignments(node)]
        if isinstance(node, cst.Attribute) and (owner := self.owner_of(node.value)) is not None:
            return list(self.attributes.get(owner, {}).get(node.attr.value, ()))
        return []

    def made_by(self, node: cst.BaseExpression) -> _Row | None:
        """Return the row of the class that an attribute of `self`, or a name, is an instance of."""
        values = self.values_of(node)
        rows = [self.row(v.func) if isinstance(v, cst.Call) else None for v in values]
        return rows[0] if rows and all(row is rows[0] for row in rows) else None

    def owner_of(self, node: cst.BaseExpression) -> cst.ClassDef | None:
        """Return the class of this module whose instance `node` is, or None."""
        return self._owner(node) if isinstance(node, cst.Name) else None

    def _owner(self, node: cst.Name) -> cst.ClassDef | None:
        """Return the class whose instance `node` is, if it is one of this module's."""
        for binding in self.names.assignments(node):
            if isinstance(binding.node, cst.Param):
                annotation = binding.node.annotation
                if annotation is not None:
                    return self.local_class(annotation.annotation)
                function = next(
                    (
                        u
                        for u in upwards(binding.node, self.names.parents)
                        if isinstance(u, cst.FunctionDef)
                    ),
                    None,
                )
                owner = self.method_of(function) if function is not None else None
                if owner is not None and function is not None and function.params.params:
                    return owner if function.params.params[0] is binding.node else None
                return None
            value = self.names.value_of(binding.node)
            if isinstance(value, cst.Call):
                return self.local_class(value.func)
        return None

    @property
    def step(self) -> str:
        """The name of the method that computes, in the source's framework."""
        return STEP[self.framework]

"""Where what a step calls comes from, if that is another file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import libcst as cst

from onecell.migrate.meaning.syntax import children, code
from onecell.migrate.rules.assumptions import Assumption
from onecell.migrate.rules.stores import assigned
from onecell.migrate.rules.training.origins import Origins
from onecell.migrate.rules.training.purity import is_known_path


def keep_callee(origins: Origins, callee: cst.BaseExpression) -> None:
    """Note in `origins` what is taken for granted about something that a step calls."""
    name = code(callee)
    for source in Callees(origins).sources(callee):
        origins.assume(replace(source, name=name))


@dataclass(slots=True)
class Callees:
    """Follow what is called back to the imports and arguments that it may come from."""

    origins: Origins
    seen: set[cst.CSTNode] = field(default_factory=set)

    def sources(self, node: cst.CSTNode) -> Iterator[Assumption]:
        """Yield each import and each argument that a function or a module may come from."""
        ctx = self.origins.ctx
        if node in self.seen or ctx.kinds.of(node) in ("cell", "cells", "layer", "layers"):
            return
        self.seen.add(node)
        path = ctx.names.path(node)
        if path is not None:
            if not is_known_path(ctx, path):
                yield Assumption("kept", path, path=path)
            return
        match node:
            case cst.Name():
                for bound in ctx.names.assignments(node):
                    yield from self._bound(bound.node)
            case cst.Call():
                for value in self._makes(node):
                    yield from self.sources(value)
            case cst.Attribute():
                for value in (*self.origins.kept(node.attr.value), node.value):
                    yield from self.sources(value)
            case cst.Subscript() | cst.Element():
                yield from self.sources(node.value)
            case cst.List() | cst.Tuple() | cst.IfExp() | cst.BooleanOperation():
                for child in children(node):
                    yield from self.sources(child)

    def _makes(self, call: cst.Call) -> Iterator[cst.BaseExpression]:
        """Yield what a call makes something to call of; nothing where this file says all of it."""
        ctx = self.origins.ctx
        if ctx.kinds.local_class(call.func) is not None:
            return
        if ctx.row(call.func) is None or ctx.kinds.of(call) in ("modules", "layers"):
            yield call.func
            yield from (arg.value for arg in call.args)

    def _bound(self, target: cst.CSTNode) -> Iterator[Assumption]:
        origins = self.origins
        if target in origins.within or isinstance(target, cst.FunctionDef | cst.ClassDef):
            return
        if not isinstance(target, cst.Param):
            value = assigned(origins.ctx, target)
            if value is not None:
                yield from self.sources(value)
            return
        function = origins.function_of(target)
        if origins.is_self(target) or function is None:
            return
        hint = target.annotation.annotation if target.annotation is not None else None
        if hint is not None and origins.ctx.kinds.local_class(hint) is not None:
            return
        owner = origins.ctx.kinds.method_of(function)
        for value in origins.given(target):
            yield from self.sources(value)
        if not any(True for _ in origins.calls(function, owner)):
            yield replace(origins.from_outside(target, function, owner), basis="kept")

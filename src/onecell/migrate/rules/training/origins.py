"""Tell whether a value that a training step reads may carry a gradient from before the step.

torch follows a gradient into whatever computed a value, wherever in the program that was. What
MindSpore differentiates begins where its function begins, so such a value has to be seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import libcst as cst

from onecell.migrate.meaning.flow import nodes
from onecell.migrate.meaning.names import root
from onecell.migrate.meaning.scopes import Assignment, ImportAssignment
from onecell.migrate.meaning.syntax import children, code, upwards
from onecell.migrate.rules.assumptions import Assumption
from onecell.migrate.rules.context import Context
from onecell.migrate.rules.families.methods import MODULES
from onecell.migrate.rules.stores import assigned, kept_in, stored
from onecell.migrate.rules.training.cuts import PLAIN, gives_no_gradient, is_gradless, is_plain_type
from onecell.migrate.rules.training.owners import may_be, method
from onecell.migrate.rules.training.purity import is_builtin, is_free_call, is_known_path, is_model

_WHOLE: Final = {
    *("parameters", "named_parameters", "modules", "children", "apply", "get_parameters"),
    *("trainable_params", "state_dict", "parameters_dict", "zero_grad"),
}
"""Methods that give a module's parameters or parts; MindSpore sees those wherever they are read."""
_OTHER: Final = (*MODULES, "cells", "layers", "modules", "optimizer", "device", "dtype")
"""Kinds of what is no result of a computation."""


@dataclass(slots=True)
class Origins:
    """Follow values back to what computed them, outside of the lines of one step."""

    ctx: Context
    within: set[cst.CSTNode]
    """All nodes of the step's lines: what they compute is differentiated."""
    assumed: dict[Assumption, None] = field(default_factory=dict)
    """What has been taken for granted on the way, in order."""
    _seen: set[cst.CSTNode] = field(default_factory=set)

    def carries(self, node: cst.CSTNode) -> bool:
        """Whether the value of an expression may depend on a parameter.

        What other files give counts as plain data, unless the project has shown otherwise; then
        that is among `assumed`.
        """
        if node in self._seen:
            return False  # a way back is followed once
        self._seen.add(node)
        if self.ctx.kinds.of(node) in _OTHER or is_gradless(self.ctx, node):
            return False
        match node:
            case cst.Name():
                return self._named(node)
            case cst.Call():
                return self._called(node)
            case cst.Attribute():
                return node.attr.value not in PLAIN and self._part(node)
            case cst.Subscript():
                return self.carries(node.value)  # an index has no gradient
            case cst.BaseSimpleComp():
                return self.carries(node.elt)  # which asks what is looped over, if that matters
            case cst.Comparison() | cst.BaseString():
                return False
        return any(self.carries(child) for child in children(node))

    def _named(self, node: cst.Name) -> bool:
        bindings = self.ctx.names.assignments(node)
        if any(isinstance(binding, ImportAssignment) for binding in bindings):
            return self._from_file(node)
        if not bindings and not is_builtin(node):
            self.assume(Assumption("returned", node.value))  # of a star import
        return any(self._bound(binding.node) for binding in bindings)

    def _from_file(self, node: cst.BaseExpression) -> bool:
        """Whether what an import brings may carry a gradient."""
        path = self.ctx.names.path(node) or code(node)
        if is_known_path(self.ctx, path):
            return False
        self.assume(Assumption("returned", path, path=path))
        return path in self.ctx.outside.returning

    def _part(self, node: cst.Attribute) -> bool:
        """Whether an attribute may carry a gradient by what is kept in it, or by its object."""
        kept = list(self.kept(node.attr.value))
        if any(self.carries(value) for value in kept):
            return True
        start = root(node)
        bindings = self.ctx.names.assignments(start) if isinstance(start, cst.Name) else []
        if any(isinstance(binding, ImportAssignment) for binding in bindings):
            return self._from_file(node)
        if not kept and isinstance(node.value, cst.Name) and self._is_inherited(node):
            self.assume(Assumption("given", code(node)))
        return self.carries(node.value)

    def _is_inherited(self, node: cst.Attribute) -> bool:
        """Whether an attribute of `self` is what a class of another file has made."""
        owner = self.ctx.kinds.owner_of(node.value)
        return owner is not None and any(
            self.ctx.kinds.local_class(base.value) is None
            and self.ctx.row(base.value) is None
            and not is_builtin(base.value)
            for base in owner.bases
        )

    def assume(self, assumption: Assumption) -> None:
        """Note that something is taken for granted."""
        self.assumed[assumption] = None

    def _called(self, call: cst.Call) -> bool:
        func, ctx = call.func, self.ctx
        name = func.attr.value if isinstance(func, cst.Attribute) else ""
        if call in self.within or gives_no_gradient(ctx, call):
            return False  # what the step itself computes is differentiated
        if is_model(ctx, call):
            return name not in _WHOLE
        given = [arg.value for arg in call.args]
        if any(self.carries(value) for value in given):
            return True
        if isinstance(func, cst.Attribute) and ctx.names.path(func) is None:
            owner = ctx.kinds.owner_of(func.value)
            own = method(owner, name) if owner is not None else None
            if own is not None:
                return self.gives(own)
            if any(True for _ in self.kept(name)):
                return True  # a callable that an object keeps may be a model
            if self.carries(func.value):
                return True
        if is_free_call(ctx, call):
            return False
        if isinstance(func, cst.Name) and ctx.names.path(func) is None:
            bound = [binding.node for binding in ctx.names.assignments(func)]
            return any(
                self.gives(one)
                if isinstance(one, cst.FunctionDef)
                else not isinstance(one, cst.ClassDef)
                for one in bound
            )
        # What another file defines has no model of this one's unless it is given one.
        if any(ctx.kinds.of(value) in MODULES for value in given):
            return True
        return self._from_file(func) if ctx.names.path(func) is not None else False

    def gives(self, function: cst.FunctionDef) -> bool:
        """Whether what a function returns may depend on a parameter."""
        values = [
            node.value
            for node in nodes(function.body)
            if isinstance(node, cst.Return | cst.Yield) and node.value is not None
        ]
        return any(self.carries(value) for value in values)

    def kept(self, attribute: str) -> Iterator[cst.BaseExpression]:
        """Yield what is put into an attribute of that name, of whichever object."""
        return (v for v in kept_in(self.ctx, attribute) if v not in self.within)

    def _bound(self, target: cst.CSTNode) -> bool:
        """Whether a name may carry a gradient by this binding, or by what is put into it."""
        if target in self.within or target in self._seen:
            return False
        self._seen.add(target)
        if isinstance(target, cst.ClassDef):
            return False
        if isinstance(target, cst.FunctionDef):
            return any(self.carries(name) for name in self._outer_names(target))
        if isinstance(target, cst.Param):
            if self._from_caller(target):
                return True
        else:
            value = assigned(self.ctx, target)
            if value is not None and self.carries(value):
                return True
        return any(self.carries(value) for value in self._put_into(target))

    def _from_caller(self, param: cst.Param) -> bool:
        """Whether a call gives a parameter something that carries a gradient."""
        if any(self.carries(value) for value in self.given(param)):
            return True
        if self.is_self(param) or is_plain_type(self.ctx, param):
            return False
        function = self.function_of(param)
        owner = self.ctx.kinds.method_of(function) if function is not None else None
        if function is None or any(True for _ in self.calls(function, owner)):
            return False
        assumption = self.from_outside(param, function, owner)
        self.assume(assumption)
        return (assumption.called, assumption.parameter) in self.ctx.outside.carrying

    def from_outside(
        self, param: cst.Param, function: cst.FunctionDef, owner: cst.ClassDef | None
    ) -> Assumption:
        """Return what is taken for granted of a parameter that only other files give."""
        called = function.name.value
        if owner is not None and called == "__init__":
            called = owner.name.value
        positions = [*function.params.posonly_params, *function.params.params]
        index = positions.index(param) - (owner is not None) if param in positions else -1
        index = -1 if function.decorators else index
        name = param.name.value
        return Assumption("given", name, called, index, name)

    def is_self(self, param: cst.Param) -> bool:
        """Whether a parameter is the object of a method."""
        function = self.function_of(param)
        if function is None or self.ctx.kinds.method_of(function) is None:
            return False
        first = [*function.params.posonly_params, *function.params.params][:1]
        return first == [param] and not function.decorators

    def function_of(self, param: cst.Param) -> cst.FunctionDef | None:
        ups = upwards(param, self.ctx.names.parents)
        return next((up for up in ups if isinstance(up, cst.FunctionDef)), None)

    def _outer_names(self, function: cst.FunctionDef) -> Iterator[cst.Name]:
        """Yield the names that a function reads and does not bind."""
        inner = set(nodes(function))
        for node in inner:
            if isinstance(node, cst.Name) and any(
                isinstance(b, Assignment) and b.node not in inner
                for b in self.ctx.names.assignments(node)
            ):
                yield node

    def _put_into(self, target: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """Yield what is stored in, or given to a method of, what a name is bound to."""
        parents = self.ctx.names.parents
        for name in self.ctx.names.reads_of(target):
            up = parents.get(name)
            if name in self.within or up is None:
                continue
            yield from stored(self.ctx, name)

    def given(self, param: cst.Param) -> Iterator[cst.BaseExpression]:
        """Yield what the calls in this file give to a parameter, and its default."""
        if param.default is not None:
            yield param.default
        function = self.function_of(param)
        if function is None:
            return
        owner = self.ctx.kinds.method_of(function)
        positions = [*function.params.posonly_params, *function.params.params]
        # A decorator, `self` given by hand: where positions are not sure, any argument may be it.
        place = positions.index(param) if param in positions and not function.decorators else None
        for call, is_whole in self.calls(function, owner):
            shift = 0 if owner is None else 1
            for index, arg in enumerate(call.args):
                if arg.keyword is not None:
                    matches = arg.keyword.value == param.name.value or param not in positions
                else:
                    matches = place is None or index + shift == place or bool(arg.star)
                if matches or arg.star or not is_whole:
                    yield arg.value

    def calls(
        self, function: cst.FunctionDef, owner: cst.ClassDef | None
    ) -> Iterator[tuple[cst.Call, bool]]:
        """Yield the calls of a function; False with those that it is given to."""
        parents = self.ctx.names.parents
        name = function.name.value
        reads: Iterable[cst.CSTNode] = self.ctx.names.reads_of(function)
        if owner is not None:
            made = self.ctx.names.reads_of(owner) if name == "__init__" else []
            called = (parents.get(each) for each in self.ctx.names.called(name))
            attributes = (up for up in called if isinstance(up, cst.Attribute))
            reads = [
                *made,
                *(up for up in attributes if up.attr.value == name and may_be(self.ctx, up, owner)),
            ]
        for read in reads:
            up = parents.get(read)
            if isinstance(up, cst.Call) and up.func is read:
                yield up, True
            elif isinstance(up, cst.Arg):
                call = parents.get(up)
                if isinstance(call, cst.Call):
                    yield call, False

"""Tell whether a value that a training step reads may carry a gradient from before the step.

torch follows a gradient into whatever computed a value, wherever in the program that was. What
MindSpore differentiates begins where its function begins, so such a value has to be seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import libcst as cst

from onecell.migrate.context import Context
from onecell.migrate.flow import nodes
from onecell.migrate.methods import MODULES
from onecell.migrate.purity import is_free_call, is_model
from onecell.migrate.scopes import Assignment
from onecell.migrate.syntax import children, upwards

_CUT: Final = {"detach", "item", "numpy", "asnumpy", "tolist", "argmax", "size", "dim", "numel"}
"""Methods whose result has no gradient."""
_PLAIN: Final = {"data", "shape", "dtype", "device", "ndim"}
"""Attributes of tensors that have no gradient."""
_WHOLE: Final = {
    *("parameters", "named_parameters", "modules", "children", "apply", "get_parameters"),
    *("trainable_params", "state_dict", "parameters_dict", "zero_grad"),
}
"""Methods that give a module's parameters or parts; MindSpore sees those wherever they are read."""
_OTHER: Final = (*MODULES, "cells", "layers", "modules", "optimizer", "device", "dtype")
"""Kinds of what is no result of a computation."""
_GRADLESS: Final = ("torch.no_grad", "torch.inference_mode")


@dataclass(slots=True)
class Origins:
    """Follow values back to what computed them, outside of the lines of one step."""

    ctx: Context
    within: set[cst.CSTNode]
    """All nodes of the step's lines: what they compute is differentiated."""
    _seen: set[cst.CSTNode] = field(default_factory=set)

    def carries(self, node: cst.CSTNode) -> bool:
        """Whether the value of an expression may depend on a parameter.

        Callers in other files are not seen: what they give to a function counts as plain data.
        """
        if node in self._seen:
            return False  # a way back is followed once
        self._seen.add(node)
        if self.ctx.kinds.of(node) in _OTHER or self._is_gradless(node):
            return False
        match node:
            case cst.Name():
                bindings = self.ctx.names.assignments(node)
                return any(isinstance(b, Assignment) and self._bound(b.node) for b in bindings)
            case cst.Call():
                return self._called(node)
            case cst.Attribute():
                return node.attr.value not in _PLAIN and (
                    any(self.carries(value) for value in self._kept(node.attr.value))
                    or self.carries(node.value)
                )
            case cst.Comparison() | cst.BaseString():
                return False
        return any(self.carries(child) for child in children(node))

    def _is_gradless(self, node: cst.CSTNode) -> bool:
        """Whether `node` stands under `torch.no_grad()`."""
        for up in upwards(node, self.ctx.names.parents):
            held: list[cst.BaseExpression] = []
            if isinstance(up, cst.With):
                held = [item.item for item in up.items]
            elif isinstance(up, cst.FunctionDef):
                held = [decorator.decorator for decorator in up.decorators]
            for one in held:
                if isinstance(one, cst.Call) and self.ctx.names.path(one.func) in _GRADLESS:
                    return True
        return False

    def _called(self, call: cst.Call) -> bool:
        func, ctx = call.func, self.ctx
        name = func.attr.value if isinstance(func, cst.Attribute) else ""
        if name in _CUT:
            return False
        if is_model(ctx, call):
            return name not in _WHOLE
        given = [arg.value for arg in call.args]
        if any(self.carries(value) for value in given):
            return True
        if isinstance(func, cst.Attribute) and ctx.names.path(func) is None:
            owner = ctx.kinds.owner_of(func.value)
            own = _method(owner, name) if owner is not None else None
            if own is not None:
                return self._gives(own)
            if any(True for _ in self._kept(name)):
                return True  # a callable that an object keeps may be a model
            if self.carries(func.value):
                return True
        if is_free_call(ctx, call):
            return False
        if isinstance(func, cst.Name) and ctx.names.path(func) is None:
            bound = [binding.node for binding in ctx.names.assignments(func)]
            return any(
                self._gives(one)
                if isinstance(one, cst.FunctionDef)
                else not isinstance(one, cst.ClassDef)
                for one in bound
            )
        # What another file defines has no model of this one's unless it is given one.
        return any(ctx.kinds.of(value) in MODULES for value in given)

    def _gives(self, function: cst.FunctionDef) -> bool:
        """Whether what a function returns may depend on a parameter."""
        values = [
            node.value
            for node in nodes(function.body)
            if isinstance(node, cst.Return | cst.Yield) and node.value is not None
        ]
        return any(self.carries(value) for value in values)

    def _kept(self, attribute: str) -> Iterator[cst.BaseExpression]:
        """Yield what methods assign to an attribute of that name, of whichever class."""
        for kept in self.ctx.kinds.attributes.values():
            for value in kept.get(attribute, ()):
                if value not in self.within:
                    yield value

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
            if any(self.carries(value) for value in self._given(target)):
                return True
        else:
            value = self._value(target)
            if value is not None and self.carries(value):
                return True
        return any(self.carries(value) for value in self._put_into(target))

    def _outer_names(self, function: cst.FunctionDef) -> Iterator[cst.Name]:
        """Yield the names that a function reads and does not bind."""
        inner = set(nodes(function))
        for node in inner:
            if isinstance(node, cst.Name) and any(
                isinstance(b, Assignment) and b.node not in inner
                for b in self.ctx.names.assignments(node)
            ):
                yield node

    def _value(self, target: cst.CSTNode) -> cst.CSTNode | None:
        """Return what a name is bound to, or what that is a part of."""
        for up in upwards(target, self.ctx.names.parents):
            match up:
                case cst.Assign() | cst.AugAssign() | cst.AnnAssign() | cst.NamedExpr():
                    return up.value
                case cst.For() | cst.CompFor():
                    return up.iter
                case cst.WithItem():
                    return up.item
                case cst.BaseStatement():
                    return None
        return None

    def _put_into(self, target: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """Yield what is stored in, or given to a method of, what a name is bound to."""
        parents = self.ctx.names.parents
        for name in self.ctx.names.reads_of(target):
            up = parents.get(name)
            if name in self.within or up is None:
                continue
            over = parents.get(up)
            if isinstance(up, cst.Attribute) and isinstance(over, cst.Call) and over.func is up:
                if isinstance(parents.get(over), cst.Expr):
                    yield from (arg.value for arg in over.args)
            elif isinstance(up, cst.Subscript | cst.Attribute) and isinstance(
                over, cst.AssignTarget | cst.AugAssign
            ):
                value = self._value(up)
                if value is not None:
                    yield value

    def _given(self, param: cst.Param) -> Iterator[cst.BaseExpression]:
        """Yield what the calls in this file give to a parameter, and its default."""
        if param.default is not None:
            yield param.default
        function = next(
            (u for u in upwards(param, self.ctx.names.parents) if isinstance(u, cst.FunctionDef)),
            None,
        )
        if function is None:
            return
        owner = self.ctx.kinds.method_of(function)
        positions = [*function.params.posonly_params, *function.params.params]
        # A decorator, `self` given by hand: where positions are not sure, any argument may be it.
        place = positions.index(param) if param in positions and not function.decorators else None
        for call, is_whole in self._calls(function, owner):
            shift = 0 if owner is None else 1
            for index, arg in enumerate(call.args):
                if arg.keyword is not None:
                    matches = arg.keyword.value == param.name.value or param not in positions
                else:
                    matches = place is None or index + shift == place or bool(arg.star)
                if matches or arg.star or not is_whole:
                    yield arg.value

    def _calls(
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
            reads = [*made, *(up for up in attributes if up.attr.value == name)]
        for read in reads:
            up = parents.get(read)
            if isinstance(up, cst.Call) and up.func is read:
                yield up, True
            elif isinstance(up, cst.Arg):
                call = parents.get(up)
                if isinstance(call, cst.Call):
                    yield call, False


def _method(owner: cst.ClassDef, name: str) -> cst.FunctionDef | None:
    for line in owner.body.body:
        if isinstance(line, cst.FunctionDef) and line.name.value == name:
            return line
    return None

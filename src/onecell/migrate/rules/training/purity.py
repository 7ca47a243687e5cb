"""Tell which statements surely compute nothing that has a gradient by a parameter."""

from __future__ import annotations

import builtins
import sys
from typing import Final

import libcst as cst

from onecell.migrate.meaning.flow import nodes
from onecell.migrate.rules.context import Context
from onecell.migrate.rules.families.methods import MODULES

_MODES: Final = {"train", "eval", "set_train", "to", "cuda", "cpu", "load_state_dict", "state_dict"}
"""Methods of modules that compute nothing."""
_OF_TENSORS: Final = frozenset(
    "to cuda cpu detach item numpy asnumpy tolist append long float int bool half double view"  # noqa: SIM905 - one name a line would be a page
    " reshape transpose permute t unsqueeze squeeze flatten expand contiguous size dim clone copy"
    " argmax eq sum mean max min astype swapaxes format join extend".split()
)
"""Methods of tensors and plain values: what they give depends on what they are called on."""


def is_free(ctx: Context, statement: cst.CSTNode) -> bool:
    """Whether `statement` depends on parameters only if a name that it reads does."""
    made = {
        ctx.kinds.of(node.value)
        for node in nodes(statement)
        if isinstance(node, cst.Assign | cst.AnnAssign) and node.value is not None
    }
    if made == {"optimizer"}:
        return True
    return all(_is_free_node(ctx, node) for node in nodes(statement))


def is_model(ctx: Context, call: cst.Call) -> bool:
    """Whether a call surely goes to a module: it is called, or one of its methods is."""
    func = call.func
    if ctx.kinds.of(func) in MODULES:
        return True
    return (
        isinstance(func, cst.Attribute)
        and ctx.kinds.of(func.value) in MODULES
        and func.attr.value not in _MODES
    )


def is_free_call(ctx: Context, call: cst.Call) -> bool:
    """Whether what a call gives depends on parameters only if its arguments do."""
    func = call.func
    path = ctx.names.path(func)
    if path is not None:
        return is_known_path(ctx, path)
    if isinstance(func, cst.Name):
        if not ctx.names.assignments(func):
            return hasattr(builtins, func.value)
        return ctx.kinds.local_class(func) is not None and ctx.kinds.of(call) in MODULES
    if not isinstance(func, cst.Attribute):
        return False
    kind = ctx.kinds.of(func.value)
    if kind in MODULES:
        return func.attr.value in _MODES
    return kind == "tensor" or func.attr.value in _OF_TENSORS


_PACKAGES: Final = frozenset(
    "numpy scipy pandas sklearn PIL matplotlib nltk tqdm gym gymnasium".split()  # noqa: SIM905 - as above
)
"""Packages that compute nothing with a gradient: what they give depends on what they get."""


def is_known_path(ctx: Context, path: str) -> bool:
    """Whether an import path leads to the framework, Python's library or a package we know."""
    first = path.partition(".")[0]
    return first in sys.stdlib_module_names or first in _PACKAGES or first == ctx.source


def is_builtin(node: cst.BaseExpression) -> bool:
    """Whether a name that nothing binds is one of Python's own."""
    return isinstance(node, cst.Name) and (
        hasattr(builtins, node.value) or node.value == "__file__"
    )


def observes(ctx: Context, line: cst.BaseStatement) -> bool:
    """Whether a statement only looks: it may as well run after the gradients are there."""
    if isinstance(line, cst.If):
        suites = [line.body, line.orelse.body if isinstance(line.orelse, cst.Else) else None]
        return not isinstance(line.orelse, cst.If) and all(
            isinstance(suite, cst.IndentedBlock) and all(observes(ctx, s) for s in suite.body)
            for suite in suites
            if suite is not None
        )
    if not isinstance(line, cst.SimpleStatementLine):
        return False
    if not all(
        isinstance(s, cst.Expr | cst.Assign | cst.AugAssign | cst.Assert) for s in line.body
    ):
        return False
    return is_free(ctx, line) and not any(
        isinstance(node, cst.Attribute) and node.attr.value in ("step", "backward", "zero_grad")
        for node in nodes(line)
    )


def _is_free_node(ctx: Context, node: cst.CSTNode) -> bool:
    if isinstance(node, cst.Call):
        return is_free_call(ctx, node) or (
            ctx.kinds.of(node) in MODULES and not is_model(ctx, node)
        )
    if not isinstance(node, cst.Name | cst.Attribute) or ctx.kinds.of(node) not in MODULES:
        return True
    up = ctx.names.parents.get(node)
    if isinstance(up, cst.Attribute):  # a part of it, or its method, is looked at by itself
        call = ctx.names.parents.get(up)
        inner = ctx.kinds.of(up) in MODULES
        return inner or (isinstance(call, cst.Call) and call.func is up)
    return isinstance(up, cst.AssignTarget)

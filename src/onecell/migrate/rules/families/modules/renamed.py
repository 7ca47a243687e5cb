"""Attributes of modules whose names the other framework's have taken: called anew everywhere."""

from __future__ import annotations

import re
from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import literal
from onecell.migrate.rules.context import Context
from onecell.migrate.rules.families.receivers import is_super
from onecell.migrate.rules.taken import OF_TENSORS

_BY_TEXT: Final = frozenset(("getattr", "setattr", "hasattr", "delattr"))
"""Functions that take an attribute's name as text, after the object."""
_GIVING: Final = frozenset(
    (
        *("register_buffer", "register_parameter", "add_module", "register_module"),
        *("insert_child_to_cell", "insert_param_to_cell"),
    )
)
"""Methods that take it first."""
_ENDS: Final = re.compile(r"\.(?:\w*(?:weight|bias)\w*|gamma|beta|embedding_table)?$")
_PACKAGES: Final = frozenset(("torch", "mindspore", "onecell", "numpy", "torchvision", "pandas"))
_OBJECTS: Final = frozenset(
    ("tensor", "tensors", "state", "pair", "optimizer", "device", "dtype", "layer", "cell")
)
"""Kinds of things that are none of the project's classes."""


def renamed(ctx: Context, node: cst.Attribute) -> tuple[str, bool] | None:
    """Return what an attribute is called anew, and whether it surely is a module's, else None."""
    new = ctx.outside.renamed.get(node.attr.value)
    if new is None:
        return None
    sure = _is_module(ctx, node.value)
    return None if sure is None or (not sure and node.attr.value in OF_TENSORS) else (new, sure)


def is_ambiguous(ctx: Context, node: cst.Attribute) -> bool:
    """Whether classes of the project that are no modules have this attribute too."""
    return node.attr.value in ctx.outside.others


def _is_module(ctx: Context, held: cst.BaseExpression) -> bool | None:
    """Whether something is a module of the project for sure; None where it is none."""
    if is_super(held):
        return True
    if isinstance(held, cst.Name) and held.value in ("self", "cls"):
        owner = ctx.kinds.class_around(held)
        if owner is not None:
            return True if ctx.kinds.of_class(owner) else None
    owner = ctx.kinds.owner_of(held)
    if owner is not None:
        return True if ctx.kinds.of_class(owner) else None
    named = held.func if isinstance(held, cst.Call) else held
    if (local := ctx.kinds.local_class(named)) is not None:
        return True if ctx.kinds.of_class(local) else None
    kind = ctx.kinds.of(held)
    if kind in ("module", "modules"):
        return True
    paths = ctx.names.paths(held) - {"?"}
    # A whole module of Python, or something of a package that is known to be none of the project.
    if kind in _OBJECTS or any("." not in p or p.partition(".")[0] in _PACKAGES for p in paths):
        return None
    return False


def defined(ctx: Context, name: cst.Name, owner: cst.ClassDef | None) -> str | None:
    """Return what a method or a name in a class's body is called anew, None where it may stay."""
    new = ctx.outside.renamed.get(name.value)
    return new if new is not None and owner is not None and ctx.kinds.of_class(owner) else None


def text(ctx: Context, node: cst.Call) -> cst.SimpleString | None:
    """Return the argument that names such an attribute as text, None where none does."""
    func = node.func
    if isinstance(func, cst.Name) and func.value in _BY_TEXT and len(node.args) > 1:
        held, name = node.args[0].value, node.args[1].value
    elif isinstance(func, cst.Attribute) and func.attr.value in _GIVING and node.args:
        held, name = func.value, node.args[0].value
    else:
        return None
    if not isinstance(name, cst.SimpleString) or literal(name) not in ctx.outside.renamed:
        return None
    return name if _is_module(ctx, held) is not None else None


def anew(ctx: Context, name: cst.SimpleString) -> cst.SimpleString:
    """Return a name given as text as it is called anew."""
    said = str(literal(name))
    new = ctx.outside.renamed[said]
    return name.with_changes(value=f"{name.prefix}{name.quote}{new}{name.quote}")


def names_tensor(ctx: Context, node: cst.SimpleString | cst.FormattedString) -> str | None:
    """Return the part of a tensor's name, given as text, that is called anew, else None."""
    if not ctx.outside.renamed:
        return None
    if isinstance(node, cst.FormattedString):
        texts = [p.value if isinstance(p, cst.FormattedStringText) else "0" for p in node.parts]
        said: object = "".join(texts)
    else:
        said = literal(node)
    if not isinstance(said, str) or not _ENDS.search(said) or " " in said:
        return None
    return next((part for part in said.split(".")[:-1] if part in ctx.outside.renamed), None)

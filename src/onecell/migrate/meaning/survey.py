"""What classes a file defines, read with `ast`: what they derive from, and what they call theirs.

This is what one file has to tell about itself before another can be rewritten.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_GIVING: Final = frozenset(
    (
        *("register_buffer", "register_parameter", "add_module", "register_module"),
        *("insert_child_to_cell", "insert_param_to_cell"),
    )
)
"""Methods that give a module an attribute by a name given as text."""
CHECKPOINTS: Final = (".pth.tar", ".pt.tar", ".pt", ".pth")
"""How the names of torch's checkpoints end, what ends in another first."""
_FRAMEWORKS: Final = ("torch", "mindspore", "onecell")
_TENSORS: Final = frozenset(
    (
        *("unsqueeze", "contiguous", "masked_fill", "masked_fill_", "index_select", "expand_as"),
        *("view_as", "type_as", "detach", "fill_", "zero_", "copy_", "add_", "mul_", "clamp_"),
        *("scatter_", "requires_grad_", "new_zeros", "new_ones", "new_full", "new_empty"),
        *("new_tensor", "cuda"),
    )
)
"""Methods of torch's tensors that nothing else has which stands in a program beside them."""
_OTHERS: Final = frozenset(("tensorflow", "jax", "paddle", "mxnet", "cupy", "tinygrad"))
"""Libraries with tensors of their own."""


@dataclass(frozen=True, slots=True)
class Class:
    """One class of a file, or another name that the file has for one."""

    name: str
    bases: tuple[str, ...]
    """Dotted paths, through the file's imports."""
    methods: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()
    """What its methods assign to `self`, and what its body assigns."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What one file tells."""

    classes: tuple[Class, ...] = ()
    words: frozenset[str] = frozenset()
    """Names that end in `_`, which may be taken."""
    read: frozenset[str] = frozenset()
    """What the file reads of anything as an attribute."""
    layers: frozenset[tuple[str, str]] = frozenset()
    """Attribute that a method gives its object → import path of the framework's class that makes
    it, "" for anything else."""
    taken: frozenset[str] = frozenset()
    """Names that it imports out of a module, or reads off an imported one, but a framework's."""
    names_files: bool = False
    """Whether it writes out the name of a checkpoint of torch's."""
    calls_tensors: bool = False
    """Whether it calls what only torch's tensors have, which it may do without importing torch."""
    star: int | None = None
    """The line where its last `from other import *` of a module ends."""
    unbound: frozenset[str] = frozenset()
    """With a star: the names that nothing in the file binds."""
    gives: tuple[tuple[str, str], ...] = ()
    """Names of a framework that a star takes out of it → the import by which it has them."""


def surveyed(text: str | bytes) -> Survey:
    """Return what a file tells; nothing if it is not Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
        return survey(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Survey()


def survey(tree: ast.Module) -> Survey:
    """Return what a parsed file tells."""
    items = list(ast.walk(tree))
    paths = dict(_imported(items))
    words: set[str] = set()
    read: set[str] = set()
    taken: set[str] = set()
    # `from base import Base as B`; what keeps its name needs no word.
    again = [(name, path) for name, path in paths.items() if "." in path]
    classes = [Class(name, (path,)) for name, path in again if name != path.rpartition(".")[2]]
    for item in items:
        match item:
            case ast.ClassDef():
                classes.append(_class(item, paths))
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Name() | ast.Attribute() as v):
                if (path := _path(v, paths)) and path != name:
                    classes.append(Class(name, (path,)))
            case ast.Attribute(value=ast.Name(id=home), attr=word):
                read.add(word)
                words.add(word)
                if paths.get(home, "").partition(".")[0] not in ("", *_FRAMEWORKS):
                    taken.add(word)
            case ast.Attribute(attr=word):
                read.add(word)
                words.add(word)
            case ast.ImportFrom(module=home, names=names):
                if (home or "").partition(".")[0] not in _FRAMEWORKS:
                    taken.update(alias.name for alias in names)
            case ast.Name(id=word) | ast.arg(arg=word) | ast.FunctionDef(name=word):
                words.add(word)
            case ast.Constant(value=str(word)):
                words.add(word)
    texts = [item.value for item in items if isinstance(item, ast.Constant)]
    named = any(isinstance(text, str) and text.endswith(CHECKPOINTS) for text in texts)
    ending = frozenset(word for word in words if word.endswith("_"))
    layers = frozenset(_made(items, paths))
    calls = not _OTHERS.intersection(path.partition(".")[0] for path in paths.values()) and any(
        isinstance(item, ast.Call) and _is_tensors(item, paths) for item in items
    )
    star, unbound = _starred(tree, items)
    return Survey(
        tuple(classes), ending, frozenset(read), layers, frozenset(taken), named, calls,
        star, unbound, tuple(_given_away(tree, items)),
    )  # fmt: skip


def _starred(tree: ast.Module, items: list[ast.AST]) -> tuple[int | None, frozenset[str]]:
    """Return where the last star import ends, and which names may come by one."""
    ends = [
        line.end_lineno
        for line in tree.body
        if isinstance(line, ast.ImportFrom)
        and line.names[0].name == "*"
        and (line.module or "").partition(".")[0] not in _FRAMEWORKS
    ]
    if not ends:
        return None, frozenset()
    loaded: set[str] = set()
    bound: set[str] = set()
    for item in items:
        match item:
            case ast.Name(id=name, ctx=ast.Load()):
                loaded.add(name)
            case ast.Name(id=name) | ast.arg(arg=name):
                bound.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                bound.add(name)
            case ast.ClassDef(name=name) | ast.ExceptHandler(name=str(name)):
                bound.add(name)
            case ast.alias(name=path, asname=name):
                bound.add(name or path.partition(".")[0])
    return ends[-1], frozenset(loaded - bound)


def _given_away(tree: ast.Module, items: list[ast.AST]) -> Iterator[tuple[str, str]]:
    """Yield what of a framework a module imports under a name that a star takes along."""
    chosen = _all(items)
    todo: list[ast.AST] = list(tree.body)
    while todo:
        line = todo.pop(0)
        if isinstance(line, ast.If | ast.Try | ast.ExceptHandler):
            todo += [each for each in ast.iter_child_nodes(line) if not isinstance(each, ast.expr)]
        if not isinstance(line, ast.Import | ast.ImportFrom):
            continue
        home = "" if isinstance(line, ast.Import) else "." * line.level + (line.module or "")
        for alias in line.names:
            name = alias.asname or (alias.name if home else alias.name.partition(".")[0])
            goes = name in chosen if chosen is not None else not name.startswith("_")
            if goes and name != "*" and (home or alias.name).partition(".")[0] in _FRAMEWORKS:
                what = alias.name + (f" as {alias.asname}" if alias.asname else "")
                yield name, f"from {home} import {what}" if home else f"import {what}"


def _all(items: list[ast.AST]) -> frozenset[str] | None:
    """Return the texts of a module that says in `__all__` what a star takes; None of another."""
    if not any(isinstance(item, ast.Name) and item.id == "__all__" for item in items):
        return None
    texts = (item.value for item in items if isinstance(item, ast.Constant))
    return frozenset(text for text in texts if isinstance(text, str))


def _is_tensors(call: ast.Call, paths: dict[str, str]) -> bool:
    """Whether nothing but a tensor of torch's has such a method, called so."""
    match call.func:
        case ast.Attribute(value=ast.Name(id=home)) if home in paths:
            return False  # a function of a module, or of a class
        case ast.Attribute(attr="size" | "new"):
            number = call.args[0] if len(call.args) == 1 else None
            if isinstance(number, ast.UnaryOp) and isinstance(number.op, ast.USub):
                number = number.operand
            return isinstance(number, ast.Constant) and type(number.value) is int
        case ast.Attribute(attr=name):
            return name in _TENSORS
    return False


def _made(items: list[ast.AST], paths: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield what is assigned to an attribute of `self`, and the framework's class that makes it."""
    for item in items:
        targets: list[ast.expr]
        match item:
            case ast.Assign(targets=several, value=value):
                targets = several
            case ast.AnnAssign(target=one, value=ast.expr() as value):
                targets = [one]
            case _:
                continue
        made = _path(value.func, paths) if isinstance(value, ast.Call) else ""
        path = made if made.partition(".")[0] in _FRAMEWORKS else ""
        for target in targets:
            match target:
                case ast.Attribute(value=ast.Name(id="self"), attr=name):
                    yield name, path


def _class(node: ast.ClassDef, paths: dict[str, str]) -> Class:
    methods: set[str] = set()
    attributes: set[str] = set()
    for line in node.body:
        match line:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                methods.add(name)
                attributes.update(_given(line))
            case ast.Assign(targets=targets):
                attributes.update(t.id for t in targets if isinstance(t, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                attributes.add(name)
    bases = tuple(_path(base, paths) for base in node.bases)
    return Class(node.name, bases, frozenset(methods), frozenset(attributes))


def _given(function: ast.AST) -> Iterator[str]:
    """Yield what a method makes an attribute of `self`."""
    for item in ast.walk(function):
        match item:
            case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
                yield name
            case ast.Call(
                func=ast.Name(id="setattr"),
                args=[ast.Name(id="self"), ast.Constant(value=str(name)), *_],
            ):
                yield name
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="self"), attr=attr),
                args=[ast.Constant(value=str(name)), *_],
            ) if attr in _GIVING:
                yield name


def _imported(items: list[ast.AST]) -> Iterator[tuple[str, str]]:
    for item in items:
        if isinstance(item, ast.Import):
            for alias in item.names:
                head = alias.name if alias.asname else alias.name.partition(".")[0]
                yield alias.asname or head, head
        elif isinstance(item, ast.ImportFrom):
            home = "." * item.level + (item.module or "")
            for alias in item.names:
                yield alias.asname or alias.name, f"{home}.{alias.name}"


def _path(node: ast.expr, paths: dict[str, str]) -> str:
    """Return the dotted path that an expression of names stands for; "" for any other."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([paths.get(node.id, node.id), *reversed(parts)])

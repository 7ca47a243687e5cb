"""The classes of a project as trees of attributes, read with `ast`; nothing is imported or run."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

LISTS: Final = (
    *("torch.nn.ModuleList", "torch.nn.Sequential"),
    *("mindspore.nn.CellList", "mindspore.nn.SequentialCell"),
)
"""Containers that call their children by number, or by the keys of an OrderedDict."""
DICTS: Final = ("torch.nn.ModuleDict", "mindspore.nn.CellDict")
BASES: Final = frozenset(["torch.nn.Module", "mindspore.nn.Cell"])
"""The classes of which every layer is one: they say nothing about its parameters."""
FRAMEWORKS: Final = ("torch.", "mindspore.", "onecell.")
PASSING: Final = (
    *("to", "cuda", "cpu", "float", "double", "half", "eval", "train", "requires_grad_"),
    *("set_train", "to_float"),
)
"""Methods of a layer that return the layer."""
PARAMETER: Final = "torch.nn.Parameter"
"""Stands for a tensor that a class holds itself, whichever framework's."""
NO_LAYERS: Final = frozenset(
    f"{framework}.nn.{name}"
    for framework in ("torch", "mindspore")
    for name in (
        *("Identity", "ReLU", "ReLU6", "LeakyReLU", "ELU", "SELU", "CELU", "GELU", "SiLU", "Mish"),
        *("Sigmoid", "Tanh", "Softmax", "LogSoftmax", "Softplus", "Hardtanh", "Hardswish"),
        *("Dropout", "Dropout1d", "Dropout2d", "AlphaDropout", "Flatten", "Unflatten"),
    )
)
"""Layers without parameters: what may be one of them or another is the other."""
REGISTERING: Final = frozenset(["register_parameter", "register_buffer"])
"""Methods that give a class a tensor by a name given as text."""
NAMING: Final = frozenset(["add_module", "register_module", "insert_child_to_cell"])
"""Methods that set an attribute by a name given as text."""


@dataclass(slots=True, eq=False)
class Node:
    """What an attribute may hold: layers of a framework, classes of the project, children."""

    layers: set[str] = field(default_factory=set)
    """Import paths of frameworks' classes."""
    classes: set[str] = field(default_factory=set)
    """Names of the project's own classes."""
    children: dict[str, Node] = field(default_factory=dict)
    unnamed: list[Node] = field(default_factory=list)
    """Children whose number the source does not spell out, as those of a comprehension."""

    def add(self, other: Node) -> None:
        """Let this attribute hold what `other` may hold as well."""
        self.layers |= other.layers
        self.classes |= other.classes
        self.unnamed += other.unnamed
        for name, child in other.children.items():
            self.child(name).add(child)

    def child(self, name: str) -> Node:
        """Return the child called `name`, made where it is new."""
        return self.children.setdefault(name, Node())

    def below(self, name: str) -> Iterator[Node]:
        """Yield what may lie under `name`."""
        if name in self.children:
            yield self.children[name]
        yield from self.unnamed


def read_classes(sources: Iterable[str]) -> dict[str, Node]:
    """Return every class of the project by its bare name; classes of one name become one.

    A module that does not parse tells nothing.
    """
    classes: dict[str, Node] = {}
    for source in sources:
        # What is nested too deeply for Python's own parser is too deep for a walk over it as well.
        with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            _read_module(source, classes)
    return classes


def _read_module(source: str, classes: dict[str, Node]) -> None:
    items = list(ast.walk(ast.parse(source)))
    names = _Names(items)
    for item in items:
        if isinstance(item, ast.ClassDef):
            node = classes.setdefault(item.name, Node())
            for base in item.bases:
                node.add(names.made_by(base))
            for function in item.body:
                if isinstance(function, ast.FunctionDef):
                    _Function(names, function).read_into(node)


class _Names:
    """What the names of one module stand for."""

    def __init__(self, items: Iterable[ast.AST]) -> None:
        self.paths: dict[str, str] = {}
        for item in items:
            if isinstance(item, ast.Import):
                for alias in item.names:
                    head = alias.name if alias.asname else alias.name.partition(".")[0]
                    self.paths[alias.asname or head] = head
            elif isinstance(item, ast.ImportFrom):
                for alias in item.names:
                    self.paths[alias.asname or alias.name] = f"{item.module or ''}.{alias.name}"

    def path(self, expression: ast.expr) -> str:
        """Return the dotted path that an expression of names stands for; "" for any other."""
        parts: list[str] = []
        while isinstance(expression, ast.Attribute):
            parts.append(expression.attr)
            expression = expression.value
        if not isinstance(expression, ast.Name):
            return ""
        return ".".join([self.paths.get(expression.id, expression.id), *reversed(parts)])

    def made_by(self, function: ast.expr) -> Node:
        """Return what a call of `function` makes, if it is a class."""
        path = self.path(function)
        if path in BASES or path in NO_LAYERS or not path:
            return Node()
        if path.startswith(FRAMEWORKS) and path.endswith(("Parameter", ".Buffer")):
            return Node(layers={PARAMETER})
        if path.startswith(FRAMEWORKS):
            return Node(layers={path})
        return Node(classes={path.rpartition(".")[2]})


class _Function:
    """One method: its local names, and the attributes of `self` that it sets."""

    def __init__(self, names: _Names, function: ast.FunctionDef) -> None:
        self.names = names
        self.sets: list[tuple[str, ast.expr]] = []
        self.local: dict[str, list[ast.expr]] = {}
        self.appended: dict[str, list[ast.expr]] = {}
        self.registered: set[str] = set()
        self.built: dict[str, Node] = {}
        for item in ast.walk(function):
            match item:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        self._set(target, value)
                case ast.AnnAssign(target=target, value=ast.expr() as value):
                    self._set(target, value)
                case ast.Call(func=ast.Attribute(value=owner, attr="append"), args=[value]):
                    self.appended.setdefault(ast.unparse(owner), []).append(value)
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="self"), attr=attr),
                    args=[ast.Constant(value=str(name)), value],
                ) if attr in NAMING:
                    self.sets.append((name, value))
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="self"), attr=attr),
                    args=[ast.Constant(value=str(name)), *_],
                ) if attr in REGISTERING:
                    self.registered.add(name)

    def _set(self, target: ast.expr, value: ast.expr) -> None:
        match target:
            case ast.Name(id=name):
                self.local.setdefault(name, []).append(value)
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                self.sets.append((name, value))

    def read_into(self, node: Node) -> None:
        """Add every attribute of `self` that this method sets to `node`."""
        for name in self.registered:
            node.child(name).layers.add(PARAMETER)
        for name, value in self.sets:
            node.child(name).add(self._build(value))
        for name in {name for name, _ in self.sets}:
            extra = self.appended.get(f"self.{name}", ())
            node.child(name).unnamed += [self._build(value) for value in extra]

    def _build(self, value: ast.expr) -> Node:
        """Return what an expression makes; nothing where that cannot be told."""
        node = Node()
        match value:
            case ast.Call():
                node = self._build_call(value)
            case ast.Name(id=name):
                node = self._build_local(name)
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                node = self._number(elements)
            case ast.Dict(keys=keys, values=values):
                for key, each in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant):
                        node.child(str(key.value)).add(self._build(each))
            case ast.ListComp(elt=element) | ast.GeneratorExp(elt=element):
                node.unnamed.append(self._build(element))
            case ast.BinOp(left=left, right=right):  # [layer] * 2, first + second
                node.unnamed += [*self._below(left), *self._below(right)]
            case ast.IfExp(body=first, orelse=second):
                node.add(self._build(first))
                node.add(self._build(second))
            case ast.BoolOp(values=values):
                for each in values:
                    node.add(self._build(each))
        return node

    def _build_call(self, call: ast.Call) -> Node:
        match call:
            case ast.Call(func=ast.Attribute(value=ast.Call() as inner, attr=attr)) if (
                attr in PASSING
            ):
                return self._build(inner)
        if self.names.path(call.func) not in (*LISTS, *DICTS, "collections.OrderedDict"):
            return self.names.made_by(call.func)
        if len(call.args) != 1 or isinstance(call.args[0], ast.Starred):
            return self._number(call.args)
        only = self._build(call.args[0])
        # One argument is a list of layers, or the only layer of a Sequential.
        return Node(children={"0": only}) if only.layers or only.classes else only

    def _number(self, elements: Sequence[ast.expr]) -> Node:
        """Return the children that a list spells out: by number, or by key where it has pairs."""
        node = Node()
        exact = True
        for number, element in enumerate(elements):
            match element:
                case ast.Tuple(elts=[ast.Constant(value=str(key)), value]):
                    node.child(key).add(self._build(value))
                case ast.Starred(value=value):
                    exact = False
                    node.unnamed += self._below(value)
                case _ if exact:
                    node.child(str(number)).add(self._build(element))
                case _:
                    node.unnamed.append(self._build(element))
        return node

    def _below(self, value: ast.expr) -> list[Node]:
        node = self._build(value)
        return [*node.children.values(), *node.unnamed]

    def _build_local(self, name: str) -> Node:
        """Return what a local name may hold; nothing while that is being found out."""
        if name not in self.built:
            self.built[name] = Node()
            node = Node()
            for value in self.local.get(name, ()):
                node.add(self._build(value))
            node.unnamed += [self._build(value) for value in self.appended.get(name, ())]
            self.built[name] = node
        return self.built[name]

"""Families of functions that no row tells: a file registers the import paths that it knows.

What a row tells but for its `shape` is planned by whoever registers that shape, and syntax that is
no call by whoever registers its class of nodes.

Every file below this folder is loaded on the first question, so that a new family is one new file.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import libcst as cst

from onecell.migrate.rules import families
from onecell.migrate.rules.arguments import Converter
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.table.operator_index import makers_back
from onecell.migrate.rules.table.row import Row
from onecell.migrate.rules.table.scan import also_called

Make = Callable[[Context, cst.Call, str], Plan]
"""Returns how a call of an import path is rewritten; raises `Unsure`."""


@dataclass(frozen=True, slots=True)
class Family:
    """How calls of some import paths are rewritten for MindSpore."""

    rule: str
    about: str
    """What the rule is about, in one line."""
    make: Make
    gives: str
    """Kind of what a call returns; see `kinds`."""


Shape = Callable[[Context, cst.Call, Row, Converter], Plan]
"""Returns how a call of a row of this shape is rewritten; raises `Unsure`."""


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of syntax that is no call."""

    message: str
    """What is said of it, as a sentence."""
    build: Callable[[Any], cst.CSTNode] | None = None
    """Builds it anew from itself with its parts rewritten; None for what goes."""
    holds: tuple[str, ...] = ()
    """What has to hold for it, where the file does not show it."""
    below: bool = True
    """Whether rules look at its parts too."""


Look = Callable[[Context, Any], Change | None]
"""Returns what becomes of a node, None where the rule is not about it; raises `Unsure`."""


@dataclass(frozen=True, slots=True)
class Syntax:
    """A rule about a class of nodes."""

    rule: str
    look: Look


_BY_PATH: dict[str, Family] = {}
_BACK: dict[str, Family] = {}
_BY_CLASS: dict[type[cst.CSTNode], list[Syntax]] = {}
_CHECKS: dict[type[cst.CSTNode], list[Syntax]] = {}
_BY_SHAPE: dict[str, Shape] = {}


def family(
    rule: str, about: str, paths: Iterable[str], *, gives: str = "", back: bool = False
) -> Callable[[Make], Make]:
    """Register the function below for calls of these import paths of torch's.

    Those of MindSpore's go `back`.
    """

    def register(make: Make) -> Make:
        found = Family(rule, about, make, gives)
        (_BACK if back else _BY_PATH).update(dict.fromkeys(paths, found))
        return make

    return register


def shape(name: str) -> Callable[[Shape], Shape]:
    """Register the function below for the rows of this shape."""

    def register(make: Shape) -> Shape:
        _BY_SHAPE[name] = make
        return make

    return register


def of_shape(name: str) -> Shape | None:
    """Return who plans the calls of rows of this shape, or None: the row tells it all."""
    every()
    return _BY_SHAPE.get(name)


def syntax(rule: str, *classes: type[cst.CSTNode], check: bool = False) -> Callable[[Look], Look]:
    """Register the function below for nodes of these classes.

    `check` is for a rule that only marks, and is asked after all those that build something.
    """

    def register(look: Look) -> Look:
        for each in classes:
            (_CHECKS if check else _BY_CLASS).setdefault(each, []).append(Syntax(rule, look))
        return look

    return register


@cache
def of_class(kind: type[cst.CSTNode]) -> tuple[Syntax, ...]:
    """Return the rules about a class of nodes, in the order in which they are asked."""
    every()
    return (*_BY_CLASS.get(kind, ()), *_CHECKS.get(kind, ()))


def of_path(ctx: Context, path: str) -> Family | None:
    """Return the family that an import path belongs to, or None."""
    return every(ctx.source).get(path)


@cache
def _load() -> None:
    for found in pkgutil.walk_packages(families.__path__, f"{families.__name__}."):
        importlib.import_module(found.name)


def every(source: str = "torch") -> Mapping[str, Family]:
    """Return import path → family, for modules of `source`."""
    _load()
    return _BY_PATH if source == "torch" else _BACK


def kinds(source: str) -> dict[str, str]:
    """Return import path → kind of what a call of it returns, in a module of `source`."""
    found = {path: each.gives for path, each in every(source).items()}
    if source == "torch":
        return found
    found |= {other: kind for path, kind in found.items() for other in also_called(path)}
    return found | dict(makers_back())

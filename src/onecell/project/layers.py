"""Which layer owns a parameter, told by the source of the model; none of it is run.

A checkpoint says `embedding.weight`. Whether that is the table of an Embedding or the matrix of a
Linear without bias only the code can tell: `self.embedding = nn.Embedding(...)`. So every class of
the project is a tree of attributes down to the frameworks' own layers (`classes`), and a
parameter's dotted name is walked down the class that explains most of its checkpoint.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from onecell.neighbours import (
    NEIGHBOURS,
    Neighbour,
    find_neighbour,
    may_be_otherwise,
    rename_parameters,
    shape_parameter,
    uncounted,
)
from onecell.project.classes import PARAMETER, Node, read_classes

MOST_PARTS: Final = 32
"""A parameter name with more parts than this belongs to no layer here."""

Owners = dict[str, frozenset[str]]
_Root = tuple[str, str]
"""A class, and what stands before its parameters' names in the checkpoint."""


@dataclass(frozen=True, slots=True)
class Naming:
    """What the parameters of one checkpoint are called in another framework."""

    renamed: Mapping[str, str]
    """Old name → new name, where they differ."""
    shapes: Mapping[str, tuple[int, ...]]
    """Old name → new shape, where that differs: the same numbers in the same order."""
    unsure: Mapping[str, str]
    """Names that are kept because the code allows more than one answer, and why."""
    unknown: tuple[str, ...]
    """Names that are kept because no class of the project has such a parameter."""
    by_hand: tuple[str, ...]
    """Of `unsure` and `unknown`, those that the other framework may call or shape otherwise."""
    left: tuple[str, ...]
    """Counters of norms, which the other framework does not keep."""


def name_parameters(
    shapes: Mapping[str, tuple[int, ...]],
    sources: Iterable[str],
    source: str,
    to: str,
    attributes: Mapping[str, str] = MappingProxyType({}),
) -> Naming:
    """Return what framework `to` calls the parameters of framework `source`, and their shapes.

    Args:
        shapes: the dotted names of one checkpoint, and the shape of each tensor.
        sources: texts of the project's modules, written for `source`.
        source: a framework.
        to: the other one.
        attributes: attributes of the sources that `shapes` has by another name already.
    """
    owners = find_owners(shapes, sources, attributes)
    left = tuple(
        name
        for name in uncounted(shapes, source, to)
        if PARAMETER not in owners.get(name, ())  # one that a class of the project counts itself
    )
    owners = {name: layers for name, layers in owners.items() if name not in left}
    renamed, reshaped, unsure = {}, {}, {}
    for name, layers in owners.items():
        answers = {
            layer: _translate(layer, name, shapes[name], source, to)
            for layer in sorted(_fitting(layers, name, shapes, source))
        }
        if len(set(answers.values())) > 1:
            said = ", ".join(
                f"{layer} makes it `{new.rpartition('.')[2]}` {shape}"
                for layer, (new, shape) in answers.items()
            )
            unsure[name] = f"the code allows more than one layer: {said}"
            continue
        new, shape = next(iter(answers.values()))
        if new != name:
            renamed[name] = new
        if shape != shapes[name]:
            reshaped[name] = shape
        if why := _lacking(layers, name, source, to):
            unsure[name] = why
    unknown = tuple(name for name in shapes if name not in owners and name not in left)
    by_hand = (*unsure, *(name for name in unknown if may_be_otherwise(name, shapes, source)))
    return Naming(renamed, reshaped, unsure, unknown, by_hand, left)


def _fitting(
    layers: frozenset[str], name: str, shapes: Mapping[str, tuple[int, ...]], source: str
) -> frozenset[str]:
    """Return those of `layers` that fit what stands beside a parameter: norms alone keep means.

    A norm without them is not told from others by its weight, which has one axis; what has more
    axes is no norm's.
    """
    owner = name.rpartition(".")[0]
    averaging = {"torch": "running_mean", "mindspore": "moving_mean"}[source]
    norms = frozenset(
        layer
        for layer in layers
        if (row := find_neighbour(source, layer)) and averaging in row.parameters[source]
    )
    if f"{owner}.{averaging}" in shapes:
        return norms or layers
    return layers - norms if len(shapes.get(f"{owner}.weight", ())) > 1 else layers


def find_owners(
    names: Iterable[str],
    sources: Iterable[str],
    attributes: Mapping[str, str] = MappingProxyType({}),
) -> Owners:
    """Return the layers that may own each parameter that the code explains.

    More than one where several classes explain the checkpoint equally well. A class that explains
    more of it than others and has the attribute decides, also where it cannot tell the layer: that
    another class calls another layer so says nothing. `PARAMETER` is an owner too.
    """
    walker = _Walker(read_classes(sources))
    before = {new: old for old, new in attributes.items()}
    found: dict[str, dict[_Root, frozenset[str]]] = {}
    score: Counter[_Root] = Counter()
    for name in names:
        parts = tuple(before.get(part, part) for part in name.split("."))
        if len(parts) > MOST_PARTS:
            continue
        for stop in _stops(parts):
            for start in range(stop + 1):
                for root in walker.classes:
                    owners = walker.owners_at(root, parts[start:stop], parts[stop])
                    if stop < len(parts) - 1:
                        owners = frozenset(layer for layer in owners if _row_of(layer, name))
                    key = root, ".".join(parts[:start])
                    by_root = found.setdefault(name, {})
                    if owners:
                        score[key] += key not in by_root or not by_root[key]
                        by_root[key] = owners | by_root.get(key, frozenset())
                    elif start < stop and walker.reaches(root, parts[start:stop]):
                        by_root.setdefault(key, frozenset())
    owned = {}
    for name, by_root in found.items():
        best = max((score[key] for key in by_root), default=0)
        owners = frozenset[str]().union(*(by_root[k] for k in by_root if score[k] == best))
        if owners:
            owned[name] = owners
    return owned


class _Walker:
    """Walks down the classes; what was walked once is remembered."""

    def __init__(self, classes: Mapping[str, Node]) -> None:
        self.classes = classes
        self._fronts: dict[tuple[str, tuple[str, ...]], frozenset[Node]] = {}
        self._steps: dict[tuple[frozenset[Node], str], frozenset[Node]] = {}

    def owners_at(self, root: str, path: tuple[str, ...], last: str) -> frozenset[str]:
        """Return the layers at the end of a path of attributes that begins at a class.

        Where the class there holds a tensor called `last` itself, it is its own: `PARAMETER`.
        """
        found: set[str] = set()
        for node in self._front(root, path):
            own = node.children.get(last)
            found |= {PARAMETER} if own and PARAMETER in own.layers else node.layers - {PARAMETER}
        return frozenset(found)

    def reaches(self, root: str, path: tuple[str, ...]) -> bool:
        """Return whether the class has attributes along this path."""
        return bool(self._front(root, path))

    def _front(self, root: str, path: tuple[str, ...]) -> frozenset[Node]:
        if (root, path) not in self._fronts:
            if path:
                front = self._step(self._front(root, path[:-1]), path[-1])
            else:
                front = self._with_classes([self.classes[root]])
            self._fronts[root, path] = front
        return self._fronts[root, path]

    def _step(self, front: frozenset[Node], part: str) -> frozenset[Node]:
        known = any(part in node.children for node in front)
        key = front, part if known else ""  # all names that nobody spells out are alike
        if key not in self._steps:
            self._steps[key] = self._with_classes(n for node in front for n in node.below(part))
        return self._steps[key]

    def _with_classes(self, nodes: Iterable[Node]) -> frozenset[Node]:
        """Return the nodes, the project's classes that they may be, and their bases."""
        found: set[Node] = set()
        left = list(nodes)
        while left:
            node = left.pop()
            if node not in found:
                found.add(node)
                left += [self.classes[name] for name in node.classes if name in self.classes]
        return frozenset(found)


_INNER: Final = frozenset(
    parameter
    for row in NEIGHBOURS
    for names in row.parameters.values()
    for parameter in names
    if "." in parameter
)
"""Parameters of layers that have layers inside: "norm1.weight" of a transformer's."""


def _stops(parts: tuple[str, ...]) -> Iterator[int]:
    """Yield how many of the parts may lead to the layer; the rest names its parameter."""
    yield len(parts) - 1
    for inside in (2, 3):
        if inside <= len(parts) and ".".join(parts[-inside:]) in _INNER:
            yield len(parts) - inside


def _row_of(layer: str, name: str) -> tuple[Neighbour, str] | None:
    """Return the row of a layer and the longest of its parameters that `name` ends with."""
    framework = layer.partition(".")[0]
    row = find_neighbour(framework, layer)
    ends = (
        []
        if row is None
        else [p for p in row.parameters[framework] if f".{name}".endswith(f".{p}")]
    )
    return (row, max(ends, key=len)) if row is not None and ends else None


def _translate(
    layer: str, name: str, shape: tuple[int, ...], source: str, to: str
) -> tuple[str, tuple[int, ...]]:
    """Return what a parameter is called in `to`, and its shape there."""
    found = _row_of(layer, name)
    if found is None:
        return name, shape
    row, parameter = found
    new = name.removesuffix(parameter) + rename_parameters(row, source, to)[parameter]
    return new, shape_parameter(row, parameter, shape, source, to)


def _lacking(layers: Iterable[str], name: str, source: str, to: str) -> str:
    """Return why the layers in `to` have no such parameter; "" where they may have."""
    rows = [find_neighbour(source, layer) for layer in layers]
    if not rows or any(row is None or _row_of(row.classes[source], name) for row in rows):
        return ""
    others = sorted({row.classes[to] for row in rows if row is not None})
    return f"{', '.join(others)} has no such parameter"

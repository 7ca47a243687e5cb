"""Which layer owns a parameter, told by the source of the model; none of it is run.

A checkpoint says `embedding.weight`. Whether that is the table of an Embedding or the matrix of a
Linear without bias only the code can tell: `self.embedding = nn.Embedding(...)`. So every class of
the project is a tree of attributes down to the frameworks' own layers (`classes`), and a
parameter's dotted name is walked down the class that explains most of its checkpoint.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from onecell.neighbours import find_neighbour, rename_parameters
from onecell.project.classes import Node, read_classes

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
    unsure: Mapping[str, str]
    """Names that are kept because the code allows more than one answer, and why."""
    unknown: tuple[str, ...]
    """Names that are kept because no class of the project has such a parameter."""


def name_parameters(names: Iterable[str], sources: Iterable[str], source: str, to: str) -> Naming:
    """Return what framework `to` calls the parameters that framework `source` calls `names`.

    Args:
        names: the dotted names of one checkpoint, without those of its LSTM cells.
        sources: texts of the project's modules, written for `source`.
        source: a framework.
        to: the other one.
    """
    names = list(names)
    owners = find_owners(names, sources)
    renamed, unsure = {}, {}
    for name, layers in owners.items():
        prefix, dot, last = name.rpartition(".")
        answers = {layer: _rename(layer, last, source, to) for layer in sorted(layers)}
        if len(set(answers.values())) > 1:
            said = ", ".join(f"{layer} makes it `{new}`" for layer, new in answers.items())
            unsure[name] = f"the code allows more than one layer: {said}"
        elif (new := f"{prefix}{dot}{next(iter(answers.values()))}") != name:
            renamed[name] = new
    return Naming(renamed, unsure, tuple(name for name in names if name not in owners))


def find_owners(names: Iterable[str], sources: Iterable[str]) -> Owners:
    """Return the layers that may own each parameter that the code explains.

    More than one where several classes explain the checkpoint equally well.
    """
    walker = _Walker(read_classes(sources))
    found: dict[str, dict[_Root, frozenset[str]]] = {}
    score: Counter[_Root] = Counter()
    for name in names:
        parts = tuple(name.split("."))
        if len(parts) > MOST_PARTS:
            continue
        for start in range(len(parts)):
            for root in walker.classes:
                if owners := walker.layers_at(root, parts[start:-1]):
                    key = root, ".".join(parts[:start])
                    found.setdefault(name, {})[key] = owners
                    score[key] += 1
    owned = {}
    for name, by_root in found.items():
        best = max(score[key] for key in by_root)
        owned[name] = frozenset[str]().union(*(by_root[k] for k in by_root if score[k] == best))
    return owned


class _Walker:
    """Walks down the classes; what was walked once is remembered."""

    def __init__(self, classes: Mapping[str, Node]) -> None:
        self.classes = classes
        self._fronts: dict[tuple[str, tuple[str, ...]], frozenset[Node]] = {}
        self._steps: dict[tuple[frozenset[Node], str], frozenset[Node]] = {}

    def layers_at(self, root: str, path: tuple[str, ...]) -> frozenset[str]:
        """Return the layers at the end of a path of attributes that begins at a class."""
        return frozenset(layer for node in self._front(root, path) for layer in node.layers)

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


def _rename(layer: str, parameter: str, source: str, to: str) -> str:
    row = find_neighbour(source, layer)
    return (
        parameter if row is None else rename_parameters(row, source, to).get(parameter, parameter)
    )

"""The graph of objects in a checkpoint of TensorFlow 2: what the keys of its tensors are called.

After trackable_object_graph.proto. A variable is saved under the shortest way to it, which may be
its place in a list of all variables, `variables/3`. Then it is called by another way that ends in a
name, `layer_with_weights-0/cell/kernel`, or else by the name that it had in its program.
"""

from __future__ import annotations

import io
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from onecell.checkpoint.formats.protobuf import BYTES, VARINT, Field, read_fields
from onecell.checkpoint.limits import Budget
from onecell.errors import CheckpointError

GRAPH: Final = "_CHECKPOINTABLE_OBJECT_GRAPH"
VALUE: Final = "/.ATTRIBUTES/VARIABLE_VALUE"
_ITEM: Final = 400
_DEEPEST: Final = 64
_LONGEST: Final = 4096
_NUMBERED: Final = re.compile(r"(?:.*/)?\d+", re.DOTALL)
_COUNT: Final = re.compile(r"(?P<root>.*)/(?:_?iterations|iter)", re.DOTALL)
"""What every optimizer has, and nothing else."""
_ESCAPED: Final = re.compile(r"\.([.S])")


@dataclass(slots=True)
class _Node:
    children: list[tuple[str, int]] = field(default_factory=list)
    keys: list[tuple[str, str]] = field(default_factory=list)
    """Key of a value → the name that it had in its program."""


def names_of(graph: bytes, keys: list[str], budget: Budget) -> dict[str, str]:
    """Return key → name of the tensors of a checkpoint, by its graph of objects.

    Raises:
        UnsafeCheckpointError: the graph asks for too much memory.
        CheckpointError: it is damaged.
    """
    nodes = list(_nodes(graph, budget))
    if any(child >= len(nodes) for node in nodes for _, child in node.children):
        raise CheckpointError("its graph of objects leads to one that is not there.")
    names = {key: key.removesuffix(VALUE) for key in keys}
    numbered = {key for key, name in names.items() if _NUMBERED.fullmatch(name)}
    taken = {name for key, name in names.items() if key not in numbered}
    ways = dict(_ways(nodes, budget)) if numbered else {}
    optimizers = {match["root"] for name in taken if (match := _COUNT.fullmatch(name))}
    programs = {own for node in nodes for _, own in node.keys}
    for number, node in enumerate(nodes):
        for key, own in node.keys:
            if key in numbered:
                state = _is_slot(own, programs) or _list_owner(names[key]) in optimizers
                for name in (ways.get(number, ""), "" if state else own):
                    if name and name not in taken:
                        names[key] = name
                        taken.add(name)
                        numbered.discard(key)
                        break
    return names


def _list_owner(name: str) -> str:
    """Return what has the list in which a numbered variable is."""
    return name.rpartition("/")[0].rpartition("/")[0]


def _is_slot(own: str, programs: set[str]) -> bool:
    """Whether a name ends in that of another variable, as an optimizer calls what it keeps."""
    return any(own[at.end() :] in programs for at in re.finditer("/", own))


def dotted(name: str) -> str:
    """Return the name of an object's part as a dotted one."""
    return _ESCAPED.sub(".", name).replace("/", ".")


def _ways(nodes: list[_Node], budget: Budget) -> Iterator[tuple[int, str]]:
    """Yield node → the shortest way to it that ends in a name, as the graph has them in order."""
    depth = {0: 0}
    above: dict[int, tuple[int, str]] = {}
    best: dict[int, tuple[int, str]] = {}
    waiting = deque([0] if nodes else [])
    while waiting:
        number = waiting.popleft()
        for name, child in nodes[number].children:
            if child not in depth:
                depth[child] = depth[number] + 1
                above[child] = (number, name)
                waiting.append(child)
            if not name.isdigit():
                best.setdefault(child, (number, name))
    for child, (number, name) in best.items():
        if nodes[child].keys and depth[number] < _DEEPEST:
            parts = [name]
            while number in above:
                number, name = above[number]  # noqa: PLW2901 - the way up
                parts.append(name)
            way = "/".join(reversed(parts))
            budget.take(_ITEM + 4 * len(way), "a name")
            yield child, way


def _nodes(graph: bytes, budget: Budget) -> Iterator[_Node]:
    """Yield the objects of a graph."""
    file = io.BytesIO(graph)
    for part in read_fields(file, 0, len(graph), "its graph of objects"):
        if part.number == 1 and part.wire == BYTES:
            yield _node(graph, file, part, budget)


def _node(graph: bytes, file: io.BytesIO, place: Field, budget: Budget) -> _Node:
    budget.take(_ITEM, "an object")
    found = _Node()
    for part in read_fields(file, place.start, place.end, "its graph of objects"):
        if part.wire != BYTES or part.number not in {1, 2}:
            continue
        budget.take(_ITEM, "an object")
        texts: dict[int, str] = {}
        number = 0
        for each in read_fields(file, part.start, part.end, "its graph of objects"):
            if each.wire == VARINT and each.number == 1:
                number = each.value
            elif each.wire == BYTES and each.number in {1, 2, 3}:
                texts[each.number] = _text(graph[each.start : each.end])
        if part.number == 1:
            found.children.append((texts.get(2, ""), number))
        elif 3 in texts:
            found.keys.append((texts[3], texts.get(2, "")))
    return found


def _text(content: bytes) -> str:
    if len(content) > _LONGEST:
        raise CheckpointError("its graph of objects has a name that is too long.")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise CheckpointError(
            f"its graph of objects has a name that is not text: {error}."
        ) from None

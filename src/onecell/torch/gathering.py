"""The steps of a graph, gathered into as few calls of the kernel as their order allows.

A call of an operator from compiled code costs more than a small step, and a step's gradients by the
weights are as large as they are. So Inductor lets this pass over every graph, forward and backward:
the parts of the sums over time become one sum, and steps that need nothing of what lies between
them become one program (see `programs`). The bits stay those of the steps.
"""

# ruff: noqa: ANN401 - nodes of torch.fx take arguments of any type.
from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeAlias

import torch
from torch._inductor import config
from torch._inductor.custom_graph_pass import CustomGraphPass, get_hash_for_files
from torch.fx import Graph, Node
from torch.fx.experimental.symbolic_shapes import statically_known_true

from onecell.torch import programs, reading

Value: TypeAlias = Node | None

_ops: Final = torch.ops.onecell
_add: Final = torch.ops.aten.add.Tensor
_select: Final = torch.ops.aten.select.int
_unbind: Final = torch.ops.aten.unbind.int


def _back(wanted: int, *values: Value) -> None:
    """Stand for the instruction of that name, until programs are made."""


def _sums(wanted: int, by_z: list[Node], xs: list[Node], hs: list[Node]) -> None:
    """Stand for the instruction of that name, until programs are made."""


_WORDS: Final[dict[Callable[..., Any], str]] = {
    _ops.step.default: "step",
    _ops.recorded_step.default: "record",
    _back: "back",
    _sums: "sums",
}


def take_part() -> None:
    """Have Inductor call the pass, after what others have put there."""
    before = config.post_grad_custom_pre_pass
    passes = [] if before is None else [*before] if isinstance(before, list | tuple) else [before]
    if reading.step_reader is not None and not any(type(each) is Gathering for each in passes):
        config.post_grad_custom_pre_pass = [*passes, Gathering()]


class Gathering(CustomGraphPass):
    """The pass."""

    def __call__(self, graph: Graph) -> None:
        """Rewrite `graph` in place."""
        found = [node for node in graph.nodes if node.target in _WORDS or _is_back(node)]
        if not found or not all(map(_has_rows, found)):
            return
        for node in filter(_is_back, found):
            _split(graph, node)
        _merge_sums(graph)
        for group in _groups(graph):
            _write(graph, group)
        graph.lint()

    def uuid(self) -> Any:
        """Return what changes whenever the pass does."""
        return get_hash_for_files((__file__, str(programs.__file__)))


def _is_back(node: Node) -> bool:
    return node.target is _ops.step_backward.default


def _has_rows(node: Node) -> bool:
    """Whether there is anything to compute: the kernel's programs refuse empty tensors."""
    first = node.args[0]
    return isinstance(first, Node) and not statically_known_true(_shape(first)[0] == 0)


def _shape(node: Node) -> Any:
    return node.meta["val"].shape


def _results(node: Node) -> dict[int, Node]:
    """Return what is taken of a node of several results, by place; each is taken once at most."""
    return {user.args[1]: user for user in node.users if user.target is operator.getitem}  # type: ignore[misc]


def _split(graph: Graph, node: Node) -> None:
    """Take a step's way back apart: what the step before waits for, and its part in the sums."""
    x, h, c, weight_ih, weight_hh, gates, grad_h, grad_c, wanted = node.args
    back, sums = programs.masks(wanted)  # type: ignore[arg-type]
    with graph.inserting_before(node):
        first = graph.call_function(_back, (back, c, weight_ih, weight_hh, gates, grad_h, grad_c))
        by_z = graph.call_function(operator.getitem, (first, 3))
        by_z.meta["val"] = gates.meta["val"].new_empty(_shape(gates))  # type: ignore[union-attr,arg-type]
        second = graph.call_function(_sums, (sums, [by_z], [x], [h])) if sums else first
        for at, result in _results(node).items():
            made = graph.call_function(
                operator.getitem, (first, at) if at < 3 else (second, at - 3)
            )
            _take_over(result, made)
    graph.erase_node(node)


def _take_over(old: Node, new: Node) -> None:
    new.meta.update(old.meta)
    old.replace_all_uses_with(new)
    old.graph.erase_node(old)


def _merge_sums(graph: Graph) -> None:
    """Make one sum of two that are only there to be added, for as long as there are such."""
    for node in list(graph.nodes):
        if node.target is not _add or node.kwargs or not _is_part(node.args):
            continue
        one, other = (part.args[0] for part in node.args)
        pairs = _pairs(one, other)
        if pairs is None:
            continue
        with graph.inserting_before(node):
            lists = [[*a, *b] for a, b in zip(one.args[1:], other.args[1:], strict=True)]
            merged = graph.call_function(_sums, (one.args[0], *lists))
            for at, added in pairs.items():
                _take_over(added, graph.call_function(operator.getitem, (merged, at)))
        for old in (one, other):
            for part in _results(old).values():
                graph.erase_node(part)
            graph.erase_node(old)


def _is_part(values: Iterable[Any]) -> bool:
    return all(
        isinstance(each, Node)
        and each.target is operator.getitem
        and isinstance(each.args[0], Node)
        and each.args[0].target is _sums
        for each in values
    )


def _pairs(one: Node, other: Node) -> dict[int, Node] | None:
    """Return by place what adds the results of two sums, if that is all that becomes of them."""
    if one is other or one.args[0] != other.args[0]:
        return None
    found = {}
    first, second = _results(one), _results(other)
    if first.keys() != second.keys():
        return None
    for at, part in first.items():
        users = {*part.users, *second[at].users}
        added = users.pop()
        if users or added.target is not _add or added.kwargs or added.args != (part, second[at]):
            return None
        found[at] = added
    return found


def _groups(graph: Graph) -> list[list[Node]]:
    """Return the instructions by programs: none waits for what is made of another's results.

    Additions to a program's results, as of gradients that reach a state on two ways, belong to it
    where one of its instructions takes the sum.
    """
    groups: list[list[Node]] = []
    now: dict[Node, None] = {}
    values: set[Node] = set()
    outside: set[Node] = set()
    for node in graph.nodes:
        needs = set(node.all_input_nodes)
        if _writes(node) or (node.target in _WORDS and needs & outside):
            groups.append([*now])
            now, values, outside = {}, set(), set()
        if node.target in _WORDS:
            now[node] = None
        elif node.target is operator.getitem and needs <= now.keys():
            values.add(node)
        elif _is_sum(node) and needs & values and not needs & outside:
            now[node] = None
            values.add(node)
        elif needs & values or needs & outside:
            outside.add(node)
    return [group for group in map(_without_last_sums, [*groups, [*now]]) if group]


def _writes(node: Node) -> bool:
    """Whether a node writes into tensors: nothing is moved past it."""
    schema = getattr(node.target, "_schema", None)
    return schema is not None and bool(schema.is_mutable)


def _is_sum(node: Node) -> bool:
    if node.target is not _add or node.kwargs:
        return False
    both = [each.meta["val"] for each in node.args if isinstance(each, Node)]
    if [each.dim() for each in both] != [2, 2] or both[0].dtype is not both[1].dtype:
        return False
    return all(statically_known_true(a == b) for a, b in zip(*map(_shape, node.args), strict=True))  # type: ignore[arg-type]


def _without_last_sums(group: list[Node]) -> list[Node]:
    """Leave to the compiler the additions that no instruction waits for."""
    kept: list[Node] = []
    taken: set[Node] = set()
    for node in reversed(group):
        if node.target in _WORDS or node in taken:
            kept.append(node)
            taken.update(node.all_input_nodes)
    return kept[::-1]


def _write(graph: Graph, group: list[Node]) -> None:
    """Put one program in the place of the instructions of a group."""
    inside = {*group, *(part for node in group for part in _results(node).values())}
    inputs: dict[Node, int] = {}
    for node in group:
        for value in node.all_input_nodes:
            if value not in inside:
                inputs.setdefault(_picked(value)[0], len(inputs))
    tensors = list(inputs)
    numbers = dict(inputs)
    words: list[object] = []
    count = len(inputs)

    def number(value: Any) -> Any:
        nonlocal count
        if value is None:
            return -1
        if value not in numbers:
            words.extend(("pick", numbers[_picked(value)[0]], *_picked(value)[1:]))
            numbers[value] = count
            count += 1
        return numbers[value]

    given: dict[Node, int] = {}
    for node in group:
        word = _WORDS.get(node.target, "add")  # type: ignore[arg-type]
        operands = [each if isinstance(each, int) else number(each) for each in _operands(node)]
        words.extend((word, *operands))
        parts = _results(node) if node.target in _WORDS else {0: node}
        for at, part in parts.items():
            numbers[part] = count + at
            if any(user not in inside for user in part.users):
                given[part] = count + at
        count += programs.RESULTS[word]
    text = " ".join(map(str, (*words, "give", *given.values())))
    last = next(node for node in reversed(group) if node.target in _WORDS)
    waits = _between(group[0], last, set(given))
    with graph.inserting_before(last):
        made = graph.call_function(_ops.program.default, (tensors, text))
        made.meta["val"] = [part.meta["val"] for part in given]
        for at, part in enumerate(given):
            taken = graph.call_function(operator.getitem, (made, at))
            taken.meta.update(part.meta)
            part.replace_all_uses_with(taken, lambda user: user not in inside)
    for node in reversed(waits):
        last.append(node)
    for node in reversed(group):
        if node.target in _WORDS:
            for part in _results(node).values():
                graph.erase_node(part)
        graph.erase_node(node)


def _between(first: Node, last: Node, results: set[Node]) -> list[Node]:
    """Return the nodes from `first` to `last` that wait for results, in order, but for the last."""
    waiting = set(results)
    found = []
    node = first
    while node is not last:
        if node not in results and not waiting.isdisjoint(node.all_input_nodes):
            waiting.add(node)
            found.append(node)
        node = node.next
    return found


def _operands(node: Node) -> Iterator[Any]:
    for each in node.args:
        if isinstance(each, list | tuple):
            yield from each
        else:
            yield each


def _picked(value: Node) -> tuple[Any, ...]:
    """Return (of what, axis, place) where a value is one matrix of three axes, else (itself,)."""
    source: Any
    if value.target is _select:
        source, axis, place = value.args
    elif value.target is operator.getitem and value.args[0].target is _unbind:  # type: ignore[union-attr]
        source, axis = (*value.args[0].args, 0)[:2]  # type: ignore[union-attr]
        place = value.args[1]
    else:
        return (value,)
    shape = _shape(source)
    if len(shape) != 3 or not isinstance(axis, int) or not isinstance(place, int):
        return (value,)
    axis %= 3
    if place < 0:
        if not isinstance(shape[axis], int):
            return (value,)
        place += shape[axis]
    return source, axis, place

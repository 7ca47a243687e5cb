"""Several steps and ways back in one call of one operator: what compiled graphs are gathered into.

A program is a text of instructions over tensors that are numbered as they come; what instructions
make is numbered on. `_kernel.StepReader.run` says which there are and computes them.
"""

# ruff: noqa: ANN401 - torch hands over arguments of any type.
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import torch
from torch import Tensor

from onecell.torch import reading
from onecell.torch.errors import CellShapeError
from onecell.torch.plain import are_plain

PROGRAM: Final = "onecell::program"

RESULTS: Final = {"step": 2, "record": 3, "back": 4, "sums": 4, "add": 1, "pick": 1}
"""How many values each instruction makes."""

torch.library.define(
    PROGRAM, "(Tensor[] tensors, str program) -> Tensor[]", tags=(torch.Tag.flexible_layout,)
)


def masks(wanted: Sequence[bool]) -> tuple[int, int]:
    """Return which of a step's seven gradients are wanted, as `back` and as `sums` are told."""
    by_step, by_weights = (
        sum(want << k for k, want in enumerate(part)) for part in (wanted[:3], wanted[3:])
    )
    return by_step, by_weights


def run(tensors: list[Tensor], program: str) -> list[Tensor] | None:
    """Compute a program; None where the tensors must be laid out or looked at in another way."""
    reader = reading.step_reader
    found: list[Tensor] | None = None if reader is None else reader.run(tensors, program)
    return found


@torch.library.impl(PROGRAM, "CPU")
def _program(tensors: list[Tensor], program: str) -> list[Tensor]:
    found = run(tensors, program)
    if found is None:
        refuse(PROGRAM, tensors, fits=False)
    return found or []


def refuse(name: str, tensors: Sequence[Tensor], *, fits: bool) -> None:
    """Raise unless the kernel may compute; graphs that onecell built always pass.

    Raises:
        CellMemoryError: a tensor's storage was freed or shrunk.
        CellShapeError: it may not.
    """
    if not (are_plain(tensors) and fits):
        came = ", ".join(f"{tuple(t.shape)} {t.dtype}" for t in tensors)
        raise CellShapeError(f"{name} got tensors that are not of one cell: {came}.")


@torch.library.register_fake(PROGRAM)  # type: ignore[untyped-decorator]
def _shapes(tensors: list[Tensor], program: str) -> list[Tensor]:
    shapes: list[Sequence[Any]] = [t.shape for t in tensors]
    for word, numbers in _instructions(program):
        if word == "give":
            return [tensors[0].new_empty(shapes[at]) for at in numbers]
        shapes += _SHAPES[word](shapes, numbers)
    raise ValueError(f"a program must end in what it gives, got {program!r}.")


def _instructions(program: str) -> Iterator[tuple[str, list[int]]]:
    word, numbers = "", list[int]()
    for token in program.split():
        if token.lstrip("-").isdigit():
            numbers.append(int(token))
            continue
        if word:
            yield word, numbers
        word, numbers = token, []
    yield word, numbers


def _of_step(shapes: Any, n: list[int]) -> list[Any]:
    state = (shapes[n[0]][0], shapes[n[4]][1])
    return [state, state]


def _of_record(shapes: Any, n: list[int]) -> list[Any]:
    return [*_of_step(shapes, n), (shapes[n[0]][0], shapes[n[4]][0])]


def _of_back(shapes: Any, n: list[int]) -> list[Any]:
    gates, state = shapes[n[4]], shapes[n[1]]
    return [(gates[0], shapes[n[2]][1]), state, state, gates]


def _of_sums(shapes: Any, n: list[int]) -> list[Any]:
    steps = (len(n) - 1) // 3
    rows = shapes[n[1]][1]
    by_x, by_h = (
        (rows, shapes[at][1] if at >= 0 else 0) for at in (n[1 + steps], n[1 + 2 * steps])
    )
    return [by_x, by_h, (rows,), (rows,)]


def _of_pick(shapes: Any, n: list[int]) -> list[Any]:
    return [[size for axis, size in enumerate(shapes[n[0]]) if axis != n[1]]]


_SHAPES: Final = {
    "step": _of_step,
    "record": _of_record,
    "back": _of_back,
    "sums": _of_sums,
    "add": lambda shapes, n: [shapes[n[0]]],
    "pick": _of_pick,
}

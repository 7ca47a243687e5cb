"""The readings of one cell, as tables and plots: the same for a comparison and for a port."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from onecell.verify.difference import Text
from onecell.verify.quantities.cases import GRADIENT_STEPS
from onecell.verify.quantities.limits import MARGIN, TANH_MARGIN
from onecell.verify.quantities.optimizers import STEPS
from onecell.verify.quantities.readings import Owner, Quantity, Reading
from onecell.verify.report.page import Column, Group, Limit, Measured, Row
from onecell.verify.report.plots import (
    Plot,
    error_histogram,
    error_over_steps,
    errors_against_limits,
)
from onecell.verify.report.texts import number, same

Array = np.ndarray

Owned = tuple[str, Owner]
"""A side, and whose weights it computed with: one column of a table."""

OWNERS: Final = {"a": "A", "b": "B", "source": "A", "target": "B"}
"""Whose weights → the letter that the page has for it."""

MOST_STEPS: Final = 400
"""Points of a rollout's curve; a longer one is drawn by the largest of every few steps."""


_HEADINGS: Final[Mapping[str, Text]] = {
    "forward": Text("One step", "单步输出"),
    "extreme": Text("One step, far out", "单步输出（极端输入）"),
    "gradient": Text(
        f"Gradients, through {GRADIENT_STEPS} steps", f"梯度（经过 {GRADIENT_STEPS} 步）"
    ),
    "sgd": Text(
        f"{STEPS} steps of SGD: how far parameters move, what the cell answers then",
        f"SGD 更新 {STEPS} 步：参数的移动量，以及之后单元的输出",
    ),
    "adam": Text(
        f"{STEPS} steps of Adam: how far parameters move, what the cell answers then",
        f"Adam 更新 {STEPS} 步：参数的移动量，以及之后单元的输出",
    ),
    "weights": Text("The weights themselves", "权重本身"),
}
"""Kind of quantity → what it is called; a rollout also says its steps."""


def kind_of(quantity: str) -> str:
    """Return the kind of a quantity: "gradient" of "gradient.weight_ih"."""
    return quantity.partition(".")[0]


def heading_of(kind: str, steps: int | None = None) -> Text:
    """Return what a kind of quantity is called."""
    if kind == "rollout":
        return Text(f"Rollout, {steps} steps", f"连续运行 {steps} 步")
    return _HEADINGS.get(kind, same(kind))


def columns_of(quantities: Sequence[Quantity]) -> tuple[Owned, ...]:
    """Return (side, owner) of every column that any quantity has, in order."""
    found = ((r.side, r.file) for quantity in quantities for r in quantity.readings)
    return tuple(dict.fromkeys(found))


def label_of(column: Owned) -> str:
    """Return a column's name where there is little room: "A: torch"."""
    side, owner = column
    letter = OWNERS.get(owner, owner)
    return letter if side == owner else f"{letter}: {side}"


def make_columns(columns: Sequence[Owned]) -> tuple[Column, ...]:
    """Return the headings of a parity table."""
    return tuple(
        Column("" if side == owner else side, same(OWNERS.get(owner, owner)))
        for side, owner in columns
    )


def make_groups(
    quantities: Sequence[Quantity],
    columns: Sequence[Owned],
    sampling: Mapping[str, str] | None = None,
) -> tuple[Group, ...]:
    """Return the rows of a parity table, those of one kind together."""
    rows: dict[str, list[Row]] = {}
    steps: dict[str, int | None] = {}
    for quantity in quantities:
        kind = kind_of(quantity.name)
        by_column = {(r.side, r.file): r for r in quantity.readings}
        measured = tuple(_measured(by_column.get(column)) for column in columns)
        sampled = (sampling or {}).get(quantity.name)
        name = quantity.name.partition(".")[2] or quantity.name
        rows.setdefault(kind, []).append(
            Row(name, measured, quantity.holds, quantity.proves, sampled)
        )
        steps[kind] = max(
            (len(r.by_step) for r in quantity.readings if r.by_step is not None), default=0
        )
    return tuple(Group(heading_of(kind, steps[kind]), tuple(each)) for kind, each in rows.items())


def make_limits(quantities: Sequence[Quantity]) -> tuple[Limit, ...]:
    """Return every distinct limit of the quantities and its reason, in both languages."""
    found: dict[Limit, None] = {}
    for quantity in quantities:
        for reading in quantity.readings:
            relative = number(reading.threshold.relative)
            limit = Limit(
                quantity.name, number(reading.limit), relative, reading.proves, _reason(reading)
            )
            found[limit] = None
    return tuple(found)


def make_plots(
    cell: str, quantities: Sequence[Quantity], columns: Sequence[Owned]
) -> tuple[Plot, ...]:
    """Draw the errors of one cell: against their limits, their spread, along the rollout."""
    plots: list[Plot | None] = [_against_limits(cell, quantities, columns)]
    for kind in dict.fromkeys(kind_of(quantity.name) for quantity in quantities):
        chosen = [quantity for quantity in quantities if kind_of(quantity.name) == kind]
        if kind == "rollout":
            plots += [_along(f"{cell}-{_slug(q.name)}", q, columns) for q in chosen]
        elif kind != "weights":  # drawn as they are, below
            plots.append(_spread(f"{cell}-{_slug(kind)}", kind, chosen, columns))
    return tuple(plot for plot in plots if plot is not None)


def _measured(reading: Reading | None) -> Measured | None:
    if reading is None:
        return None
    return Measured(
        error=number(reading.error),
        ulps=number(reading.ulps),
        limit=number(reading.limit),
        holds=reading.holds,
        steps=reading.steps,
    )


def _reason(reading: Reading) -> Text:
    t = reading.threshold
    product = f"{t.dtype} eps {number(t.eps)} × {number(t.scale)}"
    if t.shift:
        product = f"({product} + {number(t.shift)})"
    product = f"{MARGIN:g} × {product}"
    if not t.coarse:
        return same(product)
    own = f"{TANH_MARGIN:g} × {number(t.coarse)}"
    return Text(
        f"{product} + {own}, for {reading.side}'s own tanh",
        f"{product} + {own}（{reading.side} 自身 tanh 的误差）",
    )


def _against_limits(cell: str, quantities: Sequence[Quantity], columns: Sequence[Owned]) -> Plot:
    ratios = {}
    for column in columns:
        found = [{(r.side, r.file): r for r in q.readings}.get(column) for q in quantities]
        ratios[label_of(column)] = [-1.0 if r is None else r.excess for r in found]
    caption = Text(
        "The largest error in every quantity, in units of its limit. Left of the line holds.",
        "每个量的最大误差，以其限值为单位。在线的左侧即为通过。",
    )
    names = [quantity.name for quantity in quantities]
    return errors_against_limits(f"{cell}-limits", caption, names, ratios)


def _spread(
    name: str, kind: str, quantities: Sequence[Quantity], columns: Sequence[Owned]
) -> Plot | None:
    errors: dict[str, list[Array]] = {}
    limits: dict[str, float] = {}
    for quantity in quantities:
        for reading in quantity.readings:
            label, unit = label_of((reading.side, reading.file)), _unit(reading)
            errors.setdefault(label, []).append(np.asarray(reading.samples, float) / unit)
            limits[label] = min(limits.get(label, math.inf), reading.limit / unit)
    ordered = [label_of(column) for column in columns if label_of(column) in errors]
    together = {label: np.concatenate(errors[label]) for label in ordered}
    if not any(each.size for each in together.values()):
        return None
    said = heading_of(kind)
    caption = Text(
        f"{said.en}: how the errors of single numbers are spread, in units in the last place "
        "of the largest number. The line is the tightest limit.",
        f"{said.zh}：各个数值误差的分布，以最大数值的末位单位（ulp）计。竖线为最严的限值。",
    )
    return error_histogram(name, caption, together, {label: limits[label] for label in ordered})


def _along(name: str, quantity: Quantity, columns: Sequence[Owned]) -> Plot | None:
    errors, limits = {}, {}
    beyond = []
    for reading in sorted(quantity.readings, key=lambda r: columns.index((r.side, r.file))):
        if reading.by_step is None or reading.limit_by_step is None:
            continue
        label = label_of((reading.side, reading.file))
        errors[label] = _thinned(reading.by_step)
        limits[label] = _thinned(reading.limit_by_step)
        counted = slice(reading.steps)
        wrong = ~(reading.by_step[counted] <= reading.limit_by_step[counted])
        if wrong.any():
            beyond.append(int(np.argmax(wrong)))
    if not errors:
        return None
    length = max(len(r.by_step) for r in quantity.readings if r.by_step is not None)
    part = quantity.name.partition(".")[2]
    caption = Text(
        f"Rollout: the largest error in {part} after each of {length} steps.",
        f"连续运行：{length} 步中每一步之后 {part} 的最大误差。",
    )
    if beyond:
        caption = Text(
            f"{caption.en} Step {min(beyond) + 1} is the first beyond its limit.",
            f"{caption.zh}第 {min(beyond) + 1} 步首次超出限值。",
        )
    first = min(beyond) if beyond else None
    return error_over_steps(name, caption, errors, limits, length, first)


def _thinned(values: Array) -> Array:
    """Return at most MOST_STEPS values, each the largest of its stretch; NaN wherever one is."""
    every = -(-len(values) // MOST_STEPS)
    if every == 1:
        return np.asarray(values, float)
    edges = np.arange(0, len(values), every)
    return np.asarray(np.maximum.reduceat(np.asarray(values, float), edges))


def _unit(reading: Reading) -> float:
    """Return one ulp at the largest value of the quantity."""
    if reading.error > 0 and reading.ulps > 0 and math.isfinite(reading.error / reading.ulps):
        return reading.error / reading.ulps
    t = reading.threshold
    return t.eps * t.scale if t.eps * t.scale > 0 else 1.0


def _slug(text: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in text)

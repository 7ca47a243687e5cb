"""Weights as heat-maps: the two sides of a comparison, and what differs between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import matplotlib as mpl
import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from onecell.spec import GATES, PARAMETERS, WEIGHTS
from onecell.verify.comparing.comparison import heat_map
from onecell.verify.difference import Text
from onecell.verify.report import style
from onecell.verify.report.plots import Plot
from onecell.verify.report.svg import to_svg
from onecell.verify.report.texts import number
from onecell.weights import Weights

Array = np.ndarray

BLOCKS: Final = 40
"""Rows of each gate and columns that are drawn, at most."""


def draw_weights(
    name: str, caption: Text, arrays: Mapping[str, Array], bound: float, *, largest: bool = False
) -> Plot:
    """Draw the parameters of one cell side by side, their rows being the gates i f g o.

    An array with more rows or columns than can be seen is shown in blocks, each by one number.

    Args:
        name: of the figure.
        caption: of the figure.
        arrays: the parameters by canonical name, (4H, I), (4H, H), (4H,), (4H,).
        bound: the magnitude that has the full colour; 0 where there is nothing but zeros.
        largest: show the number of largest magnitude in each block, so that a single one that is
            wrong stays visible.
    """
    shown = {key: _blocks(arrays[key], largest=largest) for key in PARAMETERS if key in arrays}
    widths = [max(each.shape[1], 4) for each in shown.values()]
    widths = [max(width, sum(widths) * 0.07) for width in widths]
    full = bound if bound > 0 else 1.0
    with mpl.rc_context(style.RC):
        figure = Figure(figsize=(style.WIDTH, 3.6))
        every = figure.subplots(1, len(shown), width_ratios=widths, squeeze=False)[0]
        for axes, (key, array) in zip(every, shown.items(), strict=True):
            image = axes.imshow(
                array,
                cmap=style.DIVERGING,
                norm=Normalize(-full, full),
                interpolation="none",
                aspect="auto",
                extent=(0, 1, len(GATES), 0),
            )
            axes.set_title(_title(key), fontsize=9.5, color=style.INK, loc="left")
            axes.set_xticks([])
            gates = list(GATES) if axes is every[0] else [""] * len(GATES)
            axes.set_yticks([gate + 0.5 for gate in range(len(GATES))], gates)
            axes.tick_params(length=0)
            axes.grid(visible=False)
            for spine in axes.spines.values():
                spine.set_visible(True)
            for gate in range(1, len(GATES)):
                axes.axhline(gate, color=style.MUTED, linewidth=0.8)
        if bound > 0:
            bar = figure.colorbar(
                image, ax=list(every), location="bottom", fraction=0.035, pad=0.02, aspect=40
            )
            ends = [-bound, 0.0, bound]
            bar.set_ticks(ends, labels=[_signed(end) for end in ends])
    return Plot(name, to_svg(figure, name, {}), caption)


def largest_magnitude(*sides: Mapping[str, Array]) -> float:
    """Return the largest finite magnitude in any array; 0 if there is none."""
    found = 0.0
    for arrays in sides:
        for array in arrays.values():
            finite = array[np.isfinite(array)]
            found = max(found, float(np.max(np.abs(finite), initial=0.0)))
    return found


def _title(key: str) -> str:
    return key.replace("weight_", "W_").replace("bias_", "b_")


def _signed(value: float) -> str:
    return ("−" if value < 0 else "") + number(abs(value))


def _blocks(array: Array, *, largest: bool) -> Array:
    """Return `array` in blocks, those of a gate apart from those of the next."""
    reduce = heat_map if largest else _sampled
    return np.concatenate([reduce(gate, BLOCKS) for gate in np.split(array, len(GATES))])


def _sampled(array: Array, most: int) -> Array:
    """Return one number of each block; NaN where the block has one that is not finite."""
    matrix = np.asarray(array, np.float64).reshape(len(array), -1)
    lost = heat_map(np.where(np.isfinite(matrix), 0.0, 1.0), most) > 0
    rows, columns = (
        np.linspace(0, size, min(most, size), endpoint=False).astype(int) for size in matrix.shape
    )
    return np.where(lost, np.nan, matrix[np.ix_(rows, columns)])


def draw_pair(cell: str, a: Weights, b: Weights) -> tuple[Plot, ...]:
    """Draw the weights of A and of B on one scale, and B - A on its own.

    Args:
        cell: what the figures' names begin with.
        a: the weights that are taken to be right.
        b: the others; another shape is drawn, and no difference then.
    """
    mine, theirs = a.widened().arrays(), b.widened().arrays()
    largest = largest_magnitude(mine, theirs)
    plots = [
        draw_weights(f"{cell}-map-a", Text("A: the weights", "A 的权重"), mine, largest),
        draw_weights(f"{cell}-map-b", Text("B: the weights", "B 的权重"), theirs, largest),
    ]
    difference = _difference(mine, theirs)
    if difference is None:
        return tuple(plots)
    most = largest_magnitude(difference)
    finite = all(np.isfinite(each).all() for each in difference.values())
    if most == 0.0 and finite:
        caption = Text("B − A: every number is equal", "B − A：所有数值相等")
    else:
        share = number(most / largest) if largest > 0 else "0"
        caption = Text(
            f"B − A: at most {number(most)}, {share} times the largest weight",
            f"B − A：最大 {number(most)}，为最大权重的 {share} 倍",
        )
    if not finite:
        caption = Text(
            f"{caption.en}; magenta is not a finite number", f"{caption.zh}；洋红色为非有限数"
        )
    return (*plots, draw_weights(f"{cell}-map-difference", caption, difference, most, largest=True))


def _difference(a: Mapping[str, Array], b: Mapping[str, Array]) -> dict[str, Array] | None:
    """Return B - A in float64; a bias that one of them lacks counts as zero."""
    if any(a[name].shape != b[name].shape for name in WEIGHTS):
        return None
    found = {}
    for name in PARAMETERS:
        if name in a or name in b:
            zero = np.zeros_like((a if name in a else b)[name], np.float64)
            with np.errstate(invalid="ignore"):
                one, other = (np.asarray(each.get(name, zero), np.float64) for each in (a, b))
                alike = (one == other) | (np.isnan(one) & np.isnan(other))  # NaN here and there
                found[name] = np.where(alike, 0.0, other - one)
    return found

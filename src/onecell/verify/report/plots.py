"""The plots of the report that have axes: how large the errors are, and how they grow.

Numbers in, one `Plot` out. A plot is 360 px wide, so that a phone shows it in its own size and a
desktop two or three side by side.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from onecell.verify.difference import Text
from onecell.verify.report import style
from onecell.verify.report.svg import to_svg
from onecell.verify.report.texts import number, power

Array = np.ndarray
_Limit = TypeVar("_Limit")

_LIMIT_DASH: Final = (0, (2, 2))

_WORDS: Final = {
    "error": Text("error", "误差"),
    "step": Text("step", "步"),
    "error ÷ limit": Text("error ÷ limit", "误差 ÷ 限值"),
    "share of the numbers": Text("share of the numbers", "数值占比"),
    "error in ulp": Text("error in ulp", "误差（ulp）"),
    "exact": Text("exact", "精确"),
    "not finite": Text("not finite", "非有限"),
}
"""Every word that a plot says."""

_BINS: Final = np.arange(-4.0, 16.5, 0.5)
"""Edges of the histogram's bins: powers of two of one ulp; what is beyond goes to the ends."""


@dataclass(frozen=True, slots=True)
class Plot:
    """One figure, ready for the page."""

    name: str
    """Unique in the page."""
    svg: str
    caption: Text
    sides: tuple[str, ...] = ()
    """What the legend names, in the order of `style.MARKERS`."""
    own_limits: bool = False
    """Whether a side has a limit of its own, drawn in its colour beside the common one."""


def errors_against_limits(
    name: str, caption: Text, quantities: Sequence[str], sides: Mapping[str, Sequence[float]]
) -> Plot:
    """Show every quantity's largest error on every side, in units of its limit.

    Args:
        name: of the figure.
        caption: of the figure.
        quantities: what was compared, from top to bottom.
        sides: side → error ÷ limit for each of `quantities`; NaN where it is not a number,
            negative where a side does not have the quantity.
    """
    rows = np.arange(len(quantities))
    figure, axes = _figure(0.65 + 0.26 * max(len(quantities), 3))
    ratios = {side: np.asarray(values, float) for side, values in sides.items()}
    finite = [v[np.isfinite(v) & (v > 0)] for v in ratios.values()]
    every = np.concatenate([*finite, np.array([1.0])])
    low = 10.0 ** math.floor(math.log10(max(every.min(), 1e-9)))
    high = max(10.0 ** math.ceil(math.log10(min(every.max(), 1e30)) + 0.05), 10.0)
    for column, values in enumerate(ratios.values()):
        shift = (column - (len(ratios) - 1) / 2) * min(0.2, 0.7 / len(ratios))
        asked = values >= 0
        asked |= ~np.isfinite(values)
        shown = np.where(np.isfinite(values), np.clip(values, low, high), high)
        axes.plot(
            shown[asked],
            (rows + shift)[asked],
            linestyle="none",
            marker=style.MARKERS[column % style.SERIES],
            color=style.series_colour(column),
            markersize=4.5,
            clip_on=False,
        )
    axes.axvline(1.0, color=style.LIMIT, linewidth=1.4, linestyle=_LIMIT_DASH)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.set_ylim(len(quantities) - 0.5, -0.5)
    axes.set_yticks(rows, list(quantities))
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("error ÷ limit")
    _powers(axes.xaxis, low, high)
    return Plot(name, to_svg(figure, name, _WORDS), caption, tuple(sides))


def error_histogram(
    name: str, caption: Text, sides: Mapping[str, Array], limits: Mapping[str, float]
) -> Plot:
    """Show how the errors of single numbers are spread, in ulp, on every side.

    Args:
        name: of the figure.
        caption: of the figure.
        sides: side → the error of every number in ulp; NaN or infinite where it has none.
        limits: side → what a correct one may miss, in ulp.
    """
    figure, axes = _figure(2.4)
    shares = {side: _shares(errors) for side, errors in sides.items()}
    lines = {side: _place(limit) for side, limit in limits.items()}
    seen = [int(np.flatnonzero(each[1:-1])[-1]) + 1 for each in shares.values() if each[1:-1].any()]
    last = max(6, *seen, *(math.ceil(at) for at in lines.values())) + 1
    lost = any(each[-1] for each in shares.values())
    end, gap = 0.12 * last, 0.03 * last  # of the bars at the ends: exact, and not finite
    for column, each in enumerate(shares.values()):
        drawn: dict[str, Any] = {
            "color": style.series_colour(column),
            "linestyle": style.DASHES[column % style.SERIES],
            "linewidth": 1.8,
        }
        edges = np.arange(last + 1)
        counts = np.where(each[1 : last + 1] > 0, each[1 : last + 1], np.nan)
        axes.stairs(counts, edges, baseline=None, **drawn)
        ends = [(-gap - end, each[0])] + [(last + gap, each[-1])] * lost
        for start, share in ends:
            if share > 0:
                axes.plot([start, start + end], [share, share], **drawn)
    common = _common(list(lines.values())) or 0.0
    for column, side in enumerate(sides):
        at = lines.get(side, common)
        colour = style.LIMIT if at == common else style.series_colour(column)
        axes.axvline(at, color=colour, linewidth=1.3, linestyle=_LIMIT_DASH)
    ticks = [(-gap - end / 2, "exact")]
    every = max(1, math.ceil(last / 2 / 5))
    exponents = range(int(_BINS[0]) + every, int(_BINS[0]) + last // 2 + 1, every)
    ticks += [(2 * (e - _BINS[0]), _ulp(e)) for e in exponents]
    if lost:
        ticks = [*ticks[:-1], (last + gap + end / 2, "not finite")]
    axes.set_xticks([at for at, _ in ticks], [label for _, label in ticks])
    axes.set_xlim(-end - 2 * gap, last + (end + 2 * gap if lost else gap))
    low = min(each[each > 0].min() for each in shares.values() if each.any())
    axes.set_yscale("log")
    axes.set_ylim(10.0 ** math.floor(math.log10(low) - 0.01), 1.6)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g} %"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("error in ulp")
    axes.set_ylabel("share of the numbers")
    own = any(at != common for at in lines.values())
    return Plot(name, to_svg(figure, name, _WORDS), caption, tuple(sides), own)


def _place(ulps: float) -> float:
    """Return where an error lies on the histogram's axis."""
    if not ulps > 0:
        return 0.0
    return float(np.clip((math.log2(min(ulps, 1e300)) - _BINS[0]) / 0.5, 0, len(_BINS) - 1))


def _shares(errors: Array) -> Array:
    """Return the part of all numbers that is exact, in each bin, and not finite."""
    errors = np.abs(np.asarray(errors, float).ravel())
    finite = np.isfinite(errors)
    nonzero = errors[finite & (errors > 0)]
    logs = np.clip(np.log2(nonzero), _BINS[0], np.nextafter(_BINS[-1], -np.inf))
    counts = np.histogram(logs, _BINS)[0]
    exact = np.count_nonzero(errors[finite] == 0)
    every = np.concatenate([[exact], counts, [np.count_nonzero(~finite)]])
    return np.asarray(every / max(errors.size, 1))


def error_over_steps(
    name: str,
    caption: Text,
    sides: Mapping[str, Array],
    limits: Mapping[str, Array],
    steps: int,
    first: int | None = None,
) -> Plot:
    """Show the largest error along a rollout, on every side.

    Args:
        name: of the figure.
        caption: of the figure.
        sides: side → errors, evenly spaced over the steps; not finite where the numbers are not.
        limits: side → what a correct one may miss, at the same places.
        steps: T, the steps of the rollout.
        first: the first step that is beyond its limit, from 0; marked.
    """
    figure, axes = _figure(2.4)
    low, high = _decades([*sides.values(), *limits.values()])
    bounds = {side: tuple(np.clip(each, low, high)) for side, each in limits.items()}
    common = _common(list(bounds.values()))
    if common is not None:
        at = np.linspace(1, steps, len(common))
        axes.plot(at, common, color=style.LIMIT, linestyle=_LIMIT_DASH, linewidth=1.3)
    for column, (side, values) in enumerate(sides.items()):
        errors = np.asarray(values, float)
        at = np.linspace(1, steps, len(errors))
        colour, marker = style.series_colour(column), style.MARKERS[column % style.SERIES]
        if bounds.get(side, common) != common:
            axes.plot(at, bounds[side], color=colour, linestyle=_LIMIT_DASH, linewidth=1.3)
        finite = np.isfinite(errors)
        spacing = max(len(errors) // 8, 1)
        axes.plot(
            at,
            np.where(finite, np.clip(errors, low, high), np.nan),
            color=colour,
            marker=marker,
            markevery=(column * spacing // max(len(sides), 1), spacing),
            markersize=4.5,
            linewidth=1.4,
        )
        if not finite.all():  # there is no place for them on the axis but its end
            lost = at[~finite][:: max(1, np.count_nonzero(~finite) // 12)]
            axes.plot(lost, np.full(len(lost), high), "x", color=colour, clip_on=False)
    if first is not None:
        axes.axvline(first + 1, color=style.LIMIT, linewidth=1.2)
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    _powers(axes.yaxis, low, high)
    axes.set_xlabel("step")
    axes.set_ylabel("error")
    own = any(bound != common for bound in bounds.values())
    return Plot(name, to_svg(figure, name, _WORDS), caption, tuple(sides), own)


def _common(limits: Sequence[_Limit]) -> _Limit | None:
    """Return the limit that most sides have, the first of equals; None if there is none."""
    return max(limits, key=limits.count, default=None)


def _decades(curves: Sequence[Array]) -> tuple[float, float]:
    """Return powers of ten around all that is positive, at most 14 apart."""
    every = np.concatenate([np.asarray(each, float).ravel() for each in curves])
    positive = every[np.isfinite(every) & (every > 0)]
    if not positive.size:
        return 1e-9, 1.0
    high = 10.0 ** math.ceil(math.log10(min(positive.max(), 1e300)))
    low = 10.0 ** math.floor(math.log10(max(positive.min(), high * 1e-14)))
    return low, max(high, low * 10)


def _figure(height: float) -> tuple[Figure, Axes]:
    """Return a figure of the common width and its only axes."""
    with mpl.rc_context(style.RC):
        figure = Figure(figsize=(style.WIDTH, height))
        return figure, figure.add_subplot()


def _powers(axis: Axis, low: float, high: float) -> None:
    """Put at most five ticks at powers of ten."""
    first, last = round(math.log10(low)), round(math.log10(high))
    every = max(1, math.ceil((last - first) / 5))
    exponents = range(first, last + 1, every)
    axis.set_ticks([10.0**e for e in exponents], labels=[power(e) for e in exponents])
    axis.set_minor_locator(NullLocator())


def _ulp(exponent: int) -> str:
    return number(2.0**exponent) if exponent >= 0 else f"1/{2**-exponent}"

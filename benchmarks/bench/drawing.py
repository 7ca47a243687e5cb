"""How pictures look: SVG, readable on a light and on a dark page, and to colour-blind eyes."""

from __future__ import annotations

import math
from importlib import import_module
from pathlib import Path
from typing import Any, Final

Points = list[tuple[float, float]]

INK, PAPER, FAINT, SOFT = "#24292f", "#fffffe", "#d8dee4", "#6e7780"
_DARK: Final = {INK: "#e6edf3", PAPER: "#12171e", FAINT: "#30363d", SOFT: "#9aa4af"}
COLOURS: Final = {
    "onecell": "#d55e00", "torch.nn.LSTMCell": "#0072b2", "torch.nn.LSTM": "#3f9fd8",
    "torch.compile": "#8c6bb1", "onnxruntime": "#009e73", "JAX": "#b08a00", "OpenVINO": "#c2619b",
}  # fmt: skip
"""Okabe and Ito's, darker or lighter where they would be faint on one of the two pages."""
DASHES: Final = {
    "onecell": "-", "torch.nn.LSTMCell": "--", "torch.nn.LSTM": "-.", "torch.compile": ":",
    "onnxruntime": (0, (6, 2)), "JAX": (0, (3, 1, 1, 1)), "OpenVINO": (0, (1, 1.5)),
}  # fmt: skip
"""A second difference beside colour."""


def pyplot() -> Any:  # noqa: ANN401 - an extra
    matplotlib: Any = import_module("matplotlib")
    matplotlib.use("svg")
    matplotlib.rcParams.update({
        "svg.hashsalt": "onecell", "font.size": 9, "axes.spines.top": False, "axes.grid": True,
        "axes.spines.right": False, "axes.edgecolor": SOFT, "axes.labelcolor": INK,
        "xtick.color": INK, "ytick.color": INK, "text.color": INK, "grid.color": FAINT,
        "axes.facecolor": PAPER, "figure.facecolor": PAPER, "axes.titlesize": 10,
        "axes.titlelocation": "left", "axes.axisbelow": True, "grid.linewidth": 0.6,
        "xtick.minor.size": 0, "ytick.minor.size": 0,
    })  # fmt: skip
    return import_module("matplotlib.pyplot")


def save(figure: Any, path: Path) -> Path:  # noqa: ANN401
    """Write the figure with a second set of colours for dark pages."""
    figure.savefig(path, format="svg", metadata={"Date": None}, bbox_inches="tight")
    pyplot().close(figure)
    rules = "".join(
        f'[style*="{part}: {light}"]{{{part}:{dark} !important}}'
        for light, dark in _DARK.items()
        for part in ("fill", "stroke")
    )
    style = f"<style>@media (prefers-color-scheme: dark){{{rules}}}</style>"
    text = path.read_text(encoding="utf-8")
    head, mark, rest = text.partition("<defs>")
    text = f"{head}{style}\n{mark}{rest}"
    path.write_text("\n".join(line.rstrip() for line in text.splitlines()) + "\n", encoding="utf-8")
    return path


def spread(places: list[float], breath: float) -> list[float]:
    """Return places moved apart on a logarithmic axis until neighbours differ by `breath`.

    Order is kept; a group that was pushed apart keeps its middle.
    """
    gap = math.log(breath)
    order = sorted(range(len(places)), key=lambda n: places[n])
    groups: list[tuple[float, list[int]]] = []
    for n in order:
        middle, members = math.log(places[n]), [n]
        while groups and middle - gap * (len(members) - 1) / 2 < (
            groups[-1][0] + gap * (len(groups[-1][1]) - 1) / 2 + gap
        ):
            before, others = groups.pop()
            total = len(others) + len(members)
            middle = (before * len(others) + middle * len(members)) / total
            members = others + members
        groups.append((middle, members))
    result = [0.0] * len(places)
    for middle, members in groups:
        for rank, n in enumerate(members):
            result[n] = math.exp(middle + gap * (rank - (len(members) - 1) / 2))
    return result


def logarithmic(axes: Any) -> None:  # noqa: ANN401
    """Make both axes logarithmic, with plain numbers at 1, 2 and 5 of each decade upwards."""
    ticker: Any = import_module("matplotlib.ticker")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5), numticks=30))
    axes.yaxis.set_major_formatter(ticker.StrMethodFormatter("{x:,g}"))
    axes.yaxis.set_minor_formatter(ticker.NullFormatter())


def breath(axes: Any, part: float = 0.062) -> float:  # noqa: ANN401
    """Return how far apart labels stay, as a factor: so much of the height that the axis shows."""
    low, high = axes.get_ylim()
    return float((high / low) ** part)


def lines(axes: Any, of: dict[str, Points]) -> None:  # noqa: ANN401
    """Draw each contender's line, and its name at the end in place of a legend."""
    logarithmic(axes)
    for name, points in of.items():
        xs, ys = zip(*points, strict=True)
        bold = 2.2 if name == "onecell" else 1.3
        axes.plot(xs, ys, color=COLOURS[name], linestyle=DASHES[name], linewidth=bold, marker="o",
                  markersize=2.5)  # fmt: skip
    axes.margins(y=0.1)
    ticks = sorted({x for points in of.values() for x, _ in points})
    axes.set_xticks(ticks, [f"{x:g}" for x in ticks])
    if of:
        ends = [points[-1] for points in of.values()]
        apart = spread([y for _, y in ends], breath(axes))
        for name, (x, _), y in zip(of, ends, apart, strict=True):
            axes.annotate(name, (x, y), xytext=(6, 0), textcoords="offset points", va="center",
                          color=COLOURS[name], fontsize=8, annotation_clip=False)  # fmt: skip

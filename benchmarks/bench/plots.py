"""A result as pictures: one function a picture, from the JSON alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from bench import drawing, roofline, summary
from bench.drawing import COLOURS, FAINT, PAPER, SOFT, Points
from bench.problem import Size
from bench.sweep import BATCHES, HIDDEN

Json = dict[str, Any]
BATCH_COLOURS: Final = {1: "#0072b2", 16: "#009e73", 64: "#b08a00", 256: "#d55e00"}


def against_steps(result: Json, folder: Path) -> Path | None:
    """Draw µs a step against T."""
    section = result["sections"].get("steps")
    if not section or not section["points"]:
        return None
    shapes: dict[tuple[int, int], list[Json]] = {}
    for point in section["points"]:
        shapes.setdefault((point["size"][1], point["size"][3]), []).append(point)
    figure, panels = drawing.pyplot().subplots(
        1, len(shapes), figsize=(4.3 * len(shapes), 3.4), squeeze=False, layout="constrained"
    )
    for axes, ((batch, hidden), points) in zip(panels[0], shapes.items(), strict=True):
        lines: dict[str, Points] = {}
        for point in points:
            for name, us in point["median"].items():
                lines.setdefault(name, []).append((point["size"][0], us / point["size"][0]))
        drawing.lines(axes, lines)
        axes.set_title(f"B = {batch}, I = H = {hidden}")
        axes.set_xlabel("steps in one call, T")
    panels[0][0].set_ylabel("µs a step (lower is faster)")
    return drawing.save(figure, folder / "steps.svg")


def against_threads(result: Json, folder: Path) -> Path | None:
    """Draw µs a call against threads; over the CPUs that there are, they share."""
    section = result["sections"].get("threads")
    if not section or not section["points"]:
        return None
    shapes: dict[Size, list[Json]] = {}
    for point in section["points"]:
        shapes.setdefault(Size(*point["size"]), []).append(point)
    figure, panels = drawing.pyplot().subplots(
        1, len(shapes), figsize=(3.6 * len(shapes), 3.2), squeeze=False, layout="constrained"
    )
    for axes, (size, points) in zip(panels[0], shapes.items(), strict=True):
        lines: dict[str, Points] = {}
        for point in points:
            for name, us in point["median"].items():
                lines.setdefault(name, []).append((point["threads"], us))
        drawing.lines(axes, lines)
        axes.axvspan(section["cpus"] * 1.02, axes.get_xlim()[1], color=FAINT, alpha=0.5, lw=0)
        axes.set_title(f"T, B, I, H = {size}")
        axes.set_xlabel(f"threads (shaded: over the {section['cpus']} CPUs)")
    panels[0][0].set_ylabel("µs a call")
    return drawing.save(figure, folder / "threads.svg")


def _sweep_points(result: Json) -> list[tuple[Size, Json]]:
    points = result["sections"].get("sweep", {}).get("points", [])
    found = [(Size(*point["size"]), point) for point in points]
    return [(size, point) for size, point in found if size.steps == 1 and point["ratio"]]


def against_width(result: Json, folder: Path) -> Path | None:
    """Draw µs a step against H for several N, ours and the best peer at each."""
    points = [(s, p) for s, p in _sweep_points(result) if s.input == s.hidden]
    if not points:
        return None
    figure, axes = drawing.pyplot().subplots(figsize=(7.2, 4.2), layout="constrained")
    drawing.logarithmic(axes)
    ends: list[tuple[str, float, float, str]] = []
    for batch, colour in BATCH_COLOURS.items():
        line = sorted((s.hidden, p) for s, p in points if s.batch == batch)
        if not line:
            continue
        xs = [hidden for hidden, _ in line]
        ours = [p["median"]["onecell"] for _, p in line]
        best = [p["median"][p["best"]] for _, p in line]
        axes.plot(xs, ours, color=colour, linewidth=2.2, marker="o", markersize=3)
        axes.plot(xs, best, color=colour, linewidth=1.2, linestyle="--")
        axes.fill_between(xs, ours, best, color=colour, alpha=0.12, lw=0)
        ends += [(f"onecell, B = {batch}", xs[-1], ours[-1], colour)]
        ends += [("best peer", xs[-1], best[-1], colour)]
    for (name, x, _, colour), y in zip(
        ends, drawing.spread([e[2] for e in ends], drawing.breath(axes, 0.045)), strict=True
    ):
        axes.annotate(name, (x, y), xytext=(7, 0), textcoords="offset points", va="center",
                      color=colour, fontsize=8, annotation_clip=False)  # fmt: skip
    axes.set_xticks(HIDDEN, [str(h) for h in HIDDEN])
    axes.set_xlabel("H = I")
    axes.set_ylabel("µs a step (lower is faster)")
    return drawing.save(figure, folder / "width.svg")


def heat(result: Json, folder: Path) -> Path | None:
    """Draw the ratio to the best peer over all shapes of the sweep."""
    points = _sweep_points(result)
    if not points:
        return None
    colours: Any = import_module("matplotlib.colors")
    figure, panels = drawing.pyplot().subplots(1, 3, figsize=(13.5, 4.4), layout="constrained")
    inputs: tuple[tuple[str, Callable[[Size], bool]], ...] = (
        ("I = 1", lambda s: s.input == 1),
        ("I = 10", lambda s: s.input == 10),
        ("I = H", lambda s: s.input == s.hidden),
    )
    image = None
    for axes, (title, belongs) in zip(panels, inputs, strict=True):
        ratios = {(s.batch, s.hidden): p["ratio"] for s, p in points if belongs(s)}
        grid = [[math.log2(ratios.get((n, h), math.nan)) for h in HIDDEN] for n in BATCHES]
        # Orange below 1, blue above: opposite for every kind of eye; 1 is the colour of paper.
        scale = colours.LinearSegmentedColormap.from_list(
            "ratio", ["#b34700", "#f0a35e", "#f7f7f7", "#7fb8dc", "#00558a"]
        )
        image = axes.imshow(grid, cmap=scale, vmin=-3, vmax=3, aspect="auto", origin="lower")
        axes.grid(visible=False)
        for row, n in enumerate(BATCHES):
            for column, h in enumerate(HIDDEN):
                if (n, h) in ratios:
                    _write_ratio(axes, column, row, ratios[n, h])
        axes.set_xticks(range(len(HIDDEN)), [str(h) for h in HIDDEN])
        axes.set_yticks(range(len(BATCHES)), [str(n) for n in BATCHES])
        axes.set_title(title)
        axes.set_xlabel("H")
    panels[0].set_ylabel("B")
    bar = figure.colorbar(image, ax=panels, ticks=range(-3, 4), shrink=0.8)
    bar.ax.set_yticklabels([f"{2.0**n:g}×" for n in range(-3, 4)])
    bar.set_label("the best peer's time / ours")
    return drawing.save(figure, folder / "sweep.svg")


def _write_ratio(axes: Any, column: int, row: int, ratio: float) -> None:  # noqa: ANN401
    """Write a ratio into its field, bold where it is lost, in a colour that its field bears."""
    digits = 2 if ratio < 1 else 1 if ratio < 9.95 else 0
    text = f"{ratio:.{digits}f}"
    colour = "#ffffff" if abs(math.log2(ratio)) > 2.2 else "#1b1f23"
    weight = "bold" if ratio < 1 else "normal"
    axes.text(column, row, text, ha="center", va="center", fontsize=7, color=colour, weight=weight)


def roof(result: Json, folder: Path) -> Path | None:
    """Draw GFLOP/s against the work done for each byte, under the ceilings of the same run."""
    section = result["sections"].get("table", {})
    if not section.get("ceilings"):
        return None
    run = roofline.of_threads(section["ceilings"], section["threads"])
    kib = {r["kib"]: r["gbytes"] for r in run["reads"]}
    figure, axes = drawing.pyplot().subplots(figsize=(7.6, 4.8), layout="constrained")
    drawing.logarithmic(axes)
    left, right = 0.15, 256.0
    axes.set_xlim(left, right)
    for name, gbytes in (("L2", kib[2048]), ("L3", kib[16384]), ("memory", kib[524288])):
        ridge = 2 * run["gflops"] / gbytes  # where B / 2 operations a byte reach the flat roof
        axes.plot([left, ridge], [left / 2 * gbytes, run["gflops"]], color=SOFT, linewidth=1)
        at = (min(ridge, 16.0) / 1.4, min(ridge, 16.0) / 2.8 * gbytes)
        axes.annotate(f"{name} {gbytes:.0f} GB/s", at, xytext=(3, -3), va="top", fontsize=8,
                      textcoords="offset points", color=SOFT)  # fmt: skip
    ridge = 2 * run["gflops"] / kib[2048]
    axes.plot([ridge, right], [run["gflops"]] * 2, color=SOFT, linewidth=1.6)
    axes.annotate(f"multiply-adds, {run['gflops']:.0f} GFLOP/s", (right, run["gflops"]),
                  xytext=(0, 4), textcoords="offset points", ha="right", fontsize=8,
                  color=SOFT)  # fmt: skip
    rows = [row for row in section["rows"] if "roofline" in row]
    _roof_points(axes, [row for row in rows if row["size"][0] == 1], "s", 1 / 1.1)
    _roof_points(axes, [row for row in rows if row["size"][0] > 1], "o", 1.1)
    axes.set_xticks([2**n for n in range(9)], [str(2**n) for n in range(9)])
    axes.set_xlabel("B: a byte of weights read serves B / 2 operations")
    axes.set_ylabel("GFLOP/s")
    axes.annotate("filled: onecell; hollow: the best peer\nsquares: one step; circles: unrolled",
                  (0.99, 0.02), xycoords="axes fraction", ha="right", fontsize=8)  # fmt: skip
    return drawing.save(figure, folder / "roofline.svg")


def _roof_points(axes: Any, rows: Iterable[Json], marker: str, aside: float) -> None:  # noqa: ANN401
    """Mark ours and the best peer in some rows, join the two, and name the row on its side."""
    places: dict[float, list[tuple[float, str]]] = {}
    for row in rows:
        size = Size(*row["size"])
        x, ours = size.batch * aside, row["roofline"]["gflops"]
        axes.plot(x, ours, marker, color=COLOURS["onecell"], markersize=5)
        if (best := row["targets"][0]["best"]) is not None:
            theirs = 2e-3 * size.multiply_adds / row["figures"][best]["median"]
            axes.plot([x, x], [theirs, ours], color=SOFT, linewidth=0.8)
            axes.plot(x, theirs, marker, markerfacecolor=PAPER, markersize=5,
                      markeredgecolor=COLOURS["torch.nn.LSTMCell"])  # fmt: skip
        places.setdefault(x, []).append((ours, str(size)))
    right = aside > 1
    for x, found in places.items():
        apart = drawing.spread([y for y, _ in found], drawing.breath(axes, 0.04))
        for (_, name), y in zip(found, apart, strict=True):
            axes.annotate(name, (x, y), xytext=(7 if right else -7, 0), va="center", fontsize=7,
                          textcoords="offset points", ha="left" if right else "right",
                          color=COLOURS["onecell"])  # fmt: skip


def bars(result: Json, folder: Path) -> Path | None:
    """Draw how many times as fast ours is, for each kind of work of the summary."""
    kinds = summary.found(result)
    if not kinds:
        return None
    figure, axes = drawing.pyplot().subplots(figsize=(7.2, 2.6), layout="constrained")
    axes.set_xscale("log", base=2)
    for place, (kind, row, ours, best, theirs) in enumerate(reversed(kinds)):
        ratio = summary.ratio(ours, theirs)
        colour = COLOURS["onecell"] if ratio >= 1 else SOFT
        axes.barh(place, ratio - 1, left=1, height=0.6, color=colour)
        axes.annotate(f"{ratio:.1f}× {best}", (max(ratio, 1), place), xytext=(5, 0), va="center",
                      textcoords="offset points", fontsize=8)  # fmt: skip
        axes.annotate(f"{kind.words[0]}\n{', '.join(map(str, row['size']))}", (0, place),
                      xycoords=("axes fraction", "data"), xytext=(-6, 0), ha="right",
                      va="center", textcoords="offset points", fontsize=8)  # fmt: skip
    axes.axvline(1, color=SOFT, linewidth=1)
    axes.set_yticks([])
    axes.set_xlim(0.5, 32)
    axes.set_xticks([0.5, 1, 2, 4, 8, 16], ["0.5", "1", "2", "4", "8", "16"])
    axes.set_xlabel("the best peer's time / ours (right of 1: onecell is faster)")
    return drawing.save(figure, folder / "summary.svg")


def draw(result: Json, folder: Path) -> list[Path]:
    """Draw every picture that the result has figures for; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    made = [
        each(result, folder)
        for each in (bars, against_width, against_steps, against_threads, roof, heat)
    ]
    return [path for path in made if path is not None]

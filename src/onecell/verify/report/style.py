"""How every plot of the report looks: sizes, lines, and colours that the page decides.

A plot is drawn once and read in light, in dark and on paper. So it is drawn in stand-in colours,
which `svg` turns into classes; what `ink` or `series-1` looks like is said in the page's style
sheet alone.
"""

from __future__ import annotations

from typing import Any, Final

from matplotlib.colors import Colormap, LinearSegmentedColormap

WIDTH: Final = 5.0
"""Inches at 72 dots: 360 px, so that a phone shows a plot in its own size."""

SERIES: Final = 6
"""So many sides can be told apart; each has a colour, a marker and a dash of its own."""

_ROLES: Final = ("ink", "muted", "grid", "limit", *(f"series-{n}" for n in range(1, SERIES + 1)))

STAND_INS: Final = {role: f"#0000{number:02x}" for number, role in enumerate(_ROLES, 1)}
"""Role → the colour it is drawn in: near-blacks that nothing else uses."""

ROLES: Final = {colour: role for role, colour in STAND_INS.items()}

INK, MUTED, GRID, LIMIT = (STAND_INS[role] for role in _ROLES[:4])

MARKERS: Final = ("o", "s", "D", "^", "v", "P")
DASHES: Final = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)), (0, (3, 1)), (0, (8, 3)))

RC: Final[Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "onecell",
    "svg.image_inline": True,
    "font.family": "DejaVu Sans",
    "font.size": 10.5,
    "figure.dpi": 72,
    "savefig.dpi": 72,
    "figure.constrained_layout.use": True,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.labelsize": 10.5,
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.use_mathtext": False,
    "axes.unicode_minus": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "lines.linewidth": 1.6,
    "lines.markersize": 5.5,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "path.simplify": True,
}


def series_colour(number: int) -> str:
    """Return the stand-in colour of the side in column `number`, from 0."""
    return STAND_INS[f"series-{number % SERIES + 1}"]


def _diverging() -> Colormap:
    """Blue below, orange above, and nothing at zero: the page shows through, light or dark."""
    blue, orange = (0.13, 0.44, 0.85), (0.90, 0.42, 0.05)
    stops = [(*blue, 1.0), (*blue, 0.0), (*orange, 0.0), (*orange, 1.0)]
    pairs = list(zip((0.0, 0.5, 0.5, 1.0), stops, strict=True))
    scale = LinearSegmentedColormap.from_list("onecell", pairs, N=255)
    # Not a number is neither high nor low: a colour of its own.
    return scale.with_extremes(bad=(0.80, 0.10, 0.55, 1.0))


DIVERGING: Final = _diverging()

"""Quantities and readings as every table of the command line shows them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from onecell.verify import Reading
from onecell.verify.cases import GRADIENT_STEPS
from onecell.verify.optimizers import OPTIMIZERS

_HEADINGS: Final = {
    "forward": "forward",
    "extreme": "forward, far out",
    "weights": "the weights themselves",
    "gradient": f"gradient, {GRADIENT_STEPS} steps",
    "rollout": "rollout, {steps} steps",
    "sgd": f"after SGD, rate {OPTIMIZERS['sgd'].rate:g}",
    "adam": f"after Adam, rate {OPTIMIZERS['adam'].rate:g}",
}


def new_table(first: str) -> Table:
    """Return an empty table whose first column is called `first`."""
    table = Table(box=None, pad_edge=False, header_style="bold", collapse_padding=True)
    table.add_column(first, no_wrap=True)
    return table


def show_family(family: str, readings: Sequence[Reading]) -> Text:
    """Return the heading of the quantities "family.*"."""
    steps = max((reading.steps or 0 for reading in readings), default=0)
    return Text(_HEADINGS[family].format(steps=steps), "dim")


def show_part(family: str, part: str) -> str:
    """Return what to call "family.part" under its heading."""
    return f"{part}'" if family in {"forward", "extreme"} else part


def show_error(reading: Reading) -> Text:
    """Return the error of a reading, with a star where the limit allows for a coarse tanh."""
    shown = "not finite" if math.isnan(reading.error) else f"{reading.error:.1e}"
    mark = "*" if reading.threshold.coarse else ""
    return Text(shown + mark, "" if reading.holds else "bold red")


def show_limit(readings: Sequence[Reading]) -> str:
    """Return the limit that the sides share; one with a coarse tanh has its own, in the report."""
    tight = [reading.limit for reading in readings if not reading.threshold.coarse]
    return f"{min(tight or [reading.limit for reading in readings]):.1e}"


def show_verdict(holds: bool) -> Text:
    """Return the word for a quantity that holds, or does not."""
    return Text("holds", "green") if holds else Text("FAILS", "bold red")

"""A table and a figure as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from bench.figures import is_unsure

Json = dict[str, Any]
UNMEASURED: Final = "Not measured."
NONE: Final = "-"
_NUMBER: Final = re.compile(r"\*{0,2}[\d.]+( ± [\d.]+|( to [\d.]+)?×|%|e-\d+)?\*{0,2}$")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table, columns of numbers to the right."""
    body = list(rows)
    if not body:
        return UNMEASURED
    columns = zip(*body, strict=True)
    rules = ["---:" if any(_NUMBER.match(cell) for cell in cells) else "---" for cells in columns]
    lines = [head, rules, *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def microseconds(figure: Json) -> str:
    """Return a median and half the distance of the quartiles, to three places that count.

    Where these are too far apart for a result, the medians of the faster and the slower half.
    """
    digits = 0 if figure["median"] >= 1000 else 1 if figure["median"] >= 10 else 2
    if is_unsure(figure):
        return f"({figure['low']:.{digits}f} or {figure['high']:.{digits}f})"
    half = (figure["high"] - figure["low"]) / 2
    return f"{figure['median']:.{digits}f} ± {half:.{digits}f}"

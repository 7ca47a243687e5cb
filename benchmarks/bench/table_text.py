"""A table and a figure as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from bench.figures import is_unsure
from bench.words import Say, english

Json = dict[str, Any]
NONE: Final = "-"
_NUMBER: Final = re.compile(r"\*{0,2}[\d.]+( ± [\d.]+|( (?:to|至) [\d.]+)?×|%|e-\d+)?\*{0,2}$")


def unmeasured(say: Say = english) -> str:
    """Return what stands where nothing was measured."""
    return say("Not measured.", "未测量。")


def table(head: Sequence[str], rows: Iterable[Sequence[str]], say: Say = english) -> str:
    """Return a Markdown table, columns of numbers to the right."""
    body = list(rows)
    if not body:
        return unmeasured(say)
    columns = zip(*body, strict=True)
    rules = ["---:" if any(_NUMBER.match(cell) for cell in cells) else "---" for cells in columns]
    lines = [head, rules, *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def microseconds(figure: Json, say: Say = english) -> str:
    """Return a median and half the distance of the quartiles, to three places that count.

    Where these are too far apart for a result, the medians of the faster and the slower half.
    """
    digits = 0 if figure["median"] >= 1000 else 1 if figure["median"] >= 10 else 2
    if is_unsure(figure):
        low, high = (f"{figure[half]:.{digits}f}" for half in ("low", "high"))
        return say(f"({low} or {high})", f"（{low} 或 {high}）")
    half = (figure["high"] - figure["low"]) / 2
    return f"{figure['median']:.{digits}f} ± {half:.{digits}f}"


def shape(size: Sequence[int]) -> str:
    """Return T, B, I, H or what there is of them."""
    return ", ".join(map(str, size))


def met(kept: bool | None, say: Say = english) -> str:
    """Return whether a promise was kept."""
    words = {
        True: ("met", "达到"),
        False: ("**missed**", "**未达到**"),
        None: ("not measured", "未测量"),
    }
    return say(*words[kept])


def best_peer(say: Say) -> str:
    """Return the head of the column of whoever came nearest."""
    return say("best peer", "最快的同类")

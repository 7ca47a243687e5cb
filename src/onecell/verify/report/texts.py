"""Text in the two languages of the report, and how numbers are written in both."""

from __future__ import annotations

import math
from typing import Final

from onecell.verify.difference import Text

_RAISED: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def same(text: str) -> Text:
    """Return a text that is the same in both languages, such as a name."""
    return Text(text, text)


def number(value: float) -> str:
    """Return a measured number with the digits that matter: 0, 0.37, 41, 3.1e-07, NaN, ∞."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0.0 or 0.01 <= abs(value) < 10_000:
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return f"{value:.1e}"


def power(exponent: int, base: int = 10) -> str:
    """Return `base` to a power as it is printed on an axis: 10⁻⁶."""
    return f"{base}{str(exponent).translate(_RAISED)}"


def bytes_of(size: int) -> str:
    """Return a file's size: 812 B, 4.1 KiB, 2.0 MiB."""
    if size < 1024:
        return f"{size} B"
    exponent = min(int(math.log(size, 1024)), 3)
    return f"{size / 1024**exponent:.1f} {('B', 'KiB', 'MiB', 'GiB')[exponent]}"

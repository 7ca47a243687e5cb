"""Words that came from outside, as a message or a table may show them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

LONGEST_NAME: Final = 72
"""So many characters of one name are shown."""
MOST_NAMES: Final = 8
"""So many names of a list are shown."""


def plain(text: str) -> str:
    """Return `text` as one line that no terminal takes as a command."""
    lines = " ".join(text.splitlines())
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in lines)


def short(name: object, longest: int = LONGEST_NAME) -> str:
    """Return a name for a message: printable, and with "…" for the middle of a long one.

    The cost is that of what is shown, however long the name.
    """
    text = str(name)
    cut = len(text) > longest
    if cut:
        left = (longest - 1) // 2
        text = f"{text[:left]}…{text[left + 1 - longest :]}"
    text = plain(text)
    # What is escaped takes four characters or more instead of one.
    return short(text, longest) if len(text) > longest else text


def listed(names: Iterable[object], most: int = MOST_NAMES, longest: int = LONGEST_NAME) -> str:
    """Return names for a message, each by `short`, and past `most` of them how many more there are.

    "a, b and 3 more". One more than `most` is shown rather than counted.
    """
    every = list(names)
    shown = every if len(every) <= most + 1 else every[:most]
    said = ", ".join(short(each, longest) for each in shown)
    more = len(every) - len(shown)
    return f"{said} and {more} more" if more else said

"""A common matter: what is asked of every framework, without anything of one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from onecell.errors import ArgumentError
from onecell.language import Text
from onecell.verify.difference.programs import Probe, body
from onecell.verify.difference.values import SECTIONS


@dataclass(frozen=True, slots=True)
class Matter:
    """One question, as a program below `asking` and an adapter."""

    id: str
    section: str
    """A key of `SECTIONS`."""
    matter: Text
    """What it is about, in a few words."""
    says: Text
    """What is asked, how, and what hangs on it."""
    program: str
    """Prints the answer."""


MATTERS: Final[dict[str, Matter]] = {}
"""Id → matter; filled by importing `questions`."""


def matter(
    name: str,
    section: str,
    about: tuple[str, str],
    says: Text,
    registry: dict[str, Matter] = MATTERS,
) -> Callable[[Probe], Probe]:
    """Return a decorator that makes a matter out of a question and adds it to `registry`."""

    def add(question: Probe) -> Probe:
        if name in registry:
            raise ArgumentError(f"`name` must be new, got {name!r} again.")
        if section not in SECTIONS:
            raise ArgumentError(f"`section` must be one of {', '.join(SECTIONS)}, got {section!r}.")
        registry[name] = Matter(name, section, Text(*about), says, body(question))
        return question

    return add

"""What one file is asked about another, and what it says; `witness` looks for the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from onecell.migrate.rules.assumptions import Assumption
from onecell.migrate.run.tasks import Task

Said = Literal["data", "carries", "open"]
"""It has no gradient; it may have one; it may come from yet another file."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about one file."""

    task: Task
    given: tuple[Assumption, ...]
    """Parameters of functions of another file, which this one may call."""
    returned: tuple[str, ...]
    """Names that this file may define, and another one reads or calls."""


@dataclass(frozen=True, slots=True)
class Testimony:
    """What a file says; of what it does not know, nothing."""

    given: tuple[tuple[str, str, Said], ...] = ()
    """(how a function is called, its parameter, what a call gives it)."""
    returned: tuple[tuple[str, Said], ...] = ()

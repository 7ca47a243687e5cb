"""A row before it has run: its claims and its probe. Rows are made by the decorator `row`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from onecell.errors import ArgumentError
from onecell.language import Text
from onecell.verify.difference.claims import OURS, Claim
from onecell.verify.difference.programs import Probe, program
from onecell.verify.difference.values import SECTIONS

FRAMEWORKS: Final = ("torch", "mindspore")
"""The two that the rows are about, in the order of the table."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the difference table: what is claimed, and the probe that shows it."""

    id: str
    section: str
    sources: tuple[str, ...]
    matter: Text
    claim: Claim
    """About both frameworks."""
    onecell: Claim
    """About onecell, under the signature of each."""
    page: Claim | None
    """What MindSpore's page says; None where it is silent."""
    probes: Mapping[str, Probe]
    """Side → its function; the same one where all spell the question alike. A side of onecell's
    that has none of its own runs its framework's."""
    registry: dict[str, Row]

    @property
    def sides(self) -> tuple[str, ...]:
        """The sides that this row has something to say about."""
        return (*FRAMEWORKS, *(side for side in OURS if side in self.onecell.answers))

    def program(self, side: str) -> str:
        """Return the program that `side` runs."""
        framework = side.removeprefix("onecell.")
        return program(self.probes.get(side, self.probes[framework]), side)

    def on(self, *sides: str) -> Callable[[Probe], Row]:
        """Return a decorator that gives this row another probe on `sides`."""

        def add(probe: Probe) -> Row:
            row = self.registry[self.id]
            self.registry[self.id] = replace(
                row, probes={**row.probes, **dict.fromkeys(sides, probe)}
            )
            return self.registry[self.id]

        return add


ROWS: Final[dict[str, Row]] = {}
"""Id → row, in the order of the modules of `rows`; fill it by importing that."""


def row(
    name: str,
    section: str,
    *,
    sources: str,
    matter: tuple[str, str],
    claim: Claim,
    onecell: Claim,
    page: Claim | None = None,
    registry: dict[str, Row] = ROWS,
) -> Callable[[Probe], Row]:
    """Return a decorator that makes a row out of a probe and adds it to `registry`.

    Args:
        name: the row's id, stable over releases.
        section: a key of `SECTIONS`.
        sources: where the claim comes from, comma-separated.
        matter: what it is about, in English and in Chinese.
        claim: what the two frameworks answer; see `claims.both` and `claims.each`.
        onecell: what onecell answers; see `claims.ours`.
        page: what MindSpore's page has the two frameworks answer.
        registry: where the row goes.

    Raises:
        ArgumentError: there is a row of that name, or no such section.
    """
    if name in registry:
        raise ArgumentError(f"`name` must be new, got {name!r} again.")
    if section not in SECTIONS:
        raise ArgumentError(f"`section` must be one of {', '.join(SECTIONS)}, got {section!r}.")
    told = tuple(part.strip() for part in sources.split(","))

    def make(probe: Probe) -> Row:
        probes = dict.fromkeys(FRAMEWORKS, probe)
        registry[name] = Row(
            name, section, told, Text(*matter), claim, onecell, page, probes, registry
        )
        return registry[name]

    return make


def in_order(rows: Mapping[str, Row]) -> Iterator[Row]:
    """Yield the rows section by section, as the table shows them."""
    for section in SECTIONS:
        yield from (each for each in rows.values() if each.section == section)

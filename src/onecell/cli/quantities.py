"""Quantities and readings as every table of the command line shows them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from onecell.language import joined, say, translated
from onecell.verify import CellProof, Quantity, Reading
from onecell.verify.quantities.cases import GRADIENT_STEPS
from onecell.verify.quantities.optimizers import STEPS
from onecell.verify.remarks import idle_by_side

_HEADINGS: Final = {
    "forward": "forward",
    "extreme": "forward, far out",
    "weights": "the weights themselves",
    "gradient": "gradient, {gradient} steps",
    "rollout": "rollout, {steps} steps",
    "sgd": "{optimizer} steps of SGD",
    "adam": "{optimizer} steps of Adam",
}


class Numbers(Table):
    """A table whose first column and numbers are never broken over lines.

    Where the terminal is too narrow for it, its columns stand in several tables one below the
    other, each with the first column.
    """

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield what fits side by side."""
        endless = options.update(max_width=_ENDLESS)
        least = [self._least(index, console, endless) for index in range(len(self.columns))]
        block = [0]
        for index in range(1, len(least)):
            wide = sum(least[each] for each in [*block, index]) - 1
            if wide > options.max_width and block != [0]:
                yield from self._part(block)._render_whole(console, options)
                yield ""
                block = [0]
            block.append(index)
        yield from self._part(block)._render_whole(console, options)

    def _least(self, index: int, console: Console, options: ConsoleOptions) -> int:
        """Return the width that a column must have, the space beside it included."""
        measured = Measurement.get(console, options, self._part([index]))
        return 1 + (measured.maximum if self._is_whole(index) else measured.minimum)

    def _is_whole(self, index: int) -> bool:
        return index == 0 or self.columns[index].justify == "right"

    def _render_whole(self, console: Console, options: ConsoleOptions) -> RenderResult:
        return super().__rich_console__(console, options)

    def _part(self, chosen: Sequence[int]) -> Numbers:
        part = Numbers(**_FORM)
        for index in chosen:
            column = self.columns[index]
            part.add_column(column.header, justify=column.justify, no_wrap=self._is_whole(index))
        for row in zip(*(self.columns[index].cells for index in chosen), strict=True):
            part.add_row(*row)
        return part


_ENDLESS: Final = 10_000
_FORM: Final[dict[str, Any]] = {
    "box": None,
    "pad_edge": False,
    "header_style": "bold",
    "collapse_padding": True,
}


def new_table(first: str) -> Table:
    """Return an empty table whose first column is called `first`."""
    table = Numbers(**_FORM)
    table.add_column(first)
    return table


def show_family(family: str, readings: Sequence[Reading]) -> Text:
    """Return the heading of the quantities "family.*"."""
    steps = max((reading.steps or 0 for reading in readings), default=0)
    counts = {"steps": steps, "gradient": GRADIENT_STEPS, "optimizer": STEPS}
    return Text(say(_HEADINGS[family], **counts), "dim")


def show_part(family: str, part: str) -> str:
    """Return what to call "family.part" under its heading."""
    if family in {"sgd", "adam"}:
        return say("{part}' after" if part in {"h", "c"} else "{part}, moved by", part=part)
    return f"{part}'" if family in {"forward", "extreme"} else part


def show_error(reading: Reading) -> Text:
    """Return the error of a reading, with a star where the limit allows for a coarse tanh."""
    shown = say("not finite") if math.isnan(reading.error) else f"{reading.error:.1e}"
    mark = "*" if reading.threshold.coarse else ""
    return Text(shown + mark, "" if reading.holds else "bold red")


def show_limit(readings: Sequence[Reading]) -> str:
    """Return the limit that the sides share; one with a coarse tanh has its own, in the report."""
    tight = [reading.limit for reading in readings if not reading.threshold.coarse]
    return f"{min(tight or [reading.limit for reading in readings]):.1e}"


def show_relative(readings: Sequence[Reading]) -> Text:
    """Return the widest limit as a part of what it guards; red where it can prove nothing."""
    widest = max(reading.threshold.relative for reading in readings)
    proves = all(reading.proves for reading in readings)
    return Text(
        f"{widest:.0e}" if math.isfinite(widest) else say("all"), "" if proves else "yellow"
    )


def show_verdict(holds: bool, *, proves: bool = True) -> Text:
    """Return the word for a quantity that holds, does not, or holds without proving anything."""
    if not holds:
        return Text(say("FAILS"), "bold red")
    return Text(say("holds"), "green") if proves else Text(say("no proof"), "yellow")


def idle_notes(quantities: Sequence[Quantity]) -> Iterator[str]:
    """Yield a line for each side that some quantities prove nothing about here."""
    for side, names in idle_by_side(quantities).items():
        yield say(
            "{side}: nothing is proved by {names}: here what they guard is not larger than what "
            "rounding may do.",
            side=side,
            names=", ".join(names),
        )


_NAMED: Final = 12
"""So many deliberate mistakes are named one by one."""


def self_test_notes(cell: CellProof) -> Iterator[Text]:
    """Yield what became of the mistakes that were made on purpose, those that were seen first."""
    seen = [each for each in cell.sabotage if each.seen]
    if len(seen) <= _NAMED:
        named = [
            say(
                "{mutation} ({excess:.0e} limits)",
                mutation=translated(each.mutation),
                excess=each.excess,
            )
            for each in seen
        ]
    else:
        kinds = [each.kind for each in seen]
        named = [
            say("{number} about {kind}", number=kinds.count(kind), kind=translated(kind))
            for kind in dict.fromkeys(kinds)
        ]
    count = say(
        "Self-test: {seen} of {every} mistakes made on purpose are seen",
        seen=len(seen),
        every=len(cell.sabotage),
    )
    named = [say("{name}: {text}", name=count, text=joined(named))] if named else [count]
    yield Text(say("{sentence}.", sentence=named[0]))
    blind = cell.unseen
    if blind:
        names = joined(map(translated, blind))
        yield Text(say("Self-test: the proof does NOT SEE: {names}.", names=names), "bold red")
    harmless = [e.mutation for e in cell.sabotage if not e.seen and e.mutation not in blind]
    if harmless:
        names = joined(map(translated, harmless))
        yield Text(say("Self-test: no difference on this cell: {names}.", names=names), "dim")

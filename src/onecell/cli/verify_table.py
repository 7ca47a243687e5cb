"""A comparison as a person reads it."""

from __future__ import annotations

import math
from typing import Final

from rich.console import Console
from rich.text import Text

from onecell.cli.quantities import (
    idle_notes,
    new_table,
    show_error,
    show_family,
    show_limit,
    show_part,
    show_relative,
    show_verdict,
)
from onecell.text import plain
from onecell.verify import Comparison, Comparisons, Party, Quantity, Reading
from onecell.verify.comparing.comparison import Verdict

_NOTES: Final = 6
"""So many things that were left out are named one by one."""


def print_comparison(found: Comparison, console: Console) -> None:
    """Print the two, every quantity, what was left out, the diagnosis and the verdict."""
    for party in (found.a, found.b):
        # A path that is broken over lines cannot be copied.
        name = Text.assemble((f"{party.label}  ", "bold"), (plain(party.given), "bold"))
        console.print(name, soft_wrap=True)
        console.print(Text(f"   {_describe(party)}"))
        for note in party.notes:
            console.print(Text(plain(f"   {note}"), "dim"))
    console.print()
    _print_quantities(found, console)
    _print_notes(found, console)
    if found.self_test:
        _print_self_test(found, console)
    _print_verdict(found, console)


def print_comparisons(found: Comparisons, console: Console, *, verbose: bool) -> None:
    """Print one row a cell, in full those that differ (or all), and the verdict of all."""
    whole = len(found.cells) == 1 and not (found.refused or found.only_a or found.only_b)
    if whole:
        print_comparison(found.cells[0], console)
        return
    for each in found.cells:
        if verbose or not each.holds:
            print_comparison(each, console)
            console.print()
    for label, facts in (("a", found.a), ("b", found.b)):
        heading = Text.assemble((f"{label}  ", "bold"), (plain(str(facts.path)), "bold"))
        console.print(heading, soft_wrap=True)
    table = new_table("cell")
    for column in ("I", "H", "stored", "a, in limits", "b, in limits"):
        table.add_column(column, justify="right")
    table.add_column("")
    for each in found.cells:
        a, b = each.a, each.b
        name = a.cell if a.cell == b.cell else f"{a.cell} = {b.cell}"
        stored = a.stored if a.stored == b.stored else f"{a.stored}, {b.stored}"
        worst = [
            max((r.excess for q in each.quantities for r in q.of(party.label)), default=0.0)
            for party in (a, b)
        ]
        numbers = (str(a.input_size), str(a.hidden_size), stored, *(f"{w:.2g}" for w in worst))
        said = _SAID[each.verdict]
        table.add_row(Text(plain(name)), *numbers, Text(said, _STYLES[each.holds]))
    for name in found.refused:
        table.add_row(Text(plain(name)), *[""] * 5, Text("not comparable", _STYLES[False]))
    for name in found.only_a:
        table.add_row(Text(plain(name)), *[""] * 5, Text("only in a", _STYLES[False]))
    for name in found.only_b:
        table.add_row(Text(plain(name)), *[""] * 5, Text("only in b", _STYLES[False]))
    console.print(table)
    for name, error in found.refused.items():
        console.print(Text(plain(f"{name}: {error}"), "red"), soft_wrap=True)
    _print_verdict_of_all(found, console)


_SAID: Final[dict[Verdict, str]] = {
    "same bits": "same bits",
    "same": "same",
    "different": "DIFFERENT",
    "self-test failed": "self-test FAILS",
}
_STYLES: Final = {True: "green", False: "bold red"}


def _print_verdict_of_all(found: Comparisons, console: Console) -> None:
    count = f"{len(found.cells)} cell{'' if len(found.cells) == 1 else 's'}"
    took = f"({found.seconds:.1f} s)"
    if found.holds:
        bits = ", all with the same bits" if found.verdict == "same bits" else ""
        text = f"SAME: {count} in both{bits}, every quantity holds {took}."
        console.print(Text(text, "bold green"))
        return
    same = sum(each.holds for each in found.cells)
    parts = [f"{same} of {count} in both {'is' if same == 1 else 'are'} the same"]
    parts += [f"{len(found.refused)} cannot be compared"] if found.refused else []
    parts += [f"{len(found.only_a)} only in a"] if found.only_a else []
    parts += [f"{len(found.only_b)} only in b"] if found.only_b else []
    for each in found.cells:
        if not each.holds:
            text = f"{each.a.cell}: {each.diagnosis.text()}."
            console.print(Text(plain(text)), soft_wrap=True)
    console.print(Text(f"DIFFERENT: {', '.join(parts)} {took}.", "bold red"))


def _describe(party: Party) -> str:
    words = [party.kind if party.framework is None else f"{party.framework} {party.kind}"]
    words.append(f"I = {party.input_size}, H = {party.hidden_size}, {party.stored}")
    if party.bias is not None:
        words.append("two biases" if party.bias else "no bias")
    else:
        words.append("seen by what it computes only")
    if party.kind == "file" or len(party.cells) > 1:
        words.insert(1, f"cell {plain(party.cell)}")
    return ", ".join(words)


def _print_quantities(found: Comparison, console: Console) -> None:
    columns = list(dict.fromkeys((r.file, r.side) for q in found.quantities for r in q.readings))
    table = new_table("largest error in")
    for file, side in columns:
        name = plain(side).replace("onecell.", "onecell.\n")
        table.add_column(f"{file}: {name}", justify="right")
    table.add_column("limit", justify="right")
    table.add_column("of what\nit guards", justify="right")
    table.add_column("")
    kind = ""
    for quantity in found.quantities:
        family, part = quantity.name.split(".")
        if family != kind:
            kind = family
            table.add_row(show_family(family, quantity.readings))
        cells = (_cell(quantity, file, side) for file, side in columns)
        limit = show_limit(quantity.readings)
        name = f"  {show_part(family, part)}"
        verdict = show_verdict(quantity.holds, proves=quantity.proves)
        table.add_row(name, *cells, limit, show_relative(quantity.readings), verdict)
    console.print(table)


def _cell(quantity: Quantity, file: str, side: str) -> Text:
    for reading in quantity.readings:
        if (reading.file, reading.side) == (file, side):
            return show_error(reading).append(_ulps(reading), "dim")
    return Text("-", "dim")


def _ulps(reading: Reading) -> str:
    if math.isnan(reading.ulps):
        return ""
    shown = f"{reading.ulps:.1f}" if reading.ulps < 10 else f"{reading.ulps:.0f}"
    return f" {shown if reading.ulps < 1e4 else f'{reading.ulps:.0e}'}u"


def _print_notes(found: Comparison, console: Console) -> None:
    notes = [f"Errors are absolute, and in units in the last place (u), from {found.reference}."]
    if any(r.threshold.coarse for q in found.quantities for r in q.readings):
        notes.append("* its own tanh is coarse, so its limits are wider; --json has them.")
    for quantity in found.quantities[:1]:
        tight = min(quantity.readings, key=lambda reading: reading.limit)
        notes.append(f"A limit, here of {quantity.name}: {tight.threshold.reason}.")
    short = {
        reading.steps
        for quantity in found.quantities
        for reading in quantity.readings
        if reading.steps is not None and reading.steps < found.steps
    }
    if short:
        notes.append(
            f"The rollout is compared for {min(short)} of {found.steps} steps: beyond them "
            "rounding alone decides."
        )
    notes += idle_notes(found.quantities)
    reasons: dict[str, list[str]] = {}
    for name, why in found.left_out.items():
        reasons.setdefault(why, []).append(name)
    for why, names in reasons.items():
        more = f" and {len(names) - _NOTES} more" if len(names) > _NOTES else ""
        notes.append(f"Left out, {why}: {', '.join(names[:_NOTES])}{more}.")
    for note in notes:
        console.print(Text(plain(note), "dim"))
    console.print()


def _print_self_test(found: Comparison, console: Console) -> None:
    table = new_table("self-test, wrong on purpose")
    table.add_column("error in limits", justify="right")
    table.add_column("said of it")
    table.add_column("")
    for caught in found.self_test:
        word = "named" if caught.holds else "NOT NAMED" if caught.seen else "NOT SEEN"
        excess = f"{caught.excess:.0e}"
        style = "green" if caught.holds else "bold red"
        table.add_row(caught.mutant, excess, plain(caught.said), Text(word, style))
    console.print(table)
    caught_all = sum(caught.holds for caught in found.self_test)
    console.print(f"{caught_all} of {len(found.self_test)} wrong ports are seen and named.")
    console.print()


def _print_verdict(found: Comparison, console: Console) -> None:
    said = plain(found.diagnosis.text())
    took = f"({found.seconds:.1f} s)"
    if found.verdict == "same bits":
        console.print(
            Text(
                f"SAME: the weights have the same bits, every quantity holds {took}.", "bold green"
            )
        )
    elif found.verdict == "same":
        why = "" if said == "nothing to explain" else f" Of the weights: {said}."
        console.print(Text(f"SAME: every quantity holds {took}.{why}", "bold green"))
    elif found.verdict == "self-test failed":
        console.print(
            Text(f"FAILS: every quantity holds, and the self-test does not {took}.", "bold red")
        )
    else:
        if found.first is not None:
            console.print(f"Where: {plain(found.first.text())}.", markup=False)
        console.print(Text(f"DIFFERENT: {said} {took}.", "bold red"))

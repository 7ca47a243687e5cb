"""A comparison as a person reads it."""

from __future__ import annotations

import math
from typing import Final

from rich.console import Console
from rich.text import Text

from onecell.cli.notes import say_notes
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
from onecell.language import counted, joined, listed, say, spoken, translated, verdict
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
            console.print(Text(plain(f"   {translated(note)}"), "dim"))
    told = {*found.a.notes, *found.b.notes}
    for line in say_notes([n for n in found.remarks.notes if str(n) not in told]):
        console.print(Text(line, "yellow"))
    console.print()
    _print_quantities(found, console)
    _print_notes(found, console)
    if found.self_test:
        _print_self_test(found, console)
    _print_verdict(found, console)
    _print_support((found.a, found.b), console)


def print_comparisons(found: Comparisons, console: Console, *, verbose: bool) -> None:
    """Print one row a cell, in full the first of those that differ alike (or all), the verdict."""
    if found.whole is not None:
        print_comparison(found.whole, console)
        return
    shown = [[each] for each in found.cells] if verbose else _alike(found)
    for first, *others in shown:
        print_comparison(first, console)
        if others:
            same = listed(each.a.cell for each in others)
            line = say("The same is wrong with {names}; -v prints these too.", names=same)
            console.print(Text(plain(line)), soft_wrap=True)
        console.print()
    for label, facts in (("a", found.a), ("b", found.b)):
        heading = Text.assemble((f"{label}  ", "bold"), (plain(str(facts.path)), "bold"))
        console.print(heading, soft_wrap=True)
    table = new_table(say("cell"))
    limits = (say("{label}, in limits", label=label) for label in ("a", "b"))
    for column in ("I", "H", say("stored"), *limits):
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
        table.add_row(Text(plain(name)), *numbers, _said(each.verdict))
    for name in found.refused:
        table.add_row(Text(plain(name)), *[""] * 5, Text(say("not comparable"), _BAD))
    for label, names in (("a", found.only_a), ("b", found.only_b)):
        for name in names:
            said = Text(say("only in {label}", label=label), _BAD)
            table.add_row(Text(plain(name)), *[""] * 5, said)
    console.print(table)
    for name, error in found.refused.items():
        console.print(Text(plain(f"{name}: {translated(str(error))}"), "red"), soft_wrap=True)
    for line in say_notes(found.remarks.notes):
        console.print(Text(line, "yellow"))
    _print_verdict_of_all(found, console)
    _print_support((found.cells[0].a, found.cells[0].b), console)


def _alike(found: Comparisons) -> list[list[Comparison]]:
    """Return the cells that differ, those together of which the same is said."""
    alike: dict[str, list[Comparison]] = {}
    for each in found.cells:
        if each.verdict == "different":
            alike.setdefault(each.diagnosis.text(), []).append(each)
        elif each.verdict == "self-test failed":
            alike[each.a.cell] = [each]
    return list(alike.values())


_BAD: Final = "bold red"
_SAID: Final[dict[Verdict, tuple[str, str]]] = {
    "same bits": ("same bits", "green"),
    "same": ("same", "green"),
    "unproved": ("no proof", "yellow"),
    "different": ("DIFFERENT", _BAD),
    "self-test failed": ("self-test FAILS", _BAD),
}


_SAME_OUTPUTS: Final = {
    "biases summed",
    "biases swapped",
    "zero biases added",
    "zero biases dropped",
    "zero signs",
}
"""Findings after which two cells compute the same and train otherwise."""


def _said(verdict: Verdict) -> Text:
    word, style = _SAID[verdict]
    return Text(say(word), style)


def _print_verdict_of_all(found: Comparisons, console: Console) -> None:
    count = counted(len(found.cells), "cell")
    took = say("({seconds:.1f} s)", seconds=found.seconds)
    remarks = found.remarks.texts(spoken())
    if found.holds or found.verdict == "unproved":
        word = verdict("SAME" if found.holds else "UNPROVED")
        same_bits = all(each.same_bits for each in found.cells)
        some = "{cells} in both, all with the same bits, every quantity holds"
        if not same_bits:
            some = "{cells} in both, every quantity holds"
        clauses = joined([say(some, cells=count), *_untrained(found.cells[0]), *remarks])
        text = say("{verdict}: {clauses} {took}.", verdict=word, clauses=clauses, took=took)
        console.print(Text(plain(text), "bold green" if found.holds else "bold"), soft_wrap=True)
        return
    same = sum(each.holds for each in found.cells)
    some = "{same} of {cells} in both is the same"
    parts = [
        say(some if same == 1 else "{same} of {cells} in both are the same", same=same, cells=count)
    ]
    if found.refused:
        parts.append(say("{number} cannot be compared", number=len(found.refused)))
    for label, names in (("a", found.only_a), ("b", found.only_b)):
        if names:
            parts.append(say("{number} only in {label}", number=len(names), label=label))
    for cells in _alike(found):
        which, why = listed(each.a.cell for each in cells), cells[0].diagnosis.text(spoken())
        text = say("{sentence}.", sentence=say("{name}: {text}", name=which, text=why))
        console.print(Text(plain(text)), soft_wrap=True)
    text = say(
        "{verdict}: {clauses} {took}.",
        verdict=verdict("DIFFERENT"),
        clauses=(", " if spoken() == "en" else "，").join([*parts, *remarks]),
        took=took,
    )
    console.print(Text(plain(text), "bold red"))


def _untrained(found: Comparison) -> list[str]:
    return [say("training was not compared")] if found.inference else []


def _print_support(parties: tuple[Party, Party], console: Console) -> None:
    """Print what the verdict rests on where a framework runs in a process of its own, or cannot."""
    for party in parties:
        versions = [version for version in party.computed_by.values() if version]
        if versions:
            text = say(
                "{label} rests on {names}, in a process of its own, and on the kernel.",
                label=party.label,
                names=listed(versions),
            )
        elif party.alone:
            text = say(
                "{label} rests on the kernel alone: {framework} took no part, {why}.",
                label=party.label,
                framework=party.framework,
                why=translated(party.alone),
            )
        else:
            continue
        console.print(Text(plain(text)), soft_wrap=True)


_BIASES: Final = ("no bias", "one bias", "two biases")


def _describe(party: Party) -> str:
    kind = say(party.kind)
    if party.framework is not None:
        kind = say("{framework} {kind}", framework=party.framework, kind=kind)
    words = [kind, f"I = {party.input_size}, H = {party.hidden_size}, {party.stored}"]
    if party.biases is not None:
        words.append(say(_BIASES[party.biases]))
    else:
        words.append(say("seen by what it computes only"))
    if party.kind == "file" or len(party.cells) > 1:
        words.insert(1, say("cell {name}", name=plain(party.cell)))
    return ", ".join(words)


def _print_quantities(found: Comparison, console: Console) -> None:
    columns = list(dict.fromkeys((r.file, r.side) for q in found.quantities for r in q.readings))
    table = new_table(say("largest error in"))
    for file, side in columns:
        name = plain(side).replace("onecell.", "onecell.\n")
        table.add_column(f"{file}: {name}", justify="right")
    table.add_column(say("limit"), justify="right")
    table.add_column(say("of what\nit guards"), justify="right")
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
    notes = [
        say(
            "Errors are absolute, and in units in the last place (u), from {reference}.",
            reference=translated(found.reference),
        )
    ]
    if any(r.threshold.coarse for q in found.quantities for r in q.readings):
        notes.append(say("* its own tanh is coarse, so its limits are wider; --json has them."))
    for quantity in found.quantities[:1]:
        tight = min(quantity.readings, key=lambda reading: reading.limit)
        reason = translated(tight.threshold.reason)
        notes.append(say("A limit, here of {name}: {reason}.", name=quantity.name, reason=reason))
    short = {
        reading.steps
        for quantity in found.quantities
        for reading in quantity.readings
        if reading.steps is not None and reading.steps < found.steps
    }
    if short:
        notes.append(
            say(
                "The rollout is compared for {least} of {steps} steps: beyond them rounding alone "
                "decides.",
                least=min(short),
                steps=found.steps,
            )
        )
    notes += idle_notes(found.quantities)
    reasons: dict[str, list[str]] = {}
    for name, why in found.left_out.items():
        reasons.setdefault(why, []).append(name)
    notes += [
        say("Left out, {why}: {names}.", why=translated(why), names=listed(names, _NOTES))
        for why, names in reasons.items()
    ]
    for note in notes:
        console.print(Text(plain(note), "dim"))
    console.print()


def _print_self_test(found: Comparison, console: Console) -> None:
    table = new_table(say("self-test, wrong on purpose"))
    table.add_column(say("error in limits"), justify="right")
    table.add_column(say("said of it"))
    table.add_column("")
    for caught in found.self_test:
        word = "named" if caught.holds else "NOT NAMED" if caught.seen else "NOT SEEN"
        excess = f"{caught.excess:.0e}"
        style = "green" if caught.holds else "bold red"
        said = caught.said if spoken() == "en" else caught.said_zh
        table.add_row(translated(caught.mutant), excess, plain(said), Text(say(word), style))
    console.print(table)
    caught_all = sum(caught.holds for caught in found.self_test)
    console.print(
        say(
            "{caught} of {every} wrong ports are seen and named.",
            caught=caught_all,
            every=len(found.self_test),
        )
    )
    console.print()


def _print_verdict(found: Comparison, console: Console) -> None:
    said = plain(found.diagnosis.text(spoken()))
    took = say("({seconds:.1f} s)", seconds=found.seconds)
    if found.holds or found.verdict == "unproved":
        word = verdict("SAME" if found.holds else "UNPROVED")
        every = "the weights have the same bits, every quantity holds"
        parts = [
            say(every if found.same_bits else "every quantity holds"),
            *_untrained(found),
            *found.remarks.texts(spoken()),
        ]
        text = say("{verdict}: {clauses} {took}.", verdict=word, clauses=joined(parts), took=took)
        if found.diagnosis.text() != "nothing to explain":
            text += say(" Of the weights: {said}.", said=said)
        console.print(Text(plain(text), "bold green" if found.holds else "bold"), soft_wrap=True)
    elif found.verdict == "self-test failed":
        said = say("every quantity holds, and the self-test does not")
        text = say(
            "{verdict}: {clauses} {took}.", verdict=verdict("FAILS"), clauses=said, took=took
        )
        console.print(Text(text, "bold red"))
    else:
        if found.first is not None:
            where = say("Where: {where}.", where=plain(found.first.text(spoken())))
            console.print(where, markup=False)
        word = verdict("DIFFERENT")
        text = say("{verdict}: {clauses} {took}.", verdict=word, clauses=said, took=took)
        console.print(Text(text, "bold red"))
        kinds = {finding.kind for finding in found.diagnosis.findings}
        if kinds and kinds <= _SAME_OUTPUTS:
            hint = say("To compare what they compute, without training, say --inference.")
            console.print(hint, soft_wrap=True, markup=False)

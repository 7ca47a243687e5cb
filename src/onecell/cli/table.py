"""A proof as a person reads it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rich.console import Console
from rich.text import Text

from onecell.cli.notes import MOST, say_notes
from onecell.cli.quantities import (
    idle_notes,
    new_table,
    self_test_notes,
    show_error,
    show_family,
    show_limit,
    show_part,
    show_relative,
    show_verdict,
)
from onecell.language import counted, joined, listed, say, spoken, translated, verdict
from onecell.text import MOST_NAMES, plain, short
from onecell.verify import SIDES, CellProof, Proof, Quantity, Reading


def print_proof(
    proof: Proof,
    console: Console,
    *,
    verbose: bool = False,
    named: bool = False,
) -> None:
    """Print the cells, what was carried over, where the files are, and the verdict.

    A cell is one row; those that fail are printed in full, and with `verbose` all are.
    `named` says that the model's code told what the tensors of all layers are called.
    """
    full = proof.cells
    if not verbose and proof.cells:
        _print_summary(proof, console)
        full = tuple(cell for cell in proof.cells if not cell.holds)
    for cell in full:
        _print_cell(cell, proof, console)
    _print_notes(proof, console)
    _print_files(proof, console, named=named, verbose=verbose)
    _print_verdict(proof, console)


def _print_cell(cell: CellProof, proof: Proof, console: Console) -> None:
    stored = cell.stored
    if stored != cell.computed:
        stored = say("{stored}, computed in {computed}", stored=stored, computed=cell.computed)
    facts = say(
        "I = {inputs}, H = {hidden}, {stored}, {biases}",
        inputs=cell.input_size,
        hidden=cell.hidden_size,
        stored=stored,
        biases=say("two biases" if cell.bias else "no bias"),
    )
    title = Text.assemble((plain(cell.name), "bold"), f"  {facts}")
    console.print(title)
    if cell.not_finite:
        console.print(Text(plain(translated(cell.not_finite)), "bold red"), soft_wrap=True)
        console.print()
        return
    table = new_table(say("largest error in"))
    for reading in cell.quantities[0].readings:
        table.add_column(_column_name(reading, proof), justify="right")
    table.add_column(say("limit"), justify="right")
    table.add_column(say("of what\nit guards"), justify="right")
    table.add_column("")
    kind = ""
    for quantity in cell.quantities:
        family, part = quantity.name.split(".")
        if family != kind:
            kind = family
            table.add_row(show_family(family, quantity.readings))
        table.add_row(
            f"  {show_part(family, part)}",
            *(show_error(reading) for reading in quantity.readings),
            show_limit(quantity.readings),
            show_relative(quantity.readings),
            show_verdict(quantity.holds, proves=quantity.proves),
        )
    console.print(table)
    if cell.same_bits is not None:
        console.print(say(_BITS[cell.same_bits]))
    for note in self_test_notes(cell):
        console.print(note)
    for said in idle_notes(cell.quantities):
        console.print(Text(said, "yellow"))
    console.print()


_BITS: Final = {
    True: "The four parameters have the same bits.",
    False: "The four parameters have OTHER bits.",
}


def _print_summary(proof: Proof, console: Console) -> None:
    """One row a cell: the worst error of every side in units of its limit."""
    table = new_table(say("cell"))
    for name in ("I", "H", say("stored")):
        table.add_column(name, justify="right")
    columns = _columns(proof)
    for reading in columns:
        table.add_column(_column_name(reading, proof), justify="right")
    table.add_column("")
    for cell in proof.cells:
        sizes = (str(cell.input_size), str(cell.hidden_size), cell.stored)
        worst = (_worst(cell, reading) for reading in columns)
        called = Text(short(cell.name, max(24, console.width // 2)))
        table.add_row(called, *sizes, *worst, show_verdict(cell.holds, proves=not cell.unproved))
    console.print(table)
    seen = sum(each.seen for cell in proof.cells for each in cell.sabotage)
    all_of_them = sum(len(cell.sabotage) for cell in proof.cells)
    console.print(
        say("Each number is a side's worst error in units of its limit; -v shows them all.")
    )
    console.print(
        say(
            "Self-test: {seen} of {every} mistakes made on purpose are seen.",
            seen=seen,
            every=all_of_them,
        )
    )
    if idle := proof.remarks.idle:
        said = say("{idle} quantities prove nothing: -v names them.", idle=idle)
        console.print(Text(said, "yellow"))
    console.print()


def _print_notes(proof: Proof, console: Console) -> None:
    able = {side for cell in proof.cells for side in cell.unable}
    notes = [
        say(
            "{name}: left out, {why}{beside}.",
            name=name,
            why=translated(why),
            beside="" if name in able else _beside(name, proof),
        )
        for name, why in proof.left_out.items()
    ]
    notes += [say("Beside the verdict: {fault}", fault=translated(each)) for each in proof.faults]
    readings = list(_readings(proof.cells))
    notes += [
        say(
            "* {name}: its own tanh is off by up to {error:.0e}, so its limits are wider; see the "
            "proof.",
            name=name,
            error=SIDES[name].tanh_error,
        )
        for name in dict.fromkeys(reading.side for reading in readings)
        if SIDES[name].tanh_error
    ]
    short = [r.steps for r in readings if r.steps is not None]
    if short and min(short) < max(short):
        notes.append(
            say(
                "Rollouts are compared for {least} to {most} steps: as far as rounding alone does "
                "not decide them.",
                least=min(short),
                most=max(short),
            )
        )
    for note in notes:
        console.print(Text(note, "dim"))


def _beside(name: str, proof: Proof) -> str:
    """Return that the result does not run on a side that was left out."""
    if name in (proof.runs_on, "arrays"):
        return ""
    return say("; the result runs on {side}", side=proof.runs_on)


def _print_names(proof: Proof, console: Console, *, verbose: bool) -> None:
    """Print what became of the tensors outside the cells; each list says how many it leaves out."""
    others = counted(len(proof.carried), "other tensor")
    source, target = proof.source.dialect, proof.target.dialect
    lists: tuple[tuple[str, Iterable[str]], ...] = (
        (say("Copied bit for bit, not proved: {others}", others=others), proof.carried),
        (
            say("Of these called otherwise"),
            [f"{old} → {new}" for old, new in proof.renamed.items()],
        ),
        (
            say("Of these in another shape, the same numbers in order"),
            [f"{name} {shape}" for name, shape in proof.reshaped.items()],
        ),
        (
            say("May be Conv1d's, which the other framework keeps with one more axis"),
            proof.perhaps,
        ),
        (say("Left behind, not tensors"), proof.dropped),
        (
            say(
                "Left behind, optimizer state, which only {source}'s optimizers read", source=source
            ),
            proof.left,
        ),
        (
            say("Left behind, counters that {target}'s norms do not keep", target=target),
            proof.counters,
        ),
        (say("Left out, as asked"), proof.unchosen),
    )
    for text, names in lists:
        if every := list(names):
            said = listed(every, len(every) if verbose else MOST_NAMES)
            console.print(Text(say("{name}: {text}", name=text, text=said)))


def _print_files(proof: Proof, console: Console, *, named: bool, verbose: bool) -> None:
    _print_names(proof, console, verbose=verbose)
    if proof.carried and not (named or proof.renamed or proof.reshaped):
        console.print(
            Text(
                say(
                    "They keep their names and bits: only LSTM cells are proved. Without the code "
                    "nobody knows what else is called otherwise there: "
                    "docs/en/guides/checkpoints.md."
                )
            )
        )
    for line in say_notes(proof.notes, None if verbose else MOST):
        console.print(Text(line, "yellow"))
    if proof.source.dialect == proof.target.dialect:
        console.print(
            Text(
                say(
                    "Nothing was ported: {source} to {target}. The new file is one flat dictionary "
                    "of tensors; names from inside others are joined by dots.",
                    source=proof.source.dialect,
                    target=proof.target.dialect,
                )
            )
        )
    if not proof.intact:
        said = say("The written file does NOT read back as it was to be.")
        console.print(Text(said, "red"))
    for framework, same in proof.read_by.items():
        said = "{side} reads the file itself, the same bits."
        console.print(say(said if same else "{side} does NOT read the same bits.", side=framework))
    if proof.holds:
        _print_path(say("Checkpoint"), str(proof.target.path), console)
    _print_path(say("Proof"), str(proof.report), console)


def _print_path(what: str, path: str, console: Console) -> None:
    # A path that is broken over lines cannot be copied.
    console.print(Text(say("{name}: {text}", name=what, text=plain(path))), soft_wrap=True)


def _print_verdict(proof: Proof, console: Console) -> None:
    for line in proof.unable:
        console.print(Text(translated(line), "bold red"), soft_wrap=True)
    good = "bold green" if proof.cells and not proof.unproved else "bold"
    style = good if proof.holds else "bold red"
    console.print(Text(say_verdict(proof), style))


def say_verdict(proof: Proof) -> str:
    """Return what was proved and what only copied, or what fails, in one line."""
    took = say("{seconds:.1f} s", seconds=proof.seconds)
    kept = counted(len(proof.carried), "tensor")
    if proof.holds and not proof.cells:
        return say(
            "It holds no LSTM cell: nothing is proved; {kept} copied bit for bit.", kept=kept
        )
    cells = counted(len(proof.cells), "cell")
    if proof.holds:
        word = verdict("UNPROVED" if proof.unproved else "HOLDS")
        proved = len(proof.cells_proved)
        some = say("{proved} of {cells}", proved=proved, cells=cells) if proof.unproved else cells
        said = [
            say(
                "{cells} ({proved} of {tensors} tensors) proved in {took}",
                cells=some,
                proved=proof.proved,
                tensors=proof.tensors,
                took=took,
            )
        ]
        if proof.carried:
            said.append(say("{kept} copied bit for bit, not proved", kept=kept))
        clauses = joined([*said, *proof.remarks.texts(spoken())])
        return plain(say("{verdict}: {clauses}.", verdict=word, clauses=clauses))
    failing = [cell for cell in proof.cells if not cell.holds]
    why = say("the file as a whole")
    if failing:
        why = say("{failing} of {cells}", failing=len(failing), cells=cells)
    if broken := sum(bool(cell.not_finite) for cell in failing):
        why = say("{why} ({broken} with numbers that are not finite)", why=why, broken=broken)
    return say(
        "{verdict}: {why}, after {took}. No checkpoint was written; the proof says where.",
        verdict=verdict("FAILS"),
        why=why,
        took=took,
    )


def _columns(proof: Proof) -> list[Reading]:
    """Return one reading for every column that any cell has, in order."""
    found: dict[tuple[str, str], Reading] = {}
    for cell in proof.cells:
        for reading in cell.quantities[0].readings if cell.quantities else ():
            found.setdefault((reading.side, reading.file), reading)
    return list(found.values())


def _column_name(reading: Reading, proof: Proof) -> str:
    facts = proof.source if reading.file == "source" else proof.target
    side = reading.side.replace("onecell.", "onecell.\n")
    return f"{side}\n{plain(facts.path.suffix)}"


def _worst(cell: CellProof, column: Reading) -> Text:
    found = [
        reading
        for reading in _readings([cell])
        if (reading.side, reading.file) == (column.side, column.file)
    ]
    if not found:
        return Text("-")
    excess = max(reading.excess for reading in found)
    return Text(f"{excess:.2g}", "" if all(r.holds for r in found) else "bold red")


def _readings(cells: Iterable[CellProof]) -> Iterable[Reading]:
    quantities: Iterable[Quantity] = (q for cell in cells for q in cell.quantities)
    return (reading for quantity in quantities for reading in quantity.readings)

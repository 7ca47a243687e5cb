"""A proof as a person reads it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rich.console import Console
from rich.text import Text

from onecell.cli.notes import MOST, say_notes
from onecell.cli.quantities import (
    new_table,
    show_error,
    show_family,
    show_limit,
    show_part,
    show_verdict,
)
from onecell.text import listed, plain
from onecell.verify import SIDES, CellProof, Proof, Quantity, Reading

FULL_CELLS: Final = 3
"""With more cells than this, a proof is printed as one line a cell."""
NAMES: Final = 8
"""Of the tensors that are carried over, so many are named."""


def print_proof(
    proof: Proof,
    console: Console,
    *,
    verbose: bool = False,
    most: int = FULL_CELLS,
    named: bool = False,
) -> None:
    """Print the cells, what was carried over, where the files are, and the verdict.

    With more cells than `most` only those that fail are printed in full, unless `verbose`.
    `named` says that the model's code told what the tensors of all layers are called.
    """
    full = proof.cells
    if not verbose and proof.cells and len(proof.cells) > most:
        _print_summary(proof, console)
        full = tuple(cell for cell in proof.cells if not cell.holds)
    for cell in full:
        _print_cell(cell, proof, console)
    _print_notes(proof, console)
    _print_files(proof, console, named=named, verbose=verbose)
    _print_verdict(proof, console)


def _print_cell(cell: CellProof, proof: Proof, console: Console) -> None:
    biases = "two biases" if cell.bias else "no bias"
    computed = "" if cell.stored == cell.computed else f", computed in {cell.computed}"
    title = Text.assemble(
        (plain(cell.name), "bold"),
        f"  I = {cell.input_size}, H = {cell.hidden_size}, {cell.stored}{computed}, {biases}",
    )
    console.print(title)
    table = new_table("largest error in")
    for reading in cell.quantities[0].readings:
        table.add_column(_column_name(reading, proof), justify="right", overflow="fold")
    table.add_column("limit", justify="right")
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
            show_verdict(quantity.holds),
        )
    console.print(table)
    if cell.same_bits is not None:
        console.print(f"The four parameters have {'the same' if cell.same_bits else 'OTHER'} bits.")
    for each in cell.sabotage:
        said = (
            f"an error of {each.excess:.0e} limits, so the proof fails, as it must"
            if each.seen
            else ("the proof still HOLDS: it would not see this mistake here")
        )
        console.print(Text(f"Self-test, {each.mutation}: {said}."))
    console.print()


def _print_summary(proof: Proof, console: Console) -> None:
    """One row a cell: the worst error of every side in units of its limit."""
    table = new_table("cell")
    for name in ("I", "H", "stored"):
        table.add_column(name, justify="right")
    columns = _columns(proof)
    for reading in columns:
        table.add_column(_column_name(reading, proof), justify="right", overflow="fold")
    table.add_column("")
    for cell in proof.cells:
        sizes = (str(cell.input_size), str(cell.hidden_size), cell.stored)
        worst = (_worst(cell, reading) for reading in columns)
        table.add_row(Text(plain(cell.name)), *sizes, *worst, show_verdict(cell.holds))
    console.print(table)
    seen = sum(each.seen for cell in proof.cells for each in cell.sabotage)
    all_of_them = sum(len(cell.sabotage) for cell in proof.cells)
    console.print("Each number is a side's worst error in units of its limit; -v shows them all.")
    console.print(f"Self-test: the proof fails on {seen} of {all_of_them} sabotaged cells.")
    console.print()


def _print_notes(proof: Proof, console: Console) -> None:
    notes = [f"{name}: left out, {why}." for name, why in proof.left_out.items()]
    readings = list(_readings(proof.cells))
    notes += [
        f"* {name}: its own tanh is off by up to {SIDES[name].tanh_error:.0e}, so its limits are "
        f"wider; see the proof."
        for name in dict.fromkeys(reading.side for reading in readings)
        if SIDES[name].tanh_error
    ]
    short = [r.steps for r in readings if r.steps is not None]
    if short and min(short) < max(short):
        notes.append(
            f"Rollouts are compared for {min(short)} to {max(short)} steps: as far as rounding "
            f"alone does not decide them."
        )
    for note in notes:
        console.print(Text(note, "dim"))


def _print_files(proof: Proof, console: Console, *, named: bool, verbose: bool) -> None:
    if proof.carried:
        more = len(proof.carried) - NAMES
        names = ", ".join(proof.carried[:NAMES]) + (f" and {more} more" if more > 0 else "")
        count = f"{len(proof.carried)} other tensor{'s' if len(proof.carried) > 1 else ''}"
        console.print(Text(plain(f"Carried over: {count}: {names}")))
    if proof.renamed:
        for old, new in proof.renamed.items():
            console.print(Text(plain(f"  {old} is called {new} in the new file")))
    elif proof.carried and not named:
        console.print(
            Text(
                "They keep their names and bits: only LSTM cells are proved. Without the code "
                "nobody knows what else is called otherwise there; see docs/checkpoints.md."
            )
        )
    if proof.dropped:
        console.print(Text(plain(f"Left behind, not tensors: {', '.join(proof.dropped[:NAMES])}")))
    if proof.left:
        why = f"optimizer state, which only {proof.source.dialect}'s optimizers read"
        console.print(Text(f"Left behind, {why}: {listed(proof.left)}"))
    if proof.unchosen:
        console.print(Text(f"Left out, as asked: {listed(proof.unchosen)}"))
    for line in say_notes(proof.notes, None if verbose else MOST):
        console.print(Text(line, "yellow"))
    if not proof.intact:
        console.print(Text("The written file does NOT read back as it was to be.", "red"))
    for framework, same in proof.read_by.items():
        said = "reads the file itself, the same bits" if same else "does NOT read the same bits"
        console.print(f"{framework} {said}.")
    if proof.holds:
        _print_path("Checkpoint", str(proof.target.path), console)
    _print_path("Proof", str(proof.report), console)


def _print_path(what: str, path: str, console: Console) -> None:
    # A path that is broken over lines cannot be copied.
    console.print(Text(f"{what}: {plain(path)}"), soft_wrap=True)


def _print_verdict(proof: Proof, console: Console) -> None:
    cells = f"{len(proof.cells)} cell{'s' if len(proof.cells) > 1 else ''}"
    took = f"{proof.seconds:.1f} s"
    if proof.holds and not proof.cells:
        console.print(Text("It holds no LSTM cell: there is nothing to prove.", "bold"))
        return
    if proof.holds:
        console.print(Text(f"HOLDS: {cells}, proved in {took}.", "bold green"))
        return
    failing = sum(not cell.holds for cell in proof.cells)
    why = f"{failing} of {cells}" if failing else "the file as a whole"
    text = f"FAILS: {why}, after {took}. No checkpoint was written; the proof says where."
    console.print(Text(text, "bold red"))


def _columns(proof: Proof) -> list[Reading]:
    """Return one reading for every column that any cell has, in order."""
    found: dict[tuple[str, str], Reading] = {}
    for cell in proof.cells:
        for reading in cell.quantities[0].readings:
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

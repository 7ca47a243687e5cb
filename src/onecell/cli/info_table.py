"""What a checkpoint holds, as a person reads it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from onecell.checkpoint.contents import CellFacts, Contents
from onecell.checkpoint.formats.table import FORMATS
from onecell.cli.notes import say_looks, say_note
from onecell.dtypes import dtype_name
from onecell.language import counted, listed, say, translated
from onecell.text import plain, short

_MOST: Final = 8
"""Without -v, so many cells, tensors, values and notes are shown."""
_LONGEST_VALUE: Final = 60
_BIASES: Final = {0: "none", 1: "one", 2: "two"}

_FORMATS: Final = {
    "pt": "torch's format (.pt)",
    "ckpt": "MindSpore's format (.ckpt)",
    "safetensors": "safetensors",
    "npz": "NumPy's format (.npz)",
    "dcp": "torch.distributed.checkpoint",
    "orbax": "Orbax's folder",
    "json": "a state dict in JSON",
    "torchscript": "TorchScript's archive",
    "pt2": "torch.export's archive (.pt2)",
    "pdiparams": "Paddle's program for inference (.pdiparams)",
    "pkl": "a pickle of arrays",
    "keras": "Keras's model (.keras)",
    **{name: row.title for name, row in FORMATS.items()},
}


def print_contents(
    path: Path, contents: Contents, console: Console, *, parts: Sequence[Path], verbose: bool
) -> None:
    """Print one checkpoint: what it is, its cells, other tensors, plain values and notes.

    `parts` are the files that it was read from.
    """
    checkpoint = contents.checkpoint
    if checkpoint.frozen:
        said = translated(checkpoint.frozen)
    elif checkpoint.dialect:
        said = say("written by {framework}", framework=checkpoint.dialect)
    else:
        said = say(
            "the file does not tell its framework; its names are read as {framework}'s",
            framework=contents.dialect,
        )
    console.print(Text(plain(str(path)), "bold"), soft_wrap=True)
    line = say(
        "{format}, {said}; {tensors}, {size:,} bytes",
        format=say(_FORMATS[checkpoint.format]),
        said=said,
        tensors=counted(len(checkpoint.tensors), "tensor"),
        size=sum(array.nbytes for array in checkpoint.tensors.values()),
    )
    console.print(Text(line))
    most = None if verbose else _MOST
    if list(parts) != [path]:
        folder = Path(os.path.commonpath([part.parent for part in parts]))
        names = [part.relative_to(folder) for part in parts]
        line = say(
            "read from {folder}: {names}",
            folder=plain(str(folder)),
            names=listed(names, len(names) if verbose else _MOST),
        )
        console.print(Text(line), soft_wrap=True)
    if not checkpoint.frozen:
        _print_cells(contents.cells, console, most)
    others = say("Its pieces" if checkpoint.frozen else "Other tensors")
    _print_tensors(others, contents.others, checkpoint.tensors, console, most)
    state = say("Optimizer state")
    _print_tensors(state, contents.optimizer, checkpoint.tensors, console, most)
    settings_ = say("Optimizer settings")
    _print_values(settings_, contents.settings, checkpoint.metadata, console, most)
    settings = set(contents.settings)
    values = [name for name in checkpoint.metadata if name not in settings]
    _print_values(say("Not tensors"), values, checkpoint.metadata, console, most)
    if contents.notes:
        console.print(say("To be known:"))
        for note in contents.notes[:most]:
            console.print(Text(f"  {plain(say_note(note))}", "yellow"))
        _print_more(len(contents.notes), console, most)
        if said := say_looks(contents.notes):
            cells = counted(len(contents.cells), "LSTM cell")
            console.print(Text(f"{cells}{said}", "yellow"), soft_wrap=True)


def _print_cells(cells: Sequence[CellFacts], console: Console, most: int | None) -> None:
    if not cells:
        console.print(say("No LSTM cell"))
        return
    console.print(counted(len(cells), "LSTM cell"))
    table = Table(box=None, pad_edge=False, header_style="bold", collapse_padding=True)
    table.add_column(f"  {say('cell')}", overflow="fold")
    for name in ("I", "H"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("stored", "biases", "as"):
        table.add_column(say(name), no_wrap=True)
    for cell in cells[:most]:
        sizes = str(cell.input_size), str(cell.hidden_size)
        biases = say(_BIASES[cell.biases])
        shown = Text(f"  {short(cell.site.name)}")
        table.add_row(shown, *sizes, cell.stored, biases, cell.spelled)
    console.print(table)
    _print_more(len(cells), console, most)


def _print_tensors(
    title: str,
    names: Sequence[str],
    tensors: Mapping[str, np.ndarray],
    console: Console,
    most: int | None,
) -> None:
    if not names:
        return
    kinds = Counter(dtype_name(tensors[name].dtype) for name in names)
    said = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    numbers = sum(tensors[name].size for name in names)
    console.print(
        say(
            "{title}: {count} ({kinds}), {numbers:,} numbers",
            title=title,
            count=len(names),
            kinds=said,
            numbers=numbers,
        )
    )
    for name in names[:most]:
        array = tensors[name]
        console.print(Text(f"  {short(name)}  {dtype_name(array.dtype)} {array.shape}"))
    _print_more(len(names), console, most)


def _print_values(
    title: str, names: Sequence[str], values: Mapping[str, str], console: Console, most: int | None
) -> None:
    if not names:
        return
    console.print(say("{name}: {text}", name=title, text=counted(len(names), "value")))
    for name in names[:most]:
        console.print(Text(f"  {short(name)} = {short(values[name], _LONGEST_VALUE)}"))
    _print_more(len(names), console, most)


def _print_more(count: int, console: Console, most: int | None) -> None:
    if most is not None and count > most:
        console.print(say("  and {more} more (-v shows all)", more=count - most))

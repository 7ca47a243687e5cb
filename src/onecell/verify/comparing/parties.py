"""What was given as a cell, read: a file, weights, a live object, or where to import one from."""

from __future__ import annotations

import hashlib
import importlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from onecell.checkpoint import Checkpoint, Note, find_cells, survey
from onecell.checkpoint.cells import CellSite
from onecell.checkpoint.files import read_from
from onecell.dialect import FRONT_ENDS, TORCH, Dialect, with_forget_bias
from onecell.dtypes import FLOAT_NAMES, dtype_name
from onecell.errors import (
    CheckpointError,
    MissingExtraError,
    NotACellError,
    ObjectImportError,
    WhichCellError,
)
from onecell.spec import WEIGHTS
from onecell.verify.comparing.checks import check_numbers
from onecell.verify.comparing.comparison import FileFacts, Kind, Label
from onecell.verify.plan import check_offsets, read_checkpoint, say_no_cell, source_dialect
from onecell.verify.sides.live import Live, has, look_at, say_class
from onecell.weights import Weights

_OBJECT: Final = re.compile(r"(?P<module>[^\W\d]\w*(?:\.\w+)*):(?P<attribute>[^\W\d]\w*(?:\.\w+)*)")
_NAMED: Final = 12
"""A message lists so many tensors or cells."""
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """One of the two things to compare, as it was read."""

    label: Label
    given: str
    kind: Kind
    cell: str
    cells: tuple[str, ...]
    framework: str | None
    weights: Weights | None
    names: Mapping[str, str]
    """Canonical name → the name of the parameter in the live object; else empty."""
    stored: str | None
    """Element type of its parameters; None where it has none."""
    live: Live | None = None
    thing: Any = None
    """The live object itself."""
    row: Dialect | None = None
    """Of a file: how its framework lays the weights out, with the forget bias that it adds."""
    told: bool = False
    """Whether its framework was said, and not told by the file."""
    pieces: Mapping[str, np.ndarray] | None = None
    """Of a file: the arrays of the cell by the layout's pieces, as they lie there; None where it is
    computed from others."""
    file: FileFacts | None = None
    notes: tuple[str, ...] = ()
    looks: tuple[Note, ...] = ()
    """What a verdict must say of the cell."""

    @property
    def sizes(self) -> tuple[int, int] | None:
        """I and H, where they can be told."""
        if self.weights is not None:
            return self.weights.input_size, self.weights.hidden_size
        return None if self.live is None else self.live.sizes


def read_claim(
    label: Label, given: object, cell: str | None = None, *, perhaps: bool = False
) -> Claim:
    """Return what `given` is.

    Args:
        label: "a" or "b", for messages.
        given: a path, "module:attribute", `Weights`, a file that was read, or a live object.
        cell: which cell of a file or of a module, by its name.
        perhaps: whether `cell` may be meant for the other one: where there is no cell of that name
            and no choice either, the only one is taken.

    Raises:
        CheckpointError: a file that cannot be read, or holds no cell.
        WhichCellError: it holds several cells and `cell` is None, or none of that name.
        ObjectImportError, MissingExtraError: the module or the attribute cannot be imported.
        NotACellError: an object that cannot be called.
        NotFiniteError: a parameter holds NaN or infinity.
    """
    if isinstance(given, Weights):
        claim = Claim(label, "Weights", "weights", "(root)", ("(root)",), None, given, {}, None)
    elif isinstance(given, str) and names_an_object(given):
        claim = _of_object(label, given, import_object(given), cell, perhaps=perhaps)
    elif isinstance(given, str | os.PathLike):
        claim = read_cells(Path(given)).claim(label, cell, perhaps=perhaps)
    elif isinstance(given, CellsOfFile):
        claim = given.claim(label, cell, perhaps=perhaps)
    else:
        claim = _of_object(label, say_class(given), given, cell, perhaps=perhaps)
    if claim.weights is None:
        return claim
    check_numbers(f"`{label}` ({claim.given})", claim.weights)
    return replace(claim, stored=claim.weights.dtype_name)


def names_an_object(given: str) -> bool:
    """Whether a string is "module:attribute" and not the path of a file that is there."""
    return _OBJECT.fullmatch(given) is not None and not Path(given).exists()


def import_object(path: str) -> object:
    """Return what "module:attribute" names; importing runs the module, as any import does.

    Raises:
        MissingExtraError: a framework that the module needs is not installed.
        ObjectImportError: the module does not import, or has no such attribute.
    """
    module, attribute = path.split(":")
    try:
        found: object = importlib.import_module(module)
    except ModuleNotFoundError as error:
        library = (error.name or "").split(".")[0]
        if library in FRONT_ENDS:
            raise MissingExtraError(library, library, f"`{path}`") from error
        raise ObjectImportError(f"`{path}`: {error}.") from error
    except (Exception, SystemExit) as error:
        # A script that ends its process must not end this one as if all were well.
        text = f"`{path}`: importing it raises {type(error).__name__}: {error}"
        raise ObjectImportError(text) from error
    for name in attribute.split("."):
        if not has(found, name):
            there = ", ".join(n for n in vars(found) if not n.startswith("_"))[:200]
            where = f"`{module}` has no `{attribute}`"
            raise ObjectImportError(f"{where}; it has {there or 'no public names'}.")
        found = getattr(found, name)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class CellsOfFile:
    """A checkpoint file, read once, with every cell in it."""

    path: Path
    dialect: str
    tensors: Mapping[str, np.ndarray]
    sites: Mapping[str, CellSite]
    notes: tuple[str, ...]
    """How it was read."""
    known: tuple[Note, ...]
    """What is to be known of what is in it."""
    facts: FileFacts
    row: Dialect
    """Of `dialect`, with the forget bias that its cell adds."""
    told: bool = False
    """Whether the caller said what `dialect` is."""

    def claim(self, label: Label, cell: str | None, *, perhaps: bool = False) -> Claim:
        """Return one cell of it; arguments and errors as `read_claim`."""
        names = list(self.sites)
        if perhaps and len(names) == 1:
            cell = None
        name = _choose(label, str(self.path), names, cell)
        site = self.sites[name]
        weights = site.weights(self.tensors, self.row)
        known = [note for note in self.known if note.name in {name, site.owner}]
        return Claim(
            label,
            str(self.path),
            "file",
            name,
            tuple(names),
            self.dialect,
            weights,
            {},
            None,
            file=self.facts,
            row=self.row,
            told=self.told,
            pieces=site.pieces(self.tensors, self.dialect),
            notes=(*self.notes, *map(str, known)),
            looks=tuple(note for note in known if note.kind),
        )


def read_cells(
    path: Path, source: str | None = None, *, forget_bias: float | None = None
) -> CellsOfFile:
    """Read a checkpoint file.

    Args:
        path: the file.
        source: the framework that wrote it, where the file does not tell; None for torch then.
        forget_bias: what a cell that adds one when it runs adds, see `dialect.with_forget_bias`.

    Raises:
        CheckpointError: it cannot be read, or holds no cell.
        ArgumentError: the file tells another framework, or of a cell that it adds nothing.
    """
    checkpoint = read_checkpoint(path)
    check_offsets(checkpoint, forget_bias, path)
    if source is not None:
        source = source_dialect(checkpoint, source, path)
    dialect = source or checkpoint.dialect or TORCH.name
    notes = []
    if source is None and checkpoint.dialect is None:
        notes.append("the file does not tell its framework; its names are read as torch's")
    tensors, said = _sites(checkpoint, dialect)
    notes += said
    found = survey(tensors, dialect)
    if not found.cells:
        raise CheckpointError(f"{path}: {say_no_cell(checkpoint, found.notes)}")
    return CellsOfFile(
        path,
        dialect,
        tensors,
        {site.name: site for site in found.cells},
        tuple(notes),
        tuple(found.notes),
        file_facts(path, path, dialect, checkpoint.format),
        with_forget_bias(dialect, forget_bias),
        source is not None,
    )


def _sites(checkpoint: Checkpoint, dialect: str) -> tuple[Mapping[str, np.ndarray], list[str]]:
    """Return the tensors, with matrices of the shape (K, 4H) taken in the order they lie in."""
    tensors = checkpoint.tensors
    if find_cells(tensors, dialect):
        return tensors, []
    reshaped = {
        name: array.reshape(array.shape[::-1])
        if name.rpartition(".")[2].startswith(WEIGHTS) and array.ndim == 2
        else array
        for name, array in tensors.items()
    }
    if find_cells(reshaped, dialect):
        return reshaped, ["its matrices have the shapes (I, 4H) and (H, 4H)"]
    return tensors, []


def _of_object(
    label: Label, given: str, thing: object, cell: str | None, *, perhaps: bool
) -> Claim:
    if isinstance(thing, Weights):
        return Claim(label, given, "weights", "(root)", ("(root)",), None, thing, {}, None)
    live = look_at(thing)
    if cell is not None:
        inside = dict(live.children())
        if cell not in inside and perhaps:
            cell = None
        elif cell not in inside:
            held = f"it holds {_list(inside)}" if inside else "it holds no modules"
            raise WhichCellError(f"`{label}` ({given}): no module called {cell!r}; {held}.")
        else:
            thing = inside[cell]
            live = look_at(thing)
    weights, names = _weights_in(live)
    kinds = {dtype_name(array.dtype) for array in live.tensors.values()} & set(FLOAT_NAMES)
    return Claim(
        label,
        given,
        "callable" if live.framework is None and weights is None else "module",
        cell or say_class(thing),
        (cell or say_class(thing),),
        live.framework,
        weights,
        names,
        kinds.pop() if len(kinds) == 1 else None,
        live=live,
        thing=thing,
    )


def _weights_in(live: Live) -> tuple[Weights | None, Mapping[str, str]]:
    """Return the one cell among the object's parameters, by canonical names, if there is one."""
    dialect = live.framework or TORCH.name
    sites = find_cells(live.tensors, dialect)
    if len(sites) != 1 or sites[0].layer is not None:
        return None, {}
    names = {n: name for n, name in sites[0].names(dialect).items() if name in live.tensors}
    weights = sites[0].weights(live.tensors, dialect)
    # Parameters that are computed at each call cannot be set.
    return (weights, names) if names.keys() == weights.arrays().keys() else (None, {})


def not_a_cell(claim: Claim, why: str) -> NotACellError:
    """Return the error for an object whose call is not a cell's; names the cells inside it."""
    inside = []
    if claim.live is not None:
        inside = [name for name, child in claim.live.children() if look_at(child).trusted]
    hint = f" It holds cells: {_list(inside)}; choose one." if inside else ""
    if type(claim.thing).__name__ == "LSTM" and claim.framework is not None:
        hint = (
            " This is a layer over sequences: save its state to a file and give that; every cell "
            "in the file is compared."
        )
    return NotACellError(
        f"`{claim.label}` ({claim.given}) is no cell: cell(x, (h, c)) must return (h', c'), "
        f"both (N, H); {why}.{hint}"
    )


def _choose(label: Label, given: str, names: list[str], cell: str | None) -> str:
    if cell is None and len(names) == 1:
        return names[0]
    if cell is None:
        raise WhichCellError(
            f"`{label}` ({given}) holds {len(names)} cells: {_list(names)}; say which (--cell)."
        )
    if cell not in names:
        raise WhichCellError(f"`{label}` ({given}) has no cell {cell!r}; it has {_list(names)}.")
    return cell


def file_facts(path: Path, name: Path, dialect: str, kind: str) -> FileFacts:
    """Return the size and digest of the file at `path`, to be reported under `name`.

    Of a checkpoint in several files they are those of all, one after the other.
    """
    digest, size = hashlib.sha256(), 0
    for file in read_from(path):
        for chunk in chunks(file):
            digest.update(chunk)
            size += len(chunk)
    return FileFacts(name, dialect, kind, size, digest.hexdigest())


def chunks(path: Path) -> Iterator[bytes]:
    """Yield the content of a file in pieces."""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _list(names: Iterable[str]) -> str:
    every = [f"`{name}`" for name in names]
    more = f" and {len(every) - _NAMED} more" if len(every) > _NAMED else ""
    return ", ".join(every[:_NAMED]) + more if every else "nothing"

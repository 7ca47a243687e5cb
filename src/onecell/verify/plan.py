"""What a port will do, decided and checked before anything is written."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from onecell.checkpoint import Checkpoint, Conversion, Note, convert, load_checkpoint
from onecell.checkpoint.atomic import check_output
from onecell.checkpoint.choose import choose
from onecell.checkpoint.files import PORTED, SUFFIXES, keepable, located, written
from onecell.checkpoint.formats.sharded import called
from onecell.checkpoint.formats.tensorflow.checkpoint import ADDS_NOTHING
from onecell.checkpoint.optimizer_carry import carry
from onecell.checkpoint.pickles.plain import PLAIN, chosen
from onecell.dialect import FRONT_ENDS, Dialect, get_dialect, get_front_end
from onecell.errors import ArgumentError, CheckpointError, NothingToDoError
from onecell.neighbours import may_have_other_shape, uncounted
from onecell.text import listed, short
from onecell.verify.quantities.columns import Cell, Column, choose_columns
from onecell.verify.sides import get_side

OWN_SUFFIX: Final[Mapping[str, str]] = {name: row.suffix for name, row in FRONT_ENDS.items()}
"""Dialect → suffix of a ported file, unless another is asked for."""

Shape = tuple[int, ...]
Rename = Callable[
    [Mapping[str, Shape], str], tuple[Mapping[str, str], Mapping[str, Shape], Collection[str]]
]
"""Told the shapes in a checkpoint by name and its dialect, returns old → new name for some of them,
old name → new shape, and the names of what is left behind."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """One port, ready to be carried out."""

    model: Path
    checkpoint: Checkpoint
    source: str
    """Dialect of `model`."""
    conversion: Conversion
    to: str
    """Dialect of the new file."""
    target: Path
    report: Path
    force: bool
    columns: tuple[Column, ...]
    left_out: Mapping[str, str]
    runs_on: Cell
    reshaped: Mapping[str, Shape]
    """Old name → new shape of the other layers' tensors that have another in `to`."""
    perhaps: tuple[str, ...]
    """Tensors that may have another shape in `to`: nobody told which layer they belong to."""
    suffix: str = ""
    """Of the new format, whatever `target` is called."""
    unchosen: tuple[str, ...] = ()
    """Tensors and plain values that `only` and `drop` leave out; `checkpoint` is without them."""
    counters: tuple[str, ...] = ()
    """Counters of norms, which `to` does not keep; `checkpoint` is without them."""

    @property
    def libraries(self) -> frozenset[str]:
        """The frameworks that the sides of the proof will import."""
        libraries = (get_side(column.side).library for column in self.columns)
        return frozenset(library for library in libraries if library is not None)


def plan_port(
    model: str | os.PathLike[str],
    to: str,
    out: str | os.PathLike[str] = ".",
    *,
    source: str | None = None,
    suffix: str | None = None,
    name: str | None = None,
    force: bool = False,
    sides: Sequence[str] | None = None,
    rename: Rename | None = None,
    attributes: Mapping[str, str] = MappingProxyType({}),
    need_cell: bool = True,
    runs_on: Cell = "onecell",
    only: Sequence[str] = (),
    drop: Sequence[str] = (),
) -> Plan:
    """Read `model`, convert it in memory and check that the result can be written and proved.

    Args:
        model: a checkpoint: .pt, .pth, .ckpt, .safetensors or .npz.
        to: the dialect of the new file.
        out: folder for the new file and its report; made if it is not there.
        source: the dialect of `model`, where the file itself does not tell.
        suffix: of the new file, one of `checkpoint.files.PORTED`; None for what `to` itself uses.
        name: what the new file is called, if not as `model` with `suffix`.
        force: replace files that are there.
        sides: see `choose_columns`.
        rename: told the shapes in `model` by name and its dialect, says what other layers' tensors
            are to be called and how they are shaped; None where they stay as they are.
        attributes: parts of dotted names, of cells too, that are called anew in the new file.
        need_cell: refuse a checkpoint without any LSTM cell.
        runs_on: see `choose_columns`.
        only: see `checkpoint.choose.choose`.
        drop: the same.

    Raises:
        ArgumentError: an argument is not one of its values, or the file does not tell its dialect.
        CheckpointError: `model` cannot be read, or holds no cell and `need_cell` is set.
        NothingToDoError: `model` is of the dialect `to` already, and neither `source` nor a
            `suffix` of another format says that it is to be written anew all the same.
        OutputExistsError: a file to be written is there and `force` is not set.
        OSError: `out` cannot be made.
        MissingExtraError: the framework of a side in `sides` is not installed.
    """
    model, out, to = Path(model), Path(out), get_front_end(to).name
    if suffix is not None and suffix not in PORTED:
        raise ArgumentError(f"`suffix` must be one of {', '.join(PORTED)}, got {suffix!r}.")
    checkpoint = read_checkpoint(model)
    dialect = source_dialect(checkpoint, source, model)
    if dialect not in FRONT_ENDS:
        raise ArgumentError(
            f"{model}: it is {dialect}'s, whose cell is not run here; a port is from or to "
            f"{' and '.join(FRONT_ENDS)}. Convert it first: `onecell convert`."
        )
    another = suffix is not None and SUFFIXES[suffix] != checkpoint.format
    suffix = suffix or OWN_SUFFIX[to]
    if dialect == to and source is None and not another:
        raise NothingToDoError(
            f"{model}: a {checkpoint.format} file of {to}'s, which is what you ask for: there is "
            f"nothing to port. To have it written anew and proved all the same, as one flat "
            f"dictionary of tensors, say --from {to}; for another format of {to}'s, --format."
        )
    checkpoint, unchosen = choose(checkpoint, dialect, only=only, drop=drop)
    checkpoint = _called_anew(checkpoint, attributes)
    columns, left_out = choose_columns(dialect, to, sides, runs_on=runs_on)
    shapes = {name: array.shape for name, array in checkpoint.tensors.items()}
    renames: Mapping[str, str] = {}
    told: Mapping[str, Shape] = {}
    counters: Collection[str] = uncounted(shapes, dialect, to)
    if rename is not None:
        renames, told, counters = rename(shapes, dialect)
    kept = {name: array for name, array in checkpoint.tensors.items() if name not in counters}
    checkpoint = replace(checkpoint, tensors=kept)
    conversion = convert_tensors(model, checkpoint, dialect, to, renames)
    carried = frozenset(conversion.carried)
    reshaped = {old: shape for old, shape in told.items() if old in carried}
    for old, shape in reshaped.items():
        new = conversion.renamed.get(old, old)
        conversion.tensors[new] = conversion.tensors[new].reshape(shape)
    if dialect != to and SUFFIXES[suffix] == "ckpt" and checkpoint.plain:
        checkpoint = carry_optimizers(checkpoint, conversion)
    if need_cell and not conversion.cells:
        raise CheckpointError(f"{model}: {say_no_cell(checkpoint, conversion.notes)}")
    out.mkdir(parents=True, exist_ok=True)
    target, report = (out / called(Path(model.name), each) for each in (suffix, ".proof.json"))
    target = out / name if name is not None else target
    for path in (target, report):
        check_apart(path, model)
        check_output(path, force=force)
    return Plan(
        model=model,
        checkpoint=checkpoint,
        source=dialect,
        conversion=conversion,
        to=to,
        target=target,
        suffix=suffix,
        report=report,
        force=force,
        columns=columns,
        left_out=left_out,
        runs_on=runs_on,
        reshaped=reshaped,
        unchosen=tuple(unchosen),
        counters=tuple(counters),
        perhaps=tuple(
            name
            for name in conversion.carried
            if rename is None
            and dialect != to
            and name.rpartition(".")[2] == "weight"
            and may_have_other_shape(shapes[name], dialect)
        ),
    )


def carry_optimizers(checkpoint: Checkpoint, conversion: Conversion) -> Checkpoint:
    """Put what torch's optimizers have gathered into a conversion to MindSpore's form.

    Returns:
        `checkpoint`, with the rates where MindSpore's optimizers are given them.
    """
    shaped = {}
    for name in checkpoint.tensors:
        new = conversion.renamed.get(name, name)
        if name not in conversion.left and new in conversion.tensors:
            shaped[name] = new, conversion.tensors[new].shape
    found = carry(checkpoint.tensors, shaped, checkpoint.plain)
    conversion.tensors.update(found.tensors)
    conversion.left[:] = [name for name in conversion.left if name not in found.taken]
    return replace(checkpoint, plain=found.plain)


def read_checkpoint(path: Path) -> Checkpoint:
    """Return `load_checkpoint(path)`; a file that cannot be opened is a `CheckpointError` too."""
    try:
        return load_checkpoint(path)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}.") from error


def _called_anew(checkpoint: Checkpoint, attributes: Mapping[str, str]) -> Checkpoint:
    """Return a checkpoint whose tensors' names have other parts; the last part is one as well."""
    if not attributes:
        return checkpoint
    tensors = {
        ".".join(attributes.get(part, part) for part in name.split(".")): array
        for name, array in checkpoint.tensors.items()
    }
    return replace(checkpoint, tensors=tensors)


def convert_tensors(
    path: Path,
    checkpoint: Checkpoint,
    source: str | Dialect,
    to: str | Dialect,
    renames: Mapping[str, str] | None = None,
) -> Conversion:
    """Return `convert` of the tensors of `path`; a `CheckpointError` names the file."""
    try:
        return convert(checkpoint.tensors, source, to, renames, checkpoint.metadata)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error


def check_offsets(checkpoint: Checkpoint, forget_bias: float | None, path: Path) -> None:
    """Raise `ArgumentError` if a forget bias is said of a file that tells what its cell adds."""
    said = [name for name, remark in checkpoint.remarks.items() if remark == ADDS_NOTHING]
    if said and forget_bias not in {None, 1.0}:
        raise ArgumentError(
            f"{path}: `{short(said[0])}` adds nothing to its forget gate, and is read so; leave "
            f"--forget-bias out."
        )


def source_dialect(checkpoint: Checkpoint, given: str | None, path: Path) -> str:
    """Return the dialect that was given, or else the one that the file tells.

    Raises:
        ArgumentError: neither is there, the one given does not exist, or the two contradict.
        CheckpointError: it is no framework's.
    """
    if checkpoint.frozen:
        raise CheckpointError(
            f"{path}: it holds {checkpoint.frozen}, and no framework's weights. To move these, "
            "say FrozenCell.load(path).weights, or take the live cell that it was made from."
        )
    if given is not None:
        row = get_dialect(given)
        named = row.name
        # The tensors of a graph may have kept the names of where they are from.
        if checkpoint.dialect not in (None, named, row.inside) and checkpoint.format != "onnx":
            raise ArgumentError(
                f"{path}: the file itself says that it is {checkpoint.dialect}'s "
                f"({checkpoint.format}), not {named}'s (--from, `source=`); leave that out."
            )
        return named
    if checkpoint.dialect is None:
        raise ArgumentError(
            f"{path}: the file does not tell which framework wrote it; say it, for example "
            "`--from torch` (in Python `source=`)."
        )
    return checkpoint.dialect


def check_apart(target: Path, source: Path) -> None:
    """Raise `ArgumentError` if writing `target` would replace `source`, even where forced."""
    read = located(source)
    if read.exists() and any(each.exists() and each.samefile(read) for each in written(target)):
        raise ArgumentError(f"{target}: the result would replace the file that it is made from.")


def split_metadata(
    checkpoint: Checkpoint, suffix: str, conversion: Conversion
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the metadata that a file of a format can keep, and the names of what it cannot.

    Among these is what no checkpoint can hold. What `conversion` leaves behind is in neither.
    """
    kind = SUFFIXES.get(suffix, "")
    left = set(conversion.left)
    if kind == "ckpt" and checkpoint.plain:
        text = chosen(checkpoint.plain, checkpoint.metadata.keys() - left)
        gone = tuple(name for name in checkpoint.left_out if name not in left)
        return ({} if text == "{}" else {PLAIN: text}), gone
    kept, dropped = keepable(checkpoint.metadata, conversion.tensors, kind)
    kept = {name: text for name, text in kept.items() if name not in left}
    return kept, tuple(n for n in (*dropped, *checkpoint.left_out) if n not in left)


def say_no_cell(checkpoint: Checkpoint, notes: Sequence[Note]) -> str:
    """Say what is there instead of a cell."""
    if checkpoint.frozen:
        return f"it holds {checkpoint.frozen}, whose weights no other side reads."
    why = f" {notes[0]}." if notes else ""
    return f"it holds no LSTM cell, only {listed(checkpoint.tensors) or 'nothing'}.{why}"

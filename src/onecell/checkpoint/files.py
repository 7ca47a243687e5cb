"""Load and save checkpoints: which format a file has, and what its reader or writer does."""

from __future__ import annotations

import glob
import itertools
import os
import stat
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from onecell.checkpoint.atomic import write_both, write_whole
from onecell.checkpoint.content import (
    Checkpoint,
    check_length,
    check_name,
    check_tensors,
    check_texts,
    is_text,
    told_by_text,
)
from onecell.checkpoint.formats import mindspore_ckpt, npz, safetensors
from onecell.checkpoint.formats.coreml.model import PACKAGE, read_package
from onecell.checkpoint.formats.keras import files as keras_files
from onecell.checkpoint.formats.orbax.folder import find_item, is_orbax
from onecell.checkpoint.formats.orbax.folder import read_folder as read_orbax
from onecell.checkpoint.formats.paddle import inference as paddle_inference
from onecell.checkpoint.formats.paddle import params as paddle_params
from onecell.checkpoint.formats.protobuf import LONGEST_TEXT
from onecell.checkpoint.formats.sharded import (
    files_of,
    is_distributed,
    is_index,
    read_index,
    refuse_part,
)
from onecell.checkpoint.formats.table import FORMATS, Form
from onecell.checkpoint.formats.tensorflow.bundle import INDEX
from onecell.checkpoint.formats.tensorflow.checkpoint import locate
from onecell.checkpoint.formats.torch import archive, export, legacy
from onecell.checkpoint.formats.torch.distributed import read_folder
from onecell.checkpoint.formats.zipped import open_members
from onecell.checkpoint.limits import Budget
from onecell.dialect import DIALECTS, get_dialect
from onecell.errors import ArgumentError, CheckpointError, UnsafeCheckpointError
from onecell.text import listed, short

PORTED: Final[Mapping[str, str]] = {
    ".pt": "pt",
    ".pth": "pt",
    ".safetensors": "safetensors",
    ".ckpt": "ckpt",
    ".npz": "npz",
}
"""Suffix → format, of files that a framework with a front end reads."""

SUFFIXES: Final[Mapping[str, str]] = {
    **PORTED,
    **{suffix: row.name for row in FORMATS.values() for suffix in row.suffixes},
}
"""Suffix → format. It decides what is written; what is read is told by the content."""

OWNERS: Final = {kind: row.name for row in DIALECTS.values() for kind in row.formats}
"""Format → the one framework that reads it."""

_NO_METADATA: Final = {"pt", *(row.name for row in FORMATS.values() if not row.metadata)}
"""The formats that have no place for metadata."""

_ONE_NAMESPACE: Final = {"ckpt", "npz"}
"""The formats in which tensors and metadata lie side by side."""

_LONGEST_NAME: Final = {"ckpt": LONGEST_TEXT, "npz": 2**16 - 1 - len(npz.SUFFIX)}
"""Format → the most bytes that a name can have."""

_UNZIPPED: Final[Mapping[str | None, Callable[[BinaryIO, Budget], Checkpoint]]] = {
    "safetensors": safetensors.read,
    "pt": legacy.read,
    "ckpt": mindspore_ckpt.read,
    "pdiparams": paddle_inference.read,
}
"""Format → reader of a file that is no zip file."""

_KNOWN: Final = ", ".join(SUFFIXES)

WRITTEN: Final = tuple(
    suffix
    for suffix, kind in SUFFIXES.items()
    if kind not in FORMATS or not FORMATS[kind].read_only
)
"""The suffixes of files that are written here."""


def load_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Read every tensor of a checkpoint file, without its framework and without running any of it.

    The format is told by the content, so a torch file called .ckpt is read as one. Reading takes
    at most a small multiple of the size of the file (`limits`). What is no tensor, plain value or
    text is left out and named in the result. Of a checkpoint in several files `path` is the index;
    see `sharded`; of TensorFlow's it may be the prefix, its folder, or that of a SavedModel.

    Raises:
        UnsafeCheckpointError: the file asks for more than tensors: code, a key, too much memory.
        CheckpointError: it is damaged, of no format that is known here, or a part of a checkpoint.
        OSError: it cannot be opened.
    """
    path = located(Path(path))
    kind = path.stat().st_mode
    if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
        raise CheckpointError(f"{path}: it is a device or a pipe, not a file.")
    try:
        if is_distributed(path) or is_orbax(path):
            checkpoint = (read_folder if is_distributed(path) else read_orbax)(path)
            _check_text(checkpoint)
            return checkpoint
        if path.suffix == PACKAGE and path.is_dir():
            checkpoint = read_package(path)
            _check_text(checkpoint)
            return checkpoint
        refuse_part(path)
        return read_index(path, _load) if is_index(path) else _load(path)
    except CheckpointError as error:
        raise type(error)(f"{path}: {error}") from error


def located(path: Path) -> Path:
    """Return the file or folder to be read of what a person calls a checkpoint."""
    try:
        return locate(path)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error


def _load(path: Path) -> Checkpoint:
    """Read one file, whether it is the whole of a checkpoint or not."""
    if not path.is_file() and path.exists():
        raise CheckpointError(f"`{short(path.name)}` is no file.")
    with path.open("rb") as file:
        checkpoint = _read(file, os.fstat(file.fileno()).st_size, path.suffix)
        _check_text(checkpoint)
    return checkpoint


def _read(file: BinaryIO, size: int, suffix: str) -> Checkpoint:
    """Read a file by what it begins with; the suffix only helps to say what is wrong."""
    if not size:
        raise CheckpointError("it is empty.")
    budget = Budget(size)
    start = file.read(9)
    if not start:  # as files of the kernel, which have a size and no content
        raise CheckpointError(f"it is empty, although it is said to have {size} bytes.")
    file.seek(0)
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        with open_members(file, budget) as members:
            archive.refuse_package(members)
            if export.is_export(members):
                return export.read(members, budget)
            if archive.is_torch(members):
                return archive.read(members, budget)
            if keras_files.is_keras(members):
                return keras_files.read_members(members, budget)
            return npz.read(members, budget)
    if start[0] in mindspore_ckpt.ENCRYPTED and start[1:4] == mindspore_ckpt.ENCRYPTED_REST:
        raise UnsafeCheckpointError(
            f"it is encrypted by MindSpore ({mindspore_ckpt.ENCRYPTED[start[0]]}). Load it there "
            f"with `dec_key` and save it without `enc_key`."
        )
    paddle_params.refuse_others(suffix)
    told = next((row for row in FORMATS.values() if row.tells(start, suffix)), None)
    try:
        return _unzipped(file, start, suffix, budget) if told is None else told.read(file, budget)
    except UnsafeCheckpointError:
        raise
    except CheckpointError:
        file.seek(0)
        if (told is None or not told.is_text) and (said := told_by_text(file.read(512))):
            raise CheckpointError(said) from None
        raise


def _unzipped(file: BinaryIO, start: bytes, suffix: str, budget: Budget) -> Checkpoint:
    """Read a file that no row of the table tells by its beginning."""
    for kind, told in (
        ("pdiparams", suffix == ".pdiparams"),
        ("safetensors", start[8:] == b"{"),
        ("pt", start[:1] == b"\x80"),
        ("ckpt", start[:1] == b"\x0a"),
        (SUFFIXES.get(suffix), True),
    ):
        if told and kind in _UNZIPPED:
            return _UNZIPPED[kind](file, budget)
    raise CheckpointError(f"it begins with {start!r}, which none of {_KNOWN} does.")


def _check_text(checkpoint: Checkpoint) -> None:
    """Refuse names that could not be written or printed again, and leave out such texts."""
    for name in [name for name, text in checkpoint.metadata.items() if not is_text(text)]:
        del checkpoint.metadata[name]
        checkpoint.left_out[name] = "text that is no Unicode, or holds a NUL character"
    try:
        for name in itertools.chain(
            checkpoint.tensors, checkpoint.metadata, checkpoint.left_out, checkpoint.remarks
        ):
            check_name(name)
    except ArgumentError as error:
        raise CheckpointError(f"it holds text that is none: {error}") from error


def save_checkpoint(
    path: str | os.PathLike[str],
    tensors: Mapping[str, np.ndarray],
    *,
    dialect: str | None = None,
    format: str | None = None,  # noqa: A002 - the word that callers know
    metadata: Mapping[str, str] | None = None,
    force: bool = False,
    form: Form | None = None,
) -> None:
    """Write a checkpoint file, whole or not at all; every bit of every tensor is kept.

    Some formats are two files, the second beside the first under its name (`atomic.write_both`).

    Args:
        path: the file; its suffix says the format.
        tensors: name → array; bfloat16 under `dtypes.BFLOAT16` or as ml_dtypes has it.
        dialect: the framework whose names these are; noted where the format has a place for it.
        format: one of `SUFFIXES`' values, against the suffix.
        metadata: text to be kept beside the tensors. A .pt file has no place for it that
            `load_state_dict` would accept.
        force: replace a file that is there.
        form: of a graph that runs (.onnx, .xml): "step" or "sequence"; None for steps of what is
            a cell and sequences of what is a layer.

    Raises:
        OutputExistsError: a file is there and `force` is not set.
        ArgumentError: no format is known for the suffix, the format is another framework's, or
            it cannot hold a name or the metadata, or is read only.
        DtypeError: the format has no such element type.
        OSError: the folder or the disk refuses.
    """
    kind = _choose_format(path, format)
    other = FORMATS.get(kind)
    if other is not None and other.read_only:
        raise ArgumentError(other.read_only)
    named = None if dialect is None else get_dialect(dialect)
    row = None if named is None else named.name
    if named is not None and OWNERS.get(kind, named.name) not in {named.name, named.inside}:
        raise ArgumentError(
            f"`dialect` is {row!r}, and only {OWNERS[kind]} reads the format {kind!r}; "
            f"write .safetensors or .npz instead."
        )
    texts = check_texts(metadata or {})
    if placeless := _placeless(texts, kind):
        raise ArgumentError(
            f"`metadata` must be empty for .{kind}, got {listed(placeless)}; "
            f".safetensors, .ckpt and .npz have a place for it."
        )
    if kind == "safetensors" and (mark := safetensors.RESERVED & texts.keys()):
        raise ArgumentError(
            f"`metadata` of a safetensors file cannot have the name `{min(mark)}`: it means "
            f"something else there."
        )
    if kind == "ckpt" and not tensors and not texts:
        raise ArgumentError("`tensors` must not be empty: a .ckpt file of nothing is no file.")
    if both := sorted(texts.keys() & tensors.keys()) if kind in _ONE_NAMESPACE else []:
        raise ArgumentError(
            f"`{short(both[0])}` names a tensor and metadata, which {path} cannot tell."
        )
    checked = check_tensors(tensors)
    if kind in _LONGEST_NAME:
        for name in (*checked, *texts):
            check_length(name, _LONGEST_NAME[kind], kind)

    def write(file: BinaryIO) -> None:
        if kind == "pt":
            archive.write(file, checked)
        elif kind == "ckpt":
            mindspore_ckpt.write(file, checked, texts)
        elif kind == "npz":
            npz.write(file, checked, texts, row)
        elif other is not None and other.write is not None:
            other.write(file, checked, texts, form)
        else:
            safetensors.write(file, checked, texts, row)

    if other is not None and (two := other.write_both) is not None:
        beside = Path(path).with_suffix(other.beside)
        write_both(path, beside, lambda f, b: two(f, b, checked, texts, form), force=force)
    else:
        write_whole(path, write, force=force)


def read_from(path: Path) -> list[Path]:
    """Return the files that a checkpoint is made of, what tells of the others first.

    Errors are those of `located`, and of looking for what lies in a folder.
    """
    path = located(path)
    if is_distributed(path) or is_index(path):
        return files_of(path)
    if path.is_dir():
        folder = find_item(path) if is_orbax(path) else path
        return sorted(each for each in folder.rglob("*") if each.is_file())
    if path.suffix == INDEX:
        shards = path.parent.glob(f"{glob.escape(path.stem)}.data-*-of-*")
        return [path, *sorted(shards)]
    return [path, *(each for each in written(path)[1:] if each.is_file())]


def written(path: str | os.PathLike[str]) -> list[Path]:
    """Return the files that saving to `path` makes."""
    row = FORMATS.get(SUFFIXES.get(Path(path).suffix, ""))
    beside = [Path(path).with_suffix(row.beside)] if row is not None and row.beside else []
    return [Path(path), *beside]


def keepable(
    metadata: Mapping[str, str], tensors: Collection[str], kind: str
) -> tuple[dict[str, str], list[str]]:
    """Return what a file of format `kind` can keep of `metadata`, and the names of what it cannot.

    It cannot where the format has no place, where the name is too long for it, or where it means
    something else there: a tensor, the format's own mark, a checksum.
    """
    taken: Collection[str] = safetensors.RESERVED if kind == "safetensors" else tensors
    if kind in _NO_METADATA:
        taken = _placeless(metadata, kind)
    longest = _LONGEST_NAME.get(kind)
    kept = {
        name: text
        for name, text in metadata.items()
        if name not in taken and (longest is None or len(name.encode()) <= longest)
    }
    return kept, [name for name in metadata if name not in kept]


def _placeless(names: Iterable[str], kind: str) -> list[str]:
    """Return which texts a file of format `kind` has no place for."""
    if kind not in _NO_METADATA:
        return []
    known = FORMATS[kind].texts if kind in FORMATS else frozenset()
    return [name for name in names if name not in known]


def _choose_format(path: str | os.PathLike[str], named: str | None) -> str:
    """Return the format that the caller or the suffix names."""
    if named is not None:
        if named not in SUFFIXES.values():
            known = ", ".join(dict.fromkeys(SUFFIXES.values()))
            raise ArgumentError(f"`format` must be one of {known}, got {named!r}.")
        return named
    suffix = Path(path).suffix
    if suffix not in SUFFIXES:
        known = ", ".join(WRITTEN)
        raise ArgumentError(f"`path` must end in one of {known}, got {suffix!r}; or say `format`.")
    return SUFFIXES[suffix]

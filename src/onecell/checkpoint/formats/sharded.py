"""A checkpoint in several files, and the index that says which tensor lies in which.

An index is JSON, `{"metadata": {…}, "weight_map": {tensor: file}}`: `model.safetensors.index.json`
and `pytorch_model.bin.index.json` as Hugging Face's libraries write them, `param_name_map.json` as
MindSpore does. The files lie beside it. One of them alone is a part of a model that looks like a
whole: it is refused, and the index named.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container, Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np

from onecell.checkpoint.content import Checkpoint
from onecell.checkpoint.formats.json_text import unique
from onecell.errors import CheckpointError
from onecell.text import listed, short

INDEX: Final = ".index.json"
_MINDSPORE: Final = "param_name_map.json"
_LARGEST: Final = 32 * 2**20
"""Bytes of an index; a hundred thousand tensors take a tenth of it."""
_CONTAINERS: Final = 8
"""An index has three braces; it takes no more than this."""

_STRING: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_SHARD: Final = re.compile(r"(?P<stem>.+)-(?P<number>\d{1,6})-of-(?P<all>\d{1,6})(?P<suffix>\.\w+)")
DISTRIBUTED: Final = "Give the folder, in which `.metadata` says what lies where"
"""Of one file of a torch.distributed.checkpoint."""

METADATA: Final = ".metadata"
"""The index of a torch.distributed.checkpoint; see `distributed`."""
PART: Final = ".distcp"

TARRED: Final = (".pth.tar", ".pt.tar")
"""How many call a file of torch's, which is no archive."""


def is_index(path: Path) -> bool:
    """Whether a path has the name of an index."""
    return path.name.endswith(INDEX) or path.name == _MINDSPORE


def is_distributed(path: Path) -> bool:
    """Whether a path is a folder that is a torch.distributed.checkpoint."""
    return path.is_dir() and (path / METADATA).is_file()


def plain_stem(path: Path) -> str:
    """Return the name of a checkpoint without what says its format: "model" of an index too."""
    name = path.name.removesuffix(INDEX)
    return Path(name.removesuffix(".tar") if name.endswith(TARRED) else name).stem


def called(path: Path, suffix: str) -> Path:
    """Return what a checkpoint at `path` is called in another format, "model.ckpt" for an index."""
    return path.with_name(plain_stem(path) + suffix)


def goes_by(path: Path, suffix: str, known: Container[str]) -> Path:
    """Return what a checkpoint of a project is called in another format.

    A program that calls it by a suffix that tells no format finds it by the same name.
    """
    told = path.suffix in known or is_index(path) or path.name.endswith((*TARRED, PART))
    return called(path, suffix) if told else path


def files_of(path: Path) -> list[Path]:
    """Return the files that a checkpoint is made of, the index first where there is one."""
    if is_distributed(path):
        return [path / METADATA, *sorted(p for p in path.glob(f"*{PART}") if p.is_file())]
    if not is_index(path):
        return [path]
    return [path, *(path.with_name(file) for file in dict.fromkeys(_read_map(path).values()))]


def refuse_part(path: Path) -> None:
    """Raise `CheckpointError` if `path` is a part of a checkpoint, and say where the whole is."""
    if path.is_dir():
        raise CheckpointError(f"it is a folder{_say_folder(path)}.")
    if path.suffix == PART or path.name == METADATA:
        raise CheckpointError(
            f"it is one part of a torch.distributed.checkpoint, which is a folder. {DISTRIBUTED}."
        )
    match = _SHARD.fullmatch(path.name)
    if match and int(match["all"]) > 1:
        index = path.with_name(f"{match['stem']}{match['suffix']}{INDEX}")
        there = "is there" if index.exists() else "belongs to it"
        raise CheckpointError(
            f"it is shard {int(match['number'])} of {int(match['all'])} of a checkpoint, and half "
            f"a model looks like a whole. Give the index, `{short(index.name)}`, which {there}."
        )
    for index in _indexes(path.parent):
        try:
            files = set(_read_map(index).values())
        except (CheckpointError, OSError):
            continue
        if path.name in files and len(files) > 1:
            raise CheckpointError(
                f"it is one of {len(files)} shards of a checkpoint, and half a model looks like a "
                f"whole. Give the index, `{short(index.name)}`."
            )


def read_index(path: Path, load: Callable[[Path], Checkpoint]) -> Checkpoint:
    """Return what the files of an index hold together, in the order of the index.

    Args:
        path: the index.
        load: what reads one of the files.

    Raises:
        CheckpointError: the index or a file is damaged, a file lies outside of the folder, a
            tensor is missing, in two files, or in a file and not in the index.
        OSError: the index cannot be opened.
    """
    places = _read_map(path)
    parts: dict[str, Checkpoint] = {}
    for file in dict.fromkeys(places.values()):
        try:
            parts[file] = load(path.with_name(file))
        except CheckpointError as error:
            raise type(error)(f"`{short(file)}`: {error}") from error
        except FileNotFoundError:
            raise CheckpointError(f"`{short(file)}`, which it names, is not there.") from None
        except OSError as error:
            why = error.strerror or error
            raise CheckpointError(f"`{short(file)}` cannot be read: {why}.") from error
    tensors: dict[str, np.ndarray] = {}
    for name, file in places.items():
        if name not in parts[file].tensors:
            raise CheckpointError(f"`{short(name)}` is not in `{short(file)}`, as it says.")
        tensors[name] = parts[file].tensors[name]
    for file, part in parts.items():
        if unlisted := [name for name in part.tensors if places.get(name) != file]:
            raise CheckpointError(
                f"`{short(file)}` holds {listed(unlisted)}, which it does not list there."
            )
    first, *others = parts.values()
    if differing := {(p.format, p.dialect) for p in others} - {(first.format, first.dialect)}:
        raise CheckpointError(
            f"its files are not of one kind: {(first.format, first.dialect)} and {min(differing)}."
        )
    left_out = {f"{n} ({f})": what for f, p in parts.items() for n, what in p.left_out.items()}
    return Checkpoint(tensors, first.format, first.dialect, dict(_metadata(parts)), left_out)


def _metadata(parts: Mapping[str, Checkpoint]) -> Iterator[tuple[str, str]]:
    """Yield what the files say besides tensors; what they do not agree in, by file."""
    said: dict[str, set[str]] = {}
    for part in parts.values():
        for name, text in part.metadata.items():
            said.setdefault(name, set()).add(text)
    for file, part in parts.items():
        for name, text in part.metadata.items():
            yield (name if len(said[name]) == 1 else f"{name} ({file})"), text


def _read_map(path: Path) -> dict[str, str]:
    """Return tensor → file as an index says it."""
    if path.stat().st_size > _LARGEST:
        raise CheckpointError(f"an index of more than {_LARGEST} bytes is not read.")
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise CheckpointError(f"it is no UTF-8 text: {error}.") from None
    outside = _STRING.sub("", text)
    if outside.count("{") + outside.count("[") > _CONTAINERS:
        raise CheckpointError('it is no index, {"weight_map": {tensor: file}}: it is nested more.')
    try:
        tree = json.loads(text, object_pairs_hook=unique)
    except ValueError as error:
        raise CheckpointError(f"it is no index in JSON: {error}.") from None
    places = tree.get("weight_map", tree) if isinstance(tree, dict) else None
    if not isinstance(places, dict) or not places:
        raise CheckpointError('it is no index, {"weight_map": {tensor: file}}.')
    for name, file in places.items():
        if (
            not isinstance(file, str)
            or not file
            or file in {".", ".."}
            or set(file) & set("/\\\0:")
        ):
            raise CheckpointError(
                f"it says that `{short(name)}` lies in {short(repr(file))}, which is no file "
                f"beside it."
            )
    return places


def _indexes(folder: Path) -> Iterator[Path]:
    """Yield the indexes in a folder."""
    try:
        yield from sorted(path for path in folder.iterdir() if is_index(path))
    except OSError:
        return


def _say_folder(path: Path) -> str:
    """Say what of a folder can be read."""
    if indexes := [each.name for each in _indexes(path)]:
        return f"; give the index in it, {listed(indexes)}"
    return ", not a file"

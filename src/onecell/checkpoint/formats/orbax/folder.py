"""Read an Orbax folder: every array of the tree that was saved, by its keys with dots between.

The names are those of the arrays themselves, so nothing in `_METADATA` has to be believed. Where
they lie in a database (OCDBT), that is opened over a copy of the folder's files in memory: whatever
its nodes name, nothing outside of the folder can be read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from onecell.checkpoint.content import Checkpoint
from onecell.checkpoint.formats.json_text import parse_json
from onecell.checkpoint.formats.onnx.tensors import inside
from onecell.checkpoint.formats.orbax.library import library
from onecell.checkpoint.formats.orbax.zarr import Store, read_array
from onecell.checkpoint.formats.orbax.zarr_head import HEADS
from onecell.checkpoint.formats.tree_names import framework_of
from onecell.checkpoint.limits import Budget, read_bytes
from onecell.errors import CheckpointError
from onecell.text import listed, short

METADATA: Final = "_METADATA"
_ITEM: Final = "_CHECKPOINT_METADATA"
_DATABASE: Final = "manifest.ocdbt"
_TEXTS: Final = "_strings.json"
_STEP: Final = re.compile(r"(?:.*_)?(\d{1,18})")
_DATA: Final = re.compile(r"(?:manifest\.ocdbt|(?:ocdbt\.process_\d+/|d/).*)", re.DOTALL)
_ENTRY: Final = 300
_LARGEST_METADATA: Final = 64 * 2**20


def is_orbax(path: Path) -> bool:
    """Whether a path is a folder that Orbax has written, or one with steps of it."""
    return path.is_dir() and (_is_item(path) or any(_below(path)))


def read_folder(path: Path) -> Checkpoint:
    """Return what an Orbax folder holds; of several steps the latest, of several items the one.

    Raises:
        UnsafeCheckpointError: something leads out of the folder, or asks for too much memory.
        CheckpointError: it is damaged, or holds several items.
        MissingExtraError: what reads a database, or unpacks arrays, is not installed.
    """
    path = find_item(path)
    files = _Files(path)
    budget = Budget(sum(files.sizes.values()))
    budget.take(_ENTRY * len(files.sizes), "the names of its files")
    store: Store = files
    if _DATABASE in files.sizes:
        store = _Database(files, budget)
    found = Checkpoint({}, "orbax", None, {})
    heads = {key.rpartition("/")[0]: key for key in store if key.rpartition("/")[2] in HEADS}
    names = {folder: folder.replace("/", ".") for folder in heads}
    # Flax's nnx puts what it keeps of a variable under its name.
    plain = {name.removesuffix(".value") for name in names.values()}
    whole = len(plain) == len(names)
    full = _is_full(files, budget)
    for folder, head in heads.items():
        name = names[folder].removesuffix(".value") if whole else names[folder]
        if name in found.tensors or name in found.left_out:
            raise CheckpointError(f"it holds `{short(name)}` twice.")
        try:
            array = read_array(store, folder, head, budget, full=full)
        except CheckpointError as error:
            raise type(error)(f"`{short(name)}`: {error}") from error
        if isinstance(array, str):
            found.left_out[name] = array
        else:
            found.tensors[name] = array
    found.metadata.update(_texts(files, budget))
    return Checkpoint(
        found.tensors,
        "orbax",
        framework_of(found.tensors),
        found.metadata,
        found.left_out,
    )


def _is_item(path: Path) -> bool:
    return (path / METADATA).is_file() or (path / _DATABASE).is_file()


def _below(path: Path) -> list[Path]:
    """Return the items in a folder, or the steps."""
    try:
        folders = sorted(each for each in path.iterdir() if each.is_dir() and not each.is_symlink())
    except OSError:
        return []
    items = [each for each in folders if _is_item(each)]
    steps = {
        int(match[1]): each
        for each in folders
        if (match := _STEP.fullmatch(each.name)) and (_is_item(each) or (each / _ITEM).is_file())
    }
    return [steps[max(steps)]] if steps else items


def find_item(path: Path) -> Path:
    """Return the folder that holds arrays, in a folder that Orbax has written.

    Raises:
        CheckpointError: there are several, or none.
    """
    for _ in range(3):
        if _is_item(path):
            return path
        below = _below(path)
        if len(below) != 1:
            said = f"; give one of {listed(each.name for each in below)}" if below else ""
            raise CheckpointError(f"it is a folder, and not one item of Orbax's{said}.")
        path = below[0]
    raise CheckpointError("it is a folder of folders, and not one item of Orbax's.")


class _Files:
    """The files below a folder, by their paths with slashes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.sizes: dict[str, int] = {}
        for above, _, names in os.walk(folder):
            for name in names:
                path = Path(above) / name
                key = path.relative_to(folder).as_posix()
                inside(folder, key, name)
                self.sizes[key] = path.stat().st_size

    def __iter__(self) -> Iterator[str]:
        return iter(self.sizes)

    def get(self, key: str, largest: int) -> bytes | None:
        """Return the content of a file, None where there is none."""
        if key not in self.sizes:
            return None
        size = self.sizes[key]
        if size > largest:
            raise CheckpointError(f"`{short(key)}` has {size} bytes, more than {largest}.")
        with cast("BinaryIO", inside(self._folder, key, key).open("rb")) as file:
            return bytes(read_bytes(file, size, "a file", key))


class _Database:
    """The database over all of a folder, in memory."""

    def __init__(self, files: _Files, budget: Budget) -> None:
        self._tensorstore = library("tensorstore")
        context = self._tensorstore.Context({"cache_pool": {"total_bytes_limit": 0}})
        memory = self._open({"driver": "memory"}, context)
        for key, size in files.sizes.items():
            if _DATA.fullmatch(key):
                budget.take(2 * size, "the file", key)
                memory.write(key.encode(), files.get(key, size)).result()
                budget.give(size)
        self._store = self._open({"driver": "ocdbt", "base": {"driver": "memory"}}, context)
        self._keys: list[str] = []
        for key in self._told(lambda: self._store.list().result()):
            budget.take(_ENTRY + 2 * len(key), "a name")
            try:
                self._keys.append(key.decode())
            except UnicodeDecodeError:
                raise CheckpointError(f"a name is not text: {short(key)}.") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def get(self, key: str, largest: int) -> bytes | None:
        """Return what is under a key, None where nothing is."""
        found = self._told(lambda: self._store.read(key.encode()).result())
        if found.state != "value":
            return None
        if len(found.value) > largest:
            raise CheckpointError(f"`{short(key)}` has {len(found.value)} bytes.")
        return bytes(found.value)

    def _open(self, spec: Mapping[str, Any], context: Any) -> Any:  # noqa: ANN401
        return self._told(
            lambda: self._tensorstore.KvStore.open(dict(spec), context=context).result()
        )

    def _told(self, act: Any) -> Any:  # noqa: ANN401
        try:
            return act()
        except (ValueError, RuntimeError, KeyError, OSError, NotImplementedError) as error:
            raise CheckpointError(f"its database is damaged: {short(error, 200)}.") from error


def _is_full(files: _Files, budget: Budget) -> bool:
    """Whether every chunk was written, those too that hold one number alone."""
    content = files.get(METADATA, _LARGEST_METADATA)
    if content is None:
        return False
    told = parse_json(content, budget, f"`{METADATA}`")
    key = "store_array_data_equal_to_fill_value"
    return isinstance(told, dict) and told.get(key) is True


def _texts(files: _Files, budget: Budget) -> Iterator[tuple[str, str]]:
    """Yield the texts of a tree."""
    content = files.get(_TEXTS, _LARGEST_METADATA)
    told = {} if content is None else parse_json(content, budget, f"`{_TEXTS}`")
    if isinstance(told, dict):
        yield from ((name, text) for name, text in told.items() if isinstance(text, str))

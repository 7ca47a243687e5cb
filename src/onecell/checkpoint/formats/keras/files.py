"""Keras: .keras, .weights.h5 and the older .h5, read by h5py; no model is made of a configuration.

`layers/lstm/cell/vars/0`, `1` and `2` are read as `layers.lstm.cell.kernel`, `recurrent_kernel`
and `bias` where they have the shapes of an LSTM's, and written so; an older file has the names
itself. Links that lead elsewhere, data kept in other files and compressed data are not followed:
the first two may read any file, the third unfolds before anybody can ask to how much.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO, Final, cast

import numpy as np

from onecell.checkpoint.content import DTYPES, Checkpoint
from onecell.checkpoint.formats.keras.config import NONE, odd_layers
from onecell.checkpoint.formats.keras.names import STEMS, with_names
from onecell.checkpoint.formats.nested import Tree, nested
from onecell.checkpoint.formats.placed import InMemory, Placed
from onecell.checkpoint.formats.zipped import Members, open_members
from onecell.checkpoint.limits import Budget, count_bytes, read_bytes
from onecell.dialect import get_dialect
from onecell.dtypes import dtype_name
from onecell.errors import (
    ArgumentError,
    CheckpointError,
    DtypeError,
    MissingExtraError,
    UnsafeCheckpointError,
)
from onecell.text import short

START: Final = b"\x89HDF\r\n\x1a\n"
WEIGHTS: Final = "model.weights.h5"
CONFIG: Final = "config.json"
_OLDER: Final = "model_weights"
_STATE: Final = "optimizer_weights"
_UNSAID: Final = frozenset({"model_config", "training_config"})
"""Texts about the model that are no metadata of a person's."""
_LONGEST: Final = 60_000
"""Bytes of a text: all of an object's have to go into 64 KiB."""
_DEEPEST: Final = 32
_ENTRY: Final = 600
_ADVICE: Final = "save it again with `model.save_weights`"


def is_keras(members: Members) -> bool:
    """Whether a zip file is a model of Keras 3's."""
    return WEIGHTS in members


def read_model(file: BinaryIO, budget: Budget) -> Checkpoint:
    """Read the weights of a .keras file; errors as `read`."""
    with open_members(file, budget) as members:
        return read_members(members, budget)


def read_members(members: Members, budget: Budget) -> Checkpoint:
    """Read the weights of a .keras file that is open as a zip file."""
    odd = odd_layers(members.read(CONFIG), budget) if CONFIG in members else {}
    return _read(io.BytesIO(members.read(WEIGHTS)), budget, "keras", odd)[0]


def read(file: BinaryIO, budget: Budget) -> Checkpoint:
    """Read a .weights.h5 or an older .h5.

    Raises:
        UnsafeCheckpointError: it leads out of itself, or asks for too much memory.
        CheckpointError: it is damaged.
        MissingExtraError: h5py is not installed.
    """
    # All of it into memory, where nothing can change while the library looks at it.
    budget.take(budget.file_size, "the file")
    content = io.BytesIO(read_bytes(file, budget.file_size, "the file"))
    return _read(content, budget, "h5", {})[0]


def put(file: InMemory, budget: Budget, tensors: Mapping[str, np.ndarray], target: Path) -> Placed:
    """Return a .weights.h5 or an older .h5 with other arrays in it."""
    del target
    budget.take(budget.file_size, "the copy")
    return Placed(_put(file.getvalue(), budget, tensors, {}))


def put_model(
    file: InMemory, budget: Budget, tensors: Mapping[str, np.ndarray], target: Path
) -> Placed:
    """Return a .keras file with other arrays in it; its other members stay as they are."""
    del target
    budget.take(budget.file_size, "the copy")
    made = io.BytesIO()
    with open_members(file, budget) as members, zipfile.ZipFile(made, "w") as copy:
        odd = odd_layers(members.read(CONFIG), budget) if CONFIG in members else {}
        for name in members:
            content = bytes(members.read(name))
            if name == WEIGHTS:
                content = _put(content, budget, tensors, odd)
            copy.writestr(members.info(name), content)
    return Placed(made.getvalue())


def _put(
    content: bytes, budget: Budget, tensors: Mapping[str, np.ndarray], odd: dict[str, str]
) -> bytes:
    """Return an HDF5 file with other arrays in the place of its own."""
    h5py, copy = _library(), io.BytesIO(content)
    paths = _read(io.BytesIO(content), budget, "h5", odd)[1]
    with _damage_is_checkpoint_error(), h5py.File(copy, "r+") as file:
        for name, array in tensors.items():
            file[paths[name]].write_direct(np.ascontiguousarray(array))
    return copy.getvalue()


def _read(
    content: io.BytesIO, budget: Budget, kind: str, odd: dict[str, str]
) -> tuple[Checkpoint, dict[str, str]]:
    """Return what an HDF5 file holds, and where in it each tensor is."""
    found = Checkpoint({}, kind, "keras", {})
    h5py = _library()
    with _damage_is_checkpoint_error(), h5py.File(content, "r") as file:
        for name in file.attrs:
            if name not in _UNSAID and (text := _text(h5py, file, name, budget)):
                found.metadata[name] = text
        config = _text(h5py, file, "model_config", budget)
        if config:
            odd = odd_layers(config.encode(), budget)
        walk = _Walk(h5py, budget, found, odd)
        if (older := _own_group(h5py, file, _OLDER)) is None:
            walk.group(file, "", (), 0)
        else:
            walk.group(older, "", (), 0)
            if (state := _own_group(h5py, file, _STATE)) is not None:
                walk.group(state, _STATE, (), 0)
    return found, with_names(found, walk.paths)


def _own_group(h5py: ModuleType, group: Any, name: str) -> Any:  # noqa: ANN401
    """Return the group of this name that a group holds itself, or None; no link is followed."""
    if (link := group.get(name, getlink=True)) is None:
        return None
    if not isinstance(link, h5py.HardLink):
        raise UnsafeCheckpointError(f"`{short(name)}` is a link that leads elsewhere.")
    found = group[name]
    return found if isinstance(found, h5py.Group) else None


def _text(h5py: ModuleType, group: Any, name: str, budget: Budget) -> str:  # noqa: ANN401
    """Return an attribute that is one text, else ""; a list of them may name one many times."""
    if name not in group.attrs:
        return ""
    attribute = group.attrs.get_id(name)
    if attribute.shape != () or h5py.check_string_dtype(attribute.dtype) is None:
        return ""
    text = group.attrs[name]
    budget.take(len(text), "a text")
    return text.decode(errors="replace") if isinstance(text, bytes) else str(text)


class _Walk:
    """One walk over the groups of a file."""

    def __init__(
        self, h5py: ModuleType, budget: Budget, found: Checkpoint, odd: Mapping[str, str]
    ) -> None:
        self._h5py, self._budget, self._found, self._odd = h5py, budget, found, odd
        self.paths: dict[str, str] = {}
        """Name of a tensor → where it is in the file."""

    def group(self, group: Any, path: str, above: tuple[int, ...], depth: int) -> None:  # noqa: ANN401
        """Read what is below a group; `above` are the places of the groups around it."""
        place = self._h5py.h5o.get_info(group.id).addr
        if depth > _DEEPEST or place in above:
            raise CheckpointError(f"`{short(path)}` is nested without end.")
        self._budget.take(_ENTRY * len(group), "a group", path)
        own = _own_group(self._h5py, group, "vars")
        name = "" if own is None else _text(self._h5py, own, "name", self._budget)
        last = path.rpartition(".")[2]
        if name and path and name != last:
            self._found.aliases[path] = name
        odd = self._odd.get(name) or self._odd.get(last, "")
        if odd:
            self._found.remarks[path] = odd
        for name in group:
            # A long path may stand before many.
            self._budget.take(4 * (len(path) + len(name)), "a name", name)
            under = f"{path}.{name}" if path else name
            link = group.get(name, getlink=True)
            if not isinstance(link, self._h5py.HardLink):
                raise UnsafeCheckpointError(f"`{short(under)}` is a link that leads elsewhere.")
            thing = group[name]
            if isinstance(thing, self._h5py.Group):
                before = len(self._found.tensors)
                self.group(thing, under, (*above, place), depth + 1)
                if odd.endswith(NONE) and (
                    name in {"cell", "vars", last} or name.startswith("lstm_cell")
                ):
                    self._leave_out(before, odd)
            elif isinstance(thing, self._h5py.Dataset):
                before = len(self._found.tensors)
                self._dataset(thing, under.removesuffix(":0"))
                if odd.endswith(NONE):
                    self._leave_out(before, odd)

    def _leave_out(self, start: int, why: str) -> None:
        for name in list(self._found.tensors)[start:]:
            del self._found.tensors[name]
            self._found.left_out[name] = why

    def _dataset(self, dataset: Any, name: str) -> None:  # noqa: ANN401
        plan = dataset.id.get_create_plist()
        if plan.get_external_count() or plan.get_layout() == self._h5py.h5d.VIRTUAL:
            raise UnsafeCheckpointError(f"`{short(name)}` is kept in another file.")
        if plan.get_nfilters():
            raise CheckpointError(f"`{short(name)}` is compressed or filtered; {_ADVICE}.")
        if name in self._found.tensors:
            raise CheckpointError(f"it holds `{short(name)}` twice.")
        kind = dtype_name(dataset.dtype.newbyteorder("="))
        if kind not in DTYPES or dataset.shape is None:
            self._found.left_out[name] = f"an array of {short(dataset.dtype, 40)}"
            return
        self._budget.take(
            count_bytes(name, dataset.shape, dataset.dtype.itemsize), "the tensor", name
        )
        array = np.empty(dataset.shape, DTYPES[kind])
        if array.size:
            dataset.read_direct(array)
        self._found.tensors[name] = array
        self.paths[name] = dataset.name


def write(
    file: BinaryIO,
    tensors: Mapping[str, np.ndarray],
    metadata: Mapping[str, str],
    form: str | None = None,
) -> None:
    """Write a .weights.h5; what has the names of an LSTM's variables is numbered as Keras does.

    Raises:
        DtypeError: HDF5 has no such element type.
        ArgumentError: a name is none there: `nested`.
        MissingExtraError: h5py is not installed.
    """
    del form
    numbers = {get_dialect("keras").parameters[stem]: n for n, stem in enumerate(STEMS)}
    h5py = _library()
    for name in (*tensors, *metadata):
        if not name or "/" in name:
            raise ArgumentError(f"HDF5 has no such name as {short(repr(name))}.")
    called: dict[str, np.ndarray] = {}
    for name, array in tensors.items():
        kind = dtype_name(array.dtype)
        if kind == "bfloat16":
            raise DtypeError(f"`{short(name)}` holds {kind}, which HDF5 does not have.")
        owner, dot, last = name.rpartition(".")
        if last in numbers and f"{owner}{dot}recurrent_kernel" in tensors:
            name = f"{owner}{dot}vars.{numbers[last]}"  # noqa: PLW2901
        if name in called:
            raise ArgumentError(f"two tensors would be called `{short(name)}`.")
        called[name] = array
    tree = nested(called, _DEEPEST)
    content = io.BytesIO()
    with h5py.File(content, "w", track_order=True) as target:
        _fill(target, tree)
        for name, text in metadata.items():
            if len(text.encode()) > _LONGEST:
                raise ArgumentError(
                    f"the text `{short(name)}` is longer than HDF5 has place for; leave it out "
                    f"(--drop)."
                )
            target.attrs[name] = text
    file.write(content.getbuffer())


def _fill(group: Any, tree: Tree) -> None:  # noqa: ANN401
    for name, each in tree.items():
        if isinstance(each, dict):
            _fill(group.create_group(name), each)
        else:
            group.create_dataset(name, data=each, track_times=False)


def _library() -> ModuleType:
    try:
        import h5py  # noqa: PLC0415 - needed for these files alone
    except ModuleNotFoundError as error:
        raise MissingExtraError("h5py", "h5", "a Keras file") from error
    return cast("ModuleType", h5py)


@contextmanager
def _damage_is_checkpoint_error() -> Iterator[None]:
    try:
        yield
    except CheckpointError:
        raise
    except (OSError, KeyError, RuntimeError, ValueError, TypeError, OverflowError) as error:
        raise CheckpointError(f"its HDF5 is damaged: {short(error, 200)}.") from error

"""torch's .pt and .pth: a zip file of one pickle and the raw storages; of TorchScript too.

Read as data, see `pickled`; written so that `torch.load(weights_only=True)` reads it. Files from
before torch 1.6, which are no zip files, are read by `legacy`.
"""

from __future__ import annotations

import pickle
import struct
import zipfile
from collections.abc import Iterator, Mapping
from typing import BinaryIO, Final, cast

import numpy as np

from onecell.checkpoint.content import Checkpoint, raw
from onecell.checkpoint.formats.torch import script
from onecell.checkpoint.formats.torch.tensors import STORAGE_NAMES, Archive, ByteOrder, c_stride
from onecell.checkpoint.formats.zipped import Members
from onecell.checkpoint.limits import CHUNK, Budget
from onecell.checkpoint.pickles.flatten import flatten
from onecell.checkpoint.pickles.spelled import (
    spell_global,
    spell_integer,
    spell_text,
    spell_tuple,
)
from onecell.dtypes import dtype_name
from onecell.errors import CheckpointError, UnsafeCheckpointError

PICKLE: Final = "data.pkl"
_ROOT: Final = "archive"
_PACKAGE: Final = "/.data/extern_modules"
"""What a package says of the modules outside it, always."""
_ALIGNMENT: Final = 64  # as torch aligns storages, so that it can map them
_PADDING: Final = b"FB"  # the tag that torch gives to padding in a member's extra field


def read(members: Members, budget: Budget) -> Checkpoint:
    """Read the tensors of a .pt file that is open as a zip file.

    Nested containers are read by dotted path; plain values in them become metadata.
    """
    roots = [name.removesuffix(PICKLE) for name in members if _is_pickle(name)]
    if len(roots) != 1:
        raise CheckpointError(f"the zip file holds {len(roots)} members called `{PICKLE}`.")
    (root,) = roots
    order = members.read(f"{root}byteorder") if f"{root}byteorder" in members else b"little"
    if order not in (b"little", b"big"):
        raise CheckpointError(f"its byte order is {bytes(order[:20])!r}.")
    archive = Archive(members, root, cast("ByteOrder", order.decode()), budget)
    if f"{root}{script.CONSTANTS}" in members:
        return script.read(archive)
    found = flatten(archive.tree(PICKLE), archive.cutter("data").cut, budget)
    return Checkpoint(found.tensors, "pt", "torch", found.values, found.left_out, found.plain)


def refuse_package(members: Members) -> None:
    """Raise `UnsafeCheckpointError` for an archive of torch.package's: code, and objects of it."""
    if any(f"/{name}".endswith(_PACKAGE) for name in members):
        raise UnsafeCheckpointError(
            "it is a package of `torch.package`, whose objects are made by running code inside it. "
            "Load it with `torch.package.PackageImporter`, if you trust it, and save the "
            "`state_dict()` of its model with `torch.save`."
        )


def is_torch(members: Members) -> bool:
    """Whether a zip file is torch's."""
    return any(_is_pickle(name) for name in members)


def _is_pickle(name: str) -> bool:
    return name == PICKLE or (name.count("/") == 1 and name.endswith("/" + PICKLE))


def write(file: BinaryIO, tensors: Mapping[str, np.ndarray]) -> None:
    """Write a flat state_dict in torch's zip format, storages uncompressed."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        _add(archive, file, PICKLE, memoryview(b"".join(_pickle_state_dict(tensors))))
        _add(archive, file, "byteorder", memoryview(b"little"))
        for index, array in enumerate(tensors.values()):
            _add(archive, file, f"data/{index}", raw(array))
        _add(archive, file, "version", memoryview(b"3\n"))


def _add(archive: zipfile.ZipFile, file: BinaryIO, name: str, content: memoryview) -> None:
    """Add one member whose content begins at a multiple of `_ALIGNMENT`."""
    info = zipfile.ZipInfo(f"{_ROOT}/{name}")  # its date is a constant: same tensors, same bytes
    info.file_size = len(content)
    info.external_attr = 0o600 << 16
    large = len(content) * 1.05 > zipfile.ZIP64_LIMIT  # as zipfile judges
    header = 30 + len(info.filename) + (20 if large else 0) + 4
    padding = -(file.tell() + header) % _ALIGNMENT
    info.extra = struct.pack("<2sH", _PADDING, padding) + b"Z" * padding
    with archive.open(info, "w") as member:
        for start in range(0, len(content), CHUNK):
            member.write(content[start : start + CHUNK])


def _pickle_state_dict(tensors: Mapping[str, np.ndarray]) -> Iterator[bytes]:
    """Yield the pickle, in protocol 2, of an OrderedDict of tensors."""
    yield pickle.PROTO + b"\x02"
    yield (
        spell_global("collections", "OrderedDict")
        + pickle.EMPTY_TUPLE
        + pickle.REDUCE
        + pickle.MARK
    )
    for index, (name, array) in enumerate(tensors.items()):
        yield spell_text(name) + _tensor(str(index), array)
    yield pickle.SETITEMS + pickle.STOP


def _tensor(key: str, array: np.ndarray) -> bytes:
    """Return the pickle of a call of `_rebuild_tensor_v2`, or `_v3` where the storage is untyped.

    Their arguments: storage, offset, size, stride, requires_grad, hooks and, in `_v3`, the type.
    """
    name = dtype_name(array.dtype)
    typed = name in STORAGE_NAMES
    if typed:
        storage, count = spell_global("torch", f"{STORAGE_NAMES[name]}Storage"), array.size
    else:
        storage, count = spell_global("torch.storage", "UntypedStorage"), array.nbytes
    pid = (spell_text("storage"), storage, spell_text(key), spell_text("cpu"), spell_integer(count))
    hooks = spell_global("collections", "OrderedDict") + pickle.EMPTY_TUPLE + pickle.REDUCE
    arguments = (
        spell_tuple(*pid) + pickle.BINPERSID,
        spell_integer(0),
        spell_tuple(*map(spell_integer, array.shape)),
        spell_tuple(*map(spell_integer, c_stride(array.shape))),
        pickle.NEWFALSE,
        hooks,
        *([] if typed else [spell_global("torch", name)]),
    )
    rebuild = spell_global("torch._utils", "_rebuild_tensor_v2" if typed else "_rebuild_tensor_v3")
    return rebuild + spell_tuple(*arguments) + pickle.REDUCE

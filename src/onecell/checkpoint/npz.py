"""NumPy's .npz: a zip file of one .npy a tensor; nothing pickled.

bfloat16 is stored as what `dtypes.BFLOAT16` is, `[('bfloat16', '<u2')]`: `numpy.load` gives it back
as that type with no help from onecell. A two-byte void (`|V2`), as `numpy.save` writes arrays of
the library ml_dtypes, is read as bfloat16 too. Text without dimensions is metadata. Fortran order
and the other byte order load by value.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from typing import BinaryIO, Final

import numpy as np

from onecell.checkpoint.content import DTYPES, Checkpoint, raw
from onecell.checkpoint.limits import CHUNK, Budget, count_bytes, read_bytes
from onecell.checkpoint.zipped import Members
from onecell.dtypes import BFLOAT16
from onecell.errors import CheckpointError, UnsafeCheckpointError

SUFFIX: Final = ".npy"
_MAGIC: Final = b"\x93NUMPY"
_LONGEST_HEADER: Final = 10_000  # as NumPy has it
_HEADER: Final = re.compile(
    r"\{\s*'descr'\s*:\s*(?:'(?P<descr>[<>|=]?\w{1,12})'|(?P<bfloat16>\[\('bfloat16', '<u2'\)\]))"
    r"\s*,\s*'fortran_order'\s*:\s*(?P<fortran>True|False)"
    r"\s*,\s*'shape'\s*:\s*\((?P<shape>[0-9L, ]*)\)\s*,?\s*\}\s*"
)


def read(members: Members, budget: Budget) -> Checkpoint:
    """Read the arrays of an .npz file that is open as a zip file."""
    tensors: dict[str, np.ndarray] = {}
    metadata: dict[str, str] = {}
    for member in members:
        name = member.removesuffix(SUFFIX)
        if name == member:
            raise CheckpointError(f"`{member}` is no array: an .npz file holds .npy members only.")
        with members.open(member) as file:
            array = _read_array(file, name, members.size(member), budget)
        if array.dtype.kind == "U":
            metadata[name] = str(array)
        else:
            tensors[name] = array
    return Checkpoint(tensors, "npz", None, metadata)


def _read_array(file: BinaryIO, name: str, size: int, budget: Budget) -> np.ndarray:
    """Read one .npy of `size` bytes in all."""
    start = bytes(read_bytes(file, 8, f"`{name}`"))
    width = {1: 2, 2: 4}.get(start[6])  # bytes of the header's length, by version
    if start[:6] != _MAGIC or width is None:
        raise CheckpointError(f"`{name}` is not an array in NumPy's format 1.0 or 2.0.")
    length = int.from_bytes(bytes(read_bytes(file, width, f"`{name}`")), "little")
    if length > _LONGEST_HEADER:
        raise CheckpointError(
            f"`{name}` has a header of {length} bytes; at most {_LONGEST_HEADER} are read."
        )
    header = bytes(read_bytes(file, length, f"the header of `{name}`")).decode("latin-1")
    match = _HEADER.fullmatch(header)
    if match is None:
        raise CheckpointError(f"`{name}` has no plain array header, but {header.strip()!r:.200}.")
    try:
        shape = tuple(int(n.rstrip("L")) for n in match["shape"].replace(" ", "").split(",") if n)
    except ValueError:
        raise CheckpointError(f"`{name}` has the impossible shape ({match['shape']}).") from None
    dtype = BFLOAT16 if match["bfloat16"] else _dtype(name, match["descr"], shape)
    nbytes = count_bytes(name, shape, dtype.itemsize)
    if nbytes != (there := size - 8 - width - length):
        raise CheckpointError(
            f"`{name}` of shape {shape} and type {dtype} is {nbytes} bytes, and {there} are there."
        )
    fortran = match["fortran"] == "True" and len(shape) > 1
    plain = dtype.isnative and not fortran
    budget.take(0 if plain else nbytes, f"reordering `{name}`")
    flat = read_bytes(file, nbytes, f"`{name}`").view(dtype)
    array = flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape)
    return array.astype(dtype.newbyteorder("="), order="C", copy=not plain)


def _dtype(name: str, descr: str, shape: tuple[int, ...]) -> np.dtype:
    """Return the element type that a header spells, if a checkpoint can hold it."""
    if "O" in descr:
        raise UnsafeCheckpointError(f"`{name}` holds pickled objects, which are never read.")
    try:
        dtype = np.dtype(descr)
    except (TypeError, ValueError):
        raise CheckpointError(f"`{name}` has the unknown element type {descr!r}.") from None
    if dtype == np.dtype("V2"):
        return BFLOAT16
    if dtype.name in DTYPES or (dtype.kind == "U" and shape == () and dtype.itemsize):
        return dtype
    raise CheckpointError(f"`{name}` holds {dtype}; a checkpoint can hold {', '.join(DTYPES)}.")


def write(file: BinaryIO, tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> None:
    """Write an uncompressed .npz file that `numpy.load` reads without pickle."""
    texts = {name: np.array(text) for name, text in metadata.items()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in [*tensors.items(), *texts.items()]:
            info = zipfile.ZipInfo(
                name + SUFFIX
            )  # its date is a constant: same tensors, same bytes
            info.file_size = array.nbytes + _LONGEST_HEADER  # tells whether it needs zip64
            info.external_attr = 0o600 << 16
            with archive.open(info, "w") as member:
                np.lib.format.write_array_header_1_0(
                    member,
                    {
                        "descr": np.lib.format.dtype_to_descr(array.dtype),
                        "fortran_order": False,
                        "shape": array.shape,
                    },
                )
                content = raw(array)
                for start in range(0, len(content), CHUNK):
                    member.write(content[start : start + CHUNK])

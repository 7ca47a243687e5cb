"""NumPy's .npz: a zip file of one .npy a tensor; nothing pickled.

bfloat16 is stored as what `dtypes.BFLOAT16` is, `[('bfloat16', '<u2')]`: `numpy.load` gives it back
as that type with no help from onecell. A two-byte void (`|V2`), as `numpy.save` writes arrays of
the library ml_dtypes, is read as bfloat16 too. Text without dimensions is metadata. Fortran order
and the other byte order load by value. Arrays of other things are left out by name. The framework
is named in the zip file's own comment, which no other reader takes for an array.
"""

from __future__ import annotations

import itertools
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final, cast

import numpy as np

from onecell.checkpoint.content import DTYPES, FRAMEWORK, Checkpoint, raw
from onecell.checkpoint.formats.tree_names import dotted
from onecell.checkpoint.formats.zipped import Members
from onecell.checkpoint.limits import CHUNK, Budget, count_bytes, read_array, read_bytes
from onecell.dialect import DIALECTS
from onecell.dtypes import BFLOAT16
from onecell.errors import CheckpointError, UnsafeCheckpointError
from onecell.text import listed, short

SUFFIX: Final = ".npy"
MAGIC: Final = b"\x93NUMPY"
_LONGEST_HEADER: Final = 10_000  # as NumPy has it
_HEADER: Final = re.compile(
    r"\{\s*'descr'\s*:\s*(?:'(?P<descr>[<>|=]?\w{1,12}(?:\[\w{1,12}\])?)'"
    r"|(?P<bfloat16>\[\('bfloat16', '<u2'\)\]))"
    r"\s*,\s*'fortran_order'\s*:\s*(?P<fortran>True|False)"
    r"\s*,\s*'shape'\s*:\s*\((?P<shape>[0-9L, ]*)\)\s*,?\s*\}\s*"
)
_RECORD: Final = re.compile(r"\{\s*'descr'\s*:\s*(?P<descr>\[.*\]), 'fortran_order'", re.DOTALL)
_KINDS: Final = {"U": "text", "S": "bytes", "M": "dates", "m": "time spans", "V": "raw bytes"}
_ENTRY: Final = 400  # an array, its name and its places


def read(members: Members, budget: Budget) -> Checkpoint:
    """Read the arrays of an .npz file that is open as a zip file.

    Arrays of text, dates, records and the like, and members that are no arrays, are left out by
    name.

    Raises:
        UnsafeCheckpointError: an array holds pickled objects.
        CheckpointError: it is a zip file of other things, or an array is damaged.
    """
    mark, _, name = members.comment.partition("=")
    found = Checkpoint({}, "npz", name if mark == FRAMEWORK and name in DIALECTS else None, {})
    if len(members) and not any(member.endswith(SUFFIX) for member in members):
        raise CheckpointError(_say_what(members))
    for member in members:
        name = member.removesuffix(SUFFIX)
        budget.take(_ENTRY + 4 * len(name), "the array", name)
        if name == member:
            found.left_out[member] = "a member that is no array"
            continue
        with members.open(member) as file:
            _read_array(file, name, members.size(member), budget, found)
    return dotted(found, budget)


def _say_what(members: Members) -> str:
    """Say what a zip file is that is neither torch's nor NumPy's."""
    return (
        f"it is a zip file, but neither torch's, which holds `data.pkl`, nor NumPy's, which holds "
        f".npy; it holds {listed(itertools.islice(members, 4))}"
        f"{f' and {len(members) - 4} more' if len(members) > 4 else ''}."
    )


@dataclass(frozen=True, slots=True)
class Header:
    """What the header of a .npy says of its array."""

    dtype: np.dtype | None
    """`None` for records."""
    shape: tuple[int, ...]
    fortran: bool
    size: int
    """Of the header itself, in bytes."""

    @property
    def in_file_order(self) -> tuple[int, ...]:
        """The shape in which the elements lie in the file."""
        return self.shape[::-1] if self.fortran else self.shape


def read_header(file: BinaryIO, name: str) -> Header:
    """Read the header of a .npy up to its first element.

    Raises:
        UnsafeCheckpointError: it is an array of pickled objects.
        CheckpointError: it is no header of an array of numbers, texts or records.
    """
    shown = f"`{short(name)}`"
    start = read_bytes(file, 8, "", name)
    width = {1: 2, 2: 4}.get(start[6])  # bytes of the header's length, by version
    if start[:6] != MAGIC or width is None:
        raise CheckpointError(f"{shown} is not an array in NumPy's format 1.0 or 2.0.")
    length = int.from_bytes(read_bytes(file, width, "", name), "little")
    if length > _LONGEST_HEADER:
        raise CheckpointError(
            f"{shown} has a header of {length} bytes; at most {_LONGEST_HEADER} are read."
        )
    size = 8 + width + length
    header = read_bytes(file, length, "the header of", name).decode("latin-1")
    if (match := _RECORD.match(header)) and not _HEADER.fullmatch(header):
        if re.search(r"'\|O\d*'", match["descr"]):
            raise UnsafeCheckpointError(f"{shown} holds pickled objects, which are never read.")
        return Header(None, (), fortran=False, size=size)
    match = _HEADER.fullmatch(header)
    if match is None:
        came = short(header.strip(), 200)
        raise CheckpointError(f"{shown} has no plain array header, but `{came}`.")
    try:
        shape = tuple(int(n.rstrip("L")) for n in match["shape"].replace(" ", "").split(",") if n)
    except ValueError:
        came = short(match["shape"])
        raise CheckpointError(f"{shown} has the impossible shape ({came}).") from None
    dtype = BFLOAT16 if match["bfloat16"] else _dtype(name, match["descr"])
    return Header(dtype, shape, match["fortran"] == "True" and len(shape) > 1, size)


def _read_array(file: BinaryIO, name: str, size: int, budget: Budget, found: Checkpoint) -> None:
    """Read one .npy of `size` bytes in all into `found`."""
    header = read_header(file, name)
    if header.dtype is None:
        found.left_out[name] = "an array of records"
        return
    nbytes = count_bytes(name, header.shape, header.dtype.itemsize)
    if nbytes != (there := size - header.size):
        raise CheckpointError(
            f"`{short(name)}` of shape {header.shape} and type {header.dtype} is {nbytes} bytes, "
            f"and {there} are there."
        )
    if header.dtype.kind == "U" and header.shape == ():
        found.metadata[name] = _read_text(file, name, header.dtype, budget)
    elif (kind := odd_kind(header.dtype)) is not None:
        found.left_out[name] = kind
    else:
        found.tensors[name] = read_numbers(file, name, header, budget)


def odd_kind(dtype: np.dtype) -> str | None:
    """Return what an array of such elements is, if no checkpoint can hold it."""
    if dtype == BFLOAT16 or dtype.name in DTYPES:
        return None
    return f"an array of {_KINDS.get(dtype.kind, f'elements of type {dtype}')}"


def read_numbers(file: BinaryIO, name: str, header: Header, budget: Budget) -> np.ndarray:
    """Read the elements, which the caller has paid for.

    What has another order than ours is there twice for a moment.
    """
    dtype = cast("np.dtype", header.dtype)
    array = read_array(file, header.in_file_order, dtype, name)
    if dtype.isnative and not header.fortran:
        return array
    budget.take(array.nbytes, "reordering", name)
    native = dtype.newbyteorder("=")
    array = (array.T if header.fortran else array).astype(native, order="C")
    budget.give(array.nbytes)
    return array


def _read_text(file: BinaryIO, name: str, dtype: np.dtype, budget: Budget) -> str:
    """Read text, four bytes a character."""
    budget.take(2 * dtype.itemsize, "the text", name)
    content = read_bytes(file, dtype.itemsize, "", name)
    try:
        return content.decode(f"utf-32-{'be' if dtype.str[0] == '>' else 'le'}").rstrip("\0")
    except UnicodeDecodeError as error:
        raise CheckpointError(f"the text `{short(name)}` is damaged: {error}.") from None


def _dtype(name: str, descr: str) -> np.dtype:
    """Return the element type that a header spells."""
    if "O" in descr:
        raise UnsafeCheckpointError(f"`{short(name)}` holds pickled objects, which are never read.")
    try:
        dtype = np.dtype(descr)
    except (TypeError, ValueError):
        raise CheckpointError(f"`{short(name)}` has the unknown element type {descr!r}.") from None
    return BFLOAT16 if dtype == np.dtype("V2") else dtype


def write(
    file: BinaryIO,
    tensors: Mapping[str, np.ndarray],
    metadata: Mapping[str, str],
    dialect: str | None,
) -> None:
    """Write an uncompressed .npz file that `numpy.load` reads without pickle."""
    texts = {name: np.array(text) for name, text in metadata.items()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        if dialect is not None:
            archive.comment = f"{FRAMEWORK}={dialect}".encode()
        for name, array in [*tensors.items(), *texts.items()]:
            # Its date is a constant: same tensors, same bytes.
            info = zipfile.ZipInfo(name + SUFFIX)
            info.file_size = array.nbytes + _LONGEST_HEADER  # tells whether it needs zip64
            info.external_attr = 0o600 << 16
            with archive.open(info, "w") as member:
                write_array(cast("BinaryIO", member), array)


def write_array(file: BinaryIO, array: np.ndarray) -> None:
    """Write one .npy."""
    np.lib.format.write_array_header_1_0(
        file,
        {
            "descr": np.lib.format.dtype_to_descr(array.dtype),
            "fortran_order": False,
            "shape": array.shape,
        },
    )
    content = raw(array)
    for start in range(0, len(content), CHUNK):
        file.write(content[start : start + CHUNK])

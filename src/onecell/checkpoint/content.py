"""What one checkpoint file holds, whatever its format."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from onecell.dtypes import BFLOAT16, dtype_name
from onecell.errors import ArgumentError, DtypeError, ShapeError
from onecell.text import short

MOST_DIMENSIONS: Final = 32
"""What every supported NumPy can hold."""

DTYPES: Final[Mapping[str, np.dtype]] = {
    **{
        name: np.dtype(name)
        for name in (
            *("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"),
            *("float16", "float32", "float64", "complex64", "complex128"),
        )
    },
    "bfloat16": BFLOAT16,
}
"""The element types that a `Checkpoint` can hold, by plain name. A format may have fewer."""

CELL: Final = "onecell.cell"
"""The metadata by which a file says that it holds one cell of ours: "live" or "frozen"."""

FRAMEWORK: Final = "onecell.framework"
"""The mark by which a file of a format without an owner says whose names it has, where the format
itself has no word for that."""

_A_WORD: Final = 9
"""With fewer bytes nobody can say that a file is text."""

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """The tensors of one file and what the file says about itself.

    Every array is writable, contiguous and owns its memory, in native byte order.
    """

    tensors: dict[str, np.ndarray]
    """Name → array, in file order; bfloat16 under `dtypes.BFLOAT16`."""
    format: str
    """One of `files.SUFFIXES`' values, or, of what is only read, a word of `cli.info_table`."""
    dialect: str | None
    """The framework that wrote the file, where the file itself tells; else None."""
    metadata: dict[str, str]
    """What is not a tensor: safetensors' metadata, strings and plain values of the others."""
    left_out: dict[str, str] = field(default_factory=dict)
    """What no checkpoint can hold and was left: name → what it is, "a NumPy array of dates"."""
    plain: str = ""
    """How `metadata` and the tensors are nested, see `plain.plain_of`; "" where nothing tells."""
    remarks: dict[str, str] = field(default_factory=dict)
    """What the file tells of what in it: an operator's name → why it is no plain LSTM."""
    aliases: dict[str, str] = field(default_factory=dict)
    """Module → what its maker calls it, where that is not the name that the file gives it."""

    @property
    def frozen(self) -> str:
        """What a frozen cell the file says that it holds, if one of ours wrote it; else ""."""
        if self.metadata.get(CELL) != "frozen":
            return ""
        told = ("input_size", "hidden_size", "weight_dtype")
        sizes = (f"{n} = {short(self.metadata.get(f'onecell.{n}', '?'), 20)}" for n in told)
        return f"a frozen cell, {', '.join(sizes)}, packed for onecell.FrozenCell.load"


def check_tensors(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return `tensors` as a file can hold them: native byte order, bfloat16 under `BFLOAT16`.

    Raises:
        ArgumentError: a name is not text that a file can hold.
        DtypeError: an array holds elements of a type that no checkpoint has, such as objects.
        ShapeError: an array has more dimensions than every NumPy can read back.
    """
    return {check_name(name): _storable(name, array) for name, array in tensors.items()}


def check_texts(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return `metadata`, or raise `ArgumentError` unless a file can hold its names and values."""
    return {
        check_name(name): check_text(f"`{short(name)}`", text) for name, text in metadata.items()
    }


def check_name(name: object) -> str:
    """Return `name`, or raise `ArgumentError` unless a tensor can have that name."""
    return check_text("a name", name)


def check_text(what: str, text: object) -> str:
    """Return `text`, or raise `ArgumentError` unless it is Unicode text without NUL characters."""
    if not isinstance(text, str):
        raise ArgumentError(f"{what} must be a string, got a {type(text).__name__}.")
    if not is_text(text):
        kind = "not contain a NUL character" if "\0" in text else "be valid Unicode text"
        raise ArgumentError(f"{what} must {kind}, got {_spelled(text)}.")
    return text


def is_text(text: str) -> bool:
    """Whether a file can hold `text`: Unicode without NUL characters."""
    return "\0" not in text and (text.isascii() or _SURROGATE.search(text) is None)


def told_by_text(start: bytes) -> str:
    """Return what a file is that is no checkpoint but begins as text; "" if it begins otherwise.

    What is shorter than a word or two may be a checkpoint that was cut off.
    """
    try:
        text = start.decode()
    except UnicodeDecodeError as error:
        if error.start < len(start) - 3:  # a character of four bytes may be cut
            return ""
        text = start[: error.start].decode()
    if len(start) < _A_WORD:
        return ""
    if not all(character.isprintable() or character in "\t\n\r\f\ufeff" for character in text):
        return ""
    if text.startswith("version https://git-lfs"):
        return "it is a pointer of Git LFS, not the file itself, which `git lfs pull` loads."
    lines = text.split("\n")
    first = next((line.strip() for line in lines if line.strip()), "")
    return f"it is text, and no checkpoint: it begins with `{short(first)}`." if first else ""


def check_length(name: str, longest: int, format: str) -> None:  # noqa: A002
    """Raise `ArgumentError` if `name` has more than `longest` bytes."""
    if (size := len(name.encode())) > longest:
        raise ArgumentError(
            f"`{short(name)}` is a name of {size} bytes, and .{format} files have names of at most "
            f"{longest}."
        )


def _spelled(text: str) -> str:
    """Return text for a message, escapes and all."""
    return short(ascii(text[:100]))


def _storable(name: str, array: np.ndarray) -> np.ndarray:
    """Return `array` under one of `DTYPES`, moving bits at most."""
    array = np.asarray(array)
    if array.dtype.name == "bfloat16":  # the type of the library ml_dtypes: the same 16 bits
        array = array.view(np.uint16).view(BFLOAT16)
    kind = dtype_name(array.dtype)
    if kind not in DTYPES:
        raise DtypeError(
            f"`{short(name)}` holds {kind}; a checkpoint can hold {', '.join(DTYPES)}."
        )
    if array.ndim > MOST_DIMENSIONS:
        raise ShapeError(
            f"`{short(name)}` must have at most {MOST_DIMENSIONS} dimensions, got {array.ndim}."
        )
    return array.astype(DTYPES[kind], copy=False)


def raw(array: np.ndarray) -> memoryview:
    """Return the bytes of `array` in C order; no copy where it is contiguous."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data

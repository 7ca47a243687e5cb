"""Write a TensorFlow checkpoint, as its `Saver` does: one file of tensors, and the index."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO, Final

import numpy as np

from onecell.checkpoint.content import check_length, raw
from onecell.checkpoint.formats.protobuf import (
    LONGEST_TEXT,
    encode_bytes_head,
    encode_varint,
    encode_varint_field,
)
from onecell.checkpoint.formats.tensorflow.bundle import KINDS
from onecell.checkpoint.formats.tensorflow.checksum import masked_crc
from onecell.checkpoint.formats.tensorflow.sorted_table import write_table
from onecell.dtypes import dtype_name
from onecell.errors import ArgumentError
from onecell.text import short

DATA: Final = ".data-00000-of-00001"

_NUMBERS: Final = {plain: number for number, plain in KINDS.items()}
_FIXED32: Final = 5


def write(
    file: BinaryIO,
    beside: BinaryIO,
    tensors: Mapping[str, np.ndarray],
    metadata: Mapping[str, str],
    form: str | None = None,
) -> None:
    """Write a checkpoint; the parts of a name have slashes between them there.

    Raises:
        ArgumentError: two tensors would have one name, or one has none that can be read again.
    """
    del metadata, form
    called: dict[bytes, np.ndarray] = {}
    for name, array in tensors.items():
        check_length(name, LONGEST_TEXT, "index")
        key = name.replace(".", "/").encode()
        if not key or key in called:
            raise ArgumentError(f"two tensors would be called {short(repr(name))}, or one nothing.")
        called[key] = array
    version = encode_varint_field(1, 1)
    entries = [(b"", encode_varint_field(1, 1) + encode_bytes_head(3, len(version)) + version)]
    place = 0
    for key, array in sorted(called.items(), key=lambda each: each[0]):
        content = raw(array)
        beside.write(content)
        entries.append((key, _entry(array, place, content)))
        place += len(content)
    write_table(file, entries)


def _entry(array: np.ndarray, start: int, content: memoryview) -> bytes:
    """Return what the index says of a tensor."""
    sizes = [encode_varint_field(1, size) for size in array.shape]
    shape = b"".join(encode_bytes_head(2, len(size)) + size for size in sizes)
    said = encode_varint_field(1, _NUMBERS[dtype_name(array.dtype)])
    said += encode_bytes_head(2, len(shape)) + shape
    said += encode_varint_field(4, start) + encode_varint_field(5, len(content))
    return said + encode_varint(6 << 3 | _FIXED32) + masked_crc(content).to_bytes(4, "little")

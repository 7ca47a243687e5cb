"""Pieces of a pickle to be written, instruction by instruction.

What they name is another framework's, and not here to be pickled.
"""

from __future__ import annotations

import pickle
import struct


def spell_global(module: str, name: str) -> bytes:
    """Return the name of a class or a function."""
    return pickle.GLOBAL + f"{module}\n{name}\n".encode()


def spell_text(text: str) -> bytes:
    """Return a text of less than 4 GiB."""
    encoded = text.encode()
    return pickle.BINUNICODE + struct.pack("<I", len(encoded)) + encoded


def spell_integer(value: int) -> bytes:
    """Return a whole number from 0 to 2^71."""
    if value < 2**31:
        return pickle.BININT + struct.pack("<i", value)
    return pickle.LONG1 + b"\x09" + value.to_bytes(9, "little")


def spell_tuple(*items: bytes) -> bytes:
    """Return a tuple of what `items` spell."""
    return pickle.MARK + b"".join(items) + pickle.TUPLE

"""CRC-32C, as TensorFlow keeps it of each tensor and of each block of an index.

The register of a checksum is linear in what it has read. So a long content is cut into lanes that
are read side by side, each from a register of zero, and joined pair by pair.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, cast

import numpy as np

_POLYNOMIAL: Final = 0x82F63B78
_ALL: Final = 0xFFFFFFFF
_DELTA: Final = 0xA282EAD8
_MOST_LANES: Final = 2**13
_SHORT: Final = 2**12
_LONG: Final = 64
"""Bytes of a lane, at least."""


def masked_crc(content: bytes | bytearray | memoryview) -> int:
    """Return the checksum as it is stored: turned, so that one of content with one is no trap."""
    crc = crc32c(content)
    return ((crc >> 15 | crc << 17) + _DELTA) & _ALL


def crc32c(content: bytes | bytearray | memoryview) -> int:
    """Return the checksum of bytes."""
    view = np.frombuffer(content, np.uint8)
    if len(view) < _SHORT:
        return _register(_ALL, view) ^ _ALL
    lanes = min(_MOST_LANES, 1 << (len(view) // _LONG).bit_length() - 1)
    each = len(view) // lanes & ~1
    head = len(view) - each * lanes
    start = np.array([_register(_ALL, view[:head])], np.uint32)
    rest = _lanes(view[head:].reshape(lanes, each))
    return int(_advance(start, each * lanes)[0]) ^ rest ^ _ALL


@lru_cache(maxsize=1)
def _table() -> np.ndarray:
    """Return what 256 bytes make of a register of zero."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, table >> 1 ^ np.uint32(_POLYNOMIAL), table >> 1)
    return table


@lru_cache(maxsize=1)
def _pairs() -> np.ndarray:
    """Return the same of pairs of bytes."""
    table, pairs = _table(), np.arange(2**16, dtype=np.uint32)
    for _ in range(2):
        pairs = table[pairs & 255] ^ pairs >> 8
    return pairs


def _register(register: int, view: np.ndarray) -> int:
    """Return the register after some bytes, one after the other."""
    table = cast("list[int]", _table().tolist())
    for byte in view.tobytes():
        register = table[(register ^ byte) & 255] ^ register >> 8
    return register


def _lanes(lanes: np.ndarray) -> int:
    """Return the register after all lanes, from zero; each has an even number of bytes."""
    pairs = _pairs()
    words = lanes.view("<u2")
    registers = np.zeros(len(lanes), np.uint32)
    for column in range(words.shape[1]):
        registers = pairs[(registers ^ words[:, column]) & 0xFFFF] ^ registers >> 16
    length = lanes.shape[1]
    while len(registers) > 1:
        registers = _advance(registers[::2], length) ^ registers[1::2]
        length *= 2
    return int(registers[0])


def _advance(registers: np.ndarray, zeros: int) -> np.ndarray:
    """Return registers after so many bytes of zero more."""
    return _times(_power(zeros), registers)


@lru_cache(maxsize=64)
def _power(zeros: int) -> np.ndarray:
    """Return what so many bytes of zero make of each bit of a register."""
    bits = np.uint32(1) << np.arange(32, dtype=np.uint32)
    step = _table()[bits & 255] ^ bits >> 8
    found = bits
    while zeros:
        if zeros & 1:
            found = _times(step, found)
        step = _times(step, step)
        zeros >>= 1
    return found


def _times(matrix: np.ndarray, registers: np.ndarray) -> np.ndarray:
    found = np.zeros_like(registers)
    for bit, column in enumerate(matrix):
        found ^= np.where(registers >> np.uint32(bit) & 1, column, np.uint32(0))
    return found

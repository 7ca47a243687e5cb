"""The instructions of a pickle, one after the other, each paid for before it is read.

`pickletools.genops` with a purse: what an argument weighs is taken out of the budget first, so
that a text of a few wide characters cannot grow fourfold behind its back.
"""

from __future__ import annotations

import io
import pickletools
import struct
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

from onecell.checkpoint.limits import Budget

Code = bytes | bytearray
_Read = Callable[[Code, int, Budget], tuple[Any, int]]

WHAT: Final = "its pickle"
_NUMBER: Final = 32  # an int or a float, as the allocator rounds it
_SHORT_LINE: Final = 4096


def instructions(code: Code, start: int, budget: Budget) -> Iterator[tuple[str, Any, int]]:
    """Yield name, argument and end of every instruction, up to STOP.

    Raises:
        ValueError, UnicodeDecodeError: the pickle is damaged.
        UnsafeCheckpointError: an argument takes more memory than there may be.
    """
    position, end = start, len(code)
    while position < end:
        name, read = _TABLE.get(code[position], _UNKNOWN)
        argument = None
        position += 1
        if read is not None:
            argument, position = read(code, position, budget)
        yield name, argument, position
        if name == "STOP":
            return
    raise ValueError("it ends before its STOP")


def _fixed(form: str, cost: int) -> _Read:
    head = struct.Struct(form)

    def read(code: Code, at: int, budget: Budget) -> tuple[Any, int]:
        (value,) = _unpack(head, code, at)
        if cost and not (isinstance(value, int) and -5 <= value <= 256):  # those exist once
            budget.take(cost, WHAT)
        return value, at + head.size

    return read


def _counted(form: str, decode: Callable[[Code, Budget], Any]) -> _Read:
    head = struct.Struct(form)

    def read(code: Code, at: int, budget: Budget) -> tuple[Any, int]:
        (count,) = _unpack(head, code, at)
        start = at + head.size
        if not 0 <= count <= len(code) - start:
            raise ValueError(f"{count} bytes are claimed where {len(code) - start} are there")
        budget.take(count, WHAT)  # the piece, for as long as it is decoded
        value = decode(code[start : start + count], budget)
        budget.give(count)
        return value, start + count

    return read


def _lines(count: int, parse: Callable[[Any], Any]) -> _Read:
    def read(code: Code, at: int, budget: Budget) -> tuple[Any, int]:
        end = at
        for _ in range(count):
            end = code.find(b"\n", end) + 1
            if not end:
                raise ValueError("a line has no end")
        bound = 8 * (end - at) if end - at > _SHORT_LINE else 0
        budget.take(bound, WHAT)
        value = parse(io.BytesIO(code[at:end]))
        budget.take(sys.getsizeof(value), WHAT)
        budget.give(bound)
        return value, end

    return read


def _unpack(head: struct.Struct, code: Code, at: int) -> tuple[Any, ...]:
    try:
        return head.unpack_from(code, at)
    except struct.error:
        raise ValueError("it ends inside an instruction") from None


def _utf8(piece: Code, budget: Budget) -> str:
    return budget.text(piece, WHAT, "surrogatepass")


def _latin1(piece: Code, budget: Budget) -> str:
    budget.take(sys.getsizeof("é") + len(piece), WHAT)
    return piece.decode("latin-1")


def _bytes(piece: Code, budget: Budget) -> bytes:
    budget.take(sys.getsizeof(b"") + len(piece), WHAT)
    return bytes(piece)


def _long(piece: Code, budget: Budget) -> int:
    budget.take(_NUMBER + 2 * len(piece), WHAT)
    return int.from_bytes(piece, "little", signed=True)


_READ: Final[dict[str, _Read]] = {
    **{
        kind: _fixed(form, _NUMBER)
        for kind, form in (("uint2", "<H"), ("int4", "<i"), ("float8", ">d"))
    },
    # Places of the memo and lengths, which stay nowhere, and bytes, which exist once.
    **{kind: _fixed(form, 0) for kind, form in (("uint1", "<B"), ("uint4", "<I"), ("uint8", "<Q"))},
    **{
        kind: _counted(form, decode)
        for kind, form, decode in (
            *(("string1", "<B", _latin1), ("string4", "<i", _latin1)),
            *(("bytes1", "<B", _bytes), ("bytes4", "<I", _bytes), ("bytes8", "<Q", _bytes)),
            ("bytearray8", "<Q", _bytes),
            *(("unicodestring1", "<B", _utf8), ("unicodestring4", "<I", _utf8)),
            ("unicodestring8", "<Q", _utf8),
            *(("long1", "<B", _long), ("long4", "<i", _long)),
        )
    },
}
"""Kind of an argument, as pickletools calls it, where it is no line of text → its reader."""


def _reader(opcode: pickletools.OpcodeInfo) -> _Read | None:
    if opcode.arg is None:
        return None
    if opcode.arg.name in _READ:
        return _READ[opcode.arg.name]
    pair = opcode.arg.name == "stringnl_noescape_pair"
    return _lines(2 if pair else 1, opcode.arg.reader)


def _unknown(code: Code, at: int, _: Budget) -> tuple[Any, int]:
    raise ValueError(f"{code[at - 1 : at]!r} is no instruction")


_TABLE: Final = {ord(op.code): (op.name, _reader(op)) for op in pickletools.opcodes}
_UNKNOWN: Final = ("", _unknown)

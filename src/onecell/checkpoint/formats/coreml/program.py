"""The LSTM operations of a Core ML program, whose weights are constants of it or in a file beside.

After MIL.proto of https://github.com/apple/coremltools and its storage format: `weight.bin` has 64
bytes of its own, then for each constant 64 that say its type, length and place.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from onecell.checkpoint.content import DTYPES, MOST_DIMENSIONS, Checkpoint
from onecell.checkpoint.formats.coreml.messages import Messages, add
from onecell.checkpoint.formats.onnx.tensors import inside
from onecell.checkpoint.formats.protobuf import Field
from onecell.checkpoint.limits import count_bytes, read_array, read_bytes
from onecell.errors import CheckpointError, UnsafeCheckpointError
from onecell.text import listed, short

# Program, Function, Block, Operation, Argument, NamedValueType, Value and what is in them.
_FUNCTIONS, _BLOCKS, _OPERATIONS, _VALUE_OF = 2, 3, 3, 2
_TYPE, _INPUTS, _OUTPUTS, _INNER, _ATTRIBUTES = 1, 2, 3, 4, 5
_VALUE_TYPE, _IMMEDIATE, _BLOB = 2, 3, 5
_TENSOR: Final = 1
_DATA_TYPE, _DIMENSIONS, _CONSTANT = 1, 3, 1
_FLOATS, _STRINGS, _BYTES = 1, 4, 7
_KINDS: Final = {10: "float16", 11: "float32", 12: "float64"}
_STORED: Final = {1: "float16", 2: "float32", 5: "bfloat16"}
_SENTINEL: Final = 0xDEADBEEF
_BESIDE: Final = "@model_path/"
_DEEPEST: Final = 16
_ENTRY: Final = 400

_PIECES: Final = ("weight_ih", "weight_hh", "bias")
_BACK: Final = "_back"
_USUAL: Final = {
    "recurrent_activation": "sigmoid",
    "cell_activation": "tanh",
    "activation": "tanh",
}


@dataclass(slots=True)
class _Constant:
    """A constant of a program, before its numbers are read."""

    value: Field
    used: bool = False


class Program:
    """One walk over a program."""

    def __init__(self, messages: Messages, folder: Path, found: Checkpoint) -> None:
        self._messages, self._folder, self._found = messages, folder, found
        self._counted: set[Path] = set()

    def read(self, program: Field) -> None:
        """Take up the LSTM operations of all functions, and the other constants in files."""
        functions = list(self._messages.inside(program, _FUNCTIONS))
        for entry in functions:
            name = self._messages.text(entry, 1)
            path = f"{name}." if len(functions) > 1 else ""
            for block in self._messages.inside(entry, _VALUE_OF, _BLOCKS, _VALUE_OF):
                self._block(block, {}, path, 0)

    def _block(self, block: Field, outer: dict[str, _Constant], path: str, depth: int) -> None:
        if depth > _DEEPEST:
            raise CheckpointError(f"its blocks are nested deeper than {_DEEPEST}.")
        self._messages.budget.take(100 * len(outer), "a block")
        known, own = dict(outer), {}
        for operation in self._messages.inside(block, _OPERATIONS):
            kind = self._messages.text(operation, _TYPE)
            output = self._messages.text(operation, _OUTPUTS, 1)
            if kind == "const":
                value = self._entry(operation, _ATTRIBUTES, "val")
                if value is not None:
                    self._messages.budget.take(_ENTRY + 4 * len(output), "a constant", output)
                    known[output] = own[output] = _Constant(value)
            elif kind == "lstm":
                self._lstm(operation, path + (self._name(operation) or output or "lstm"), known)
            for inner in self._messages.inside(operation, _INNER):
                self._block(inner, known, f"{path}{output}.", depth + 1)
        for name, constant in own.items():
            if not constant.used and self._messages.one(constant.value, _BLOB) is not None:
                array = self._tensor(constant, name)
                if array is not None:
                    add(self._found, path + name, array)

    def _entry(self, operation: Field, number: int, key: str) -> Field | None:
        """Return what a map of an operation has under a name."""
        for entry in self._messages.inside(operation, number):
            if self._messages.text(entry, 1) == key:
                return self._messages.one(entry, _VALUE_OF)
        return None

    def _name(self, operation: Field) -> str:
        """Return what the layer was called where the program was made."""
        value = self._entry(operation, _ATTRIBUTES, "name")
        return "" if value is None else self._said(_Constant(value))

    def _lstm(self, operation: Field, name: str, known: dict[str, _Constant]) -> None:
        """Take up the weights of one operation, or say what it is instead."""
        given: dict[str, _Constant | None] = {}
        for entry in self._messages.inside(operation, _INPUTS):
            binding = self._messages.one(entry, _VALUE_OF, 1)
            value = self._messages.one(binding, 2)
            source = self._messages.text(binding, 1)
            given[self._messages.text(entry, 1)] = (
                known.get(source) if value is None else _Constant(value)
            )
        direction = self._said(given.get("direction")) or "forward"
        ways = ("", _BACK) if direction == "bidirectional" else ("",)
        if why := self._why_not(given, ways):
            self._found.remarks[name] = why
            return
        for way in ways:
            owner = f"{name}.l0{'_reverse' if way else ''}" if len(ways) > 1 else name
            for piece in _PIECES:
                constant = given.get(piece + way)
                if constant is None:
                    continue
                array = self._tensor(constant, f"{owner}.{piece}")
                if array is None:
                    self._found.remarks[name] = f"an LSTM perhaps, `{piece}` of a type unknown"
                    return
                add(self._found, f"{owner}.{piece}", array)
        if direction == "reverse":
            self._found.remarks[name] = "runs backward over its sequence; the cell is the same"

    def _why_not(self, given: dict[str, _Constant | None], ways: tuple[str, ...]) -> str:
        """Return what makes it no plain LSTM; "" if it is one."""
        wanted = [piece + way for way in ways for piece in _PIECES]
        missing = [piece for piece in wanted if piece not in given and "bias" not in piece]
        computed = [piece for piece in wanted if piece in given and given[piece] is None]
        for keys, what in ((missing, "missing"), (computed, "computed in the program")):
            if keys:
                return f"an LSTM perhaps, with {listed(keys)} {what}"
        for piece in wanted:
            if (constant := given.get(piece)) is not None:
                constant.used = True
        odd: list[str] = [key for key in ("peephole", "peephole_back", "clip") if key in given]
        odd += [
            key for key, usual in _USUAL.items() if (self._said(given.get(key)) or usual) != usual
        ]
        return f"an LSTM with {listed(odd)}, no LSTM cell" if odd else ""

    def _said(self, constant: _Constant | None) -> str:
        if constant is None:
            return ""
        return self._messages.text(constant.value, _IMMEDIATE, _TENSOR, _STRINGS, 1)

    def _tensor(self, constant: _Constant, name: str) -> np.ndarray | None:
        """Return a constant's numbers; None where they are of another type."""
        messages = self._messages
        said = messages.one(constant.value, _VALUE_TYPE, _TENSOR)
        kind = _KINDS.get(messages.number(said, _DATA_TYPE))
        dims = list(messages.inside(said, _DIMENSIONS)) if said is not None else []
        shape = tuple(messages.number(messages.one(each, _CONSTANT), 1) for each in dims)
        if len(shape) > MOST_DIMENSIONS:
            raise CheckpointError(f"`{short(name)}` has more than {MOST_DIMENSIONS} dimensions.")
        if kind is None:
            return None
        count_bytes(name, shape, DTYPES[kind].itemsize)
        if (blob := messages.one(constant.value, _BLOB)) is not None:
            return self._stored(blob, shape, kind, name)
        tensor = messages.one(constant.value, _IMMEDIATE, _TENSOR)
        for number, known in ((_FLOATS, "float32"), (_BYTES, kind)):
            place = messages.one(tensor, number, 1)
            if place is not None and known == kind:
                return messages.numbers(place, shape, kind, name)
        raise CheckpointError(f"`{short(name)}` has no numbers that could be its.")

    def _stored(self, blob: Field, shape: tuple[int, ...], kind: str, name: str) -> np.ndarray:
        """Return a tensor out of the file beside the model."""
        messages = self._messages
        location, offset = messages.text(blob, 1), messages.number(blob, 2)
        if not location.startswith(_BESIDE):
            raise UnsafeCheckpointError(f"`{short(name)}` lies in {short(repr(location))}.")
        path = inside(self._folder, location.removeprefix(_BESIDE), name)
        nbytes = count_bytes(name, shape, DTYPES[kind].itemsize)
        with path.open("rb") as file:
            end = os.fstat(file.fileno()).st_size
            if path not in self._counted:
                self._counted.add(path)
                messages.budget.add_file(end)
            file.seek(min(offset, end))
            said = read_bytes(file, 24, "the place of", name)
            mark, stored, size, place = struct.unpack("<IIQQ", said)
            if mark != _SENTINEL or _STORED.get(stored) != kind or size != nbytes:
                raise CheckpointError(
                    f"`{short(name)}` of shape {shape} is {nbytes} bytes, and its file says "
                    f"{size} of type {stored}."
                )
            messages.budget.take(nbytes, "the tensor", name)
            file.seek(min(place, end))
            return read_array(file, shape, DTYPES[kind], name)

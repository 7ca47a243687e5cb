"""Paddle's programs for inference: .pdiparams, arrays one behind the other in the order of names.

The names are those of the program beside it, `.json` or, before Paddle 3, `.pdmodel`, of which
nothing else is looked at. An array is a version, levels that only sequences have, a version again,
and a description in protobuf (framework.proto, TensorDesc) before its bytes. A cell's arrays are
called `lstm_cell_0.w_0`, `.w_1`, `.b_0` and `.b_1`, and read as what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from onecell.checkpoint.content import DTYPES, Checkpoint
from onecell.checkpoint.formats.json_text import parse_json
from onecell.checkpoint.formats.onnx.tensors import inside
from onecell.checkpoint.formats.protobuf import BYTES, VARINT, read_fields, read_text
from onecell.checkpoint.limits import Budget, count_bytes, read_array, read_bytes
from onecell.errors import CheckpointError
from onecell.gates import PARAMETERS
from onecell.text import short

_PROGRAMS: Final = (".json", ".pdmodel")
_CELL: Final = re.compile(r"(.*lstm_cell_[0-9]{1,9})\.(w_0|w_1|b_0|b_1)", re.DOTALL)
_PIECES: Final = dict(zip(("w_0", "w_1", "b_0", "b_1"), PARAMETERS, strict=True))
_KINDS: Final = {
    **dict(enumerate(("bool", "int16", "int32", "int64", "float16", "float32", "float64"))),
    **dict(enumerate(("uint8", "int8", "bfloat16", "complex64", "complex128"), 20)),
}
"""framework.proto, VarType.Type → the name of an element type."""
_NO_ARRAYS: Final = {9, 10}
"""What a program keeps, and no file has: what it is fed with and what is fetched."""
_LONGEST: Final = 4096
_ENTRY: Final = 600


def read(file: BinaryIO, budget: Budget) -> Checkpoint:
    """Read the arrays; their names are those of the program beside, which has the file's name.

    Raises:
        UnsafeCheckpointError: the program is outside of the folder, or there is too little memory.
        CheckpointError: there is no program, or it names other arrays than are there.
    """
    found = Checkpoint({}, "pdiparams", "paddle", {})
    names = sorted(_names(Path(file.name), budget))
    for name in names:
        if file.tell() == budget.file_size:
            raise CheckpointError(f"its program names `{short(name)}`, which is not there.")
        cell = _CELL.fullmatch(name)
        spelled = f"{cell[1]}.{_PIECES[cell[2]]}" if cell else name
        if spelled in found.tensors:
            raise CheckpointError(f"it holds `{short(spelled)}` twice.")
        found.tensors[spelled] = _read_tensor(file, name, budget)
    if file.tell() != budget.file_size:
        raise CheckpointError(f"its program names {len(names)} arrays, and more are there.")
    return found


def _names(path: Path, budget: Budget) -> list[str]:
    """Return the names of what the program beside keeps."""
    for suffix in _PROGRAMS:
        beside = path.with_suffix(suffix).name
        if (path.parent / beside).exists():
            program = inside(path.parent, beside, path.name)
            size = program.stat().st_size
            budget.take(size, "the program", beside)
            with program.open("rb") as file:
                if suffix == ".json":
                    content = read_bytes(file, size, "the program", beside)
                    return list(_in_json(parse_json(content, budget, "the program"), budget))
                return list(_in_protobuf(file, size, budget))
    raise CheckpointError(
        f"its arrays have no names of their own, and no program lies beside it that names them, "
        f"{short(path.stem)}.json or .pdmodel."
    )


def _in_json(program: object, budget: Budget) -> Iterator[str]:
    """Yield the names of the parameters of a program of Paddle 3's."""
    match program:
        case {"program": {"regions": [{"blocks": [{"ops": list(operators)}, *_]}, *_]}}:
            pass
        case _:
            raise CheckpointError("the program beside it is none of Paddle's.")
    for operator in operators:
        match operator:
            case {"#": "p", "A": [_, _, _, str(name), *_], "OA": [1, *_]}:
                budget.take(_ENTRY, "the name", name)
                yield name


def _in_protobuf(file: BinaryIO, size: int, budget: Budget) -> Iterator[str]:
    """Yield the names of what a ProgramDesc keeps."""
    what = "the program"
    for block in read_fields(file, 0, size, what):
        if (block.number, block.wire) != (1, BYTES):
            continue
        for each in read_fields(file, block.start, block.end, what):
            if (each.number, each.wire) != (3, BYTES):
                continue
            budget.take(_ENTRY, "the name")
            name, kind, kept = "", 0, 0
            for part in read_fields(file, each.start, each.end, what):
                if (part.number, part.wire) == (1, BYTES):
                    name = read_text(file, part)
                elif (part.number, part.wire) == (2, BYTES):
                    types = read_fields(file, part.start, part.end, what)
                    kind = next((t.value for t in types if (t.number, t.wire) == (1, VARINT)), 0)
                elif (part.number, part.wire) == (3, VARINT):
                    kept = part.value
            if kept and kind not in _NO_ARRAYS:
                yield name


def _number(file: BinaryIO, size: int, name: str) -> int:
    return int.from_bytes(read_bytes(file, size, "the array", name), "little")


def _read_tensor(file: BinaryIO, name: str, budget: Budget) -> np.ndarray:
    """Read one array with all that stands before it."""
    budget.take(_ENTRY, "the array", name)
    versions = [_number(file, 4, name)]
    if _number(file, 8, name):
        raise CheckpointError(f"`{short(name)}` is a sequence of several levels, no parameter.")
    versions.append(_number(file, 4, name))
    size = _number(file, 4, name)
    if any(versions) or size > _LONGEST:
        raise CheckpointError(f"`{short(name)}` has no description that is known here.")
    start = file.tell()
    kind, shape = -1, []
    for field in read_fields(file, start, start + size, "the array"):
        if (field.number, field.wire) == (1, VARINT):
            kind = field.value
        elif (field.number, field.wire) == (2, VARINT):
            shape.append(field.value)
    if kind not in _KINDS:
        raise CheckpointError(f"`{short(name)}` holds a type that is not known here, {kind}.")
    dtype = DTYPES[_KINDS[kind]]
    nbytes = count_bytes(name, shape, dtype.itemsize)
    file.seek(start + size)
    if nbytes > (there := budget.file_size - start - size):
        raise CheckpointError(f"`{short(name)}` is cut off: {there} of {nbytes} bytes are there.")
    budget.take(nbytes, "the array", name)
    return read_array(file, tuple(shape), dtype, name)

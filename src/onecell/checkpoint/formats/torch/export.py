"""torch.export's archives (.pt2): tensors beside a graph, which is not looked at.

A tensor is a member of raw bytes, which a JSON beside it describes, in `data/weights/`, or in
`data/constants/` if it is none of the state dict's. Before torch 2.9 the state dict and the
constants were each a .pt of their own inside the archive.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final, cast

import numpy as np

from onecell.checkpoint.content import Checkpoint
from onecell.checkpoint.formats.json_text import parse_json
from onecell.checkpoint.formats.torch import archive
from onecell.checkpoint.formats.torch.tensors import ByteOrder, Cutter
from onecell.checkpoint.formats.zipped import Members, open_members
from onecell.checkpoint.limits import Budget
from onecell.checkpoint.pickles.described import Storage, TensorPlan
from onecell.errors import CheckpointError
from onecell.text import short

_MARK: Final = "archive_format"
_OLD_MARK: Final = "serialized_exported_program.json"
_OLD: Final = (
    *("serialized_state_dict.pt", "serialized_state_dict.json"),
    *("serialized_constants.pt", "serialized_constants.json"),
)
_FOLDERS: Final = {
    "data/weights/": "_weights_config.json",
    "data/constants/": "_constants_config.json",
}
"""Folder → how the description of what lies in it ends."""
_COMPILED: Final = "data/aotinductor/"
_FILES: Final = ("extra/", "extra_files/")
_ENTRY: Final = 600
_STRIDED: Final = 7
_UNTYPED: Final = "torch.UntypedStorage"
_FIRST: Final = (
    *("uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"),
    *("complex32", "complex64", "complex128", "bool", "bfloat16"),
)
_DTYPES: Final = {**dict(enumerate(_FIRST, 1)), 28: "uint16", 34: "uint32", 35: "uint64"}
"""torch's number of an element type → its name."""


def is_export(members: Members) -> bool:
    """Whether a zip file is an archive of torch.export's or AOTInductor's."""
    marks = (_MARK, _OLD_MARK)
    return any(
        name in marks or name.endswith(f"/{_MARK}") or f"/{_COMPILED}" in f"/{name}"
        for name in members
    )


def read(members: Members, budget: Budget) -> Checkpoint:
    """Read the state dict and the constants of every program in an archive.

    Where it holds several, each name begins with its program's. Pickled objects, and tensors that
    have no array, are left out by name.

    Raises:
        UnsafeCheckpointError: it asks for more than tensors.
        CheckpointError: it is damaged, or machine code with its weights inside.
    """
    found = Checkpoint({}, "pt2", "torch", {})
    if _OLD_MARK in members:
        for name in _OLD:
            if name in members and members.size(name):
                _take(found, "", _nested(members, name, budget))
    else:
        _read_folders(members, budget, found)
    root = _root(members)
    for name in members:
        if name.startswith(tuple(root + folder for folder in _FILES)):
            found.left_out[name.removeprefix(root)] = "a file beside the program"
    return found


def _root(members: Members) -> str:
    """Return the one folder in which everything lies, its slash included."""
    marks = [name for name in members if f"/{name}".endswith(f"/{_MARK}")]
    return marks[0].removesuffix(_MARK) if len(marks) == 1 else ""


def _read_folders(members: Members, budget: Budget, found: Checkpoint) -> None:
    root = _root(members)
    described: list[tuple[str, str, str]] = []
    for folder, end in _FOLDERS.items():
        for name in members:
            program = name.removeprefix(root + folder)
            if len(program) < len(name) and program.endswith((end, ".pt")):
                described.append((name, folder, program.removesuffix(end).removesuffix(".pt")))
    if not described:
        compiled = any(name.startswith(root + _COMPILED) for name in members)
        why = "machine code that AOTInductor has made" if compiled else "none of its weights"
        raise CheckpointError(f"it holds {why}; save the program with `torch.export.save`.")
    programs = {program for *_, program in described}
    byteorder = f"{root}byteorder"
    order = members.read(byteorder) if byteorder in members else b"little"
    if order not in (b"little", b"big"):
        raise CheckpointError(f"its byte order is {bytes(order[:20])!r}.")
    for name, folder, program in described:
        prefix = f"{program}." if len(programs) > 1 else ""
        if name.endswith(".pt"):
            _take(found, prefix, _nested(members, name, budget))
            continue

        def read_storage(storage: Storage, folder: str = root + folder) -> np.ndarray:
            return members.read_array(folder + storage.key)

        cutter = Cutter(read_storage, cast("ByteOrder", order.decode()), budget)
        for each, plan in _plans(members, name, root + folder, budget):
            _once(found, prefix + each)
            if isinstance(plan, str):
                found.left_out[prefix + each] = plan
            else:
                found.tensors[prefix + each] = cutter.cut(prefix + each, plan)


def _nested(members: Members, name: str, budget: Budget) -> Checkpoint:
    """Read a .pt inside the archive."""
    part = Budget(members.size(name), left=budget.left)
    content = io.BytesIO(members.read(name))
    try:
        with open_members(content, part) as inside:
            read = archive.read(inside, part)
    except CheckpointError as error:
        raise type(error)(f"`{short(name)}` in it: {error}") from error
    budget.left = part.left
    return read


def _take(found: Checkpoint, prefix: str, part: Checkpoint) -> None:
    """Take up what a part of the archive holds."""
    for name in (*part.tensors, *part.metadata, *part.left_out):
        _once(found, prefix + name)
    found.tensors.update({prefix + name: array for name, array in part.tensors.items()})
    found.metadata.update({prefix + name: text for name, text in part.metadata.items()})
    found.left_out.update({prefix + name: what for name, what in part.left_out.items()})


def _once(found: Checkpoint, name: str) -> None:
    if name in found.tensors or name in found.metadata or name in found.left_out:
        raise CheckpointError(f"it holds `{short(name)}` twice.")


def _plans(
    members: Members, config: str, folder: str, budget: Budget
) -> Iterator[tuple[str, TensorPlan | str]]:
    """Yield name → how a tensor is cut out of its member, or what it is instead of a tensor."""
    tree = parse_json(members.read(config), budget, f"`{short(config)}`")
    entries = tree.get("config") if isinstance(tree, dict) else None
    if not isinstance(entries, dict):
        raise CheckpointError(f"`{short(config)}` describes no tensors.")
    for name, entry in entries.items():
        budget.take(_ENTRY + 4 * len(name), "the entry", name)
        match entry:
            case {"use_pickle": True}:
                yield name, "a pickled object"
            case {
                "path_name": str(path),
                "use_pickle": False,
                "tensor_meta": {
                    "dtype": int(dtype),
                    "sizes": list(sizes),
                    "strides": list(strides),
                    "storage_offset": offset,
                    "layout": int(layout),
                },
            }:
                if layout != _STRIDED:
                    yield name, "a tensor that is sparse"
                elif dtype not in _DTYPES:
                    yield name, "a tensor of a type that NumPy does not have"
                else:
                    storage = Storage(_UNTYPED, path, members.size(folder + path))
                    size, stride = _numbers(sizes), _numbers(strides)
                    kind = f"torch.{_DTYPES[dtype]}"
                    yield name, TensorPlan(storage, _number(offset), size, stride, kind)
            case _:
                raise CheckpointError(f"`{short(config)}` does not say what `{short(name)}` is.")


def _numbers(sizes: list[object]) -> tuple[object, ...]:
    return tuple(map(_number, sizes))


def _number(size: object) -> object:
    """Return a size as it is written; what is none, such as an expression, `Cutter` refuses."""
    return size["as_int"] if isinstance(size, dict) and "as_int" in size else None

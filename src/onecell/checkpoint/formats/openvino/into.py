"""An OpenVINO model with other numbers in its LSTMs: the graph and all other constants stay.

Numbers go to where the old ones were. Where another constant lies on the same bytes, as OpenVINO
keeps equal ones once, or where the model keeps float16 and these would be rounded, they go to the
end of the file of constants, and the layer says so: the places and the type in its `data`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from onecell.checkpoint.content import raw
from onecell.checkpoint.formats.onnx.tensors import inside
from onecell.checkpoint.formats.openvino.model import (
    KINDS,
    WEIGHTS,
    kind_of,
    range_of,
    read_sources,
)
from onecell.checkpoint.formats.openvino.net import Net, Source
from onecell.checkpoint.formats.placed import InMemory, Placed
from onecell.checkpoint.limits import Budget, read_bytes
from onecell.dtypes import FLOAT_NAMES, dtype_name, narrow, widen
from onecell.errors import CheckpointError
from onecell.text import short

_NAMES: Final = {plain: theirs for theirs, plain in KINDS.items()}
_ALIGNED: Final = 64


@dataclass(frozen=True, slots=True)
class _Edit:
    """An attribute of the XML that gets another value."""

    start: int
    """Where its element begins."""
    name: str
    value: str


def put(file: InMemory, budget: Budget, tensors: Mapping[str, np.ndarray], target: Path) -> Placed:
    """Return a model with other arrays in it.

    Raises:
        CheckpointError: something else uses such an array as well, or it has no place.
    """
    content = file.getvalue()
    _, sources, nets = read_sources(file, budget)
    path = Path(file.name)
    with inside(path.parent, path.stem + WEIGHTS, path.stem).open("rb") as beside:
        size = beside.seek(0, 2)
        beside.seek(0)
        budget.take(3 * size, "the copy")
        numbers = read_bytes(beside, size, "the file of constants")
    taken = _taken(nets)
    edits: list[_Edit] = []
    for name, array in tensors.items():
        source = sources.get(name)
        if source is None:
            if np.any(widen(array)):
                raise CheckpointError(f"`{short(name)}` has no place in the model.")
            continue
        if source.is_shared:
            raise CheckpointError(
                f"`{short(name)}` is used by something else in the model as well."
            )
        edits += _put(numbers, source, array, taken)
    return Placed(_edited(content, edits), {target.with_suffix(WEIGHTS): [numbers]}, reread=False)


def _taken(nets: Sequence[Net]) -> list[tuple[int, int]]:
    """Return where all constants begin and end."""
    return [
        (start, start + size)
        for net in nets
        for layer in net.layers.values()
        if layer.get("type") == "Const"
        for start, size in [range_of(layer)]
    ]


def _is_apart(taken: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    """Whether no other constant lies on these bytes."""
    return sum(one < end and start < other for one, other in taken) == 1


def _put(
    numbers: bytearray, source: Source, array: np.ndarray, taken: Sequence[tuple[int, int]]
) -> list[_Edit]:
    """Put an array among the numbers; return what the XML says otherwise then."""
    layer = source.constant
    start, size = range_of(layer)
    kept = kind_of(layer)
    stored = array
    if dtype_name(array.dtype) != kept and kept in FLOAT_NAMES:
        stored = narrow(widen(array), kept)
        if not np.array_equal(widen(stored), widen(array), equal_nan=True):
            stored = array
    content = raw(stored)
    if dtype_name(stored.dtype) == kept and _is_apart(taken, start, start + size):
        numbers[start : start + size] = content
        return []
    numbers.extend(bytes(-len(numbers) % _ALIGNED))
    at = len(numbers)
    numbers.extend(content)
    data = next(layer.all("data"))
    said = {"offset": str(at), "size": str(len(content))}
    kind = _NAMES[dtype_name(stored.dtype)]
    edits = [_Edit(data.start, key, value) for key, value in said.items()]
    if dtype_name(stored.dtype) != kept:
        if "element_type" not in data.attributes:
            raise CheckpointError(
                f"`{short(layer.get('name'))}` is kept as {kept}, and would be rounded."
            )
        edits.append(_Edit(data.start, "element_type", kind))
        ports = [each for each in layer.all("output", "port") if "precision" in each.attributes]
        edits += [_Edit(port.start, "precision", f"FP{kind[1:]}") for port in ports]
    return edits


def _edited(content: bytes, edits: Sequence[_Edit]) -> bytes:
    """Return the XML with other values of attributes."""
    for edit in sorted(edits, key=lambda each: each.start, reverse=True):
        pattern = re.compile(rb"(\s%s\s*=\s*)(\"[^\"]*\"|'[^']*')" % edit.name.encode())
        end = content.find(b">", edit.start)
        match = pattern.search(content, edit.start, end)
        if match is None:
            raise CheckpointError(f"the XML of the model is written in a way unknown: {edit.name}.")
        value = b'"%s"' % edit.value.encode()
        content = content[: match.start(2)] + value + content[match.end(2) :]
    return content

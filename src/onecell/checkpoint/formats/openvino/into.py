"""An OpenVINO model with other numbers in its LSTMs: the same .xml, and a .bin of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from onecell.checkpoint.content import DTYPES, raw
from onecell.checkpoint.formats.onnx_tensors import inside
from onecell.checkpoint.formats.openvino.model import WEIGHTS, kind_of, range_of, read_sources
from onecell.checkpoint.formats.placed import InMemory, Placed
from onecell.checkpoint.limits import Budget
from onecell.dtypes import dtype_name, narrow, widen
from onecell.errors import ArgumentError, CheckpointError
from onecell.text import short


def put(file: InMemory, budget: Budget, tensors: Mapping[str, np.ndarray], target: Path) -> Placed:
    """Return a model with other arrays in it.

    Raises:
        ArgumentError: the model keeps an array as a smaller type, which would round it.
        CheckpointError: another constant lies where such an array does.
    """
    _, sources, constants = read_sources(file, budget)
    old = Path(file.name)
    path = inside(old.parent, old.stem + WEIGHTS, "the weights")
    budget.take(path.stat().st_size, "the copy")
    numbers = bytearray(path.read_bytes())
    changed: dict[int, bytes] = {}
    for name, array in tensors.items():
        constant = sources.get(name)
        if constant is None:
            if np.any(widen(array)):
                raise CheckpointError(f"`{short(name)}` is not in the model: there is no place.")
            continue
        kind = kind_of(constant)
        kept = array if dtype_name(array.dtype) == kind else narrow(widen(array), kind)
        if np.any(widen(kept) != widen(array)):
            raise ArgumentError(
                f"`{short(name)}` is kept as {kind}, and its {dtype_name(array.dtype)} would be "
                f"rounded to that."
            )
        content, (start, size) = (
            bytes(raw(kept.astype(DTYPES[kind], copy=False))),
            range_of(constant),
        )
        if size != len(content) or changed.get(start, content) != content:
            raise CheckpointError(f"two LSTMs of the model share `{short(name)}`.")
        if numbers[start : start + size] != content:
            changed[start] = content
    mine = {id(sources[name]) for name in tensors if name in sources}
    for other in constants:
        first, size = range_of(other)
        for start, content in changed.items():
            if id(other) not in mine and first < start + len(content) and start < first + size:
                raise CheckpointError(
                    f"`{short(other.get('name'))}` lies where new numbers would, and would change."
                )
    for start, content in changed.items():
        numbers[start : start + len(content)] = content
    beside = {target.with_suffix(WEIGHTS): [bytes(numbers)]}
    return Placed(file.getvalue(), beside, reread=False)

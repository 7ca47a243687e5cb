"""Samples put together as batches, as torch does it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import mindspore as ms
import numpy as np


def default_collate(batch: Sequence[Any]) -> Any:  # noqa: ANN401 - as nested as a sample
    """Return `batch`, a list of samples, as one: numbers and arrays get an axis more in front.

    Raises:
        RuntimeError: sequences are of different lengths.
        TypeError: a sample holds something else.
    """
    first = batch[0]
    made: Any = batch
    match first:
        case ms.Tensor():
            made = ms.ops.stack(list(batch))
        case np.ndarray() | np.generic() if first.dtype.kind not in "OSUaVM":
            made = ms.Tensor.from_numpy(np.stack([np.asarray(each) for each in batch]))
        case bool() | int() | float():
            made = _converted(list(batch))
        case str() | bytes():
            pass
        case Mapping():
            made = {key: default_collate([each[key] for each in batch]) for key in first}
        case tuple() if hasattr(first, "_fields"):
            made = type(first)(*(default_collate(each) for each in zip(*batch, strict=True)))
        case Sequence():
            if any(len(each) != len(first) for each in batch):
                raise RuntimeError("each element in list of batch should be of equal size")
            made = [default_collate(each) for each in zip(*batch, strict=True)]
        case _:
            raise TypeError(f"a batch holds numbers, text, lists and the like; got {type(first)}")
    return made


def pad_sequence(
    sequences: Iterable[ms.Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> ms.Tensor:
    """Return `sequences` that differ in their first axis as one, filled with `padding_value`.

    (T, N, …), or (N, T, …) with `batch_first`; T is the longest.

    Raises:
        ValueError: `padding_side` is neither "left" nor "right".
    """
    if padding_side not in ("left", "right"):
        raise ValueError(f"padding_side should be 'left' or 'right', but got {padding_side!r}")
    rows = list(sequences)
    longest = max(row.shape[0] for row in rows)
    padded = []
    for row in rows:
        rest = (longest - row.shape[0], *row.shape[1:])
        filling = ms.ops.full(rest, padding_value, dtype=row.dtype)
        parts = [filling, row] if padding_side == "left" else [row, filling]
        full = [part for part in parts if part.shape[0]] or parts[:1]
        padded.append(ms.ops.cat(full) if len(full) > 1 else full[0])
    return ms.ops.stack(padded, 0 if batch_first else 1)


def _converted(sample: Any) -> Any:  # noqa: ANN401
    """Return one or more numbers as a tensor, and arrays within a sample too."""
    match sample:
        case np.ndarray() | np.generic() if sample.dtype.kind not in "OSUaVM":
            return ms.Tensor.from_numpy(np.array(sample))
        case list() if sample and all(isinstance(each, bool | int | float) for each in sample):
            return ms.Tensor.from_numpy(np.array(sample))
    return sample


def one_sample(sample: Any) -> Any:  # noqa: ANN401
    """Return a sample that is no batch: its arrays are tensors."""
    match sample:
        case Mapping():
            return {key: one_sample(each) for key, each in sample.items()}
        case tuple() if hasattr(sample, "_fields"):
            return type(sample)(*(one_sample(each) for each in sample))
        case tuple():
            return [one_sample(each) for each in sample]
        case list():
            return [one_sample(each) for each in sample]
    return _converted(sample)

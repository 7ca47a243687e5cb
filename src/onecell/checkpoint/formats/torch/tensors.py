"""From the storages of a torch file to arrays: element types, offsets, strides."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.lib.stride_tricks import as_strided

from onecell.checkpoint.content import DTYPES
from onecell.checkpoint.formats.zipped import Members
from onecell.checkpoint.limits import ARRAY, Budget, count_bytes
from onecell.checkpoint.pickles.described import Storage, TensorPlan, say
from onecell.checkpoint.pickles.pickled import read_pickle_bytes
from onecell.errors import CheckpointError, UnsafeCheckpointError
from onecell.text import short

STORAGE_NAMES: Final = {
    "float64": "Double",
    "float32": "Float",
    "float16": "Half",
    "bfloat16": "BFloat16",
    "int64": "Long",
    "int32": "Int",
    "int16": "Short",
    "int8": "Char",
    "uint8": "Byte",
    "bool": "Bool",
    "complex128": "ComplexDouble",
    "complex64": "ComplexFloat",
}
"""Plain element type → torch's typed storage; the other types lie in an untyped one."""

_TYPED: Final = {kind: name for name, kind in STORAGE_NAMES.items()}

ByteOrder = Literal["little", "big"]


class Cutter:
    """Cuts the tensors of one file out of its storages.

    Args:
        read_storage: storage → its bytes; called once for each key.
        order: the byte order of the file.
        budget: what the copies are taken out of.
        keep: whether the storages are views of something larger, so that none is given away.
    """

    def __init__(
        self,
        read_storage: Callable[[Storage], np.ndarray],
        order: ByteOrder,
        budget: Budget,
        *,
        keep: bool = False,
    ) -> None:
        self._read_storage = read_storage
        self._order: Literal["<", ">"] = "<" if order == "little" else ">"
        self._budget = budget
        self._storages: dict[str, np.ndarray] = {}
        self._keep = keep
        self._given_away: set[str] = set()

    def cut(self, name: str, plan: TensorPlan) -> np.ndarray:
        """Return one tensor as a contiguous array that shares memory with no other.

        Raises:
            CheckpointError: it reaches outside of its storage, or has no NumPy element type.
            UnsafeCheckpointError: copied, it would take more memory than the file may.
        """
        dtype = _dtype(name, plan)
        size, stride = _sizes(name, "size", plan.size), _sizes(name, "stride", plan.stride)
        (offset,) = _sizes(name, "offset", (plan.offset,))
        if len(size) != len(stride):
            raise CheckpointError(f"`{short(name)}` has size {say(size)} and stride {say(stride)}.")
        nbytes = count_bytes(name, size, dtype.itemsize)
        whole = c_stride(size)
        # Along an axis of one element nothing is ever stepped, however far.
        stride = tuple(
            far if n == 1 else step for n, step, far in zip(size, stride, whole, strict=True)
        )
        what = f"`{short(name)}` of size {size} and stride {stride}"
        self._budget.take(ARRAY + 16 * len(size) + nbytes, what)
        content = self._storage(name, plan.storage)
        if nbytes == 0:
            return np.empty(size, dtype)
        last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
        if (last + 1) * dtype.itemsize > content.nbytes:
            raise UnsafeCheckpointError(
                f"{what} at offset {offset} reaches outside of its storage of {content.nbytes} "
                f"bytes."
            )
        usable = content.nbytes // dtype.itemsize * dtype.itemsize
        elements = content[:usable].view(dtype.newbyteorder(self._order))
        key = plan.storage.key
        alone = content.nbytes == nbytes and stride == whole and not self._keep
        if alone and key not in self._given_away:
            self._given_away.add(key)
            return elements.reshape(size).astype(dtype, copy=False)
        steps = tuple(step * dtype.itemsize for step in stride)
        return as_strided(elements[offset:], size, steps).astype(dtype, order="C", copy=True)

    def _storage(self, name: str, storage: Storage) -> np.ndarray:
        """Return the bytes of a storage, their number as the pickle says."""
        if storage.key not in self._storages:
            self._storages[storage.key] = self._read_storage(storage)
        content = self._storages[storage.key]
        want = storage.count * storage_itemsize(storage)
        if content.nbytes != want:
            raise CheckpointError(
                f"`{short(name)}` lies in the storage `{short(storage.key)}` of {want} bytes, "
                f"and {content.nbytes} bytes are there."
            )
        return content


@dataclass(frozen=True, slots=True)
class Archive:
    """A zip file of torch's that is open: pickles, and the storages that they mention."""

    members: Members
    root: str
    """The one folder that everything lies in, "model/"."""
    order: ByteOrder
    budget: Budget

    def __contains__(self, name: str) -> bool:
        return self.root + name in self.members

    def tree(self, name: str, *, program: bool = False) -> object:
        """Return what a pickle describes, see `read_pickle`."""
        code = self.members.read(self.root + name)
        tree = read_pickle_bytes(code, self.budget, program=program)
        self.budget.give(len(code))
        return tree

    def cutter(self, folder: str) -> Cutter:
        """Return what cuts tensors out of the storages in `folder`."""

        def read_storage(storage: Storage) -> np.ndarray:
            return self.members.read_array(f"{self.root}{folder}/{storage.key}")

        return Cutter(read_storage, self.order, self.budget)


def c_stride(size: Sequence[int]) -> tuple[int, ...]:
    """Return the stride, in elements, of a contiguous tensor, as torch counts it."""
    steps = itertools.accumulate((max(n, 1) for n in size[:0:-1]), operator.mul, initial=1)
    return tuple(steps)[: len(size)][::-1]


def storage_itemsize(storage: Storage) -> int:
    """Return the size of what `storage.count` counts."""
    kind = storage.kind.rpartition(".")[2].removesuffix("Storage")
    if kind == "Untyped":
        return 1
    if kind not in _TYPED:
        raise CheckpointError(f"a {kind} storage is quantized; call `dequantize()` before saving.")
    return DTYPES[_TYPED[kind]].itemsize


def _dtype(name: str, plan: TensorPlan) -> np.dtype:
    """Return the element type of a tensor."""
    kind = plan.storage.kind.rpartition(".")[2].removesuffix("Storage")
    plain = plan.dtype.removeprefix("torch.") if plan.dtype else _TYPED.get(kind, kind)
    if plain not in DTYPES:
        raise CheckpointError(
            f"`{short(name)}` holds {plain}, which NumPy does not have; save it as another type."
        )
    return DTYPES[plain]


def _sizes(name: str, what: str, value: object) -> tuple[int, ...]:
    """Return `value` if it is a tuple of plain integers from 0 to 2^63."""
    if isinstance(value, tuple) and all(type(n) is int and 0 <= n < 2**63 for n in value):
        return value
    came = say(value[0] if what == "offset" and isinstance(value, tuple) else value)
    raise CheckpointError(f"`{short(name)}` has the impossible {what} {came}.")

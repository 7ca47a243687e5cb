"""Which tensors and which moments the kernel may work in; everywhere else torch itself does.

The kernel reads raw addresses, so it may only be given ordinary memory. A tensor is *plain* when it
is a `Tensor` or `Parameter` itself (no subclass), strided, on the CPU, of a kernel's element type,
and nothing stands between its elements and its numbers: no pending negation or conjugation, no
batching or gradient wrapper of torch.func, no tracing or functionalisation wrapper. The last group
has no public test, but each such tensor shows it in its set of dispatch keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Thread
from typing import Final

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn import Parameter
from torch.utils._device import DeviceContext

from onecell.torch.errors import CellMemoryError

COMPUTE_DTYPES: Final = frozenset((torch.float32, torch.float64))
"""The element types that the kernel computes in."""

PLAIN_CLASSES: Final = frozenset((Tensor, Parameter))

_autocast_on: Final = torch._C._is_any_autocast_enabled
_dispatch_modes: Final = torch._C._len_torch_dispatch_stack
_function_modes: Final = torch._C._len_torch_function_stack
_tracing: Final[Callable[[], object]] = torch._C._get_tracing_state
transforms_are_on: Final[Callable[[], bool]] = torch._C._are_functorch_transforms_active
"""Whether a transform of torch.func is being computed."""


MODES: Final[tuple[Callable[[], object], ...]] = (
    transforms_are_on,
    _dispatch_modes,
    _function_modes,
    _autocast_on,
    _tracing,
)
"""Cheap questions: where all answers are false and no dual level is open, `torch_must_run` is."""


def _dispatch_keys(tensor: Tensor) -> int:
    keys: int = torch._C._dispatch_keys(tensor).raw_repr()
    return keys


def _plain_keys() -> frozenset[int]:
    """Return the dispatch keys of ordinary CPU tensors, made inside and outside inference mode."""
    found: list[int] = []

    def look() -> None:
        found.append(_dispatch_keys(torch.empty(0, device="cpu")))
        with torch.inference_mode():
            found.append(_dispatch_keys(torch.empty(0, device="cpu")))

    # Modes belong to a thread: in a fresh one, none is on, wherever this module is imported.
    thread = Thread(target=look)
    thread.start()
    thread.join()
    return frozenset(found)


_PLAIN_KEYS: Final = _plain_keys()


def are_plain(tensors: Iterable[Tensor]) -> bool:
    """Whether the kernel may read all of `tensors` by address, once each is contiguous.

    They must be of one dtype. Subclasses, other devices and layouts, lazy negation and wrappers are
    not plain.

    Raises:
        CellMemoryError: as `check_memory`.
    """
    dtypes = set()
    for tensor in tensors:
        if type(tensor) not in PLAIN_CLASSES or _dispatch_keys(tensor) not in _PLAIN_KEYS:
            return False
        check_memory("a tensor", tensor)
        dtypes.add(tensor.dtype)
    return len(dtypes) == 1 and dtypes < COMPUTE_DTYPES


def check_memory(name: str, tensor: Tensor) -> None:
    """Raise unless the storage of a strided tensor has all the elements that its sizes tell of.

    Raises:
        CellMemoryError: the storage was freed or shrunk; torch itself ends the process on some.
    """
    count = tensor.numel()
    if count == 0:
        return
    last = tensor.storage_offset() + count - 1
    if not tensor.is_contiguous():
        sides = zip(tensor.shape, tensor.stride(), strict=True)
        last = tensor.storage_offset() + sum((size - 1) * stride for size, stride in sides)
    want, bytes_there = (last + 1) * tensor.element_size(), tensor.untyped_storage().nbytes()
    if bytes_there < want:
        gone = f"shrunk to {bytes_there} bytes of {want}" if bytes_there else "freed"
        raise CellMemoryError(
            f"{name} of shape {tuple(tensor.shape)} must have memory; its storage was {gone}."
        )


def mode_is_on() -> bool:
    """Whether torch's operators do more than compute now.

    True under transforms of torch.func, dual numbers, TorchScript tracing, and function and
    dispatch modes (fake tensors, make_fx, operation counters). A default device is a function mode
    too, but it only says where new tensors go, and ours go where their input is.
    """
    return bool(
        transforms_are_on()
        or _dispatch_modes()
        or (_function_modes() and not _only_default_devices())
        or forward_ad._current_level >= 0
        or _tracing() is not None
    )


def torch_must_run() -> bool | None:
    """Whether a new computation belongs to torch: True for autocast for the CPU, None for a mode.

    Under autocast alone its operators may be called at once.
    """
    if mode_is_on():
        return None
    return _autocast_on() and torch.is_autocast_enabled("cpu")


def _only_default_devices() -> bool:
    modes = (torch._C._get_function_stack_at(i) for i in range(_function_modes()))
    return all(type(mode) is DeviceContext for mode in modes)

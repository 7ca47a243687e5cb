"""torch's own compiled library: functions of it that the kernel's module calls by address."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import Any

import torch


def address(name: str) -> int:
    """Return where a function of the library is, or 0 where it cannot be found.

    The library must be loaded already: it is looked up, not loaded.
    """
    function = _function(name)
    return 0 if function is None else ctypes.cast(function, ctypes.c_void_p).value or 0


def storage_questions() -> tuple[int, int]:
    """Return the addresses of what tells a storage's bytes, and where in it a tensor begins.

    (0, 0) where this torch has no such functions, or they answer something else.
    """
    names = ("aoti_torch_get_storage_size", "aoti_torch_get_storage_offset")
    example = torch.empty(5, device="cpu")[2:]
    for name, want in zip(names, (20, 2), strict=True):
        function, answer = _function(name), ctypes.c_int64()
        tensor = ctypes.c_void_p(getattr(example, "_cdata", None))
        if function is None or tensor.value is None:
            return 0, 0
        if function(ctypes.byref(tensor), ctypes.byref(answer)) != 0 or answer.value != want:
            return 0, 0
    size, offset = map(address, names)
    return size, offset


def _function(name: str) -> Any:  # noqa: ANN401 - what ctypes makes
    if sys.platform != "linux":
        return None
    file = Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"
    try:
        return getattr(ctypes.CDLL(str(file), mode=os.RTLD_NOLOAD | os.RTLD_NOW), name)
    except (OSError, AttributeError):  # a build laid out in another way
        return None

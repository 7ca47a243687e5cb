"""torch's own threads, lent to the kernel.

For some milliseconds after an operator of torch's that used several threads, those spin where the
kernel's would run. Where both are wanted by turns, as in training, the kernel uses torch's.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

import torch

from onecell import _kernel


def lend() -> None:
    """Let calls from this thread use torch's threads, where torch's are OpenMP's and can be found.

    The library must be loaded already: it is looked up, not loaded.
    """
    if sys.platform != "linux" or not torch.backends.openmp.is_available():
        return
    library = Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"
    try:
        loaded = ctypes.CDLL(str(library), mode=os.RTLD_NOLOAD | os.RTLD_NOW)
        parallel = ctypes.cast(loaded.GOMP_parallel, ctypes.c_void_p).value
    except (OSError, AttributeError):  # a build laid out in another way
        return
    if parallel:
        _kernel.lend_threads(parallel)

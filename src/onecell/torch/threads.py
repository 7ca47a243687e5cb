"""torch's own threads: as many for the kernel, and lent to it.

For some milliseconds after an operator of torch's that used several threads, those spin where the
kernel's would run. Where both are wanted by turns, as in training, the kernel uses torch's.
"""

from __future__ import annotations

import torch

from onecell import _kernel
from onecell.torch import library


def follow() -> None:
    """Let the kernel use as many threads as torch does, unless somebody gave it a number."""
    count = library.address("_ZN2at15get_num_threadsEv")  # at::get_num_threads()
    if count:
        _kernel.follow_threads(count)


def lend() -> None:
    """Let calls from this thread use torch's threads, where torch's are OpenMP's and can be found.

    Nothing is loaded for it.
    """
    if not torch.backends.openmp.is_available():
        return
    parallel = library.address("GOMP_parallel")
    if parallel:
        _kernel.lend_threads(parallel)

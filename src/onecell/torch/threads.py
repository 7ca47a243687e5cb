"""torch's own threads, lent to the kernel.

For some milliseconds after an operator of torch's that used several threads, those spin where the
kernel's would run. Where both are wanted by turns, as in training, the kernel uses torch's.
"""

from __future__ import annotations

import torch

from onecell import _kernel
from onecell.torch import library


def lend() -> None:
    """Let calls from this thread use torch's threads, where torch's are OpenMP's and can be found.

    Nothing is loaded for it.
    """
    if not torch.backends.openmp.is_available():
        return
    parallel = library.address("GOMP_parallel")
    if parallel:
        _kernel.lend_threads(parallel)

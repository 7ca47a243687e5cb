"""MindSpore 2.10 on NumPy 2: what goes wrong in a process's first operator, over and done with.

MindSpore looks for the C interface of NumPy 1 when the first operator with a number among its
arguments is called. On NumPy 2 the search fails, with a page about it on stderr, and that operator
raises SystemError although it has its result; MindSpore does not search again, and every later
operator works. A program that was ported should not end at its first `ops.zeros`.
"""

from __future__ import annotations

import contextlib
import io

import numpy as np
from mindspore import ops


def get_over_first_operator() -> None:
    """Have the search done by a call that fails before it reaches any device."""
    if np.lib.NumpyVersion(np.__version__) < "2.0.0":
        return
    with contextlib.redirect_stderr(io.StringIO()), contextlib.suppress(TypeError, SystemError):
        ops.zeros("no size")

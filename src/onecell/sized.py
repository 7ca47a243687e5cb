"""What every cell over arrays tells of itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from onecell.spec import Spec


class Sized:
    """A cell that keeps its sizes as `_spec`."""

    __slots__ = ()
    _spec: Spec

    @property
    def input_size(self) -> int:
        """I, the width of the input."""
        return self._spec.input_size

    @property
    def hidden_size(self) -> int:
        """H, the width of the state."""
        return self._spec.hidden_size

    @property
    def bias(self) -> bool:
        """Whether the cell has biases."""
        return self._spec.bias

    @property
    def dtype(self) -> np.dtype[Any]:
        """The element type of every array in and out, and of live parameters."""
        return self._spec.dtype

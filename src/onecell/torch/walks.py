"""The gradients of the weights in one pass of torch's engine, summed as steps leave their parts."""

from __future__ import annotations

from typing import Final, TypeAlias
from weakref import ref

from torch import Tensor

from onecell import _kernel
from onecell.spec import PARAMETERS
from onecell.torch import calls, reading

Grad: TypeAlias = Tensor | None


NONE: Final = (None,) * len(PARAMETERS)


class Walk:
    """The gradients of the weights in one pass of torch's engine, as far as it has come.

    The engine holds it for as long as the pass goes on, so that nothing of one that failed stays.
    """

    def __init__(self, wanted: tuple[bool, ...]) -> None:
        self.wanted = wanted
        """By which of the four parameters; none where nobody asked for any in this pass."""
        self.sums = sums_of(wanted)
        self._found: list[Grad] = [*NONE]

    def __call__(self) -> None:
        """Do nothing: what the engine holds, it calls in the end."""

    def add(self, grads: tuple[Grad, ...]) -> None:
        """Add gradients of a step that were made in another way."""
        pairs = zip(self._found, grads, strict=True)
        self._found = [b if a is None else a if b is None else a + b for a, b in pairs]

    def totals(self) -> tuple[Grad, ...]:
        """Give away the gradients by the four parameters: what nobody else holds, torch keeps.

        Of a tensor that the pass still held it would make a copy, as large as the weights.
        """
        self.add(totals_of(self.sums, self.wanted))
        found, self._found = self._found, [*NONE]
        return tuple(found)


Walks: TypeAlias = dict[int, ref[Walk]]
"""The passes that go on, by torch's number of each."""


def going(walks: Walks, number: int) -> Walk | None:
    """Return the pass of that number, None where it is over."""
    found = walks.get(number)
    return None if found is None else found()


def forget_walk(walks: Walks, number: int, _: object) -> None:
    """Forget a pass that is over."""
    walks.pop(number, None)


def sums_of(wanted: tuple[bool, ...], *, once: bool = False) -> _kernel.StepSums:
    """Return sums for the gradients of these four parameters."""
    return _kernel.StepSums(wanted[0], wanted[1], wanted[2] or wanted[3], once)


def totals_of(sums: _kernel.StepSums, wanted: tuple[bool, ...]) -> tuple[Grad, ...]:
    """Return the gradients by the four parameters that were left in `sums`, where `wanted`."""
    reader = reading.step_reader
    weight_ih, weight_hh, bias = NONE[:3] if reader is None else reader.totals(sums)
    # Two parameters must not share one array of gradients: a caller may write into either.
    twin = bias.clone() if bias is not None and wanted[2] and wanted[3] else bias
    made = (weight_ih, weight_hh, bias, twin)
    return calls.only(made, wanted)

"""A live object as a side whose failures are one line: somebody else's code may do anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import numpy as np

from onecell.errors import NotACellError
from onecell.verify.comparing.claim import Claim, not_a_cell
from onecell.verify.quantities.optimizers import Optimizer
from onecell.verify.sides import Array, Side

Found = TypeVar("Found")

_MOST: Final = 200
"""Characters of somebody else's message."""


class GuardedSide:
    """A side of `claim` that raises nothing but `NotACellError`, and checks every answer's form."""

    def __init__(self, claim: Claim, side: Side) -> None:
        self.claim = claim
        self.side = side

    @property
    def leaves_out(self) -> Mapping[str, str]:
        """Return what the side itself leaves out."""
        return self.side.leaves_out

    @property
    def epsilon_first(self) -> bool:
        """Return what is so of the side itself."""
        return self.side.epsilon_first

    def step(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        """Return (h', c') of one step, both of the shape of `h`."""
        h_next, c_next = self._run("", lambda: self.side.step(x, h, c))
        shapes = [np.shape(h_next), np.shape(c_next)]
        if shapes != [h.shape, h.shape]:
            raise not_a_cell(self.claim, f"for N, H = {h.shape} it returns shapes {shapes}")
        kinds = {part.dtype.name for part in (h_next, c_next)}
        # Fed with what it returned, it would compute in another type from the second step on.
        if kinds != {x.dtype.name}:
            said = " and ".join(sorted(kinds))
            raise not_a_cell(self.claim, f"for {x.dtype.name} it returns {said}")
        return h_next, c_next

    def gradients(
        self, x: Array, h: Array, c: Array, grad_h_all: Array, grad_c_last: Array
    ) -> Mapping[str, Array]:
        """Return the gradients that the side gives."""
        given = x, h, c, grad_h_all, grad_c_last
        return self._run(" where gradients are taken", lambda: self.side.gradients(*given))

    def rollout(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        """Return h and c after each step."""
        where = " where it is fed with what it returned"
        return self._run(where, lambda: self.side.rollout(x, h, c))

    def train(
        self, optimizer: Optimizer, given: Array, x: Array, h: Array, c: Array
    ) -> Mapping[str, Array]:
        """Return how far a copy's parameters move, and what it answers then."""
        where = f" in a step of {optimizer.name}"
        return self._run(where, lambda: self.side.train(optimizer, given, x, h, c))

    def _run(self, where: str, call: Callable[[], Found]) -> Found:
        try:
            return call()
        except NotACellError as error:
            raise not_a_cell(self.claim, str(error)) from error
        except (Exception, SystemExit) as error:
            # SystemExit too: code that ends the process must not end it as if all were well.
            text = " ".join(str(error).split())[:_MOST]
            why = f"it raises {type(error).__name__}{where}: {text}"
            raise not_a_cell(self.claim, why) from error

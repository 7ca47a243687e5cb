"""Everything that computes for one of the two that are compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from onecell.dtypes import widen
from onecell.errors import NotACellError, RuntimeMissingError
from onecell.verify.comparing.claim import Claim
from onecell.verify.comparing.guarded import GuardedSide
from onecell.verify.quantities.cases import Case
from onecell.verify.quantities.oracle import make_oracle
from onecell.verify.runtimes.side import open_pieces, open_runtime
from onecell.verify.sides import SIDES, Entry, Side, get_side
from onecell.verify.sides.live import functions_of
from onecell.weights import Weights

NEAR: Final = 4.0
"""An answer fits a hypothesis within so many limits of a step."""


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """One side of one of the two."""

    name: str
    side: Side
    coarse: bool = False
    """Whether its tanh is off by more than rounding."""
    is_live: bool = False
    version: str = ""
    """What it is, where that is more than its name says."""


@dataclass(slots=True, eq=False)
class Contender:
    """One of the two, with everything that computes for it."""

    claim: Claim
    weights: Weights | None
    sides: list[Opened]
    notes: list[str]

    @property
    def live(self) -> Opened | None:
        """The side of the live object itself."""
        return next((side for side in self.sides if side.is_live), None)


def contend(
    claim: Claim, case: Case, sides: Sequence[str] | None, left_out: dict[str, str]
) -> Contender:
    """Open everything that computes for `claim`, and check that a live object is called as a cell.

    Parameters under a cell's names do not yet say that the object computes what they would: for a
    class that is not known this is tried, and where it does not, they count for nothing.
    """
    contender = Contender(claim, claim.weights, [], list(claim.notes))
    live = claim.live
    if live is not None:
        if claim.stored not in {None, case.x.dtype.name}:
            left_out[f"{claim.label}: {live.side}"] = f"it computes in {claim.stored}"
        else:
            side = _open_live(claim, case)
            contender.sides.append(Opened(live.side, side, live.tanh_error > 0, is_live=True))
            if claim.weights is not None and not live.trusted:
                _trust_or_not(contender, side, case)
    if contender.weights is not None and (live is None or live.side != "arrays"):
        kernel = get_side("arrays")
        widened = contender.weights.astype(case.x.dtype.name)
        contender.sides.insert(0, Opened("arrays", kernel.open(widened)))
        if live is None:
            contender.sides += _frameworks(claim, widened, sides, left_out)
    return contender


def _open_live(claim: Claim, case: Case) -> Side:
    live = claim.live
    assert live is not None  # noqa: S101 (asked by the caller)
    if claim.kind != "callable":
        side = GuardedSide(claim, live.open(claim.names))
        side.step(case.x[0], case.h, case.c)
        return side
    refused: NotACellError | None = None
    for function in functions_of(claim.thing):
        side = GuardedSide(claim, function)
        try:
            side.step(case.x[0], case.h, case.c)
        except NotACellError as error:
            refused = refused or error
        else:
            return side
    assert refused is not None  # noqa: S101 (arrays are always tried)
    raise refused


def _trust_or_not(contender: Contender, side: Side, case: Case) -> None:
    claim = contender.claim
    assert claim.weights is not None  # noqa: S101 (asked by the caller)
    coarse = claim.live is not None and claim.live.tanh_error > 0
    expected = make_oracle(claim.weights, _short(case), coarse=coarse).expected
    found = side.step(case.x[0], case.h, case.c)
    answer = dict(zip(("forward.h", "forward.c"), found, strict=True))
    for name, got in answer.items():
        limit, _ = expected[name].limit(coarse=coarse)
        if not np.max(np.abs(got - expected[name].value)) <= NEAR * limit.value:
            contender.weights = None
            contender.notes.append(
                "its parameters have a cell's names and it computes something else; compared by "
                "what it computes"
            )
            return


def _short(case: Case) -> Case:
    """Return the case with a rollout of two steps: all that a look at one step needs."""
    arrays = {name: getattr(case, name) for name in case.__slots__}
    return Case(**arrays | {"rollout_x": case.rollout_x[:2]})


def _frameworks(
    claim: Claim, weights: Weights, sides: Sequence[str] | None, left_out: dict[str, str]
) -> Iterator[Opened]:
    """Yield the framework's own cell on the weights of a file, and what else is asked for."""
    automatic = sides is None
    chosen = (claim.framework,) if sides is None else sides
    for name in chosen:
        if name is None or name == "arrays":
            continue
        if automatic and name not in SIDES:
            left_out[f"{claim.label}: {name}"] = "its cell is not run here"
            continue
        entry = get_side(name)
        if entry.framework not in {None, claim.framework} and claim.framework:
            continue
        if not entry.available:
            if not automatic:
                raise entry.missing()
            left_out[f"{claim.label}: {name}"] = entry.why_missing
            continue
        if weights.dtype_name not in entry.dtypes:
            left_out[f"{claim.label}: {name}"] = f"does not compute in {weights.dtype_name}"
            continue
        try:
            yield _open(entry, claim, weights)
        except RuntimeMissingError as error:
            if not automatic:
                raise
            left_out[f"{claim.label}: {name}"] = error.why


def _open(entry: Entry, claim: Claim, weights: Weights) -> Opened:
    """Return a side of `weights`; one in a process of its own holds what lies in the file."""
    if not entry.apart:
        return Opened(entry.name, entry.open(weights), entry.tanh_error > 0)
    row = claim.row if claim.row is not None and claim.framework == entry.name else None
    if claim.pieces is None or row is None:
        side = open_runtime(entry.name, weights, row)
    else:
        pieces = {p: widen(a).astype(weights.dtype_name) for p, a in claim.pieces.items()}
        side = open_pieces(row, pieces, bias=weights.bias)
    return Opened(entry.name, side, version=side.version)

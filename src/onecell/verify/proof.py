"""Prove one cell: run every quantity on every side and hold it against the float64 reference."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from onecell.errors import NotFiniteError
from onecell.verify.comparing.checks import check_numbers
from onecell.verify.mutants import mutants_of
from onecell.verify.mutation import mutations
from onecell.verify.quantities.cases import ROLLOUT_STEPS, make_case
from onecell.verify.quantities.columns import Column, File
from onecell.verify.quantities.oracle import KINDS, Oracle, make_oracle
from onecell.verify.quantities.readings import Quantity, Reading, by_quantity, measure
from onecell.verify.remarks import idle_by_side, idle_families
from onecell.verify.sides import Entry, Side, get_side
from onecell.verify.spoiling import Mutant
from onecell.weights import Weights

SelfTest = Literal["quick", "full"]
Progress = Callable[[str, int, int], None]
"""Called with what is done next, how many steps are done, and how many there are."""

REASON_DTYPE: Final = "does not compute in {dtype}"


@dataclass(frozen=True, slots=True)
class Sabotage:
    """What the proof said of a cell that was made wrong on purpose."""

    mutation: str
    kind: str
    """The quantities that it is about, such as "adam"; "weights" for a mistake in those."""
    seen: bool
    """Whether every quantity that the mistake is about failed, as it must."""
    excess: float
    """The largest error that the mistake made, in units of its limit."""


@dataclass(frozen=True, slots=True)
class CellProof:
    """All that was found about one cell."""

    name: str
    input_size: int
    hidden_size: int
    bias: bool
    stored: str
    """Element type in the file."""
    computed: str
    """Element type of the computation; 16-bit floats widen exactly to float32."""
    same_bits: bool | None
    """Whether both files hold the same bits; None where the layouts do not allow it."""
    quantities: tuple[Quantity, ...]
    sabotage: tuple[Sabotage, ...]
    left_out: Mapping[str, str]
    """Sides that could not take part, and why."""
    unable: tuple[str, ...]
    """Of these, the sides that decide and cannot compute in this element type."""
    not_finite: str
    """Which parameter holds NaN or infinity, and where; then nothing was computed. Else empty."""
    source: Weights = field(repr=False)
    """What the source file holds, and what was read back from the written one: for the report."""
    target: Weights = field(repr=False)

    @property
    def holds(self) -> bool:
        """Whether the result can run, every quantity and the bits hold, and nothing is `unseen`."""
        return (
            not (self.unable or self.not_finite)
            and self.same_bits is not False
            and all(quantity.holds for quantity in self.quantities)
            and not self.unseen
        )

    @property
    def unseen(self) -> tuple[str, ...]:
        """Mistakes made on purpose that show the proof to be blind.

        One in the weights must be seen, but where whole families could not fail: that is told as
        `unproved`. One in a side can be none on this cell: then another of its kind must be seen.
        """
        kinds = {each.kind for each in self.sabotage if each.seen}
        return tuple(
            each.mutation
            for each in self.sabotage
            if not each.seen
            and (not self.unproved if each.kind == "weights" else each.kind not in kinds)
        )

    @property
    def unproved(self) -> tuple[str, ...]:
        """Families of which no quantity could fail on this cell: that they hold says nothing."""
        return idle_families(self.quantities)

    @property
    def idle(self) -> dict[str, tuple[str, ...]]:
        """Sides → the quantities that prove nothing about them here: no error would show."""
        return idle_by_side(self.quantities)

    @property
    def faults(self) -> dict[str, tuple[str, ...]]:
        """Sides that do not decide → the quantities in which they miss their limit."""
        found: dict[str, list[str]] = {}
        for quantity in self.quantities:
            for reading in quantity.readings:
                if not (reading.decides or reading.holds):
                    found.setdefault(reading.side, []).append(quantity.name)
        return {side: tuple(names) for side, names in found.items()}


def prove_cell(
    name: str,
    source: Weights,
    target: Weights,
    columns: Iterable[Column],
    *,
    same_layout: bool = True,
    rollout_steps: int = ROLLOUT_STEPS,
    self_test: SelfTest = "quick",
    progress: Progress | None = None,
) -> CellProof:
    """Hold every column against the float64 reference on the weights of the source.

    Args:
        name: the cell's name in the checkpoint.
        source: its weights as read from the source file, of any stored float type.
        target: its weights as read back from the written file.
        columns: which side computes with which of the two.
        same_layout: whether the two files keep the same numbers, so that bits must agree.
        rollout_steps: T, the steps of the rollout.
        self_test: "quick" sees one swap of two gates of the target fail and one mistake for each
            kind of quantity; "full" every swap and every one of `mutants.MUTANTS`.
        progress: told before every step and at the end.
    """
    columns = tuple(columns)
    tell = _Steps(progress, len(columns) + 2)
    same_bits = source.same_bits(target) if same_layout else None
    facts: dict[str, Any] = {
        "name": name,
        "input_size": source.input_size,
        "hidden_size": source.hidden_size,
        "bias": source.bias,
        "stored": source.dtype_name,
        "computed": source.widened().dtype_name,
        "same_bits": same_bits,
        "source": source,
        "target": target,
    }
    try:
        check_numbers(f"`{name}`", source)
    except NotFiniteError as error:
        facts |= {"quantities": (), "sabotage": (), "left_out": {}, "unable": ()}
        tell.end()
        return CellProof(**facts, not_finite=str(error))
    tell("reference")
    weights: dict[File, Weights] = {"source": source.widened(), "target": target.widened()}
    case = make_case(weights["source"], rollout_steps=rollout_steps)
    coarse = any(get_side(column.side).tanh_error for column in columns)
    oracle = make_oracle(weights["source"], case, coarse=coarse)
    dtype = weights["source"].dtype_name
    found = []
    left_out = {}
    unable = []
    for column in columns:
        tell(column.side)
        entry = get_side(column.side)
        if dtype not in entry.dtypes:
            left_out[entry.name] = REASON_DTYPE.format(dtype=dtype)
            unable += [entry.name] if column.decides else []
            continue
        found.append(_read(entry, column, weights[column.file], oracle))
    quantities = by_quantity(found, oracle.expected)
    tell("self-test")
    sabotage = tuple(_sabotage(weights["target"], oracle, quantities, self_test))
    tell.end()
    return CellProof(
        **facts,
        quantities=quantities,
        sabotage=sabotage,
        left_out=left_out,
        unable=tuple(unable),
        not_finite="",
    )


def _read(entry: Entry, column: Column, weights: Weights, oracle: Oracle) -> dict[str, Reading]:
    """Run every quantity on one side."""
    side = entry.open(weights)
    coarse = entry.tanh_error > 0
    return measure(entry.name, column.file, side, oracle, coarse=coarse, decides=column.decides)


def _sabotage(
    weights: Weights, oracle: Oracle, quantities: Collection[Quantity], self_test: SelfTest
) -> Iterator[Sabotage]:
    """Yield what becomes of mistakes in the weights, then in each kind of what a side computes."""
    kernel = get_side("arrays")
    for mutation, mutated in mutations(weights):
        wrong = measure("arrays", "target", kernel.open(mutated), oracle).values()
        excess = max(reading.excess for reading in wrong)
        seen = any(not reading.holds for reading in wrong)
        yield Sabotage(mutation.name, "weights", seen, excess)
        if self_test == "quick":
            break
    right = kernel.open(weights)
    for kind in KINDS:
        names = [q.name for q in quantities if q.name.startswith(f"{kind}.") and q.proves]
        tried = None
        for mutant in mutants_of(kind):
            if not (about := [name for name in names if mutant.is_about(name)]):
                continue
            tried = _try(mutant, right, oracle, about)
            if self_test == "full":
                yield tried
            elif tried.seen:
                break
        if tried is not None and self_test == "quick":
            yield tried


def _try(mutant: Mutant, right: Side, oracle: Oracle, about: Collection[str]) -> Sabotage:
    """Return whether every quantity of `about` breaks by a mistake."""
    wrong = measure("arrays", "target", mutant.spoil(right), oracle, kinds=(mutant.kind,))
    excess = min(wrong[name].excess for name in about)
    seen = not any(wrong[name].holds for name in about)
    return Sabotage(mutant.name, mutant.kind, seen, excess)


class _Steps:
    """Counts the steps of a proof for whoever wants to know."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self.progress, self.total, self.done = progress, total, 0

    def __call__(self, what: str) -> None:
        if self.progress is not None:
            self.progress(what, self.done, self.total)
        self.done += 1

    def end(self) -> None:
        """Say that all is done."""
        if self.progress is not None:
            self.progress("", self.total, self.total)

"""Prove one cell: run every quantity on every side and hold it against the float64 reference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from onecell.errors import NotFiniteError
from onecell.verify.cases import ROLLOUT_STEPS, make_case
from onecell.verify.checks import check_numbers
from onecell.verify.columns import Column, File
from onecell.verify.mutation import mutations
from onecell.verify.oracle import Oracle, make_oracle
from onecell.verify.readings import Quantity, Reading, by_quantity, measure
from onecell.verify.sides import Entry, get_side
from onecell.weights import Weights

SelfTest = Literal["quick", "full"]

REASON_DTYPE: Final = "does not compute in {dtype}"


@dataclass(frozen=True, slots=True)
class Sabotage:
    """What the proof said of weights that were made wrong on purpose."""

    mutation: str
    seen: bool
    """Whether the proof failed, as it must."""
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
        """Whether the result can run, every quantity and the bits hold, all sabotage is seen."""
        return (
            not (self.unable or self.not_finite)
            and self.same_bits is not False
            and all(quantity.holds for quantity in self.quantities)
            and all(each.seen for each in self.sabotage)
        )

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
) -> CellProof:
    """Hold every column against the float64 reference on the weights of the source.

    Args:
        name: the cell's name in the checkpoint.
        source: its weights as read from the source file, of any stored float type.
        target: its weights as read back from the written file.
        columns: which side computes with which of the two.
        same_layout: whether the two files keep the same numbers, so that bits must agree.
        rollout_steps: T, the steps of the rollout.
        self_test: "quick" sees one swap of two gates of the target fail, "full" every one.
    """
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
        return CellProof(**facts, not_finite=str(error))
    weights: dict[File, Weights] = {"source": source.widened(), "target": target.widened()}
    case = make_case(weights["source"], rollout_steps=rollout_steps)
    oracle = make_oracle(weights["source"], case)
    dtype = weights["source"].dtype_name
    found = []
    left_out = {}
    unable = []
    for column in columns:
        entry = get_side(column.side)
        if dtype not in entry.dtypes:
            left_out[entry.name] = REASON_DTYPE.format(dtype=dtype)
            unable += [entry.name] if column.decides else []
            continue
        found.append(_read(entry, column, weights[column.file], oracle))
    sabotage = []
    for mutation, mutated in mutations(weights["target"]):
        wrong = _read(get_side("arrays"), Column("arrays", "target"), mutated, oracle).values()
        excess = max(reading.excess for reading in wrong)
        seen = any(not reading.holds for reading in wrong)
        sabotage.append(Sabotage(mutation.name, seen, excess))
        if self_test == "quick":
            break
    return CellProof(
        **facts,
        quantities=by_quantity(found, oracle.expected),
        sabotage=tuple(sabotage),
        left_out=left_out,
        unable=tuple(unable),
        not_finite="",
    )


def _read(entry: Entry, column: Column, weights: Weights, oracle: Oracle) -> dict[str, Reading]:
    """Run every quantity on one side."""
    side = entry.open(weights)
    return measure(entry.name, column.file, side, oracle, entry.tanh_error, decides=column.decides)

"""Comparisons and tables of every kind that a page must bear, made without a framework."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from onecell import Spec, Weights
from onecell.verify import (
    SIDES,
    Caught,
    Column,
    Comparison,
    Diagnosis,
    Divergence,
    FileFacts,
    Finding,
    Party,
    Proof,
    difference,
    prove_cell,
)
from onecell.verify.comparing.comparison import Label
from onecell.verify.difference import Observation, Outcome, Table, Text, Verdict
from onecell.verify.mutation import GATE_SWAPS
from onecell.verify.quantities.cases import make_case
from onecell.verify.quantities.oracle import make_oracle
from onecell.verify.quantities.readings import by_quantity, measure

CREATED: Final = datetime(2026, 11, 22, 20, 5, tzinfo=UTC)
STRANGE: Final = "<script>alert('1')</script>&\"`.cell"
"""A name that an attacker, or a careless user, gives to a layer."""
COMMAND: Final = "onecell verify 'model a.pt' model.ckpt --report report.html"

Change = Callable[[Weights], Weights]


def unchanged(weights: Weights) -> Weights:
    return weights


def swapped(weights: Weights) -> Weights:
    """Gates f and o in each other's place."""
    return next(each for each in GATE_SWAPS if each.name == "gates f and o swapped").apply(weights)


def lost(weights: Weights) -> Weights:
    """A NaN in one parameter and an infinity in another."""
    arrays = {name: array.copy() for name, array in weights.arrays().items()}
    arrays["weight_ih"][3, 1], arrays["weight_hh"][0, 0] = np.nan, np.inf
    return Weights(**arrays)


def make_comparison(
    change: Change = unchanged,
    *,
    inputs: int = 5,
    hidden: int = 4,
    bias: bool = True,
    steps: int = 40,
    name: str = "encoder.cell",
    only: str | None = None,
    overlooked: int = 0,
) -> Comparison:
    """Return the comparison of random weights with what `change` makes of them.

    Args:
        change: made to the weights of b.
        inputs: I.
        hidden: H.
        bias: whether there are biases.
        steps: of the rollout.
        name: of the cell, on both sides.
        only: the one of the two that computes; None for both.
        overlooked: how many wrong ports the self-test did not catch.
    """
    a = Weights.random(Spec(inputs, hidden, bias), 7)
    b = change(a)
    oracle = make_oracle(a, make_case(a, rollout_steps=steps), coarse=True)
    claims: tuple[tuple[Label, Weights, str], ...] = (("a", a, "torch"), ("b", b, "mindspore"))
    found = [
        measure(
            side,
            label,
            SIDES["arrays"].open(weights),
            oracle,
            coarse=SIDES[side].tanh_error > 0,
        )
        for label, weights, side in claims
        if only in {None, label}
    ]
    quantities = by_quantity(found, list(oracle.expected))
    wrong = not all(quantity.holds for quantity in quantities)
    return Comparison(
        a=_party("a", a, name, "torch"),
        b=_party("b", b, name, "mindspore"),
        computed="float32",
        reference="float64 on the weights of a",
        same_bits=a.same_bits(b),
        quantities=quantities,
        first=_divergence() if wrong else None,
        diagnosis=_diagnosis(wrong=wrong),
        self_test=tuple(
            Caught(each.name, number >= overlooked, True, 3.0e5, each.name, f"中文 {each.name}")
            for number, each in enumerate(GATE_SWAPS)
        ),
        left_out={"onecell.mindspore": "`mindspore` is not installed"},
        sampling={"gradient.weight_hh": "2048 of 1048576 numbers"},
        seed=1997,
        steps=steps,
        rows=3,
        command=COMMAND,
        environment={"onecell": "0.1.0", "torch": "2.13.0", "mindspore": None},
        seconds=1.25,
    )


@cache
def large() -> Comparison:
    """Return the comparison of two cells of nearly six million numbers."""
    return make_comparison(inputs=512, hidden=1024, steps=4)


def make_proof(cells: int, change: Change = unchanged) -> Proof:
    """Return the proof of a port of so many cells, the last of them changed by `change`."""
    proofs = []
    for number in range(cells):
        a = Weights.random(Spec(5, 4), number)
        b = change(a) if number == cells - 1 else a
        columns = Column("arrays", "source"), Column("arrays", "target")
        proofs.append(prove_cell(f"layers.{number}<i>", a, b, columns, rollout_steps=10))
    files = (
        FileFacts(Path("in <a>.pt"), "torch", "pt", 811, "0a" * 32),
        FileFacts(Path("out/in <a>.ckpt"), "mindspore", "ckpt", 2_400_000, "0b" * 32),
    )
    return Proof(
        source=files[0],
        target=files[1],
        report=Path("out/in <a>.proof.json"),
        cells=tuple(proofs),
        carried=tuple(f"head.{number}.weight" for number in range(20)),
        renamed={"head.0.weight": "head.0.embedding_table"},
        reshaped={},
        perhaps=(),
        dropped=("epoch",),
        intact=True,
        read_by={"mindspore": True},
        left_out={"torch": "`torch` is not installed"},
        runs_on="onecell.mindspore",
        seconds=0.5,
    )


def make_table(findings: int = 4) -> Table:
    """Return a difference table with every verdict in turn."""
    verdicts = list(Verdict)
    rows = tuple(
        difference.Finding(
            id=f"row-{number}",
            section="parameters" if number % 2 else "inputs",
            sources=("page",),
            matter=Text(f"matter number-{number}", f"第 {number} 项"),
            claim=Text("torch says <b>yes</b>", "torch 说<b>是</b>"),
            onecell=Text("accepts both", "两者都接受"),
            code={"torch": "import torch\nprint(1 < 2 and '</script>')"},
            observations=(
                Observation("torch", "2.13.0", Outcome.ANSWERED, f"answer {number}"),
                Observation("mindspore", None, Outcome.MISSING),
            ),
            verdict=verdicts[number % len(verdicts)],
            wrong=("torch",) if verdicts[number % len(verdicts)] is Verdict.WRONG else (),
            page=Text("they are alike", "二者一致"),
        )
        for number in range(findings)
    )
    return Table(("torch", "mindspore"), {"torch": "2.13.0", "mindspore": None}, rows)


def _party(label: str, weights: Weights, name: str, framework: str) -> Party:
    suffix = {"torch": "pt", "mindspore": "ckpt"}[framework]
    path = Path(f"{name}.{suffix}")
    return Party(
        label="a" if label == "a" else "b",
        given=str(path),
        kind="file",
        cell=name,
        cells=(name, "decoder.cell"),
        framework=framework,
        input_size=weights.input_size,
        hidden_size=weights.hidden_size,
        bias=weights.bias,
        stored=weights.dtype_name,
        weights=weights,
        file=FileFacts(path, framework, suffix, 9912, "74de698f" * 8),
    )


def _divergence() -> Divergence:
    return Divergence("forward.c", None, "f", "weight_ih", (4, 0), 0.31, 0.31, 4e-6)


def _diagnosis(*, wrong: bool) -> Diagnosis:
    if not wrong:
        return Diagnosis("none needed", True, (Finding("nothing", {}),), 0, 0.0)
    swap = Finding("gates swapped", {"first": "f", "second": "o"})
    return Diagnosis("weights", True, (swap,), 5184, 0.41)

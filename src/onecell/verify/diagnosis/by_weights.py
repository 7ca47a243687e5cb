"""Diagnose from the stored numbers: which known mistake turns the weights of a into those of b.

The parameters are explained one after the other, so nothing is searched that is not there. Both
matrices have one order of gates between them, or each its own; each has an orientation. The biases
follow the order and have a treatment and constants added per gate. What is then left over, b less
what the mistakes make of a, is nothing, a rounding, single numbers, or unexplained.
"""

from __future__ import annotations

import time

from onecell.verify.comparison import Diagnosis, Finding
from onecell.verify.diagnosis.biases import explain_biases
from onecell.verify.diagnosis.leftover import FINE, GRAIN, leftover
from onecell.verify.diagnosis.matrices import explain_matrices
from onecell.weights import Weights


def diagnose_weights(a: Weights, b: Weights) -> Diagnosis:
    """Return what turns the weights of `a` into those of `b`; sizes and stored types are equal."""
    began = time.perf_counter()
    right, wrong = a.widened(), b.widened()
    matrices, findings, orders, tried = explain_matrices(right, wrong)
    biases, said = explain_biases(
        right,
        wrong,
        orders,
        grain=GRAIN.get(a.dtype_name, FINE),
        interleaved=any(found.kind == "interleaved" for found in findings),
    )
    findings = [*findings, *said]
    parts = [*matrices, *biases]
    rest, explained = leftover(parts, a.dtype_name, wrong, known=bool(findings))
    findings += rest
    if not findings:
        findings = [Finding("nothing" if a.same_bits(b) else "zero signs", {})]
    took = time.perf_counter() - began
    return Diagnosis("weights", explained, tuple(findings), tried, took)

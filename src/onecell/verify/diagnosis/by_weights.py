"""Diagnose from the stored numbers: which known mistake turns the weights of a into those of b.

The parameters are explained one after the other, so nothing is searched that is not there. Both
matrices have one order of gates between them, or each its own; each has an orientation. The biases
follow the order and have a treatment and constants added per gate. What is then left over, b less
what the mistakes make of a, is nothing, a rounding, single numbers, or unexplained.
"""

from __future__ import annotations

import time

from onecell.spec import BIASES, WEIGHTS
from onecell.verify.comparing.comparison import Diagnosis
from onecell.verify.diagnosis.biases import explain_biases
from onecell.verify.diagnosis.layouts import orders_findings
from onecell.verify.diagnosis.leftover import FINE, GRAIN, leftover
from onecell.verify.diagnosis.matrices import explain_matrices
from onecell.verify.wording import Finding
from onecell.weights import Weights


def diagnose_weights(a: Weights, b: Weights) -> Diagnosis:
    """Return what turns the weights of `a` into those of `b`; their sizes are equal."""
    began = time.perf_counter()
    right, wrong = a.widened(), b.widened()
    if right.dtype_name != wrong.dtype_name:
        right, wrong = right.astype("float64"), wrong.astype("float64")
    matrices, findings, orders, tried = explain_matrices(right, wrong)
    biases, said, bias_order = explain_biases(
        right,
        wrong,
        orders,
        grain=GRAIN.get(a.dtype_name, FINE),
        interleaved=any(found.kind == "interleaved" for found in findings),
    )
    ordered = dict(zip(WEIGHTS, orders, strict=True))
    if bias_order is not None:
        ordered |= dict.fromkeys(BIASES, bias_order)
    findings = [*orders_findings(ordered), *findings, *said]
    parts = [*matrices, *biases]
    rest, explained = leftover(parts, a.dtype_name, wrong, known=bool(findings))
    findings += rest
    if a.dtype_name != b.dtype_name and not _says_type(findings, b.dtype_name):
        findings.append(Finding("stored type", {"other": a.dtype_name, "dtype": b.dtype_name}))
    if not findings:
        findings = [Finding("nothing" if a.same_bits(b) else "zero signs", {})]
    took = time.perf_counter() - began
    return Diagnosis("weights", explained, tuple(findings), tried, took)


def _says_type(findings: list[Finding], dtype: str) -> bool:
    """Whether the findings say already that the numbers were rounded to a type."""
    return any(f.kind == "rounded" and f.facts.get("dtype") == dtype for f in findings)

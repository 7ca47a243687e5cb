"""No further from the exact answer than torch itself, forward and backward, on the same cases."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from onecell import reference
from problems import Array, Problem, problem
from torch_cells import by_loop, by_unroll, of_torch, ours, results

CASES = [
    problem(steps, batch, inputs, hidden, bias=bias, seed=seed, scale=scale)
    for seed, (steps, batch, inputs, hidden) in enumerate(
        [(1, 3, 10, 16), (5, 2, 7, 33), (3, 9, 64, 40)]
    )
    for bias in (True, False)
    for scale in (1.0, 4.0)
]


def exact(p: Problem) -> dict[str, Array]:
    h_all, c_all = reference.unroll(p.weights, p.x, p.h, p.c)
    g = reference.gradients(p.weights, p.x, p.h, p.c, *p.grads)
    outputs = {"h_all": h_all, "h_last": h_all[-1], "c_last": c_all[-1]}
    return outputs | {"x": g.x, "h": g.h, "c": g.c} | g.parameters()


def errors(cell: Any, p: Problem, run: Any) -> dict[str, float]:
    """Return the largest error of each result, relative to the largest exact value."""
    want = exact(p)
    return {
        name: float(np.abs(array - want[name]).max() / np.abs(want[name]).max())
        for name, array in results(p, cell, run).items()
    }


@pytest.mark.parametrize("name", [*exact(CASES[0])])
def test_the_largest_error_is_no_larger_than_torch_s(name: str) -> None:
    there = [p for p in CASES if p.weights.bias or "bias" not in name]
    mine = max(errors(ours(p), p, by_unroll)[name] for p in there)
    theirs = max(errors(of_torch(p), p, by_loop)[name] for p in there)
    assert 0 < mine <= theirs
    assert theirs < 1e-4

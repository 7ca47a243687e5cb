"""At least as exact as torch: errors against the float64 reference, on the same cases."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from onecell import reference
from problems import Array, Problem, problem, results

SIZES = [(1, 1, 10, 16), (5, 3, 10, 16), (1, 8, 128, 128), (7, 4, 33, 57), (20, 2, 64, 64)]
SCALES = [1.0, 4.0]
SEEDS = range(4)


def with_torch(p: Problem) -> dict[str, Array]:
    """Return what torch.nn.LSTMCell makes of a problem, in a Python loop."""
    t = {name: torch.from_numpy(array.copy()) for name, array in p.weights.arrays().items()}
    dtype = next(iter(t.values())).dtype
    cell = torch.nn.LSTMCell(p.x.shape[2], p.h.shape[1], dtype=dtype)
    cell.load_state_dict(t)
    x, h_0, c_0 = (torch.from_numpy(a).clone().requires_grad_() for a in (p.x, p.h, p.c))
    h, c, h_all = h_0, c_0, []
    for row in x:
        h, c = cell(row, (h, c))
        h_all.append(h)
    stacked = torch.stack(h_all)
    g_all, g_h, g_c = (torch.from_numpy(g) for g in p.grads)
    ((stacked * g_all).sum() + (h * g_h).sum() + (c * g_c).sum()).backward()
    found = {"h_all": stacked, "h_last": h, "c_last": c, "x": x.grad, "h": h_0.grad, "c": c_0.grad}
    found |= {name: parameter.grad for name, parameter in cell.named_parameters()}
    return {name: tensor.detach().numpy() for name, tensor in found.items() if tensor is not None}


def errors(got: dict[str, Array], p: Problem) -> dict[str, float]:
    """Return the largest absolute error of each result against the float64 reference."""
    h_all, c_all = reference.unroll(p.weights, p.x, *p.state)
    g = reference.gradients(p.weights, p.x, *p.state, *p.grads)
    want = {"h_all": h_all, "h_last": h_all[-1], "c_last": c_all[-1], "x": g.x, "h": g.h, "c": g.c}
    want |= g.parameters()
    return {name: float(np.abs(got[name] - want[name]).max()) for name in want}


@pytest.mark.parametrize("scale", SCALES)
def test_largest_errors_are_no_larger_than_those_of_torch(scale: float) -> None:
    ours: dict[str, float] = {}
    theirs: dict[str, float] = {}
    for size in SIZES:
        for seed in SEEDS:
            p = problem(*size, seed=seed, scale=scale)
            for worst, got in ((ours, results(p)), (theirs, with_torch(p))):
                for name, error in errors(got, p).items():
                    worst[name] = max(worst.get(name, 0.0), error)
    forward = ("h_all", "h_last", "c_last")
    backward = [name for name in ours if name not in forward]
    assert max(ours[name] for name in forward) <= max(theirs[name] for name in forward)
    assert max(ours[name] for name in backward) <= max(theirs[name] for name in backward)

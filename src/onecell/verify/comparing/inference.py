"""Two cells compared by what they compute alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from onecell.dialect.arrays import merge_biases
from onecell.verify.comparing.claim import Claim

UNTRAINED: Final = "only what the cells compute is compared"
"""Why nothing is said of training."""


def of_sums(claim: Claim) -> Claim:
    """Return the claim with one bias, the sum, which computes the same."""
    weights = claim.weights
    if weights is None:
        return claim
    if weights.bias_ih is None or weights.bias_hh is None:
        zeros = np.zeros(len(weights.weight_ih), weights.weight_ih.dtype)
        summed = replace(weights, bias_ih=zeros, bias_hh=zeros.copy())
        said = "its bias is taken to be zero: it has none"
    elif not weights.bias_hh.any():
        return claim
    else:
        bias = merge_biases(weights.bias_ih, weights.bias_hh)
        summed = replace(weights, bias_ih=bias, bias_hh=np.zeros_like(bias))
        said = "its two biases are taken as one, their sum"
    return replace(claim, weights=summed, notes=(*claim.notes, said))

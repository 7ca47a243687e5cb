"""Two cells compared by what they compute alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from onecell.dialect.arrays import from_canonical, to_canonical
from onecell.dialect.layout import Layout
from onecell.gates import GATES
from onecell.verify.comparing.claim import Claim
from onecell.weights import Weights

UNTRAINED: Final = "only what the cells compute is compared"
"""Why nothing is said of training."""


_ONE_BIAS: Final = Layout(GATES, gates_first=True, biases=1, always_bias=True)


def of_sums(claim: Claim) -> Claim:
    """Return the claim with one bias, the sum, which computes the same."""
    weights = claim.weights
    if weights is None or (weights.bias_hh is not None and not weights.bias_hh.any()):
        return claim
    arrays = to_canonical(from_canonical(weights.arrays(), _ONE_BIAS), _ONE_BIAS, reverse=False)
    said = "its two biases are taken as one, their sum"
    if not weights.bias:
        said = "its bias is taken to be zero: it has none"
    return replace(claim, weights=Weights(**arrays), notes=(*claim.notes, said))

"""Two cells compared by what they compute alone: biases by their sum, training left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from onecell import Weights
from onecell.checkpoint import save_checkpoint
from onecell.verify import compare, compare_files
from onecell.verify.mutation import swap_gates

from .wrong import right

Change = Callable[[Weights], Weights]


def summed(weights: Weights) -> Weights:
    """Return weights as a framework with one bias has them."""
    assert weights.bias_ih is not None
    assert weights.bias_hh is not None
    bias = weights.bias_ih + weights.bias_hh
    return replace(weights, bias_ih=bias, bias_hh=np.zeros_like(bias))


def exchanged(weights: Weights) -> Weights:
    return replace(weights, bias_ih=weights.bias_hh, bias_hh=weights.bias_ih)


@pytest.mark.parametrize("change", [summed, exchanged])
def test_biases_count_by_their_sum(change: Change) -> None:
    given, other = right(), change(right())
    assert compare(given, other).verdict == "different"
    found = compare(given, other, inference=True)
    assert found.verdict == "same"
    assert found.same_bits is False
    assert not any(q.name.startswith(("sgd", "adam")) for q in found.quantities)
    assert {"sgd", "adam"} <= found.left_out.keys()
    assert "its two biases are taken as one, their sum" in found.a.notes
    assert found.command.endswith(", inference=True)")


def test_no_bias_counts_as_zeros() -> None:
    plain = replace(right(), bias_ih=None, bias_hh=None)
    zeros = np.zeros(len(plain.weight_ih), plain.weight_ih.dtype)
    padded = replace(plain, bias_ih=zeros, bias_hh=zeros)
    for a, b in ((plain, padded), (padded, plain)):
        assert compare(a, b).verdict == "different"
        assert compare(a, b, inference=True).verdict == "same"
    assert compare(right(), plain, inference=True).verdict == "different"


@pytest.mark.parametrize("lost", ["bias_ih", "bias_hh"])
def test_a_bias_that_is_lost_is_no_sum(lost: str) -> None:
    wrong = replace(right(), **{lost: np.zeros_like(right().bias_ih)})
    found = compare(right(), wrong, inference=True)
    assert found.verdict == "different"
    assert found.first is not None


def test_what_is_wrong_is_still_named() -> None:
    found = compare(right(), swap_gates(summed(right()), "f", "o"), inference=True)
    assert found.verdict == "different"
    assert found.diagnosis.text() == "gates f and o are swapped"


def test_the_self_test_is_of_the_weights_as_they_are() -> None:
    found = compare(right(), summed(right()), inference=True, self_test=True)
    assert found.verdict == "same"
    assert all(caught.holds for caught in found.self_test)


def test_files_say_the_option_in_their_command(tmp_path: Path) -> None:
    for name, weights in (("a.safetensors", right()), ("b.safetensors", summed(right()))):
        save_checkpoint(tmp_path / name, weights.arrays(), dialect="torch")
    found = compare_files(
        tmp_path / "a.safetensors", tmp_path / "b.safetensors", inference=True, sides=("arrays",)
    )
    assert found.holds
    assert "--inference" in found.command

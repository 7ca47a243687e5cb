"""Choosing a part of a checkpoint by patterns."""

from __future__ import annotations

import numpy as np
import pytest

from onecell.checkpoint import Checkpoint
from onecell.checkpoint.choose import choose
from onecell.errors import ArgumentError
from onecell.spec import Spec
from onecell.weights import Weights


def checkpoint() -> Checkpoint:
    tensors = {
        **Weights.random(Spec(3, 5), rng=1).to_dialect("torch", prefix="enc.cell."),
        **Weights.random(Spec(3, 5), rng=2).to_dialect("torch", prefix="rnn.", layer=0),
        **Weights.random(Spec(5, 5), rng=3).to_dialect("torch", prefix="rnn.", layer=1),
        "enc.bn.weight": np.ones(3),
        "encoder.weight": np.ones(3),
        "odd[1].x": np.ones(1),
    }
    return Checkpoint(tensors, "pt", "torch", {"epoch": "3", "enc.note": "a"})


def taken(*, only: tuple[str, ...] = (), drop: tuple[str, ...] = ()) -> set[str]:
    whole = checkpoint()
    part, left = choose(whole, "torch", only=only, drop=drop)
    names = {*part.tensors, *part.metadata}
    assert names.isdisjoint(left)
    assert names | set(left) == {*whole.tensors, *whole.metadata}
    return names


EVERYTHING = {*checkpoint().tensors, *checkpoint().metadata}
ENC = {name for name in EVERYTHING if name.startswith("enc.")}
LAYER_1 = {name for name in EVERYTHING if name.endswith("_l1")}


@pytest.mark.parametrize(
    ("only", "want"),
    [
        (("enc",), ENC),
        (("enc*",), ENC | {"encoder.weight"}),
        (("enc.cell",), {name for name in ENC if name.startswith("enc.cell.")}),
        (("rnn[layer 1]",), LAYER_1),
        (("rnn.*_l1",), LAYER_1),
        (("*.weight",), {"enc.bn.weight", "encoder.weight"}),
        (("enc", "rnn[layer 1]"), ENC | LAYER_1),
        (("odd[[]1]",), {"odd[1].x"}),
        (("encoder.weight", "epoch"), {"encoder.weight", "epoch"}),
    ],
)
def test_only_takes_what_a_pattern_chooses(only: tuple[str, ...], want: set[str]) -> None:
    assert taken(only=only) == want
    assert taken(drop=only) == EVERYTHING - want


def test_drop_takes_from_what_only_chooses() -> None:
    assert taken(only=("enc",), drop=("*.bn", "enc.note")) == {
        name for name in ENC if name.startswith("enc.cell.")
    }


def test_without_patterns_it_is_the_checkpoint_itself() -> None:
    whole = checkpoint()
    assert choose(whole, "torch") == (whole, [])


@pytest.mark.parametrize("option", ["only", "drop"])
def test_a_pattern_that_chooses_nothing_is_an_error_that_lists_cells(option: str) -> None:
    with pytest.raises(ArgumentError, match=rf"--{option} 'en' chooses nothing of enc.cell, rnn"):
        choose(checkpoint(), "torch", **{option: ["en"]})


def test_leaving_nothing_is_an_error() -> None:
    with pytest.raises(ArgumentError, match="leave no tensor"):
        taken(only=("enc",), drop=("*",))

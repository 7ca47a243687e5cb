"""What the page says in Chinese of sentences that are made elsewhere, in English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

import onecell
from onecell import Spec, Weights
from onecell.checkpoint import Note, save_checkpoint, survey
from onecell.errors import NotFiniteError
from onecell.verify import Comparison, compare
from onecell.verify.comparing.checks import check_numbers
from onecell.verify.comparing.wrong_ports import WRONG_PORTS
from onecell.verify.mutation import ENLARGED, GATE_SWAPS
from onecell.verify.remarks import Remarks
from onecell.verify.report.known import known

NAMES = [
    *(mutation.name for mutation in (*GATE_SWAPS, ENLARGED)),
    *(port.name for port in WRONG_PORTS),
]


@pytest.mark.parametrize("name", dict.fromkeys(NAMES))
def test_every_mistake_has_a_chinese_name(name: str) -> None:
    assert known(name).zh != name


def test_what_is_found_in_a_sentence_is_kept() -> None:
    assert known("`mindspore` is not installed").zh == "未安装 `mindspore`"


def test_a_sentence_that_is_not_known_stays_as_it_is() -> None:
    assert known("gates x are new").zh == "gates x are new"


class Odd(torch.nn.Module):
    """A module with a cell's parameters that computes something else."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = torch.nn.LSTMCell(5, 4)

    def forward(
        self, x: torch.Tensor, state: tuple[torch.Tensor, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        h, c = self.cell(x, state)
        return c, h


def compared(tmp_path: Path) -> Iterator[Comparison]:
    """Yield comparisons that leave something out, or say something of how they were read."""
    weights = Weights.random(Spec(5, 4), 1)
    cell = onecell.LSTMCell.from_weights(weights)
    yield compare(weights, cell.__call__, steps=5)
    yield compare(cell.__call__, cell, steps=5)
    yield compare(cell.__call__, cell.__call__, sizes=(5, 4), steps=5)
    yield compare(weights, Odd(), steps=5)
    frozen = Odd().cell
    frozen.weight_hh.requires_grad_(False)
    yield compare(frozen, Odd(), steps=5)
    half = torch.nn.LSTMCell(5, 4).half()
    yield compare(half, half, steps=5)
    wide = {n: a.astype("float64") for n, a in weights.arrays().items()}
    path = tmp_path / "wide.ckpt"
    save_checkpoint(path, wide, dialect="mindspore")
    yield compare(path, path, steps=5)
    turned = {n: a.T.copy() for n, a in weights.arrays().items()}
    path = tmp_path / "turned.npz"
    np.savez(path, allow_pickle=False, **turned)
    yield compare(path, path, steps=5)


def test_every_sentence_of_a_comparison_has_its_chinese(tmp_path: Path) -> None:
    english = {
        sentence
        for found in compared(tmp_path)
        for sentence in (
            found.reference,
            *found.left_out.values(),
            *found.a.notes,
            *found.b.notes,
        )
    }
    assert len(english) >= 10
    assert [sentence for sentence in english if known(sentence).zh == sentence] == []


def noted() -> Iterator[str]:
    """Yield every sentence that a survey can say of what looks like a cell, and why none is one."""
    state = torch.nn.LSTMCell(5, 4).state_dict()
    cell = {name: tensor.numpy() for name, tensor in state.items()}
    rest = {name: array for name, array in cell.items() if name != "weight_hh"}
    hidden = cell["weight_hh"]
    files = (
        cell | {"peephole": np.ones(4, np.float32)},
        rest | {"weight_hh_orig": hidden, "weight_hh_mask": np.ones_like(hidden)},
        rest | {"weight_hh_orig": hidden, "weight_hh_mask": np.ones(3, np.float32)},
        cell | {"bias_ih": np.ones(16, np.int8)},
        cell | {"bias_ih": np.ones(16, np.float64)},
        cell | {"bias_ih": np.ones(15, np.float32)},
        cell | {"weight_hh": np.ones(16, np.float32)},
        cell | {"weight_hr": np.ones((2, 4), np.float32)},
        {"weight_ih": np.ones((4, 3)), "weight_hh": np.ones((4, 4))},
        {"weight_ih": np.ones((12, 3)), "weight_hh": np.ones((12, 4))},
        rest,
    )
    for tensors in files:
        notes = survey(tensors, "torch").notes
        assert notes
        yield from (note.text for note in notes)
    for value in (np.nan, 3e37):
        wrong = {
            name: np.where(array == array.flat[1], value, array) for name, array in cell.items()
        }
        with pytest.raises(NotFiniteError) as raised:
            check_numbers("`enc`", Weights.from_dialect(wrong, "torch"))
        yield str(raised.value)


def test_every_note_of_a_cell_has_its_chinese() -> None:
    said = list(noted())
    assert len(said) == 13
    for sentence in said:
        chinese = known(sentence).zh
        assert re.search("[一-鿿]", chinese)
        assert not re.search(
            r"\b(?:perhaps|proved|no LSTM cell|missing|finite|must|got)\b", chinese
        )


def test_what_a_list_leaves_out_is_counted_in_the_language() -> None:
    notes = [Note(f"cell{number}", "", "other") for number in range(20)]
    (found,) = Remarks({}, notes).looks
    assert found.text().endswith("cell7 and 12 more")
    assert found.text("zh").endswith("cell7 等另 12 个")

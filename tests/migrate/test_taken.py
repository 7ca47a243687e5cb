"""Names that modules of a framework have taken: all that its class has and the other's lacks."""

from __future__ import annotations

import pytest
import torch
from mindspore import nn

from onecell.migrate import rewrite
from onecell.migrate.rules.taken import TAKEN

HAVE = {"mindspore": nn.Cell, "torch": torch.nn.Module}


@pytest.mark.parametrize("to", HAVE)
def test_every_public_name_is_known(to: str) -> None:
    (other,) = HAVE.keys() - {to}
    own, others = set(dir(HAVE[to]())), set(dir(HAVE[other]()))
    steps = {"forward", "construct"}
    public = {name for name in own - others if not name.startswith("_")} - steps
    assert public <= TAKEN[to]
    assert not TAKEN[to] & others


def test_the_new_name_is_nobody_elses() -> None:
    source = """
from torch import nn
class Model(nn.Module):
    def __init__(self, cells_):
        super().__init__()
        self.cells = nn.ModuleList([nn.LSTMCell(5, 4)])
"""
    assert "self.cells__ = " in rewrite(source, to="mindspore").after


def test_classes_that_are_no_modules_keep_theirs() -> None:
    source = """
from torch import nn
class Sheet:
    def __init__(self):
        self.cells = []
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cells = nn.ModuleList([nn.LSTMCell(5, 4)])
def count(thing):
    return len(thing.cells)
"""
    after = rewrite(source, to="mindspore").after
    assert "self.cells = []" in after
    assert "# TODO(onecell): reserved: modules call `cells` `cells_`" in after
    assert "len(thing.cells)" in after

"""Names that modules of a framework have taken: all that its class has and the other's lacks."""

from __future__ import annotations

import pytest
import torch
from mindspore import nn

from onecell.migrate import rewrite
from onecell.migrate.meaning.survey import surveyed
from onecell.migrate.rules.taken import TAKEN, outside_of

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


def test_annotated_names_and_names_put_together_are_seen() -> None:
    source = """
from torch import nn
class Model(nn.Module):
    cells: nn.ModuleList
    def __init__(self):
        super().__init__()
        self.cells = nn.ModuleList([nn.LSTMCell(5, 4)])
def pick(stored, i):
    return stored[f"cells.{i}.weight_ih"]
"""
    after = rewrite(source, to="mindspore").after
    assert "    cells_: nn.CellList\n" in after
    assert "    # TODO(onecell): reserved: `cells` is called `cells_`" in after


def test_asking_for_a_class_or_a_flag_is_no_change() -> None:
    source = """
import torch
from torch import nn
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(5, 4)
        self.head = nn.Linear(4, 3)
    def forward(self, x):
        return self.head(self.cell(x)[0]).sum()
def train(rows):
    model = Model()
    print(sum(p.numel() for p in model.parameters() if p.requires_grad))
    print(type(model.head) == nn.Linear)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for x in rows:
        optimizer.zero_grad()
        loss = model(x)
        loss.backward()
        optimizer.step()
"""
    after = rewrite(source, to="mindspore").after
    assert "type(model.head) == nn.Dense" in after
    assert "mindspore.value_and_grad(" in after
    assert "TODO(onecell)" not in after
    frozen = source.replace(
        "    print(sum", "    model.head.bias.requires_grad = False\n    print(sum"
    )
    assert "the file uses `requires_grad`" in rewrite(frozen, to="mindspore").after


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


def test_a_module_may_stand_under_the_name_of_its_base() -> None:
    base = "from torch import nn\nclass Accessor(nn.Module):\n    pass\n"
    part = "from base import Accessor\nclass Dynamic(Accessor):\n    pass\n"
    user = "from part import Dynamic as Accessor\n"
    plain = "from base import Accessor\nclass Other:\n    pass\n"
    cycle = "from cycle import Round as Turn\nclass Round(Turn):\n    pass\n"
    files = [surveyed(text) for text in (base, part, user, plain, cycle)]
    assert outside_of(files, "mindspore").modules == {"Accessor", "Dynamic"}
    files.append(surveyed("class Accessor:\n    pass\n"))
    assert not outside_of(files, "mindspore").modules


def test_a_second_run_leaves_what_the_first_has_written() -> None:
    source = """
import torch
from torch import nn
cell = nn.LSTMCell(5, 4)
spectrum = torch.fft.fft(cell.weight_hh)
def kept(optimizer, path):
    torch.save({"optimizer": optimizer.state_dict()}, path)
"""
    once = rewrite(source, to="mindspore").after
    assert "def optimizer_state(optimizer):" in once
    assert rewrite(once, to="mindspore", whole_file=True).after == once

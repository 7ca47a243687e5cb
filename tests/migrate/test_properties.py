"""Whatever a module is made of: the result compiles, the rest stays, and once is enough."""

from __future__ import annotations

import difflib
from typing import Literal

from hypothesis import example, given, settings
from hypothesis import strategies as st

from onecell.migrate import Outcome, rewrite

IMPORTS = (
    "import torch\n",
    "import torch.nn as nn\n",
    "from torch import nn\n",
    "import torch.nn.functional as F\n",
    "from torch.nn import LSTMCell as Step\n",
    "from torch.nn import (\n    Linear,\n    LSTMCell,  # the cell\n)\n",
    "import numpy as np\n",
    "try:\n    import torch\nexcept ImportError:\n    torch = None\n",
    "from torch.nn import *\n",
)
USES = (
    "cell = torch.nn.LSTMCell(3, 4, bias=False)  # made\n",
    "cell = nn.LSTMCell(\n    3,  # wide\n    4,\n    dtype=torch.float64,\n)\n",
    "cell = Step(3, 4, True, None)\n",
    "cell = LSTMCell(*sizes, **settings)\n",
    "h, c = cell(x)\n",
    "h, c = cell(input=x, hx=[h, c])\n",
    "class Model(nn.Module):\n\n    def forward(self, x):\n\n        return F.relu(x)\n",
    (
        "class Mine(nn.LSTMCell):\n"
        "\tdef forward(self, input, hx=None):\n\t\treturn super().forward(input, hx)\n"
    ),
    "y = torch.stack([h, c], dim=1); z = torch.fft.fft(y)\n",
    "model = nn.Sequential(nn.Linear(4, 4), nn.Conv3d(1, 2, 3), nn.Dropout())\n",
    "if isinstance(cell, (nn.LSTMCell, nn.Linear)): pass\n",
    "with torch.no_grad(): w = x.detach().clone()\n",
    "x = torch.zeros(2, 3, device='cpu').to('cuda')\n",
    "loss.backward()\n",
    (
        "@torch.no_grad()\n"
        "def f(x: torch.Tensor = torch.ones(3)) -> 'torch.Tensor':\n    return x.size(0)\n"
    ),
    "torch = fake\n",
    "make = lambda: nn.LSTMCell(3, 4, device='cpu')\n",
)
PLAIN = (
    "# torch.nn.LSTMCell is mentioned here   \n",
    'text = "nn.LSTMCell(3, 4)"\n',
    "value   =  { 1:2 ,\n        3 :4}   # as   it is\n",
    "def plain( a,b ) :\n  return a+ b\n",
    "\n\n\n",
    "for i in range(3):\n\tprint(i)\n",
    '"""A docstring\n  in the middle."""\n',
    "try:\n    pass\nexcept (ValueError, TypeError) as error: raise\n",
    "x = x if x else(yes or no)\n",
    "é = 'ü'\n",
)

modules = st.tuples(
    st.lists(st.sampled_from(IMPORTS), max_size=4, unique=True),
    st.lists(st.sampled_from(USES + PLAIN), max_size=8),
).map(lambda parts: "".join(parts[0]) + "".join(parts[1]))
ways = st.tuples(st.sampled_from(["onecell", "native"]), st.booleans())
Target = Literal["onecell", "native"]


@settings(max_examples=150, deadline=None)
@example("from torch.nn import *\nwith torch.no_grad(): w = x.detach()\n", ("onecell", True))
@given(modules, ways)
def test_result_compiles(source: str, way: tuple[Target, bool]) -> None:
    after = rewrite(source, to="mindspore", target=way[0], whole_file=way[1]).after
    compile(after, "after", "exec")


@settings(max_examples=150, deadline=None)
@example(
    "from torch.nn import LSTMCell as Step\nimport torch\nloss.backward()\n"
    "cell = torch.nn.LSTMCell(3, 4, bias=False)\n",
    ("onecell", False),
)
@example(
    "from torch.nn import (\n    Linear,\n    LSTMCell,\n)\nfrom torch.nn import LSTMCell as Step\n"
    "import torch\ncell = torch.nn.LSTMCell(3, 4, bias=False)\n",
    ("onecell", False),
)
@given(modules, ways)
def test_second_run_changes_nothing(source: str, way: tuple[Target, bool]) -> None:
    after = rewrite(source, to="mindspore", target=way[0], whole_file=way[1]).after
    assert rewrite(after, to="mindspore", target=way[0], whole_file=way[1]).after == after


@settings(max_examples=150, deadline=None)
@given(modules, ways)
def test_lines_without_a_use_stay_to_the_byte(source: str, way: tuple[Target, bool]) -> None:
    after = rewrite(source, to="mindspore", target=way[0], whole_file=way[1]).after
    untouched = [s for s in PLAIN if s.strip()]
    lines = {line for snippet in untouched for line in snippet.splitlines(keepends=True)}
    gone = [
        line[2:]
        for line in difflib.ndiff(source.splitlines(keepends=True), after.splitlines(keepends=True))
        if line.startswith("- ")
    ]
    assert not lines & set(gone)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(PLAIN), max_size=8).map("".join))
def test_module_without_a_use_is_not_touched(source: str) -> None:
    done = rewrite(source, to="mindspore", whole_file=True)
    assert done.after == source
    assert done.findings == ()


@settings(max_examples=100, deadline=None)
@given(modules, ways)
def test_what_changes_is_told(source: str, way: tuple[Target, bool]) -> None:
    done = rewrite(source, to="mindspore", target=way[0], whole_file=way[1])
    if done.changed:
        told = {Outcome.CONVERTED, Outcome.ASSUMED, Outcome.REFUSED, Outcome.MARKED}
        assert told & {found.outcome for found in done.findings}


@settings(max_examples=100, deadline=None)
@given(modules)
def test_way_back_compiles(source: str) -> None:
    there = rewrite(source, to="mindspore", target="native", whole_file=True).after
    back = rewrite(there, to="torch", target="native", whole_file=True).after
    compile(back, "back", "exec")


def test_a_second_run_leaves_a_marked_statement_alone() -> None:
    """What the first run knew to be a tensor is a result of the other framework's cell by then."""
    source = (
        "import torch\n"
        "from torch import nn\n"
        "cell = nn.LSTMCell(10, 16)\n"
        "h, c = cell(torch.ones(3, 10))\n"
        "h = h.roll(torch.tensor(1))\n"
    )
    first = rewrite(source, to="mindspore")
    assert "h.roll(torch.tensor(1))" in first.after
    assert rewrite(first.after, to="mindspore", whole_file=True).after == first.after


def test_a_second_run_inserts_no_mode_anew() -> None:
    source = """import torch
from torch.nn import ConvTranspose2d, LSTMCell

cell = LSTMCell(3, 4)


class Wide(torch.nn.Conv2d):
    def __init__(self, *args):
        super().__init__(*args)
        self.extra = torch.fft.fft(self.weight)

    def forward(self, x):
        return x if self.training else torch.fft.fft(x)
"""
    once = rewrite(source, to="mindspore").after
    assert once.count("self.set_train()") == 1
    marked = once.replace("nn.Conv2d", "torch.nn.Conv2d")
    again = rewrite(marked, to="mindspore", whole_file=True).after
    assert again.count("self.set_train()") == 1


def test_what_a_static_method_is_given_is_no_instance() -> None:
    source = """import torch
from torch.nn import LSTMCell, Module


class Model(Module):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(3, 4)

    @staticmethod
    def widen(mask, other):
        return torch.cat([mask.float(), torch.zeros(mask.size(0), 2)], dim=1)
"""
    done = rewrite(source, to="mindspore")
    assert "torch" not in done.after
    assert "mask.shape[0]" in done.after


def test_the_device_of_a_module_is_marked_in_the_first_run() -> None:
    source = """from torch.nn import LSTMCell, Module


class Model(Module):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(3, 4)

    def on_gpu(self):
        return self.device.type == "cuda"
"""
    once = rewrite(source, to="mindspore")
    assert "is a string in MindSpore, without `type`" in once.after
    assert not rewrite(once.after, to="mindspore", whole_file=True).changed


def test_indices_are_made_int64_once() -> None:
    source = """import torch
from torch import nn

class Model(nn.Module):
    def forward(self, x, rows):
        values, places = rows.topk(3)
        best = torch.sort(x)[1].long()
        first = rows.topk(2)[1]
        return values, places, best, first.view(-1), torch.foo(x)
"""
    once = rewrite(source, to="mindspore", whole_file=True).after
    assert once.count(".long()") == 3
    assert rewrite(once, to="mindspore", whole_file=True).after == once

"""What names stand for: every way of import is seen, and what only looks like the cell is not."""

from __future__ import annotations

import pytest

from onecell.migrate import Outcome, rewrite

IMPORTS = {
    "import torch": "torch.nn.LSTMCell",
    "import torch as th": "th.nn.LSTMCell",
    "import torch.nn": "torch.nn.LSTMCell",
    "import torch.nn as nn": "nn.LSTMCell",
    "import torch.nn as layers": "layers.LSTMCell",
    "from torch import nn": "nn.LSTMCell",
    "from torch import nn as layers": "layers.LSTMCell",
    "from torch.nn import LSTMCell": "LSTMCell",
    "from torch.nn import LSTMCell as Step": "Step",
    "from torch.nn.modules import LSTMCell": "LSTMCell",
    "from torch.nn.modules.rnn import LSTMCell": "LSTMCell",
    "import torch.nn.modules.rnn as rnn": "rnn.LSTMCell",
    "import onecell.torch": "onecell.torch.LSTMCell",
    "from onecell.torch import LSTMCell": "LSTMCell",
    "from onecell import torch as one": "one.LSTMCell",
}


@pytest.mark.parametrize("target", ["native", "onecell"])
@pytest.mark.parametrize("statement", IMPORTS)
def test_every_way_of_import_is_followed(statement: str, target: str) -> None:
    source = f"{statement}\n\ncell = {IMPORTS[statement]}(3, 4, bias=False)\n"
    done = rewrite(source, to="mindspore", target=target)  # type: ignore[arg-type]
    assert [f.outcome for f in done.findings] == [Outcome.CONVERTED]
    assert "has_bias=False" in done.after
    assert "torch" not in done.after
    home = "onecell.mindspore" if target == "onecell" else "mindspore"
    assert f"import {home}" in done.after or f"from {home}" in done.after


LOOKALIKES = (
    "import torch\n\ntorch = object()\nx = torch\n",
    "def fake():\n    pass\n\n\ntorch = fake()\ncell = torch.nn.LSTMCell(3, 4)\n",
    "from mine import LSTMCell\n\ncell = LSTMCell(3, 4, bias=False)\n",
    "from .torch import nn\n\ncell = nn.LSTMCell(3, 4, bias=False)\n",
    "class LSTMCell:\n    pass\n\n\ncell = LSTMCell()\n",
    'text = "torch.nn.LSTMCell(3, 4)"  # torch.nn.LSTMCell\n',
    '"""torch.nn.LSTMCell."""\nimport torch\n\nx = torch.ones(3)\n',
    "import torch\n\n\ndef f(torch):\n    return torch.nn.LSTMCell(3, 4)\n",
    "from torch import nn\n\ncell = nn.GRUCell(3, 4)\n",
    "import tensorflow as torch\n\ncell = torch.nn.LSTMCell(3, 4, bias=False)\n",
    "from paddle.nn import LSTMCell\n\ncell = LSTMCell(3, 4)\n",
    "x = y.LSTMCell(3)\n",
)


@pytest.mark.parametrize("to", ["mindspore", "torch"])
@pytest.mark.parametrize("source", LOOKALIKES)
def test_what_is_no_use_is_left_alone(source: str, to: str) -> None:
    done = rewrite(source, to=to)  # type: ignore[arg-type]
    assert done.after == source
    assert done.findings == ()


def test_shadow_in_a_function_hides_only_there() -> None:
    source = (
        "from torch import nn\n\n\ndef f(nn):\n    return nn.LSTMCell(bias=1)\n\n\n"
        "cell = nn.LSTMCell(3, 4, bias=False)\n"
    )
    after = rewrite(source, to="mindspore", target="native").after
    assert "return nn.LSTMCell(bias=1)" in after
    assert "nn.LSTMCell(3, 4, has_bias=False)" in after


def test_name_that_may_be_two_things_is_refused_and_left() -> None:
    source = "import torch\n\ntorch = torch or 3\ncell = torch.nn.LSTMCell(3, 4)\n"
    done = rewrite(source, to="mindspore")
    assert Outcome.REFUSED in {f.outcome for f in done.findings}
    assert "cell = torch.nn.LSTMCell(3, 4)\n" in done.after


def test_new_name_gives_way_to_one_of_the_users() -> None:
    source = "from torch import nn\n\n\nclass LSTMCell(nn.LSTMCell):\n    pass\n"
    after = rewrite(source, to="mindspore").after
    assert "class LSTMCell(onecell.mindspore.LSTMCell):" in after
    assert "import onecell.mindspore\n" in after


def test_import_stays_while_something_left_reads_it() -> None:
    source = "from torch import nn\n\na = nn.LSTMCell(3, 4)\nb = nn.Conv3d(1, 2, 3)\n"
    after = rewrite(source, to="mindspore", target="native").after
    assert "from torch import nn\n" in after
    assert "a = mindspore.nn.LSTMCell(3, 4)\n" in after
    assert "b = nn.Conv3d(1, 2, 3)\n" in after


def test_import_that_is_there_is_used() -> None:
    source = "import mindspore as ms\nimport torch\n\na = torch.nn.LSTMCell(3, 4)\n"
    after = rewrite(source, to="mindspore", target="native").after
    assert after == "import mindspore as ms\n\na = ms.nn.LSTMCell(3, 4)\n"


def test_import_inside_a_function_is_followed() -> None:
    source = "def f():\n    from torch import nn\n\n    return nn.LSTMCell(3, 4)\n"
    after = rewrite(source, to="mindspore", target="native").after
    assert after == source.replace("torch", "mindspore")


def test_only_the_cells_import_of_several_goes() -> None:
    source = "import os, torch, sys\n\ncell = torch.nn.LSTMCell(3, 4)\nprint(os, sys)\n"
    after = rewrite(source, to="mindspore").after
    assert "import os, sys\n" in after
    assert "torch" not in after


def test_comments_of_an_import_that_goes_stay() -> None:
    source = (
        "# licence\n\n# the framework\nimport torch  # pinned\nfrom torch import nn\n\n"
        "cell = nn.LSTMCell(3, 4)\ny = torch.ones(2)\n"
    )
    after = rewrite(source, to="mindspore", target="native").after
    assert all(text in after for text in ("# licence", "# the framework", "# pinned"))


def test_cell_of_the_wanted_framework_is_reported_as_there() -> None:
    done = rewrite("from mindspore import nn\n\ncell = nn.LSTMCell(3, 4)\n", to="mindspore")
    assert [(f.outcome, f.line, f.column) for f in done.findings] == [(Outcome.ALREADY, 3, 7)]
    assert not done.changed


def test_whole_file_rewrites_what_has_no_cell_itself() -> None:
    source = "import torch\n\nx = torch.stack([a, b], dim=1)\n"
    assert not rewrite(source, to="mindspore").changed
    after = rewrite(source, to="mindspore", whole_file=True).after
    assert after == "from mindspore import ops\n\nx = ops.stack([a, b], axis=1)\n"


STARS = {
    "at once": ("from torch import nn\nfrom model import *\n", True),
    "with an import between": ("import torch.nn as nn\nimport os\nfrom model import *\n", True),
    "in the package": ("from torch import nn\nfrom .model import *\n", True),
    "before": ("from model import *\nfrom torch import nn\n", True),
    "after code": ("from torch import nn\nN = nn.Identity()\nfrom model import *\n", False),
}


@pytest.mark.parametrize(("head", "later"), STARS.values(), ids=[*STARS])
def test_what_another_file_brings_by_star_does_not_hide_the_import(head: str, later: bool) -> None:
    """Where `model` keeps an import of torch's `nn`, the star would bind that one."""
    source = f"{head}\n\nclass Reader(nn.Module):\n    cell = nn.LSTMCell(3, 4)\n"
    after = rewrite(source, to="mindspore", target="native").after
    lines = after.splitlines()
    star = next(i for i, line in enumerate(lines) if line.endswith("import *"))
    (own,) = (i for i, line in enumerate(lines) if "mindspore" in line)
    assert (own > star) == later
    assert not rewrite(after, to="mindspore", target="native").changed

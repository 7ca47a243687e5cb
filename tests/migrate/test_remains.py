"""What of the source framework is left in files: every import and every use, with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrate.sources import USE, as_file, notebook, write
from onecell.dialect import FRONT_ENDS
from onecell.errors import SourceError
from onecell.migrate import FileOutcome, migrate_file, migrate_paths
from onecell.migrate.run.remains import BUILT_ON, Look, belongs_to, find_remains


def remains(text: str, framework: str = "torch", *local: str) -> dict[str, list[int]]:
    """Return "name" or "import name" → the lines, of Python."""
    look = Look(text.encode(), "a.py", framework, frozenset(local))
    return {
        f"{'import ' if each.kind == 'import' else ''}{each.name}": [at for _, at in each.places]
        for each in find_remains(look)
    }


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("import torch", {"import torch": [1]}),
        ("import torch as t\n\nt.load('x')", {"import torch": [1], "torch.load": [3]}),
        (
            "from torch import nn\nnn.LSTM(1, 2)\nnn.LSTM(3, 4)",
            {"import torch.nn": [1], "torch.nn.LSTM": [2, 3]},
        ),
        ("from torch.nn import *", {"import torch.nn": [1]}),
        (
            "import torch.nn.functional as F\ng = F.relu(F.relu)",
            {"import torch.nn.functional": [1], "torch.nn.functional.relu": [2]},
        ),
        (
            "import torch\nnn = torch.nn\nnn.Embedding",
            {"import torch": [1], "torch.nn": [2], "torch.nn.Embedding": [3]},
        ),
        (
            "from importlib import import_module\nt = import_module('torch')\nt.save",
            {"import torch": [2], "torch.save": [3]},
        ),
        ("x = __import__('torch.nn')", {"import torch.nn": [1]}),
        ("import pytest\npytest.importorskip('torchvision')", {"import torchvision": [2]}),
        ("import importlib.util as u\nu.find_spec('torch')", {"import torch": [2]}),
        ("def f():\n    import torch\n    return torch", {"import torch": [2], "torch": [3]}),
        (
            "try:\n    import torch\nexcept ImportError:\n    torch = None",
            {"import torch": [2]},
        ),
        ("import pytorch_lightning as pl", {"import pytorch_lightning": [1]}),
        ("from lightning import Trainer", {"import lightning.Trainer": [1]}),
        ("from onecell.torch import LSTMCell", {"import onecell.torch.LSTMCell": [1]}),
        ("import onecell\nonecell.torch.LSTMCell", {"onecell.torch.LSTMCell": [2]}),
        (
            "import torch\ntorch.zeros(3).cuda().sum()",
            {"import torch": [1], "torch.zeros": [2]},
        ),
    ],
)
def test_imports_and_uses_are_named(text: str, want: dict[str, list[int]]) -> None:
    assert remains(text) == want


@pytest.mark.parametrize(
    "text",
    [
        "# import torch",
        '"""import torch"""',
        "torch = 3\ntorch.x",
        "x.torch.y",
        "import numpy\nnumpy.load('torch.pt')",
        "from . import torch",
        "from .torch import nn",
        "import mindspore",
        "from onecell.mindspore import LSTMCell",
        "import torchbearer_of_ours",
    ],
)
def test_what_only_looks_like_it_is_not(text: str) -> None:
    assert remains(text, "torch", "torchbearer_of_ours") == {}


def test_the_other_way_is_the_same() -> None:
    text = "import mindspore as ms\nfrom mindspore import nn\nimport mindcv\nnn.Dense(1, 2)\nms.jit"
    assert remains(text, "mindspore") == {
        "import mindspore": [1],
        "import mindspore.nn": [2],
        "import mindcv": [3],
        "mindspore.nn.Dense": [4],
        "mindspore.jit": [5],
    }


def test_every_framework_has_its_packages() -> None:
    assert BUILT_ON.keys() == FRONT_ENDS.keys()
    assert not set.intersection(*map(set, BUILT_ON.values()))
    assert belongs_to("torchmetrics.text", "torch")
    assert not belongs_to("torchmetrics", "mindspore")


@pytest.mark.parametrize("text", ["import torch as = 3", "\0torch", "torch = " + "(" * 300])
def test_what_does_not_parse_is_an_error(text: str) -> None:
    with pytest.raises(SourceError):
        remains(text)


def test_a_deep_chain_is_walked() -> None:
    deep = "import torch\ntorch" + ".a" * 150
    assert remains(deep) == {"import torch": [1], "torch" + ".a" * 150: [2]}


def test_a_notebook_names_cell_and_line() -> None:
    data = as_file(notebook("x = 1\n", "!ls\nimport torch\n", "y = 2\ntorch.zeros(3)"))
    found = find_remains(Look(data.encode(), "n.ipynb", "torch", frozenset()))
    assert [(each.name, each.kind, each.places) for each in found] == [
        ("torch", "import", ((2, 2),)),
        ("torch.zeros", "use", ((3, 2),)),
    ]


def test_files_are_looked_over_as_they_come_out(tmp_path: Path) -> None:
    write(tmp_path / "cell.py", USE)
    write(tmp_path / "apart.py", "import torch\n\n\ndef load(path):\n    return torch.load(path)\n")
    write(tmp_path / "plain.py", "x = 'torch'\n")
    done = migrate_paths([tmp_path], to="mindspore")
    (found,) = done.remaining
    assert found.relative == Path("apart.py")
    assert {each.name for each in found.remains} == {"torch", "torch.load"}
    assert not done.nothing


def test_a_file_that_names_the_framework_has_to_be_python(tmp_path: Path) -> None:
    write(tmp_path / "old.py", "import torch\nprint 'x'\n")
    write(tmp_path / "other.py", "print 'x'\n")
    done = migrate_paths([tmp_path], to="mindspore")
    assert [each.relative.name for each in done.failed] == ["old.py"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("bad.py", b"def f(:\n", "line 1: invalid syntax"),
        ("model.pt", b"PK\x03\x04\0\0", "`onecell port` takes it"),
        ("notes.txt", b"plain words\n", "not Python"),
    ],
)
def test_a_file_that_was_named_has_to_be_python(
    name: str, content: bytes, said: str, tmp_path: Path
) -> None:
    found = migrate_file(write(tmp_path / name, content), to="mindspore")
    assert found.outcome is FileOutcome.FAILED
    assert said in found.error


def test_nothing_of_the_framework_is_nothing_to_do(tmp_path: Path) -> None:
    write(tmp_path / "plain.py", "import sys\n")
    assert migrate_paths([tmp_path], to="mindspore").nothing
    assert migrate_paths([write(tmp_path / "cell.py", USE)], to="torch").nothing
    assert not migrate_paths([tmp_path], to="mindspore").nothing

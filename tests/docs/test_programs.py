"""What a page shows to be typed works: its blocks run, in their order, in an empty folder.

A block that is not to be run (it installs something, say) stands under `<!-- not run: why -->`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GIVEN = {
    "frozen.md": """
import numpy as np
from onecell import LSTMCell
cell, x = LSTMCell(5, 7, rng=0), np.ones((3, 5), np.float32)
h, c = cell(x)
room = np.empty((3, 7), np.float32)
""",
    "saving.md": """
from onecell import FrozenCell, LSTMCell
cell = LSTMCell(5, 7, rng=0)
frozen = cell.freeze("int8")
""",
    "verify.md": """
from pathlib import Path
from onecell import LSTMCell
from onecell.checkpoint import save_checkpoint
my_cell = LSTMCell(5, 7, rng=0)
for folder in ("ported", "my_project"):
    Path(folder).mkdir()
for file, dialect in (("model.pt", "torch"), ("ported/model.ckpt", "mindspore")):
    save_checkpoint(file, my_cell.weights.arrays(), dialect=dialect)
Path("my_project/model.py").write_text("from onecell import LSTMCell; cell = LSTMCell(5, 7, rng=0)")
import subprocess
subprocess.run("onecell convert model.pt model.keras --merge-biases".split(), check=True)
""",
}
"""What guides that show a part of a program take for granted."""
GUIDES = {
    *("torch.md", "mindspore.md", "arrays.md", "faq.md", "comparison.md", "convert.md"),
    *("add-a-framework.md", "differences.md", *GIVEN),
}
PAGES = [
    page
    for page in sorted((ROOT / "docs" / "en").rglob("*.md"))
    if page.parent.name in {"en", "start"} or page.name in GUIDES
]
_BLOCK = re.compile(
    r"(?P<not_run><!-- not run: .+ -->\n)?"
    r"```(?P<kind>python|sh|\{code-cell\} python|\{code-cell\} ipython3)\n(?P<code>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
_RUN_SHELL = "__import__('subprocess').run(['bash', '-ec', {!r}], check=True)"
SLOW = {"move.md", "train.md", "verify.md"}
"""Pages that compile or prove a lot; `make docs` runs move.md as a notebook, too."""


def program(page: str) -> str:
    """Return one program of all blocks of a page, those for the shell included."""
    parts = [_cell(m["kind"], m["code"]) for m in _BLOCK.finditer(page) if not m["not_run"]]
    return "\n".join(parts)


def _cell(kind: str, code: str) -> str:
    """Return a block as Python; of IPython's magics what the pages use."""
    if kind == "sh":
        return _RUN_SHELL.format(code)
    if code.startswith("%%writefile "):
        name, _, content = code.removeprefix("%%writefile ").partition("\n")
        return f"__import__('pathlib').Path({name!r}).write_text({content!r})"
    lines = [
        _RUN_SHELL.format(line[1:]) if line.startswith("!") else line for line in code.splitlines()
    ]
    return "\n".join(lines)


def test_blocks_become_one_program() -> None:
    page = (
        "```python\nx = 1\n```\ntext\n```{code-cell} ipython3\n%%writefile m.py\nz = 2\n```\n"
        "<!-- not run: installs -->\n```sh\npip install it\n```\n"
        "```sh\ntrue\n```\n```text\nno\n```\n"
    )
    made = program(page)
    assert "x = 1\n" in made
    assert "write_text('z = 2\\n')" in made
    assert "pip" not in made
    assert "true" in made
    assert "no\n" not in made
    compile(made, "page", "exec")


def test_a_page_that_fails_is_seen(tmp_path: Path) -> None:
    for block in ("```sh\nfalse\n```\n", "```python\nassert 1 == 2\n```\n"):
        assert run(program(block), tmp_path).returncode != 0


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program in the folder, with the environment's commands first on PATH."""
    (folder / ".page.py").write_text(code, encoding="utf-8")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "GLOG_v": "4", "COLUMNS": "100"}
    command = [sys.executable, ".page.py"]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=pytest.mark.slow if page.name in SLOW else ())
        for page in PAGES
        if program(page.read_text(encoding="utf-8"))
    ],
    ids=lambda page: page.name,
)
def test_programs_of_a_page_run(page: Path, tmp_path: Path) -> None:
    text = program(page.read_text(encoding="utf-8"))
    done = run(GIVEN.get(page.name, "") + text, tmp_path)
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"

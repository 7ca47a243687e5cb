"""Folders: which files are taken, which belong together, and how results are written."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from migrate.sources import MOVED, USE, snapshot, write
from onecell.errors import ArgumentError, OutputExistsError, SourceError
from onecell.migrate import (
    FileOutcome,
    Migration,
    Outcome,
    migrate_paths,
    write_in_place,
    write_tree,
)
from onecell.migrate.run.folders import walk


def names(root: Path, patterns: Sequence[str] = (), apart: Path | None = None) -> list[str]:
    """Return the places of the files found below `root`."""
    return [each.relative.as_posix() for each in walk([root], patterns, apart=apart).found]


def outcomes(done: Migration) -> dict[str, str]:
    """Return what became of each file."""
    return {each.relative.as_posix(): each.outcome.value for each in done.results}


def fill(root: Path, *places: str) -> None:
    """Make empty files."""
    for place in places:
        write(root / place, "")


def test_source_files_are_found_in_order(tmp_path: Path) -> None:
    fill(tmp_path, "b.py", "a/c.pyi", "a/b.ipynb", "w.pyw", "data.json", "README.md", "run.sh")
    assert names(tmp_path) == ["b.py", "w.pyw", "a/b.ipynb", "a/c.pyi"]


def test_a_file_that_is_named_is_taken_whatever_its_name(tmp_path: Path) -> None:
    fill(tmp_path, ".hidden", "script")
    found = walk([tmp_path / "script", tmp_path / ".hidden", tmp_path / "script"]).found
    assert [each.path.name for each in found] == ["script", ".hidden"]


@pytest.mark.parametrize("folder", [".git", ".tox", "__pycache__", "node_modules", "env", "conda"])
def test_what_is_nobody_s_source_is_passed_over(folder: str, tmp_path: Path) -> None:
    fill(tmp_path, f"{folder}/a.py", f"{folder}/lib/b.py", ".lock.py", "c.py")
    if folder == "env":
        fill(tmp_path, "env/pyvenv.cfg")
    if folder == "conda":
        (tmp_path / "conda/conda-meta").mkdir()
    assert names(tmp_path) == ["c.py"]


def test_what_git_ignores_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path / ".gitignore", "build/\n*_pb2.py\n/top.py\n!keep_pb2.py\n# comment\n")
    write(tmp_path / "sub/.gitignore", "!x_pb2.py\nlocal.py\n")
    fill(tmp_path, "build/a.py", "b_pb2.py", "keep_pb2.py", "top.py", "local.py", "sub/top.py")
    fill(tmp_path, "sub/x_pb2.py", "sub/local.py", "sub/build/d.py")
    assert names(tmp_path) == ["keep_pb2.py", "local.py", "sub/top.py", "sub/x_pb2.py"]


def test_a_folder_in_a_repository_is_under_its_rules(tmp_path: Path) -> None:
    (tmp_path / ".git/info").mkdir(parents=True)
    write(tmp_path / ".git/info/exclude", "mine.py\n")
    write(tmp_path / ".gitignore", "*_gen.py\n/src/inner/out/\n")
    fill(tmp_path, "src/inner/a_gen.py", "src/inner/b.py", "src/inner/out/c.py")
    fill(tmp_path, "src/inner/mine.py")
    assert names(tmp_path / "src/inner") == ["b.py"]


def test_rules_outside_a_repository_do_not_count(tmp_path: Path) -> None:
    write(tmp_path / ".gitignore", "*.py\n")
    fill(tmp_path, "src/a.py")
    assert names(tmp_path / "src") == ["a.py"]


def test_an_ignored_folder_that_is_named_is_meant(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    write(tmp_path / ".gitignore", "vendored/\n")
    fill(tmp_path, "vendored/a.py")
    assert names(tmp_path) == []
    assert names(tmp_path / "vendored") == ["a.py"]


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("tests/", ["a.py", "src/b.py", "src/d.py"]),
        ("b.py", ["a.py", "src/d.py", "src/tests/c.py"]),
        ("src/*.py", ["a.py", "src/tests/c.py"]),
        ("**/*.py", []),
    ],
)
def test_patterns_exclude(pattern: str, left: list[str], tmp_path: Path) -> None:
    fill(tmp_path, "a.py", "src/b.py", "src/d.py", "src/tests/c.py")
    assert names(tmp_path, [pattern]) == left


def test_excluding_wins_over_what_git_keeps(tmp_path: Path) -> None:
    write(tmp_path / ".gitignore", "!a.py\n")
    fill(tmp_path, "a.py")
    assert names(tmp_path, ["*.py"]) == []


def test_the_folder_for_results_is_no_source(tmp_path: Path) -> None:
    fill(tmp_path, "a.py", "out/a.py")
    assert names(tmp_path, apart=tmp_path / "out") == ["a.py"]


def test_links_to_folders_are_named_and_not_followed(tmp_path: Path) -> None:
    fill(tmp_path, "a/b.py")
    (tmp_path / "a/up").symlink_to(tmp_path, target_is_directory=True)
    walked = walk([tmp_path])
    assert [each.relative.as_posix() for each in walked.found] == ["a/b.py"]
    assert walked.skipped == [(tmp_path / "a/up", "a link to a folder")]


def test_nothing_at_a_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"there is nothing called .*nowhere"):
        migrate_paths([tmp_path / "nowhere"], to="mindspore")


def test_an_impossible_pattern_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="`exclude` must be patterns"):
        migrate_paths([tmp_path], to="mindspore", exclude=["!"])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A package with a cell, what it stands on, who uses it, and who does not."""
    root = tmp_path / "project"
    write(root / "net/__init__.py", "from .model import cell\n")
    write(root / "net/model.py", f"from net.layers import head\nimport config\n{USE}")
    write(root / "net/layers.py", "import torch.nn as nn\n\nhead = nn.Linear(4, 2)\n")
    write(root / "config.py", "SIZE = 4\n")
    write(root / "train.py", "import torch\nimport net\n\nx = torch.zeros(2, 4)\n")
    write(root / "other.py", "import torch\nimport config\n\nx = torch.zeros(2, 4)\n")
    write(root / "tool.py", "import net\n")
    return root


def test_what_a_model_stands_on_and_who_uses_it_belong_to_it(project: Path) -> None:
    done = migrate_paths([project], to="mindspore")
    looked = {each.relative.as_posix() for each in done.results if each.rewrite}
    assert looked == {"net/model.py", "net/layers.py", "train.py"}
    assert {"net/model.py", "net/layers.py"} <= {each.relative.as_posix() for each in done.changed}


def test_without_a_project_only_the_uses_are_rewritten(project: Path) -> None:
    done = migrate_paths([project], to="mindspore", project=False)
    assert [each.relative.as_posix() for each in done.changed] == ["net/model.py"]


def test_a_project_is_migrated_once(project: Path) -> None:
    write_in_place(migrate_paths([project], to="mindspore"))
    again = migrate_paths([project], to="mindspore")
    assert again.changed == ()
    assert again.failed == ()


def test_results_are_in_the_order_of_the_walk(project: Path) -> None:
    done = migrate_paths([project], to="mindspore", jobs=3)
    assert [each.relative for each in done.results] == [
        each.relative for each in walk([project]).found
    ]


def test_progress_counts_every_file(project: Path) -> None:
    seen: list[tuple[int, int]] = []
    migrate_paths(
        [project],
        to="mindspore",
        project=False,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(n, 7) for n in range(1, 8)]


def test_in_place_only_what_changes_is_written_and_modes_stay(project: Path) -> None:
    model = project / "net/model.py"
    model.chmod(0o751)
    before = snapshot(project.rglob("*.py"))
    done = write_in_place(migrate_paths([project], to="mindspore"))
    after = snapshot(project.rglob("*.py"))
    changed = {path for path, content in after.items() if content != before[path]}
    assert changed == {each.path for each in done.changed}
    assert stat.S_IMODE(model.stat().st_mode) == 0o751
    assert MOVED in model.read_text()


def test_nothing_is_left_beside_but_the_list(project: Path) -> None:
    before = sorted(project.rglob("*"))
    done = write_in_place(migrate_paths([project], to="mindspore"))
    assert sorted(project.rglob("*")) == sorted([*before, project / "TODO.onecell.md"])
    assert done.todo == project / "TODO.onecell.md"


def test_a_tree_is_whole_and_its_source_stays(project: Path, tmp_path: Path) -> None:
    write(project / "broken.py", "import torch  # LSTMCell\nprint 'x'\n")
    (project / "train.py").chmod(0o755)
    before = snapshot(project.rglob("*.py"))
    done = write_tree(migrate_paths([project], to="mindspore"), tmp_path / "out/deep")
    assert snapshot(project.rglob("*.py")) == before
    new = snapshot((tmp_path / "out/deep").rglob("*.py"))
    assert {path.relative_to(tmp_path / "out/deep") for path in new} == {
        path.relative_to(project) for path in before
    }
    changed = {each.relative for each in done.changed}
    for path, content in before.items():
        place = path.relative_to(project)
        assert (new[tmp_path / "out/deep" / place] != content) == (place in changed)
    assert outcomes(done)["broken.py"] == FileOutcome.FAILED
    assert (tmp_path / "out/deep/train.py").stat().st_mode & 0o777 == 0o755


def test_several_folders_keep_their_names(tmp_path: Path) -> None:
    fill(tmp_path, "a/x.py", "b/x.py", "c.py")
    done = migrate_paths([tmp_path / "a", tmp_path / "b", tmp_path / "c.py"], to="torch")
    assert [each.relative.as_posix() for each in done.results] == ["a/x.py", "b/x.py", "c.py"]


def test_two_files_do_not_become_one(tmp_path: Path) -> None:
    fill(tmp_path, "a/x.py", "b/x.py")
    done = migrate_paths([tmp_path / "a/x.py", tmp_path / "b/x.py"], to="torch")
    with pytest.raises(ArgumentError, match=r"would both become .*x\.py"):
        write_tree(done, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_tree_is_not_written_over_its_source(project: Path) -> None:
    done = migrate_paths([project], to="mindspore")
    with pytest.raises(ArgumentError, match="is one of the files to migrate"):
        write_tree(done, project, force=True)


def test_files_that_are_there_are_kept_unless_forced(project: Path, tmp_path: Path) -> None:
    old = write(tmp_path / "out/train.py", "mine\n")
    done = migrate_paths([project], to="mindspore")
    with pytest.raises(OutputExistsError):
        write_tree(done, tmp_path / "out")
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == [old]
    assert old.read_text() == "mine\n"
    write_tree(done, tmp_path / "out", force=True)
    assert old.read_text() != "mine\n"


def test_a_link_inside_the_folder_is_written_through(tmp_path: Path) -> None:
    write(tmp_path / "real.py", USE)
    (tmp_path / "link.py").symlink_to("real.py")
    done = write_in_place(migrate_paths([tmp_path], to="mindspore"))
    assert MOVED in (tmp_path / "real.py").read_text()
    assert (tmp_path / "link.py").is_symlink()
    assert not done.failed


def test_a_link_out_of_the_folder_is_not_written(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside.py", USE)
    (tmp_path / "in").mkdir()
    (tmp_path / "in/link.py").symlink_to(outside)
    (failed,) = write_in_place(migrate_paths([tmp_path / "in"], to="mindspore")).failed
    assert failed.error == "a link to a file elsewhere; name that file to have it written"
    assert outside.read_text() == USE


def test_a_link_that_is_named_is_followed(tmp_path: Path) -> None:
    real = write(tmp_path / "real.py", USE)
    (tmp_path / "in").mkdir()
    link = tmp_path / "in/link.py"
    link.symlink_to(real)
    assert not write_in_place(migrate_paths([link], to="mindspore")).failed
    assert MOVED in real.read_text()
    assert link.is_symlink()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_folder_called_like_a_file_is_a_folder(tmp_path: Path) -> None:
    write(tmp_path / "odd.py/a.py", USE)
    done = migrate_paths([tmp_path], to="mindspore")
    assert outcomes(done) == {"odd.py/a.py": "changed"}


def test_a_link_becomes_what_the_file_becomes(tmp_path: Path) -> None:
    write(tmp_path / "in/model.py", USE)
    write(tmp_path / "in/a.py", "import torch\nfrom model import cell\n\nx = torch.zeros(2, 3)\n")
    (tmp_path / "in/sub").mkdir()
    (tmp_path / "in/sub/link.py").symlink_to("../a.py")
    write_tree(migrate_paths([tmp_path / "in"], to="mindspore"), tmp_path / "out")
    new = (tmp_path / "out/a.py").read_text()
    assert "torch" not in new
    assert (tmp_path / "out/sub/link.py").read_text() == new


CONFIG = """import torch

device = torch.device("cpu")


def start(n: int):
    return torch.zeros(n, 4).to(device)
"""
MAIN = """import torch
{imported}

cell = torch.nn.LSTMCell(3, 4).to({device})
print(cell(torch.zeros(2, 3), (config.start(2), config.start(2))))
"""


@pytest.mark.parametrize(
    ("imported", "device", "is_kept"),
    [
        ("import config\nfrom config import device", "device", True),
        ("import config", "config.device", True),
        ("import config", '"cpu"', False),
    ],
)
def test_a_device_that_other_files_take_stays(
    imported: str, device: str, is_kept: bool, tmp_path: Path
) -> None:
    (tmp_path / "config.py").write_text(CONFIG)
    (tmp_path / "main.py").write_text(MAIN.format(imported=imported, device=device))
    config, _ = migrate_paths([tmp_path], to="mindspore").results
    assert config.rewrite is not None
    assert ('device = "CPU"' in config.rewrite.after) == is_kept
    assert not any(f.outcome is Outcome.MARKED for f in config.findings)


@pytest.mark.parametrize(
    ("other", "is_kept"),
    [
        ("import model", False),
        ("from model import Variable", True),
        ("import model\nprint(model.Variable)", True),
        ("from model import *", False),
        ("from model import *\n\nx = Variable(1)", False),  # has an import of its own then
    ],
)
def test_an_import_that_no_file_reads_goes(other: str, is_kept: bool, tmp_path: Path) -> None:
    head = "from torch.autograd import Variable\nfrom torch import nn\n"
    write(tmp_path / "model.py", f"{head}\ncell = nn.LSTMCell(3, 4)\n")
    write(tmp_path / "main.py", f"{other}\n")
    done = migrate_paths([tmp_path], to="mindspore").changed
    (after,) = (each.after for each in done if each.path.name == "model.py")
    assert (b"Variable" in after) is is_kept


def test_an_import_that_its_file_does_not_read_stays_where_others_are_not_seen(
    tmp_path: Path,
) -> None:
    head = "from torch.autograd import Variable\nfrom torch import nn\n"
    write(tmp_path / "model.py", f"{head}\ncell = nn.LSTMCell(3, 4)\n")
    (after,) = (each.after for each in migrate_paths([tmp_path], to="mindspore").changed)
    assert b"Variable" in after


HELPER = """def padded(rows, value):
    longest = max(row.size(0) for row in rows)
    out = rows[0].new(len(rows), longest, *rows[0].size()[1:]).fill_(value)
    return out.detach()
"""


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        (HELPER, True),
        ("def last(rows):\n    return rows.size(-1)\n", True),
        ("def cut(rows):\n    return rows.detach()\n", True),
        ("def area(image):\n    return image.size * image.size()\n", False),
        ("import tensorflow as tf\n\n\ndef n(x):\n    return x.size(0)\n", False),
        ("import layout\n\n\ndef n():\n    return layout.size(0)\n", False),
    ],
)
def test_a_file_that_works_on_the_tensors_of_others_goes_along(
    text: str, changes: bool, tmp_path: Path
) -> None:
    """It may never import torch; what its methods become is what they would become beside torch."""
    write(tmp_path / "a.py", USE.replace("import torch", "import torch\nimport given", 1))
    write(tmp_path / "given.py", text)
    write(tmp_path / "alone.py", text)
    done = outcomes(migrate_paths([tmp_path], to="mindspore"))
    assert done["given.py"] == ("changed" if changes else "same")
    assert done["alone.py"] == "same"
    write_tree(migrate_paths([tmp_path], to="mindspore"), tmp_path / "out")
    new = (tmp_path / "out/given.py").read_text()
    left = [name for name in (".size(", ".new(", "fill_(", ".detach(") if name in new]
    assert not (changes and left)
    again = migrate_paths([tmp_path / "out"], to="mindspore")
    assert outcomes(again)["given.py"] == "same"


BASE = "import torch\nimport torch.nn as nn\nfrom torch.autograd import Variable\nimport math\n"
STARRED = """from base import *  # all of it


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(3, 4)

    def forward(self, x):
        h = Variable(torch.zeros(x.size(0), 4))
        return self.cell(x, (h, h))
"""
MAIN_OF_STARS = """from model import *

head = nn.Linear(4, 2)
print(torch.cat([head(h) for h in Model()(torch.ones(2, 3))], dim=1), math.pi)
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_a_file_has_by_a_star_alone_is_rewritten_too(end: str, tmp_path: Path) -> None:
    """The other file has no torch to give any more."""
    for name, text in (("base", BASE), ("model", STARRED), ("main", MAIN_OF_STARS)):
        (tmp_path / f"{name}.py").write_bytes(text.replace("\n", end).encode())
    done = migrate_paths([tmp_path], to="mindspore")
    assert set(outcomes(done).values()) == {"changed"}
    lines = {f.line for result in done.results for f in result.findings}
    assert lines <= {3, 4, 7, 9, 10}
    assert not any(result.remains for result in done.results)
    write_tree(done, tmp_path / "out")
    main = (tmp_path / "out/main.py").read_bytes().decode()
    assert main.startswith(end.join(["from model import *", "import mindspore.nn as nn", ""]))
    assert "nn.Dense(4, 2)" in main
    assert "torch" not in main
    assert (tmp_path / "out/base.py").read_bytes() == f"import math{end}".encode()
    again = migrate_paths([tmp_path / "out"], to="mindspore")
    assert set(outcomes(again).values()) == {"same"}


def test_a_star_gives_what_its_file_says(tmp_path: Path) -> None:
    (tmp_path / "base.py").write_text('import torch\nfrom torch import nn\n__all__ = ["nn"]\n')
    (tmp_path / "model.py").write_text("from base import *\n\ncell = nn.LSTMCell(3, 4)\n")
    (tmp_path / "other.py").write_text("from base import *\n\nprint(torch.ones(2))\n")
    done = outcomes(migrate_paths([tmp_path], to="mindspore"))
    assert (done["model.py"], done["other.py"]) == ("changed", "same")

"""`onecell migrate`: what it prints, what it writes, and its exit status."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from migrate.sources import MOVED, USE, as_file, notebook, snapshot, write
from onecell.cli.exits import Status

from .conftest import Run

LEFT = USE + "h, c = cell(torch.ones(2, 3), *state)\nloss = torch.fft.fft(h)\n"
"""Something in this has no counterpart in the table."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with a file to change and one to leave."""
    write(tmp_path / "src/model.py", USE)
    write(tmp_path / "src/plain.py", "x = 1\n")
    return tmp_path / "src"


def test_without_more_it_tells_and_writes_nothing(run: Run, tree: Path) -> None:
    before = snapshot(tree.iterdir())
    ran = run("migrate", tree, "--to", "mindspore")
    assert (ran.status, ran.err) == (Status.HOLDS, "")
    assert f"{tree}/model.py:4: converted (cell): " in ran.out
    assert "2 files: 1 would change.\nNothing was written: --diff shows the change" in ran.out
    assert snapshot(tree.iterdir()) == before


def test_write_changes_in_place_and_then_there_is_nothing_to_do(run: Run, tree: Path) -> None:
    ran = run("migrate", tree, "--to", "mindspore", "--write")
    assert ran.status == Status.HOLDS
    assert "2 files: 1 changed; written in place." in ran.out
    assert MOVED in (tree / "model.py").read_text()
    again = run("migrate", tree, "--to", "mindspore", "--write")
    assert "2 files: 0 changed.\nNOTHING to do: no torch in what was looked into." in again.out
    assert (again.status, int(Status.NOTHING)) == (14, 14)
    assert run("migrate", tree, "--to", "mindspore", "--check").status == Status.HOLDS


def test_out_writes_a_whole_tree(run: Run, tree: Path, tmp_path: Path) -> None:
    ran = run("migrate", tree, "--to", "mindspore", "--out", tmp_path / "out")
    assert ran.status == Status.HOLDS
    assert (tree / "model.py").read_text() == USE
    assert MOVED in (tmp_path / "out/model.py").read_text()
    assert (tmp_path / "out/plain.py").read_text() == "x = 1\n"


def test_out_keeps_what_is_there_unless_forced(run: Run, tree: Path, tmp_path: Path) -> None:
    write(tmp_path / "out/plain.py", "older\n")
    ran = run("migrate", tree, "--to", "mindspore", "--out", tmp_path / "out")
    assert ran.status == Status.OUTPUT
    assert (
        ran.err
        == f"onecell: {tmp_path}/out/plain.py is already there; say --force to replace it.\n"
    )
    assert not (tmp_path / "out/model.py").exists()
    ran = run("migrate", tree, "--to", "mindspore", "--out", tmp_path / "out", "--force")
    assert ran.status == Status.HOLDS


def test_out_inside_the_folder_is_not_taken_for_source(run: Run, tree: Path) -> None:
    for _ in range(2):
        ran = run("migrate", tree, "--to", "mindspore", "--out", tree / "new", "--force")
        assert "2 files: 1 changed" in ran.out
    assert not (tree / "new/new").exists()


def test_check_says_by_its_status_whether_anything_would_change(run: Run, tree: Path) -> None:
    ran = run("migrate", tree, "--to", "mindspore", "--check")
    assert (ran.status, int(Status.FAILS)) == (1, 1)
    assert (tree / "model.py").read_text() == USE
    assert run("migrate", tree, "--to", "torch", "--check").status == Status.HOLDS


@pytest.mark.skipif(shutil.which("patch") is None, reason="needs the program patch")
def test_a_diff_is_what_patch_takes(run: Run, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree)
    write(tree / "odd.py", b"# coding: latin-1\r\nx = '\xe9'\r\n" + USE.rstrip("\n").encode())
    write(tree / "a.ipynb", as_file(notebook(USE)))
    files = [str(Path(sys.executable).with_name("onecell")), "migrate", ".", "--to", "mindspore"]
    diff = subprocess.run([*files, "--diff"], capture_output=True, timeout=300, check=False).stdout
    assert (tree / "model.py").read_text() == USE
    shutil.copytree(tree, tree.with_name("copy"))
    subprocess.run(
        ["patch", "-p1", "--binary"],
        input=diff,
        cwd=tree.with_name("copy"),
        check=True,
        timeout=300,
    )
    assert run("migrate", ".", "--to", "mindspore", "--write").status == Status.HOLDS
    assert {p.name: p.read_bytes() for p in tree.iterdir()} == {
        p.name: p.read_bytes() for p in tree.with_name("copy").iterdir()
    }


def test_a_diff_has_the_output_to_itself(run: Run, tree: Path) -> None:
    ran = run("migrate", tree / "model.py", "--to", "mindspore", "--diff")
    assert ran.out.startswith(f"--- {tree}/model.py\n+++ {tree}/model.py\n@@ ")
    assert f"+{MOVED}" in ran.out
    assert "Uses: " not in ran.out
    assert "Uses: " in ran.err


def test_json_tells_all(run: Run, tree: Path) -> None:
    write(tree / "bad.py", "import torch; LSTMCell = = 1\n")
    write(tree / "n.ipynb", as_file(notebook("import numpy\n", USE)))
    ran = run("migrate", tree, "--to", "mindspore", "--json", "--target", "native")
    told = json.loads(ran.out)
    assert ran.status == Status.SOURCE
    assert (told["to"], told["target"], told["written"]) == ("mindspore", "native", False)
    counts = {"files": 4, "remaining": 0, "changed": 2, "same": 1, "failed": 1}
    assert told["counts"] == counts
    files = {Path(each["path"]).name: each for each in told["files"]}
    assert set(files) == {"bad.py", "model.py", "n.ipynb"}
    assert "line 1: invalid syntax" in files["bad.py"]["error"]
    found = [each for each in files["n.ipynb"]["findings"] if each["rule"] == "cell"]
    assert [(each["cell"], each["line"], each["outcome"]) for each in found] == [
        (2, 4, "converted")
    ]
    assert told["uses"]["converted"] == sum(len(each["findings"]) for each in told["files"])


def test_what_is_left_to_do_by_hand_has_a_status(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "model.py", LEFT)
    ran = run("migrate", path, "--to", "mindspore", "--write")
    assert ran.status == Status.LEFT
    assert "model.py:8: marked (" in ran.out
    assert "# TODO(onecell): " in path.read_text()
    assert run("migrate", path, "--to", "mindspore", "--check").status == Status.LEFT


def test_a_file_that_fails_has_a_status_and_the_others_are_written(run: Run, tree: Path) -> None:
    write(tree / "bad.py", "import torch  # LSTMCell\nprint 'x'\n")
    ran = run("migrate", tree, "--to", "mindspore", "--write")
    assert ran.status == Status.SOURCE
    assert f"{tree}/bad.py: failed: not Python 3" in ran.out
    assert "3 files: 1 changed, 1 could not be migrated" in ran.out
    assert MOVED in (tree / "model.py").read_text()


APART = "import torch as t\n\n\ndef load(path):\n    return t.load(path)\n"


def test_a_file_that_still_uses_the_other_framework_is_named(run: Run, tree: Path) -> None:
    path = write(tree / "apart.py", APART)
    ran = run("migrate", tree, "--to", "mindspore", "--write")
    assert ran.status == Status.LEFT
    assert f"{path}: still torch: torch.load (line 5), import torch (line 1)\n" in ran.out
    assert "3 files: 1 changed, 1 still uses torch; written in place." in ran.out
    assert path.read_text() == APART
    assert run("migrate", tree, "--to", "mindspore", "--check").status == Status.LEFT


def test_json_names_what_is_left(run: Run, tree: Path) -> None:
    path = write(tree / "apart.py", APART)
    told = json.loads(run("migrate", tree, "--to", "mindspore", "--json").out)
    (found,) = (each for each in told["files"] if each["path"] == str(path))
    assert [(each["name"], each["kind"], each["places"]) for each in found["remains"]] == [
        ("torch", "import", [{"cell": None, "line": 1}]),
        ("torch.load", "use", [{"cell": None, "line": 5}]),
    ]


def test_much_that_is_left_is_counted(run: Run, tmp_path: Path) -> None:
    names = [f"torch.name_{n}" for n in range(20)]
    path = write(tmp_path / "much.py", "import torch\n" + "\n".join([*names, *names[:1] * 9]))
    said = run("migrate", path, "--to", "mindspore").out
    assert "(line 2, 22, 23, 24, 25, 26 and 4 more)" in said
    assert "and 15 more; --json has all\n" in said


@pytest.mark.parametrize("name", ["bad.py", "model.pt"])
def test_a_named_file_that_is_no_source_is_not_passed_over(
    name: str, run: Run, tmp_path: Path
) -> None:
    path = write(tmp_path / name, b"PK\x03\x04\0")
    ran = run("migrate", path, "--to", "mindspore")
    assert ran.status == Status.SOURCE
    assert f"{path}: failed: " in ran.out
    assert ("`onecell port` takes it" in ran.out) is (name == "model.pt")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--to", "jax"], "must be torch or mindspore"),
        (["--to", "torch", "--target", "both"], "must be onecell or native, got 'both'"),
        (["--to", "torch", "--write", "--check"], "--write writes, so it does not go with --check"),
        (
            ["--to", "torch", "--write", "--out", "x"],
            "--write writes, so it does not go with --out",
        ),
        (["--to", "torch", "--out", "x", "--diff"], "--out writes, so it does not go with --diff"),
        (["--to", "torch", "--diff", "--json"], "choose one"),
        (["--to", "torch", "--jobs", "0"], "Invalid value for '--jobs'"),
        ([], "Missing option '--to'"),
    ],
)
def test_bad_usage_has_one_status(words: list[str], said: str, run: Run, tree: Path) -> None:
    ran = run("migrate", tree, *words)
    assert ran.status == Status.USAGE
    assert said in " ".join(ran.err.replace("│", " ").split())


def test_a_path_where_nothing_is_is_bad_input(run: Run, tree: Path) -> None:
    ran = run("migrate", tree, "nowhere", "--to", "torch")
    assert (ran.status, ran.err) == (Status.INPUT, "onecell: there is nothing called nowhere.\n")


def test_exclude_leaves_out(run: Run, tree: Path) -> None:
    ran = run("migrate", tree, "--to", "mindspore", "--exclude", "mod*", "--exclude", "x.py")
    assert "1 file: 0 changed." in ran.out


def test_links_to_folders_are_told(run: Run, tree: Path) -> None:
    (tree / "up").symlink_to("..", target_is_directory=True)
    assert (
        f"{tree}/up: not looked into, a link to a folder."
        in run("migrate", tree, "--to", "mindspore").out
    )


def test_names_send_no_commands_to_a_terminal(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "\x1b[31mred.py", USE)
    for words in ([], ["--diff"]):
        ran = run("migrate", path, "--to", "mindspore", *words)
        assert "\x1b" not in ran.out + ran.err
        assert "\\x1b[31mred.py" in ran.out


def test_help_tells_the_statuses(run: Run) -> None:
    said = " ".join(run("migrate", "--help").out.split())
    assert "6 uses are left to do by hand" in said
    assert "onecell migrate model.py --to mindspore --diff" in said


def test_it_needs_no_framework_and_no_array_library_of_theirs(tree: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    for name in ("torch", "mindspore"):
        write(blocked / f"{name}.py", "raise RuntimeError('a framework was imported')\n")
    ran = subprocess.run(
        [sys.executable, "-m", "onecell", "migrate", tree, "--to", "mindspore", "--write"],
        env={**os.environ, "PYTHONPATH": str(blocked)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert MOVED in (tree / "model.py").read_text()


@pytest.mark.parametrize("library", ["libcst", "pathspec"])
def test_a_library_that_is_missing_is_named(library: str, tree: Path) -> None:
    code = (
        "import sys; import importlib.util as u; find = u.find_spec\n"
        f"u.find_spec = lambda name, *a: None if name == {library!r} else find(name, *a)\n"
        f"sys.modules[{library!r}] = None\n"
        f"from onecell.cli import main; main(['migrate', {str(tree)!r}, '--to', 'torch'])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.returncode == Status.MISSING
    assert f"needs `{library}`" in ran.stderr
    assert "pip install 'onecell[migrate]'" in ran.stderr


def test_each_use_is_shown_before_and_after_on_one_line(run: Run, tmp_path: Path) -> None:
    lines = "d = torch.device(\n    'cpu')\na = torch.zeros(2,\n    3)\na = a.to(d)\n"
    path = write(tmp_path / "model.py", f"{USE}{lines}")
    ran = run("migrate", path, "--to", "mindspore")
    assert ": converted (zeros): torch.zeros(2, 3) → ops.zeros((2, 3))\n" in ran.out
    assert ": converted (device): d = torch.device( 'cpu') → nothing: MindSpore has one" in ran.out
    told = json.loads(run("migrate", path, "--to", "mindspore", "--json").out)
    found = [f for f in told["files"][0]["findings"] if f["rule"] == "zeros"]
    assert ("torch.zeros(2, 3)", "ops.zeros((2, 3))") in [(f["before"], f["after"]) for f in found]


def test_of_many_uses_those_that_are_done_are_counted(run: Run, tmp_path: Path) -> None:
    uses = "".join(f"a{n} = torch.sigmoid(torch.zeros(2, {n + 1}))\n" for n in range(40))
    marks = "b = torch.fft.fft(a0)\n" * 3
    path = write(tmp_path / "model.py", f"{USE}{uses}{marks}c = torch.svd(a1)\n")
    ran = run("migrate", path, "--to", "mindspore", "--out", tmp_path / "out")
    assert ran.out.startswith("Converted, by rule, the first of each (--diff shows all):\n")
    assert (
        "\n  sigmoid 40: torch.sigmoid(torch.zeros(2, 1)) → ops.sigmoid(ops.zeros((2, 1)))\n"
        in ran.out
    )
    assert re.search(rf"^Converted, by file: {path} \d+\.$", ran.out, re.MULTILINE)
    assert "converted (" not in ran.out
    left = [line for line in ran.out.splitlines() if ": marked (" in line]
    assert len(left) == 2
    assert "So are line 48, 49." in left[0]
    assert "Left, by rule: unknown 4.\n" in ran.out
    assert f"Left, by file: {path} 4.\n" in ran.out
    assert f"as a list to work through: {tmp_path}/out/TODO.onecell.md\n" in ran.out
    told = run("migrate", path, "--to", "mindspore", "--out", tmp_path / "new", "--json")
    assert json.loads(told.out)["todo"] == f"{tmp_path}/new/TODO.onecell.md"
    assert len(json.loads(told.out)["files"][0]["findings"]) > 80


def test_what_is_assumed_of_several_names_is_said_once(run: Run, tmp_path: Path) -> None:
    lines = "    y = a.softmax(-1) + b.softmax(-1)\n" + "    y = torch.zeros(3)\n" * 60
    write(tmp_path / "model.py", f"{USE}\n\ndef f(a, b):\n{lines}")
    ran = run("migrate", tmp_path, "--to", "mindspore")
    (said,) = (line for line in ran.out.splitlines() if line.startswith("Assumed, 2 uses"))
    assert said.startswith("Assumed, 2 uses: exact if … is a tensor")
    place = USE.count("\n") + 4
    assert said.endswith(f": `a` (model.py:{place}), `b` (model.py:{place})")

"""The page that `onecell port` ends with."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from onecell.cli.page import say_command
from onecell.verify import mutation

from .conftest import Run

QUICK = ("--sides", "arrays", "--rollout", "10")


def test_a_port_ends_with_a_page(run: Run, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = run("port", model, "--to", "mindspore", "--out", out, *QUICK)
    assert ran.status == 0
    assert f"Page: {out / 'model.report.html'}" in ran.out
    page = (out / "model.report.html").read_text("utf-8")
    assert "4 of the 6 tensors" in page
    assert 'id="differences"' in page


def test_the_page_has_the_command_that_was_typed(run: Run, model: Path, tmp_path: Path) -> None:
    run("port", model, "--to", "mindspore", "--out", tmp_path / "an out", *QUICK, "--self-test")
    page = (tmp_path / "an out" / "model.report.html").read_text("utf-8")
    command = re.search(r'<code id="command">(.*?)</code>', page)
    assert command is not None
    assert command[1] == (
        f"onecell port {model} --to mindspore --out &#39;{tmp_path}/an out&#39; "
        "--target onecell --sides arrays --rollout 10 --self-test"
    )


def test_a_port_that_fails_has_its_page_too(
    run: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blind = [mutation.Mutation("nothing done", lambda weights: weights)]
    monkeypatch.setattr(mutation, "GATE_SWAPS", ())
    monkeypatch.setattr(mutation, "ENLARGED", blind[0])
    ran = run("port", model, "--to", "mindspore", "--out", tmp_path / "out", *QUICK)
    assert ran.status == 1
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"model.proof.json", "model.report.html"}
    page = (tmp_path / "out" / "model.report.html").read_text("utf-8")
    assert "the check does not see a deliberate mistake: nothing done" in page


def test_no_page_where_none_is_wanted(run: Run, model: Path, tmp_path: Path) -> None:
    ran = run("port", model, "--to", "mindspore", "--out", tmp_path, *QUICK, "--no-report")
    assert ran.status == 0
    assert not (tmp_path / "model.report.html").exists()


def test_without_the_extra_one_line_says_so_and_the_port_is_done(
    run: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    ran = run("port", model, "--to", "mindspore", "--out", tmp_path, *QUICK)
    assert ran.status == 0
    assert ran.err.count("\n") == 1
    assert "onecell[report]" in ran.err
    assert (tmp_path / "model.ckpt").is_file()
    assert not (tmp_path / "model.report.html").exists()


def test_a_page_that_is_there_stops_a_port_before_it_begins(
    run: Run, model: Path, tmp_path: Path
) -> None:
    page = tmp_path / "model.report.html"
    page.write_text("mine")
    ran = run("port", model, "--to", "mindspore", "--out", tmp_path, *QUICK)
    assert ran.status == 4
    assert "model.report.html is already there; say --force" in ran.err
    assert page.read_text() == "mine"
    assert not (tmp_path / "model.ckpt").exists()
    assert run("port", model, "--to", "mindspore", "--out", tmp_path, *QUICK, "--force").status == 0
    assert page.read_text("utf-8").startswith("<!doctype html>")


def test_every_checkpoint_of_a_project_has_a_page(
    run: Run, model: Path, deep: Path, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    (project / "weights").mkdir(parents=True)
    model.rename(project / "model.pt")
    deep.rename(project / "weights" / "deep.pt")
    ran = run("port", project, "--to", "mindspore", "--out", tmp_path / "out", *QUICK)
    assert ran.status == 0
    pages = {str(path.relative_to(tmp_path / "out")) for path in tmp_path.rglob("*.html")}
    assert pages == {"model.report.html", "weights/deep.report.html"}


def test_a_command_leaves_out_what_was_not_said() -> None:
    options = {"--out": "a b", "--from": None, "--exclude": ["*.x", "y"], "--self-test": False}
    assert say_command("port", ["m.pt"], options) == (
        "onecell port m.pt --out 'a b' --exclude '*.x' --exclude y"
    )

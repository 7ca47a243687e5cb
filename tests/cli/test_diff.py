"""`onecell diff`: formats, languages, exit statuses, and what it does without a framework."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from onecell.cli.exits import Status
from onecell.verify.difference import (
    from_json,
    pairs,
    session,
    stored_table,
    to_html,
    to_json,
    to_markdown,
)
from onecell.verify.difference.claims import Claim
from onecell.verify.difference.row import ROWS

from .conftest import Run

BOTH = ("diff", "torch", "mindspore")
QUICK = (*BOTH, "--only", "input-size", "--only", "one-row-crash")
STORED = (*BOTH, "--stored")


def test_rows_are_run_and_shown(run: Run) -> None:
    ran = run(*QUICK)
    assert ran.status == Status.HOLDS, ran.err
    assert "SIGSEGV" in ran.out
    assert "input-size" in ran.out


def test_the_stored_table_needs_no_framework(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onecell.verify.difference.pairs.is_installed", lambda _: False)
    monkeypatch.setattr("onecell.cli.diff.run_rows", None)
    ran = run(*STORED)
    assert ran.status == Status.HOLDS
    assert all(name in ran.out for name in ("gradients", "Rows: "))


def test_every_format_is_the_librarys(run: Run) -> None:
    stored = stored_table()
    assert run(*STORED, "--format", "markdown").out == to_markdown(stored)
    assert run(*STORED, "--format", "html", "--lang", "zh").out == to_html(stored, "zh")
    assert from_json(json.loads(run(*STORED, "--json").out)) == stored


def test_chinese(run: Run) -> None:
    out = run(*STORED, "--lang", "zh", "--only", "input-size").out
    assert "参数" in out
    assert "相同" in out


def test_the_order_of_the_frameworks_is_that_of_the_columns(run: Run) -> None:
    out = run("diff", "mindspore", "torch", "--stored", "--only", "input-size").out
    assert out.index("MindSpore") < out.index("PyTorch")


@pytest.mark.parametrize(
    "form", [["--format", "table"], ["--format", "markdown"], ["--format", "html"], ["--json"]]
)
def test_out_writes_the_file_whole_and_only_once(form: list[str], run: Run, tmp_path: Path) -> None:
    out = tmp_path / "table"
    words = (*STORED, *form, "--only", "gate-order", "--out", out)
    assert run(*words).status == Status.HOLDS
    first = out.read_text(encoding="utf-8")
    assert "ifgo" in first
    assert run(*words).status == Status.OUTPUT
    assert run(*words, "--force").status == Status.HOLDS
    assert out.read_text(encoding="utf-8") == first


def test_against_what_is_stored_nothing_has_changed(run: Run) -> None:
    ran = run(*QUICK, "--against", "stored")
    assert ran.status == Status.HOLDS
    assert "Nothing has changed" in ran.out


def test_against_an_altered_file_the_change_is_named(run: Run, tmp_path: Path) -> None:
    tree = to_json(stored_table())
    row = next(each for each in tree["rows"] if each["id"] == "input-size")
    row["answers"][0]["value"] = [12, 3]
    path = tmp_path / "old.json"
    path.write_text(json.dumps(tree), encoding="utf-8")
    ran = run(*QUICK, "--against", path)
    assert ran.status == Status.CHANGED
    assert "input-size, torch: was (12, 3), is (16, 3)" in ran.out


def test_a_wrong_claim_is_status_1(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    row = ROWS["input-size"]
    lie = Claim(row.claim.text, {"torch": [12, 3], "mindspore": [16, 3]})
    monkeypatch.setitem(ROWS, "input-size", replace(row, claim=lie))
    monkeypatch.setenv("COLUMNS", "200")
    ran = run(*BOTH, "--only", "input-size")
    assert ran.status == Status.FAILS
    assert "the claim is wrong (PyTorch)" in ran.out


def _remove(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    for module in (pairs.__name__, session.__name__):
        monkeypatch.setattr(f"{module}.is_installed", lambda name: name not in names)


def test_without_one_framework_the_other_answers(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    _remove(monkeypatch, "mindspore")
    monkeypatch.setenv("COLUMNS", "200")
    ran = run(*BOTH, "--only", "input-size")
    assert ran.status == Status.MISSING
    assert "could not be run" in ran.out
    assert "pip install 'onecell[mindspore]'" in ran.err


def test_without_both_frameworks_there_is_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    _remove(monkeypatch, "torch", "mindspore")
    ran = run(*BOTH)
    assert ran.status == Status.MISSING
    assert ran.out == ""
    assert ran.err.count("\n") == 1
    assert "pip install 'onecell[torch]'" in ran.err


def test_without_a_framework_against_shows_what_is_stored(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    _remove(monkeypatch, "torch", "mindspore")
    ran = run(*BOTH, "--only", "one-row-crash", "--against", "stored")
    assert ran.status == Status.MISSING
    assert "SIGSEGV" in ran.out
    assert "not compared, shown as stored: torch, mindspore" in ran.err


@pytest.mark.parametrize(
    "words",
    [
        ["diff"],
        ["diff", "torch"],
        ["diff", "torch", "torch"],
        ["diff", "torch", "rtneural"],
        ["diff", "torch", "kears"],
        [*BOTH, "--format", "pdf"],
        [*BOTH, "--lang", "fr"],
        [*BOTH, "--only", "no-such-row"],
        [*BOTH, "--stored", "--against", "stored"],
    ],
    ids=" ".join,
)
def test_a_bad_command_line_is_status_2(words: list[str], run: Run) -> None:
    ran = run(*words)
    assert ran.status == Status.USAGE
    assert ran.err


@pytest.mark.parametrize("content", [None, b"no table", b"{}"], ids=["none", "text", "other"])
def test_a_file_that_is_no_table_is_status_3(
    content: bytes | None, run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "old.json"
    if content is not None:
        path.write_bytes(content)
    ran = run(*QUICK, "--against", path)
    assert ran.status == Status.INPUT
    assert ran.err.startswith("onecell: ")
    assert ran.err.count("\n") == 1
    assert "old.json" in ran.err


def test_two_others_are_shown_as_stored(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onecell.cli.diff.run_rows", None)
    for lang, words in (("en", "order of the state"), ("zh", "状态的顺序")):
        ran = run("diff", "haiku", "flax", "--stored", "--format", "html", "--lang", lang)
        assert ran.status == Status.HOLDS
        assert words in ran.out
    table = from_json(json.loads(run("diff", "haiku", "flax", "--stored", "--json").out))
    assert table == pairs.stored_rows(("haiku", "flax"))
    one_row = ("--stored", "--only", "layout", "--format", "markdown")
    only = run("diff", "haiku", "flax", *one_row).out
    assert "(I+H, 4H) of x above h: i g f o" in only
    assert "return-form" not in only


def test_two_others_are_run_and_compared_with_what_is_stored(run: Run, tmp_path: Path) -> None:
    words = ("diff", "torch", "numpy", "--only", "state-order", "--only", "layout")
    ran = run(*words, "--against", "stored")
    assert (ran.status, ran.err) == (Status.HOLDS, "")
    assert "Nothing has changed" in ran.out
    old = tmp_path / "old.json"
    tree = json.loads(run(*words, "--stored", "--json").out)
    tree["rows"][0]["answers"][0]["value"]["in"] = "c, h"
    old.write_text(json.dumps(tree), "utf-8")
    ran = run(*words, "--against", old)
    assert ran.status == Status.CHANGED
    assert "state-order, torch: was in: c, h" in ran.out


def test_a_framework_that_is_not_there_is_named_and_how_to_have_it(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ONECELL_PYTHON_PADDLE", raising=False)
    monkeypatch.setattr("onecell.verify.sides.is_installed", lambda name: name != "paddle")
    ran = run("diff", "numpy", "paddle", "--only", "state-order")
    assert ran.status == Status.MISSING
    assert "ONECELL_PYTHON_PADDLE" in ran.err
    assert "could not be run" in ran.out


def test_a_framework_without_a_runtime_is_refused_with_what_is_known(run: Run) -> None:
    ran = run("diff", "nam", "torch")
    assert ran.status == Status.USAGE
    assert "i f g o" in ran.err


def test_the_help_has_examples_and_statuses(run: Run) -> None:
    out = run("diff", "--help").out
    assert "Examples" in out
    assert "Exit status" in out

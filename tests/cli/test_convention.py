"""What every verb has in common: help, options, output for people and for programs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from onecell.cli.app import VERBS, make_app
from onecell.cli.exits import Status

from .conftest import Run

STORED = ("diff", "torch", "mindspore", "--stored", "--only", "gate-order")
SIDES = ("--sides", "arrays", "--steps", "5")


@pytest.fixture
def words(model: Path, tmp_path: Path) -> dict[str, list[str]]:
    """Return a quick call of every verb, in which all goes well."""
    source = tmp_path / "a.py"
    source.write_text("from torch import nn\n\ncell = nn.LSTMCell(3, 4)\n")
    port = ["--to", "mindspore", "--sides", "arrays", "--rollout", "5", "--no-report"]
    return {
        "port": ["port", str(model), *port, "--out", str(tmp_path / "out")],
        "convert": ["convert", str(model), str(tmp_path / "new.ckpt")],
        "migrate": ["migrate", str(source), "--to", "mindspore"],
        "verify": ["verify", str(model), str(model), *SIDES],
        "diff": list(STORED),
        "info": ["info"],
    }


def command(verb: str) -> Any:
    return typer.main.get_command(make_app([verb, "info"])).commands[verb]  # type: ignore[attr-defined]


@pytest.mark.parametrize("verb", VERBS)
def test_json_is_one_document_and_nothing_else(
    verb: str, words: dict[str, list[str]], run: Run
) -> None:
    ran = run(*words[verb], "--json")
    assert ran.status == Status.HOLDS, ran.err
    assert isinstance(json.loads(ran.out), dict)
    assert "\x1b" not in ran.out


def test_json_of_a_project_has_its_code_and_its_proofs(
    words: dict[str, list[str]], run: Run, model: Path, tmp_path: Path
) -> None:
    source, options = words["migrate"][1], words["port"][2:]
    told = json.loads(run("port", source, model, *options, "--json").out)
    assert [Path(each["path"]).name for each in told["code"]["files"]] == ["a.py"]
    assert told["checkpoints"][0]["proof"]["holds"]
    assert told["status"] in (Status.HOLDS, Status.LEFT)
    assert told["out"] == str(tmp_path / "out")


@pytest.mark.parametrize("verb", VERBS)
def test_text_for_people_goes_to_stdout(verb: str, words: dict[str, list[str]], run: Run) -> None:
    ran = run(*words[verb])
    assert ran.status == Status.HOLDS, ran.err
    assert ran.out
    assert not ran.err


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "info"])
def test_quiet_prints_nothing(verb: str, words: dict[str, list[str]], run: Run) -> None:
    ran = run(*words[verb], "-q")
    assert (ran.status, ran.out, ran.err) == (Status.HOLDS, "", "")


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_shows_no_types_of_python(verb: str, run: Run) -> None:
    shown = run(verb, "--help").out
    assert re.findall(r"<\w+(?:\[\w+\])?>", shown) == []
    assert run(verb, "-h").out == shown


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_with_a_value_says_what_it_is(verb: str) -> None:
    for param in command(verb).params:
        if param.param_type_name == "option" and not param.is_flag:
            assert param.metavar, param.opts
            assert param.metavar.isupper() or "." in param.metavar, param.metavar


@pytest.mark.parametrize("verb", VERBS)
def test_short_options_mean_one_thing(verb: str) -> None:
    meant = {"-o": "--out", "-q": "--quiet", "-v": "--verbose", "-h": "--help"}
    for param in command(verb).params:
        long = [opt for opt in param.opts if opt.startswith("--")]
        for short in (opt for opt in param.opts if re.fullmatch(r"-\w", opt)):
            assert meant[short] in long
        if param.param_type_name == "option":
            assert all(short in param.opts for short, name in meant.items() if name in param.opts)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["prot", "a.pt"], "Did you mean 'port'?"),
        (["port", "a.pt", "--to", "mindspor"], "Did you mean mindspore?"),
        (["port", "a.pt", "--to", "torch", "--from", "troch"], "Did you mean torch?"),
        (["port", "a.pt", "--to", "torch", "--form", "pt"], "--format"),
        (["port", "a.pt", "--to", "torch", "--format", "safetensor"], "Did you mean safetensors?"),
        (["port", "a.pt", "--to", "torch", "--target", "nativ"], "Did you mean native?"),
        (
            ["port", "a.pt", "--to", "torch", "--sides", "onecel.torch"],
            "Did you mean onecell.torch?",
        ),
        (["verify", "a.pt", "b.pt", "--sides", "array"], "Did you mean arrays?"),
        (["convert", "a.pt", "a.ckpt", "--to", "minspore"], "Did you mean mindspore?"),
        (["migrate", "a.py", "--to", "pytorch"], "Did you mean torch?"),
        (["diff", "torch", "mindspor"], "Did you mean mindspore?"),
        (["diff", "torch", "mindspore", "--format", "markdwn"], "Did you mean markdown?"),
        (["diff", "torch", "mindspore", "--only", "gate-ordr"], "gate-order"),
    ],
    ids=lambda each: each[-1] if isinstance(each, list) else "",
)
def test_a_slip_is_told_with_what_was_meant(words: list[str], said: str, run: Run) -> None:
    ran = run(*words)
    assert ran.status == Status.USAGE
    assert said in " ".join(re.sub(r"[│╭╮╰╯─]", "", ran.err).split())


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("onecell po", {"port"}),
        ("onecell port a.pt --to ", {"torch", "mindspore"}),
        ("onecell port a.pt --from mi", {"mindspore"}),
        ("onecell port a.pt --format ", {"pt", "ckpt", "safetensors", "npz"}),
        ("onecell port a.pt --target n", {"native"}),
        ("onecell port a.pt --sides arrays,onecell.t", {"arrays,onecell.torch"}),
        ("onecell diff t", {"tensorflow", "tinygrad", "torch"}),
        ("onecell diff torch mindspore --lang ", {"en", "zh"}),
    ],
)
def test_a_shell_completes_values(line: str, offered: set[str]) -> None:
    count = len(line.split()) - (not line.endswith(" "))
    done = subprocess.run(
        [sys.executable, "-m", "onecell"],
        env={
            **os.environ,
            "_ONECELL_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(count),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert set(done.stdout.split()) == offered, done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_is_given_its_script_and_its_values(shell: str) -> None:
    def said(*words: str, **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "onecell", *words],
            env=os.environ | {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"} | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not done.returncode, done.stderr
        return done.stdout

    assert "_ONECELL_COMPLETE=complete_" + shell in said("--show-completion", shell)
    line = "onecell port a.pt --to "
    offered = said(
        _ONECELL_COMPLETE=f"complete_{shell}",
        _TYPER_COMPLETE_ARGS=line,
        _TYPER_COMPLETE_FISH_ACTION="get-args",
        COMP_WORDS=line,
        COMP_CWORD="4",
    )
    assert "torch" in offered
    assert "mindspore" in offered

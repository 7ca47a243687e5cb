"""`onecell info`, `--version`, `--help`: what a newcomer types first."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version

import pytest

import onecell
from onecell.cli.app import VERBS

from .conftest import Run


def test_version(run: Run) -> None:
    ran = run("--version")
    assert (ran.status, ran.out) == (0, f"onecell {version('onecell')}\n")


def test_info_as_json_says_what_computes(run: Run) -> None:
    ran = run("info", "--json")
    found = json.loads(ran.out)
    assert ran.status == 0
    assert found["instruction_set"] == onecell.isa()
    assert found["instruction_sets"] == list(onecell.available_isas())
    assert found["torch"] == version("torch")


def test_info_for_people_names_the_frameworks(run: Run) -> None:
    out = run("info").out
    assert version("mindspore") in out
    assert onecell.isa() in out


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_every_verb_has_examples(verb: str, run: Run) -> None:
    ran = run(verb, "--help")
    assert ran.status == 0
    assert "Examples" in ran.out
    assert f"onecell {verb}" in ran.out


def test_the_examples_of_port_parse(run: Run) -> None:
    from onecell.cli.port import EXAMPLES

    examples = [line.split() for line in EXAMPLES.splitlines() if line.startswith("  onecell")]
    assert examples
    for words in examples:
        # The files are not there: everything before reading them was understood.
        assert run(*words[1:]).status == 3, words


def test_the_bare_command_shows_its_verbs(run: Run) -> None:
    ran = run()
    assert all(verb in ran.out + ran.err for verb in ("port", "convert", "info"))


def test_info_loads_no_framework() -> None:
    code = (
        "import sys\n"
        "from onecell.cli import main\n"
        "try:\n    main(['info'])\n"
        "except SystemExit as exit:\n    assert not exit.code\n"
        "assert not {'torch', 'mindspore'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)

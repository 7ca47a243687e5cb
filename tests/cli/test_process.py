"""The command as a process: signals, readers that leave, outputs that cannot be written."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from onecell.cli.exits import Status

QUICK = ("--to", "mindspore", "--sides", "arrays", "--rollout", "5", "--out", "out")
# Says when signals are taken, which is the first thing that the command does.
START = """
import signal, sys
signal.signal(signal.SIGINT, signal.{handler})
from onecell import __main__ as command

take = command._take_signals

def take_and_say():
    take()
    sys.stderr.write(".")
    sys.stderr.flush()

command._take_signals = take_and_say
sys.argv[0] = "onecell"
command.main()
"""
ENDED = {
    signal.SIGINT: (130, "onecell: interrupted.\n"),
    signal.SIGTERM: (143, "onecell: ended by SIGTERM.\n"),
    signal.SIGHUP: (129, "onecell: ended by SIGHUP.\n"),
}


def start(
    *words: str | Path, cwd: Path, handler: str = "default_int_handler"
) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", START.format(handler=handler), *map(str, words)],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stderr is not None
    assert child.stderr.read(1) == "."
    return child


def shell(command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `onecell` by its name in bash; the status is that of the command."""
    lines = f'onecell() {{ {sys.executable} -m onecell "$@"; }}\n{command}\nexit ${{PIPESTATUS[0]}}'
    return subprocess.run(
        ["env", *(f"{k}={v}" for k, v in environment.items()), "bash", "-c", lines],
        cwd=cwd,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def test_a_signal_at_any_moment_is_one_line_and_its_status(model: Path, tmp_path: Path) -> None:
    draw = random.Random(0)  # noqa: S311 - moments, no secrets
    for turn in range(12):
        number = list(ENDED)[turn % 3]
        child = start("port", model, *QUICK, cwd=tmp_path)
        time.sleep(draw.uniform(0, 0.08 * turn))
        child.send_signal(number)
        _, said = child.communicate(timeout=300)
        if child.returncode:  # else it was done before
            assert (child.returncode, said) == ENDED[number]
        assert not list(tmp_path.glob("out/.*"))
        if not child.returncode:
            assert (tmp_path / "out/model.ckpt").exists()
            break


@pytest.mark.parametrize("seconds", [0.7, 1.5, 2.5])
def test_a_signal_while_a_framework_loads(seconds: float, model: Path, tmp_path: Path) -> None:
    child = start("port", model, "--to", "mindspore", "--out", "out", cwd=tmp_path)
    time.sleep(seconds)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=300)
    assert (child.returncode, said) == ENDED[signal.SIGINT]
    assert not list(tmp_path.glob("out/.*"))


def test_a_signal_ends_the_processes_that_are_asked_and_removes_their_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    child = start("diff", "torch", "mindspore", "--only", "gate-order", cwd=tmp_path)
    while not (made := list(tmp_path.glob("onecell-child-*/printed"))):
        assert child.poll() is None
        time.sleep(0.02)
    assert made
    child.send_signal(signal.SIGTERM)
    _, said = child.communicate(timeout=300)
    assert (child.returncode, said) == ENDED[signal.SIGTERM]
    assert not list(tmp_path.iterdir())


def test_a_signal_that_the_caller_has_switched_off_stays_so(model: Path, tmp_path: Path) -> None:
    child = start("port", model, *QUICK, "--no-report", cwd=tmp_path, handler="SIG_IGN")
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=300)
    assert child.returncode == 0
    assert "HOLDS" in out


def test_a_reader_that_leaves_is_141_and_the_results_are_written(
    model: Path, tmp_path: Path
) -> None:
    done = shell(f"onecell port {model} {' '.join(QUICK)} | true", tmp_path)
    assert (done.returncode, done.stderr) == (Status.BROKEN_PIPE, "")
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"model.ckpt", "model.proof.json", "model.report.html"}


def test_what_fails_says_so_though_the_reader_leaves(tmp_path: Path) -> None:
    done = shell("onecell convert nothing.pt a.ckpt 2>&1 | true", tmp_path)
    assert (done.returncode, done.stderr) == (Status.INPUT, "")


def test_an_output_that_is_full_is_one_line_and_status_4(tmp_path: Path) -> None:
    done = shell("onecell info --json >/dev/full", tmp_path)
    assert done.returncode == Status.OUTPUT
    assert done.stderr.startswith("onecell: cannot write")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&-"])
def test_a_closed_output_is_no_error(closed: str, model: Path, tmp_path: Path) -> None:
    done = shell(f"onecell convert {model} a.ckpt {closed}", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "a.ckpt").exists()


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=["ascii", "latin-1", "C"],
)
@pytest.mark.parametrize("words", ["diff torch mindspore --stored --lang zh", "convert -h"])
def test_characters_that_the_output_does_not_have_are_replaced(
    words: str, environment: dict[str, str], tmp_path: Path
) -> None:
    done = shell(f"onecell {words}", tmp_path, **environment)
    # Chinese is no row of question marks: the command says so, and speaks English.
    said = "has no Chinese" in done.stderr if "zh" in words else not done.stderr
    assert (done.returncode, said) == (0, True), done.stderr
    assert done.stdout

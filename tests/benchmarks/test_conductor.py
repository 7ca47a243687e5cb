"""Contenders run in processes of their own, checked before they are timed, one awake at a time."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from bench import contenders, figures
from bench.conductor import Conductor, WorkerLostError
from bench.figures import Pace
from bench.problem import Size
from bench.worker import Forget, Prepare, Time

SIZE = Size(3, 2, 5, 7)
SHORT = Pace(rounds=2, slice_seconds=0.001, warm_seconds=0.001)


@pytest.fixture(scope="module")
def conductor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Conductor]:
    with Conductor(tmp_path_factory.mktemp("logs")) as open_conductor:
        yield open_conductor


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def pid_of(conductor: Conductor, name: str) -> int:
    process, _ = conductor._open[contenders.CONTENDERS[name].process, 1]
    assert process.pid is not None
    return process.pid


def test_a_right_contender_is_timed(conductor: Conductor) -> None:
    found = figures.measure(conductor, ["onecell"], SIZE, "unroll", SHORT, 1)
    assert found.figures["onecell"].median > 0
    assert found.figures["onecell"].rounds == SHORT.rounds
    assert found.errors["onecell"] <= contenders.FLOAT32


def test_a_wrong_contender_is_named_and_not_timed(
    conductor: Conductor, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = replace(contenders.CONTENDERS["onecell"], close=0.0)
    monkeypatch.setitem(contenders.CONTENDERS, "onecell", strict)
    found = figures.measure(conductor, ["onecell"], SIZE, "unroll", SHORT, 1)
    assert found.figures == {}
    assert found.excluded["onecell"].startswith("wrong: off by")


def test_a_library_that_is_not_installed_is_named(
    conductor: Conductor, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = replace(contenders.CONTENDERS["JAX"], library="no-such-library")
    monkeypatch.setitem(contenders.CONTENDERS, "JAX", gone)
    found = figures.measure(conductor, ["JAX", "onecell"], SIZE, "unroll", SHORT, 1)
    assert "no-such-library is not installed" in found.missing["JAX"]
    assert list(found.figures) == ["onecell"]


def test_what_a_contender_raises_is_its_reason(conductor: Conductor) -> None:
    # A stream has no T steps at once.
    found = figures.measure(conductor, ["onecell.stream"], SIZE, "unroll", SHORT, 1)
    assert "AssertionError" in found.excluded["onecell.stream"]


def test_a_process_is_stopped_while_it_is_not_asked(conductor: Conductor) -> None:
    conductor.ask("onecell", 1, Forget())
    end = time.monotonic() + 60
    while state_of(pid_of(conductor, "onecell")) != "T" and time.monotonic() < end:
        time.sleep(0.01)
    assert state_of(pid_of(conductor, "onecell")) == "T"


def test_a_process_that_ends_is_reported_and_the_next_order_starts_another(
    conductor: Conductor,
) -> None:
    conductor.ask("onecell", 1, Forget())
    first = pid_of(conductor, "onecell")
    os.kill(first, signal.SIGKILL)
    with pytest.raises(WorkerLostError, match="ended"):
        conductor.ask("onecell", 1, Time("onecell", 0.001))
    conductor.ask("onecell", 1, Prepare("onecell", SIZE, "unroll", 0.001))
    assert pid_of(conductor, "onecell") != first
    assert conductor.ask("onecell", 1, Time("onecell", 0.001)) > 0


def test_no_process_is_left_behind(tmp_path: Path) -> None:
    with Conductor(tmp_path) as own:
        own.ask("onecell", 1, Forget())
        pid = pid_of(own, "onecell")
    assert not Path(f"/proc/{pid}").exists()

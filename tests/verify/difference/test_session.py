"""Programs that crash, hang, print, or find no framework cost nobody else's answer."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest

from onecell.verify.difference import Outcome, Verdict, choose_rows, run_table
from onecell.verify.difference import session as module
from onecell.verify.difference.claims import both, each, ours, unasked
from onecell.verify.difference.row import Row, row
from onecell.verify.difference.run import conclude
from onecell.verify.difference.session import Session

SLOW = 60.0
"""More than any of this takes, so that a hang is seen."""


@pytest.fixture
def session() -> Iterator[Session]:
    """A session of NumPy, which loads in no time."""
    with Session("numpy", limit=SLOW) as session:
        yield session


def test_the_last_print_is_the_answer(session: Session) -> None:
    found = session.ask("numpy", "print(1)\nimport numpy\nprint(numpy.arange(2).tolist())")
    assert (found.outcome, found.value) == (Outcome.ANSWERED, [0, 1])


@pytest.mark.parametrize(
    ("program", "how"),
    [
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
        ("import os\nos.abort()", "SIGABRT"),
        ("import os\nos._exit(3)", "exit 3"),
        ("raise SystemExit(4)", "exit 4"),
    ],
)
def test_the_end_of_the_process_is_an_answer_and_the_next_program_runs(
    program: str, how: str, session: Session
) -> None:
    found = session.ask("numpy", program)
    assert (found.outcome, found.value) == (Outcome.CRASHED, how)
    assert session.ask("numpy", "print('after')").value == "after"


def test_a_program_that_does_not_end_is_stopped() -> None:
    with Session("numpy", limit=1.0) as session:
        before = time.monotonic()
        found = session.ask("numpy", "while True: pass")
        assert found.outcome is Outcome.TIMED_OUT
        assert time.monotonic() - before < SLOW
        session._child.limit = SLOW
        assert session.ask("numpy", "print(2)").value == 2


def test_an_error_is_an_answer_with_its_message(session: Session) -> None:
    found = session.ask("numpy", "print(undefined)")
    assert found.value == "raises NameError"
    assert found.said == "name 'undefined' is not defined"


def test_an_answer_that_is_not_json_is_not_taken_for_one(session: Session) -> None:
    assert session.ask("numpy", "print(object())").value == "raises TypeError"
    assert session.ask("numpy", "print(float('nan'))").value == "raises ValueError"
    assert session.ask("numpy", "pass").value == "raises IndexError"


def test_what_programs_print_stays_inside(
    session: Session, capfd: pytest.CaptureFixture[str]
) -> None:
    session.ask("numpy", "import os\nos.write(1, b'x')\nos.write(2, b'y')\nprint(1)")
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")


def test_files_go_with_the_session() -> None:
    with Session("numpy") as session:
        session.ask("numpy", "open('left', 'w').close()\nprint(1)")
        folder = session.ask("numpy", "import os\nprint(os.getcwd())").value
        assert isinstance(folder, str)
        assert (Path(folder) / "left").exists()
    assert not Path(folder).exists()


def closed_once(told: Path, session: Session) -> list[float]:
    """Close a session from another thread once its program has written a file; fill in when."""
    times: list[float] = []

    def wait() -> None:
        while not told.exists() or not told.read_text():
            time.sleep(0.01)
        times.append(time.monotonic())
        session.close()

    threading.Thread(target=wait, daemon=True).start()
    return times


def test_a_session_can_be_closed_from_another_thread(tmp_path: Path) -> None:
    told = tmp_path / "told"
    program = f"import pathlib\npathlib.Path({str(told)!r}).write_text('x')\nwhile True: pass"
    with Session("numpy", limit=SLOW) as session:
        closed_once(told, session)
        found = session.ask("numpy", program)
    assert found.outcome is Outcome.CRASHED


def test_one_owner_closes_a_connection_whenever_it_is_stopped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A number that is closed twice may be somebody else's file by then: here it is, at once."""
    theirs: dict[int, int] = {}
    close = Connection._close  # type: ignore[attr-defined]

    def slowly(connection: Connection) -> None:
        close(connection)
        taken = os.open(tmp_path / f"{len(theirs)}", os.O_CREAT | os.O_RDWR)
        theirs[taken] = os.fstat(taken).st_ino
        time.sleep(0.01)  # another thread that has seen the number too would close it now

    monkeypatch.setattr(Connection, "_close", slowly)
    rng = np.random.default_rng(35)
    for number in range(12):
        session = Session("numpy", limit=SLOW)
        program = "while True: pass" if number % 2 else "print(1)"
        asking = threading.Thread(target=session.ask, args=("numpy", program))
        asking.start()
        time.sleep(rng.uniform(0.0, 0.6))
        stopping = [threading.Thread(target=session.close) for _ in range(2)]
        for thread in stopping:
            thread.start()
        for thread in (*stopping, asking):
            thread.join(SLOW)
            assert not thread.is_alive()
        assert session.ask("numpy", "print(1)").outcome is Outcome.MISSING
    for number, inode in theirs.items():
        assert os.fstat(number).st_ino == inode
        os.close(number)


def test_a_stop_does_not_wait_for_a_child_that_holds_the_pipe_and_ends_it(tmp_path: Path) -> None:
    told = tmp_path / "child"
    program = (
        "import os, pathlib, time\n"
        "if (child := os.fork()) == 0: time.sleep(60)\n"
        f"pathlib.Path({str(told)!r}).write_text(str(child))\n"
        "while True: pass"
    )
    with Session("numpy", limit=SLOW) as session:
        times = closed_once(told, session)
        found = session.ask("numpy", program)
        assert time.monotonic() - times[0] < SLOW / 3
    assert found.outcome is Outcome.CRASHED
    status = Path("/proc", told.read_text(), "stat")
    for _ in range(100):  # dead, or a zombie that nobody has asked about
        if not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.1)
    raise AssertionError("the child of a program is still there")


def test_a_framework_that_is_not_installed_is_missing() -> None:
    with Session("no_such_framework") as session:
        found = session.ask("no_such_framework", "print(1)")
    assert (found.outcome, found.version) == (Outcome.MISSING, None)
    assert found.said == "is not installed"


def test_a_framework_that_does_not_load_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "is_installed", lambda _: True)
    with Session("no_such_framework") as session:
        found = session.ask("no_such_framework", "print(1)")
    assert found.outcome is Outcome.MISSING
    assert "ModuleNotFoundError" in found.said


CRASH_TEXT = ("it ends", "进程终止")


def _made(registry: dict[str, Row]) -> Row:
    @row(
        "ends",
        "states",
        sources="",
        matter=CRASH_TEXT,
        claim=both(*CRASH_TEXT, "answered"),
        onecell=unasked(*CRASH_TEXT),
        registry=registry,
    )
    def ends() -> object:
        import os
        import signal

        os.kill(os.getpid(), signal.SIGSEGV)
        return "answered"

    return ends


def test_a_crash_that_nobody_claimed_is_the_verdict() -> None:
    made = _made({})
    with Session("numpy") as session:
        observed = [session.ask(side, made.program(side)) for side in ("torch", "mindspore")]
    found = conclude(made, observed)
    assert found.verdict is Verdict.CRASHED
    assert found.wrong == ("torch", "mindspore")


def test_without_a_framework_rows_could_not_be_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "is_installed", lambda name: name != "mindspore")
    registry: dict[str, Row] = {}

    @row(
        "sizes",
        "parameters",
        sources="",
        matter=("sizes", "尺寸"),
        claim=each("sizes", "尺寸", torch=3, mindspore=3),
        onecell=ours("sizes", "尺寸", torch=3, mindspore=3),
        registry=registry,
    )
    def sizes(LSTMCell: object) -> object:  # noqa: N803 - as probes spell it
        return LSTMCell(3, 4).input_size  # type: ignore[operator]

    table = run_table([sizes])
    (finding,) = table.findings
    assert finding.verdict is Verdict.NOT_RUN
    assert not table.holds
    answers = {each.side: each.outcome for each in finding.observations}
    assert answers == {
        "torch": Outcome.ANSWERED,
        "mindspore": Outcome.MISSING,
        "onecell.torch": Outcome.ANSWERED,
        "onecell.mindspore": Outcome.MISSING,
    }


def test_the_callers_log_settings_do_not_reach_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLOG_v", "3")
    table = run_table(choose_rows(["construction-log"]))
    assert [finding.verdict.holds for finding in table.findings] == [True]

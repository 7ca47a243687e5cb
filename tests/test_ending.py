"""What must not outlive a process: at a signal, and after one that left no time for anything."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from onecell import ending

HOLD = """
import sys, time
from pathlib import Path
from onecell import ending
with ending.hidden_{what}(Path({folder!r})) as made:
    print("made", flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "_swept", set())
    monkeypatch.setattr(ending, "_gate", threading.Lock())


def holder(what: str, folder: Path) -> subprocess.Popen[str]:
    code = HOLD.format(what=what, folder=str(folder))
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "made\n"
    return child


def end(child: subprocess.Popen[str]) -> None:
    child.kill()
    child.wait()
    assert child.stdout is not None
    child.stdout.close()


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_a_killed_process_left_goes_and_what_is_in_use_stays(
    what: str, tmp_path: Path
) -> None:
    child = holder(what, tmp_path)
    (left,) = tmp_path.iterdir()
    if what == "folder":
        (left / "model.ckpt").write_bytes(b"half")
    ending.sweep(tmp_path)
    assert left.exists()
    end(child)
    assert left.exists()
    ending._swept.clear()
    ending.sweep(tmp_path)
    assert not left.exists()


def test_only_names_of_ours_are_swept(tmp_path: Path) -> None:
    kept = [".onecell-notes", ".onecell-0123456789abcdef.txt", "onecell-0123456789abcdef.tmp"]
    for name in kept:
        (tmp_path / name).write_bytes(b"")
    (tmp_path / ".onecell-0123456789abcdef").symlink_to(tmp_path / kept[0])
    (tmp_path / ".onecell-fedcba9876543210.tmp").write_bytes(b"")
    ending.sweep(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*kept, ".onecell-0123456789abcdef"}


def test_a_folder_that_cannot_be_looked_into_is_left(tmp_path: Path) -> None:
    ending.sweep(tmp_path / "nowhere")


@pytest.mark.parametrize("what", [ending.hidden_file, ending.hidden_folder])
@pytest.mark.parametrize("error", [FileNotFoundError, KeyboardInterrupt])
def test_an_error_in_the_block_comes_out_and_leaves_nothing(
    what: Callable[[Path], AbstractContextManager[object]],
    error: type[BaseException],
    tmp_path: Path,
) -> None:
    def fail() -> None:
        with what(tmp_path):
            assert len(list(tmp_path.iterdir())) == 1
            raise error

    with pytest.raises(error):
        fail()
    assert not list(tmp_path.iterdir())


def test_all_that_was_entered_is_done_the_latest_first_whatever_fails() -> None:
    done: list[int] = []

    def fail() -> None:
        raise OSError("no")

    with (
        ending.at_end(lambda: done.append(1)),
        ending.at_end(fail),
        ending.at_end(lambda: done.append(2)),
    ):
        with ending.at_end(lambda: done.append(3)):
            pass
        ending.end_all()
    assert done == [2, 1]


def test_nothing_is_made_once_all_has_to_go(tmp_path: Path) -> None:
    def make() -> None:
        with ending.hidden_folder(tmp_path):
            pass

    ending.end_all()
    late = threading.Thread(target=make, daemon=True)
    late.start()
    late.join(0.2)
    assert not list(tmp_path.iterdir())
    ending._gate.release()
    late.join()


def test_the_mode_is_the_umasks(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with ending.hidden_file(tmp_path) as (path, _):
            assert path.stat().st_mode & 0o777 == 0o640
    finally:
        os.umask(before)

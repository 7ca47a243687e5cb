"""Files that attack the reader, the parser, or the one who runs it: one clear line each."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from migrate.sources import MOVED, USE, as_file, notebook, write
from onecell.errors import OnecellError, SourceError
from onecell.migrate import FileOutcome, FileResult, migrate_file, migrate_paths, write_in_place
from onecell.migrate.run import files as files_module
from onecell.migrate.run.files import read_source
from onecell.migrate.run.pool import Pool, Worker
from onecell.migrate.run.tasks import Task
from onecell.migrate.run.todo import NAME as TODO
from onecell.migrate.source.limits import time_limit

_In = TypeVar("_In")
_Out = TypeVar("_Out")


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    """Processes that every test here shares."""
    with Pool(2) as shared:
        yield shared


@pytest.fixture
def migrated(tmp_path: Path, pool: Pool) -> Callable[[bytes | str], FileResult]:
    """Return a function that migrates a file with this content for MindSpore."""

    def run(content: bytes | str) -> FileResult:
        path = write(tmp_path / "a.py", content)
        before = path.read_bytes()
        done = migrate_paths([path], to="mindspore", pool=pool)
        assert path.read_bytes() == before
        return done.results[0]

    return run


Migrated = Callable[[bytes | str], FileResult]

REFUSED: dict[str, tuple[bytes | str, str]] = {
    "not utf-8": (b"x = '\xe9'\n" + USE.encode(), "not Python 3"),
    "utf-16": ("x = 'LSTMCell torch'\n".encode("utf-16") + b"LSTMCell torch", "not Python 3"),
    "unknown cookie": (f"# coding: klingon\n{USE}", "unknown encoding: klingon"),
    "cookie of no text": (f"# coding: hex\n{USE}", "not Python 3"),
    "bom against cookie": (b"\xef\xbb\xbf# coding: latin-1\n" + USE.encode(), "not Python 3"),
    "syntax error": (f"{USE}x = = 1\n", "line 7: invalid syntax"),
    "Python 2": (f"{USE}print 'a'\n", "line 7: Missing parentheses in call to 'print'"),
    "tabs and spaces": (f"{USE}if x:\n\ty\n        z\n", "line 9: inconsistent use of tabs"),
    "null bytes": (f"{USE}x = '\0'\n", "null byte"),
    "control-z": (f"{USE}\x1a", "line 7: invalid non-printable character"),
    "10,000 brackets": (f"{USE}x = {'(' * 10_000}{')' * 10_000}\n", "too many nested parentheses"),
    "1,500 brackets": (f"{USE}x = {'[' * 1500}{']' * 1500}\n", "too many nested parentheses"),
    "10,000 minus signs": (f"{USE}x = {'-' * 10_000}1\n", "nested too deeply"),
    "20,000 terms": (f"{USE}x = {'+'.join(['a'] * 20_000)}\n", "nested too deeply"),
    "200 blocks": (
        USE + "".join(" " * n + "if x:\n" for n in range(200)) + " " * 200 + "y\n",
        "too many levels of indentation",
    ),
    "5 MB in a line": (f"{USE}x = '{'a' * 5_000_000}'\n", "4.77 MiB of code, and at most 2 MiB"),
}


@pytest.mark.parametrize("content", [content for content, _ in REFUSED.values()], ids=[*REFUSED])
def test_what_cannot_be_parsed_fails_with_one_clear_line(
    content: bytes | str, migrated: Migrated, request: pytest.FixtureRequest
) -> None:
    result = migrated(content)
    name = request.node.callspec.id
    assert result.outcome is FileOutcome.FAILED
    assert REFUSED[name][1] in result.error
    assert "\n" not in result.error


DEEP = {
    "900 terms": "x = " + "+".join(["a"] * 900),
    "900 attributes": "x = a" + ".b" * 900,
    "900 elif": "if a:\n  b\n" + "elif a:\n  b\n" * 900,
    "150 brackets": "x = " + "(" * 150 + "1" + ")" * 150,
    "90 blocks": "".join(" " * n + "if x:\n" for n in range(90)) + " " * 90 + "y",
    "400 calls": "x = a" + ".b()" * 400,
    "a line of 300 KB": "x = '" + "a" * 300_000 + "'",
}


@pytest.mark.parametrize("tail", DEEP.values(), ids=[*DEEP])
def test_deep_code_that_python_compiles_is_migrated(tail: str, migrated: Migrated) -> None:
    result = migrated(f"{USE}{tail}\n")
    assert result.error == ""
    assert MOVED.encode() in result.after
    assert result.after.endswith(f"\n{tail}\n".encode())


def test_what_libcst_does_not_give_back_is_refused(migrated: Migrated) -> None:
    result = migrated(f"{USE}\n\\\ny = 1\n")
    assert result.outcome is FileOutcome.FAILED
    assert result.error == "LibCST does not give it back byte for byte"


def test_files_without_a_use_are_not_asked_for_more(tmp_path: Path, pool: Pool) -> None:
    for name in REFUSED:
        content = REFUSED[name][0]
        data = content.encode() if isinstance(content, str) else content
        write(
            tmp_path / f"{name}.py", data.replace(b"LSTMCell", b"GRUCell").replace(b"torch", b"np")
        )
    done = migrate_paths([tmp_path], to="mindspore", pool=pool)
    assert len(done.results) == len(REFUSED)
    assert {each.outcome for each in done.results} == {FileOutcome.SAME}


def test_nothing_in_a_file_or_beside_it_is_executed(tmp_path: Path) -> None:
    trap = "import pathlib\npathlib.Path('SPRUNG').touch()\n"
    write(tmp_path / "model.py", f"{trap}{USE}")
    for name in ("libcst", "torch", "signal", "typing", "onecell", "sitecustomize", "pickle"):
        write(tmp_path / f"{name}.py", trap)
    program = str(Path(sys.executable).with_name("onecell"))
    command = [program, "migrate", ".", "--to", "mindspore"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=300, check=False)
    assert b"1 would change" in ran.stdout
    assert not (tmp_path / "SPRUNG").exists()


@pytest.mark.timeout(300)
def test_pipes_sockets_and_devices_do_not_hang(tmp_path: Path, pool: Pool) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    with socket.socket(socket.AF_UNIX) as listening:
        short = Path("/tmp") / f"onecell-{os.getpid()}.sock"  # noqa: S108 - a path has a limit
        listening.bind(str(short))
        short.rename(tmp_path / "socket.py")
        (tmp_path / "null.py").symlink_to("/dev/zero")
        done = migrate_paths([tmp_path], to="mindspore", pool=pool)
    errors = {each.path.name: each.error for each in done.results}
    assert errors == {
        "pipe.py": "not a regular file but a pipe",
        "socket.py": "not a regular file but a socket or a device",
        "null.py": "not a regular file but a device",
    }


def test_links_that_go_round_are_named(tmp_path: Path, pool: Pool) -> None:
    (tmp_path / "a.py").symlink_to("b.py")
    (tmp_path / "b.py").symlink_to("a.py")
    (tmp_path / "c.py").symlink_to("nowhere.py")
    (tmp_path / "d").mkdir()
    (tmp_path / "d/e").symlink_to("..", target_is_directory=True)
    done = migrate_paths([tmp_path], to="mindspore", pool=pool)
    errors = [each.error for each in done.results]
    assert errors[:2] == [f"cannot be read: {os.strerror(errno.ELOOP)}"] * 2
    assert errors[2:] == [f"cannot be read: {os.strerror(errno.ENOENT)}"]


def test_what_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For root every file is readable, so the system's answer is played here."""
    path = write(tmp_path / "a.py", USE)

    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(SourceError, match="cannot be read: Permission denied"):
        read_source(path)


def test_a_file_without_end_is_not_read_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files_module, "READ_BYTES", 2**20)
    path = tmp_path / "a.py"
    with path.open("wb") as file:
        file.truncate(2**40)  # a hole
    with pytest.raises(SourceError, match="larger than 1 MiB"):
        read_source(path)


def test_a_name_with_a_null_character_is_refused() -> None:
    with pytest.raises(SourceError, match="cannot be read: embedded null"):
        read_source(Path("a\0b.py"))


def test_a_file_that_changes_under_the_run_is_not_overwritten(tmp_path: Path, pool: Pool) -> None:
    path = write(tmp_path / "a.py", USE)
    other = write(tmp_path / "b.py", USE)
    done = migrate_paths([tmp_path], to="mindspore", pool=pool)
    path.write_text("mine = 1\n")
    written = write_in_place(done)
    assert [each.path for each in written.failed] == [path]
    assert written.failed[0].error == "changed while it was migrated; not overwritten, run again"
    assert path.read_text() == "mine = 1\n"
    assert MOVED in other.read_text()
    assert sorted(tmp_path.iterdir()) == [tmp_path / TODO, path, other]


def test_a_file_that_goes_away_is_not_made_again(tmp_path: Path, pool: Pool) -> None:
    path = write(tmp_path / "a.py", USE)
    done = migrate_paths([tmp_path], to="mindspore", pool=pool)
    path.unlink()
    (failed,) = write_in_place(done).failed
    assert failed.error == "cannot be written: No such file or directory"
    assert list(tmp_path.iterdir()) == [tmp_path / TODO]


def test_a_full_disk_leaves_the_old_file(
    tmp_path: Path, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.py", USE)
    done = migrate_paths([path], to="mindspore", pool=pool)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    (failed,) = write_in_place(done).failed
    assert failed.error == "cannot be written: No space left on device"
    assert path.read_text() == USE
    assert list(tmp_path.iterdir()) == [path]


class _Dying(Pool):
    """Processes that die of some files."""

    def ask(self, work: Callable[[_In], _Out], argument: _In, seconds: float) -> _Out:
        name = argument.name if isinstance(argument, Task) else ""
        if name.startswith("crash"):
            super().ask(signal.raise_signal, signal.SIGSEGV, seconds)
        if name.startswith("sleep"):
            super().ask(time.sleep, 600.0, 0.5)
        if name.startswith("exit"):
            super().ask(os._exit, 3, seconds)
        return super().ask(work, argument, seconds)


@pytest.mark.timeout(300)
def test_a_worker_that_dies_is_one_failed_file(tmp_path: Path) -> None:
    for name in ("crash1", "crash2", "exit", "fine1", "fine2", "sleep"):
        write(tmp_path / f"{name}.py", USE)
    with _Dying(2) as dying:
        done = migrate_paths([tmp_path], to="mindspore", pool=dying)
    assert {each.path.stem: each.error for each in done.results} == {
        "crash1": "the parser ended its process: SIGSEGV",
        "crash2": "the parser ended its process: SIGSEGV",
        "exit": "the parser ended its process with status 3",
        "fine1": "",
        "fine2": "",
        "sleep": "parsing took more than 0.5 s",
    }


def test_a_mistake_of_ours_is_one_failed_file(pool: Pool) -> None:
    with pytest.raises(SourceError, match="a mistake in onecell itself, TypeError: "):
        pool.ask(len, 3, 10)  # type: ignore[arg-type]
    assert pool.ask(len, "abc", 10) == 3


def test_processes_end_with_the_pool() -> None:
    with Pool(1) as one:
        number = one.ask(eval, "__import__('os').getpid()", 60)
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)
    with pytest.raises(OnecellError, match="closed"):
        one.ask(len, "abc", 10)


def test_a_process_that_does_not_start_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(OnecellError, match=r"does not start: .* status 1"):
        Worker().ask(len, "abc", 10)


def test_larger_files_have_more_time() -> None:
    assert time_limit(0) >= 10
    assert time_limit(2**20) > 2 * time_limit(0)


def test_a_notebook_with_a_bomb_fails_alone(tmp_path: Path, pool: Pool) -> None:
    write(tmp_path / "a.ipynb", '{"metadata": {}, "LSTMCell torch": ' + "[" * 1_000_000)
    write(tmp_path / "b.ipynb", as_file(notebook(USE)))
    first, second = migrate_paths([tmp_path], to="mindspore", pool=pool).results
    assert first.error == "not a notebook: nested too deeply"
    assert second.outcome is FileOutcome.CHANGED


@pytest.mark.parametrize(
    "name", ["tab\there.py", "line\nbreak.py", "\x1b[31mred.py", "-n.py", "名前.py", "a b'\".py"]
)
def test_odd_names_are_names(name: str, tmp_path: Path, pool: Pool) -> None:
    path = write(tmp_path / name, USE)
    done = migrate_paths([path], to="mindspore", pool=pool)
    assert done.results[0].outcome is FileOutcome.CHANGED


def test_a_name_that_is_no_text_is_a_name(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.py"))
    write(path, USE)
    assert migrate_file(path, to="mindspore").outcome is FileOutcome.CHANGED

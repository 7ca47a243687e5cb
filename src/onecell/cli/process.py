"""This process, as the command line has it to itself: MindSpore's settings, a bar on stderr."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from onecell.text import plain

Report = Callable[[str, int, int], None]
"""Called with what comes next, how much is done, and how much there is."""


def quieten_mindspore() -> None:
    """Let MindSpore, should anything import it, log errors only; the user's own setting stays."""
    os.environ.setdefault("GLOG_v", "3")


def take_process_for_mindspore() -> None:
    """Import MindSpore before anything else does, quiet and fast: this process is ours."""
    quieten_mindspore()
    with contextlib.redirect_stderr(io.StringIO()):
        from onecell.verify.sides.mindspore import take_process  # noqa: PLC0415
    take_process()


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep NumPy's BLAS to one thread.

    The reference multiplies a few rows at a time, which gains nothing from more, and OpenBLAS's
    threads wait for each other by spinning: six times slower on a machine that is also busy.
    """
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    with threadpool_limits(1, user_api="blas"):
        yield


@contextlib.contextmanager
def progress_bar(title: str, *, wanted: bool = True) -> Iterator[Report | None]:
    """Show a bar on stderr, where that is a terminal and there is something to wait for."""
    console = Console(stderr=True)
    if not wanted or not console.is_terminal:
        yield None
        return
    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[cell]}"), console=console) as bar:
        task = bar.add_task("", total=None, cell="")

        def report(name: str, done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, cell=Text(plain(name)))

        yield report

"""Threads: the same bits, as many as allowed, safe to fork and to share."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import onecell
from onecell import LSTMCell
from problems import Problem, assert_same_bits, problem, results


@pytest.fixture
def any_threads() -> Iterator[None]:
    """Put the number of threads back that a test changes."""
    before = onecell.get_num_threads()
    yield
    onecell.set_num_threads(before)


def large(batches: st.SearchStrategy[int]) -> st.SearchStrategy[Problem]:
    """Draw problems that are worth more than one thread."""
    return st.builds(
        problem,
        steps=st.integers(1, 12),
        batch=batches,
        input_size=st.sampled_from([1, 10, 65, 128]),
        hidden_size=st.sampled_from([16, 33, 64, 100, 130]),
        bias=st.booleans(),
        dtype=st.sampled_from([np.float32, np.float64]),
        seed=st.integers(0, 2**32 - 1),
    )


@pytest.mark.usefixtures("any_threads")
@given(large(st.sampled_from([1, 2, 7, 40, 130])))
@settings(deadline=None, max_examples=40)
def test_the_number_of_threads_does_not_matter(p: Problem) -> None:
    onecell.set_num_threads(1)
    want = results(p)
    for count in (2, 3, 8):
        onecell.set_num_threads(count)
        assert_same_bits(results(p), want)


@pytest.mark.usefixtures("any_threads")
def test_steps_in_a_row_give_the_bits_of_one_thread() -> None:
    # A row of steps is what wakes the team: the first are computed alone, later ones shared.
    cell, rng = LSTMCell(256, 256, rng=1), np.random.default_rng(2)
    x = rng.standard_normal((60, 2, 256)).astype(np.float32)

    def run() -> list[bytes]:
        state = (np.full((2, 256), 0.5, np.float32), np.full((2, 256), -0.5, np.float32))
        found = []
        for row in x:
            state = cell(row, state)
            found.append(state[0].tobytes() + state[1].tobytes())
        return found

    onecell.set_num_threads(1)
    want = run()
    onecell.set_num_threads(3)
    assert run() == want


@pytest.mark.usefixtures("any_threads")
def test_python_threads_share_the_team_safely() -> None:
    onecell.set_num_threads(3)
    p = problem(12, 20, 64, 96)
    want = results(p)
    wrong: list[int] = []

    def work(number: int) -> None:
        for _ in range(15):
            got = results(p)
            if any(got[name].tobytes() != want[name].tobytes() for name in want):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def in_process(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


FORK = """
import os, sys, warnings, numpy as np, onecell
warnings.simplefilter("ignore", DeprecationWarning)  # that a process with threads forks
onecell.set_num_threads(3)
cell = onecell.LSTMCell(96, 128, rng=0)
x = np.ones((40, 16, 96), np.float32)
want = cell.unroll(x)[0].tobytes()
for _ in range(5):
    child = os.fork()
    if child == 0:
        same = all(cell.unroll(x)[0].tobytes() == want for _ in range(3))
        os._exit(0 if same else 1)
    _, status = os.waitpid(child, 0)
    assert status == 0, status
    assert cell.unroll(x)[0].tobytes() == want
print("same")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_computes_with_a_team_of_its_own() -> None:
    done = in_process(FORK)
    assert (done.stdout, done.stderr) == ("same\n", "")


SHOW = "import onecell; print(onecell.get_num_threads())"


@pytest.mark.parametrize("count", [1, 3, 64])
def test_the_environment_sets_the_number(count: int) -> None:
    assert in_process(SHOW, ONECELL_NUM_THREADS=str(count)).stdout == f"{count}\n"


@pytest.mark.parametrize("text", ["-1", "65", "two", "1.5", "2 threads"])
def test_a_bad_number_in_the_environment_is_said_at_the_first_use(text: str) -> None:
    done = in_process(SHOW, ONECELL_NUM_THREADS=text)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("onecell.errors.ArgumentError: ONECELL_NUM_THREADS must be")
    assert text in last


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_the_affinity_mask_is_honoured() -> None:
    program = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); " + SHOW
    assert in_process(program, ONECELL_NUM_THREADS="").stdout == "1\n"


@pytest.mark.usefixtures("any_threads")
def test_zero_goes_back_to_what_the_machine_allows() -> None:
    onecell.set_num_threads(0)
    allowed = onecell.get_num_threads()
    assert 1 <= allowed <= len(os.sched_getaffinity(0))
    onecell.set_num_threads(5)
    onecell.set_num_threads(0)
    assert onecell.get_num_threads() == allowed


@pytest.mark.parametrize("text", ["1", "3", " 2 ", "3,2"])
def test_what_launchers_of_several_processes_set_is_honoured(text: str) -> None:
    done = in_process(SHOW, ONECELL_NUM_THREADS="", OMP_NUM_THREADS=text)
    assert done.stdout == f"{text.strip()[0]}\n"
    assert in_process(SHOW, ONECELL_NUM_THREADS="5", OMP_NUM_THREADS=text).stdout == "5\n"


@pytest.mark.parametrize("text", ["", "0", "-2", "many", "2 threads", ","])
def test_what_openmp_would_not_take_is_passed_over(text: str) -> None:
    assert (
        in_process(SHOW, ONECELL_NUM_THREADS="", OMP_NUM_THREADS=text).stdout
        == in_process(SHOW, ONECELL_NUM_THREADS="").stdout
    )


ALONE = """
import os
import numpy as np
from onecell import LSTMCell
cell, x = LSTMCell(256, 256, rng=1), np.ones((40, 64, 256), np.float32)
for _ in range(3):
    cell.unroll(x)
print(len(os.listdir("/proc/self/task")))
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="no list of threads")  # noqa: PTH112
def test_a_process_that_may_have_one_thread_starts_no_other() -> None:
    one = {"ONECELL_NUM_THREADS": "", "OPENBLAS_NUM_THREADS": "1"}
    assert in_process(ALONE, OMP_NUM_THREADS="1", **one).stdout == "1\n"
    assert in_process(ALONE, OMP_NUM_THREADS="3", **one).stdout == "3\n"


@pytest.mark.parametrize("count", [-1, 65, 2**31, 2**70, True, 1.0, "2", None])
def test_a_bad_number_is_refused_and_changes_nothing(count: object) -> None:
    before = onecell.get_num_threads()
    with pytest.raises((ValueError, TypeError), match=r"`count` must be"):
        onecell.set_num_threads(count)  # type: ignore[arg-type]  # what is being tested
    assert onecell.get_num_threads() == before


PLACES = """
import os, time
import numpy as np
import onecell

def places():
    return [os.sched_getaffinity(int(task)) for task in os.listdir("/proc/self/task")]

onecell.set_num_threads(3)
cell, x = onecell.LSTMCell(128, 128, rng=1), np.ones((64, 64, 128), np.float32)
cell.unroll(x)
before = len(places())
time.sleep(0.05)  # The threads fall asleep, so that the next call has to wake them.
cell.unroll(x)
end = time.monotonic() + 60
while any(place != os.sched_getaffinity(0) for place in places()) and time.monotonic() < end:
    time.sleep(0.01)
    cell.unroll(x)
print(before, sum(place == os.sched_getaffinity(0) for place in places()))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a thread be moved")
def test_threads_end_where_their_caller_may_run() -> None:
    # A thread that is woken is kept off its caller's processor, but not for longer than that.
    done = in_process(PLACES)
    assert done.stderr == ""
    threads, there = map(int, done.stdout.split())
    assert threads >= 3
    assert there == threads

"""What may happen to a process: its end under running threads, forks, signals, subinterpreters."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np
import pytest

from onecell import Stream
from problems import problem

# Each child of a fork lets threads compute without an end, and ends; the parent counts how.
ENDS = """
import os, sys, threading, time
import numpy as np
import {module}

def array_calls():
    cell = onecell.LSTMCell(64, 64)
    x, xs = np.ones((4, 64), np.float32), np.ones((50, 4, 64), np.float32)
    hx = (x, x)
    frozen, odd = cell.freeze(), np.asfortranarray(x)
    yield from {{
        "step": lambda: cell(x, hx), "careful step": lambda: cell(odd, hx),
        "unroll": lambda: cell.unroll(xs), "vjp": lambda: cell.vjp(x)[1](x),
        "frozen": lambda: frozen(x, hx), "frozen unroll": lambda: frozen.unroll(xs),
        "stream": cell.stream(4).step, "stream of frozen": frozen.stream(4).step,
        "cell": lambda: onecell.LSTMCell(5, 6),
    }}.items()

def tensor_calls():
    import torch
    torch.set_num_threads(1)
    cell = onecell.torch.LSTMCell(64, 64)
    x, xs = torch.ones(4, 64), torch.ones(50, 4, 64)
    frozen = cell.freeze()
    yield from {{
        "step": torch.no_grad()(lambda: cell(x, (x, x))), "unroll": lambda: cell.unroll(xs),
        "gradient": lambda: cell(x, (x, x))[0].sum().backward(),
        "frozen": lambda: frozen(x, (x, x)),
    }}.items()

def run(name, call, count):
    given = (np.ones((4, 64), np.float32),) if name.startswith("stream") else ()
    while True:
        call(*given)
        count[0] += 1

def start(name, call):
    for _ in range(1 if name.startswith("stream") else 2):
        count = [0]
        threading.Thread(target=run, args=(name, call, count), daemon=True).start()
        while count[0] < 3:
            time.sleep(0.001)

bad = {{}}
for name, call in {calls}():
    for _ in range({times}):
        child = os.fork()
        if child == 0:
            start(name, call)
            sys.exit(0)  # with everything that the end of an interpreter is
        status = os.waitpid(child, 0)[1]
        if status != 0:
            bad.setdefault(name, []).append(status)
assert not bad, bad
"""


def child(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize(
    ("module", "calls", "times"),
    [("onecell", "array_calls", 4), ("onecell.torch", "tensor_calls", 2)],
)
def test_the_interpreter_may_end_while_threads_compute(module: str, calls: str, times: int) -> None:
    done = child(ENDS.format(module=module, calls=calls, times=times))
    assert done.returncode == 0, done.stderr


FORKS = """
import os, sys, threading, time
import numpy as np
from onecell import LSTMCell

cell = LSTMCell(96, 512, rng=1)
x = np.ones((16, 96), np.float32)
stream, other = cell.stream(16), cell.stream(16)
known = {(stream.h.tobytes(), stream.c.tobytes())}
for _ in range(600):
    other.step(x)
    known.add((other.h.tobytes(), other.c.tobytes()))

done = threading.Event()

def step():
    while not done.is_set():
        for _ in range(600):
            stream.step(x)
            if done.is_set():
                return
        stream.reset()

thread = threading.Thread(target=step, daemon=True)
thread.start()
begin = stream.h.tobytes()
while stream.h.tobytes() == begin:
    time.sleep(0.001)
for forks in range(16):
    child = os.fork()
    if child == 0:
        try:
            found = tuple(half.tobytes() for half in stream.snapshot())
            good = found in known
            stream.step(x)
            stream.reset()
            good = good and not stream.h.any() and stream.step(x).any()
            os._exit(0 if good else 3)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(4)
    status = os.waitpid(child, 0)[1]
    assert status == 0, (forks, status)
    time.sleep(0.002)
assert thread.is_alive()
done.set()
thread.join()
"""


@pytest.mark.parametrize("threads", ["1", "2"])
def test_a_fork_may_fall_into_another_threads_step(threads: str) -> None:
    """The child goes on from the state before the step or after it, and never from a mixture."""
    done = child(FORKS, ONECELL_NUM_THREADS=threads)
    assert done.returncode == 0, done.stderr


class Interrupted(BaseException):
    """What a signal handler raises."""


def interrupt(work: Callable[[], object], opcode: int) -> bool:
    """Run `work` and raise before the given opcode that runs in the stream's module; was it one?"""
    seen = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal seen
        if not frame.f_code.co_filename.endswith("stream.py"):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            seen += 1
            if seen == opcode:
                raise Interrupted
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    except Interrupted:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.parametrize("method", ["snapshot", "reset", "reset a row", "restore", "step"])
def test_a_signal_may_interrupt_a_stream_anywhere(method: str) -> None:
    p = problem()
    other = p.h + 1, p.c + 1
    stream = p.cell.stream(3)
    works: dict[str, Callable[[Stream], object]] = {
        "snapshot": lambda s: s.snapshot(),
        "reset": lambda s: s.reset(),
        "reset a row": lambda s: s.reset([1]),
        "restore": lambda s: s.restore(other),
        "step": lambda s: s.step(np.asfortranarray(p.x[0])),
    }

    def work() -> None:
        works[method](stream)

    def state() -> list[bytes]:
        return [half.tobytes() for half in stream.snapshot()]

    stream.restore(p.state)
    before = state()
    work()
    states = (before, state())
    for opcode in range(1, 10_000):
        stream.restore(p.state)
        if not interrupt(work, opcode):
            assert opcode > 3
            return
        assert state() in states
    raise AssertionError("the work does not end")


SUBINTERPRETER = """
import sys
import numpy as np
{first}
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

other = interpreters.create()
interpreters.run_string(other, '''
try:
    {statement}
except ImportError as error:
    assert "subinterpreter" in str(error), error
else:
    raise AssertionError("it was imported")
''')
interpreters.destroy(other)

from onecell import LSTMCell
from onecell.errors import ShapeError

cell = LSTMCell(3, 4, rng=0)
x = np.ones((2, 3), np.float32)
h, c = cell(x)
assert cell.freeze()(x)[0].tobytes() == h.tobytes() == cell.stream(2).step(x).tobytes()
try:
    cell(np.ones((2, 4), np.float32))
except ShapeError:
    pass
else:
    raise AssertionError("a wrong shape computes")
"""


@pytest.mark.parametrize("first", ["", "import onecell; onecell.LSTMCell(3, 4)"])
@pytest.mark.parametrize(
    "statement",
    ["from onecell import _kernel", "from onecell import LSTMCell", "import onecell.torch"],
)
def test_a_subinterpreter_is_refused_and_spoils_nothing(first: str, statement: str) -> None:
    done = child(SUBINTERPRETER.format(first=first, statement=statement))
    assert done.returncode == 0, done.stderr

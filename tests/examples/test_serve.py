"""The serving example: its sessions without a network, and the server itself over websockets."""

from __future__ import annotations

import asyncio
import importlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onecell import FrozenCell, LSTMCell
from onecell.errors import CheckpointError

SERVE = Path(__file__).parents[2] / "examples" / "serve"
CELL = LSTMCell(5, 18, rng=0).freeze("int8")


@pytest.fixture(scope="module", autouse=True)
def _path() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SERVE)
        yield


def make(rows: int = 4, most_away: int = 100, cell: FrozenCell = CELL) -> Any:
    return importlib.import_module("sessions").Sessions(cell, rows, most_away)


def refused() -> Any:
    return pytest.raises(importlib.import_module("sessions").RefusedError)


def inputs(count: int) -> np.ndarray:
    return np.random.default_rng(3).standard_normal((count, 5)).astype(np.float32)


def alone(xs: np.ndarray) -> bytes:
    """Return every h of a session that has the cell for itself."""
    stream = CELL.stream(None)
    return b"".join(stream.step(x).tobytes() for x in xs)


acts = st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from(["step", "go"])), max_size=30)


@given(st.lists(acts, max_size=8))
@settings(deadline=None, max_examples=60)
def test_whoever_comes_and_goes_every_answer_is_that_of_a_session_alone(rounds: Any) -> None:
    """In a round, sessions step at once; between them some leave, and others come back."""
    xs, seen = inputs(300), dict.fromkeys("abcde", 0)
    answers = dict.fromkeys("abcde", b"")
    sessions = make(rows=3)
    live: list[str] = []

    async def step(name: str) -> None:
        x = xs[seen[name]]
        seen[name] += 1
        answers[name] += (await sessions.step(name, x)).tobytes()

    async def run(acts: Any) -> None:
        stepping = {}
        for name, act in acts:
            if name in live and act == "go" and name not in stepping:
                sessions.leave(name)
                live.remove(name)
            elif name not in live and len(live) < 3:
                assert sessions.enter(name) == seen[name]
                live.append(name)
            if name in live and name not in stepping and act == "step":
                stepping[name] = step(name)
        before = sessions.batches
        await asyncio.gather(*stepping.values())
        assert sessions.batches == before + bool(stepping)  # one batch for all of them

    for acts in rounds:
        asyncio.run(run(acts))
    for name, count in seen.items():
        assert answers[name] == alone(xs[:count])


def test_rows_are_limited_and_names_are_taken_once() -> None:
    sessions = make(rows=2)
    sessions.enter("a")
    sessions.enter("b")
    for name in ("a", "c"):
        with refused():
            sessions.enter(name)
    with pytest.raises(ValueError, match="200 characters"):
        sessions.enter("n" * 201)
    sessions.leave("a")
    sessions.enter("c")
    assert len(sessions) == 2


def test_who_left_first_is_forgotten_first() -> None:
    sessions = make(rows=1, most_away=2)
    for name in "abc":
        sessions.enter(name)
        asyncio.run(sessions.step(name, inputs(1)[0]))
        sessions.leave(name)
    assert sessions.enter("a") == 0
    sessions.leave("a")  # so that b is forgotten in turn
    assert sessions.enter("c") == 1
    sessions.leave("c")
    assert sessions.enter("b") == 0


def test_an_input_that_cannot_be_taken_changes_nothing() -> None:
    async def run() -> bytes:
        sessions = make()
        sessions.enter("a")
        with pytest.raises(ValueError, match="5 numbers, got 4"):
            await sessions.step("a", xs[0, :4])
        first = asyncio.ensure_future(sessions.step("a", xs[0]))
        await asyncio.sleep(0)
        with refused():
            await sessions.step("a", xs[1])
        return bytes((await first).tobytes())

    xs = inputs(2)
    assert asyncio.run(run()) == alone(xs[:1])


def test_who_leaves_while_an_input_waits_has_not_stepped() -> None:
    async def run() -> int:
        sessions = make()
        for name in "ab":
            sessions.enter(name)
        gone = asyncio.ensure_future(sessions.step("a", xs[0]))
        stays = asyncio.ensure_future(sessions.step("b", xs[0]))
        await asyncio.sleep(0)
        gone.cancel()
        sessions.leave("a")
        assert (await stays).tobytes() == alone(xs[:1])
        return int(sessions.enter("a"))

    xs = inputs(1)
    assert asyncio.run(run()) == 0


def test_a_snapshot_brings_everybody_back(tmp_path: Path) -> None:
    xs = inputs(7)
    path = tmp_path / "states.safetensors"

    async def first() -> None:
        sessions = make()
        for name in ("here", "gone", "new"):
            sessions.enter(name)
        for x in xs[:4]:
            await asyncio.gather(sessions.step("here", x), sessions.step("gone", x))
        sessions.leave("gone")
        sessions.snapshot().save(path)

    async def again(name: str) -> bytes:
        sessions = make()
        assert sessions.load(path) == 3
        assert sessions.enter(name) == 4
        return b"".join([(await sessions.step(name, x)).tobytes() for x in xs[4:]])

    asyncio.run(first())
    assert list(tmp_path.iterdir()) == [path]
    for name in ("here", "gone"):
        assert alone(xs[:4]) + asyncio.run(again(name)) == alone(xs)
    with pytest.raises(ValueError, match="states of 18, the cell has H = 3"):
        make(cell=LSTMCell(5, 3).freeze()).load(path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CheckpointError):
        make().load(path)
    CELL.save(path, force=True)
    with pytest.raises(ValueError, match="no snapshot"):
        make().load(path)
    make().snapshot().save(path)
    assert make().load(path) == 0  # nobody


def connect(port: int, name: str) -> Any:
    from websockets.sync.client import connect

    return connect(f"ws://127.0.0.1:{port}/live/{name}", compression=None)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def start(folder: Path, port: int) -> subprocess.Popen[bytes]:
    words = ["cell.safetensors", "--states", "states.safetensors", "--rows", "2"]
    server = subprocess.Popen(
        [sys.executable, SERVE / "server.py", *words, "--port", str(port)], cwd=folder
    )
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return server
    raise AssertionError("the server did not start")


@pytest.mark.slow
def test_the_server_answers_refuses_and_remembers_across_a_restart(tmp_path: Path) -> None:
    from websockets.exceptions import ConnectionClosed

    CELL.save(tmp_path / "cell.safetensors")
    xs, port, answers = inputs(6), free_port(), b""

    def step(client: Any, x: np.ndarray) -> bytes:
        client.send(x.tobytes())
        return bytes(client.recv())

    server = start(tmp_path, port)
    try:
        with connect(port, "a") as a, connect(port, "b") as b:
            assert '"steps":0' in a.recv().replace(" ", "")
            b.recv()
            for x in xs[:3]:
                answers += step(a, x)
            step(b, xs[0])
            with connect(port, "c") as c, pytest.raises(ConnectionClosed) as full:
                c.recv()
            assert full.value.rcvd is not None
            assert full.value.rcvd.code == 1013
            b.send(b"1234")
            with pytest.raises(ConnectionClosed, match="5 numbers"):
                b.recv()
            with connect(port, "n" * 201) as n, pytest.raises(ConnectionClosed, match="1003"):
                n.recv()
            server.send_signal(signal.SIGTERM)
            assert server.wait(30) in (0, -signal.SIGTERM)
        server = start(tmp_path, port)
        with connect(port, "a") as a:
            assert '"steps":3' in a.recv().replace(" ", "")
            for x in xs[3:]:
                answers += step(a, x)
            a.send("1234")
            with pytest.raises(ConnectionClosed, match="as bytes"):
                a.recv()
        with connect(port, "d") as d:
            d.recv()
            d.send(b"12345")
            with pytest.raises(ConnectionClosed, match="as bytes"):
                d.recv()
    finally:
        server.kill()
        server.wait()
    assert answers == alone(xs)

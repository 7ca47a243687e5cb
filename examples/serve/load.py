"""A load test: many clients against the server, and against one torch cell a session.

    python load.py --sessions 2000 --rate 2 --seconds 10

Each session sends an input `rate` times a second, whether or not the machine keeps up, and a
latency counts from when the input should have been sent.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from server import make_app, serve
from sessions import Array, Sessions
from websockets.asyncio.client import ClientConnection, connect

from onecell import FrozenCell, LSTMCell


class TorchSessions(Sessions):
    """The same sessions, each stepped by itself on torch's cell as soon as its input is there."""

    def __init__(self, cell: FrozenCell, rows: int) -> None:
        super().__init__(cell, rows)
        self._states: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
        self._torch = torch.nn.LSTMCell(cell.input_size, cell.hidden_size)
        weights = {n: torch.from_numpy(a) for n, a in cell.weights.arrays().items()}
        self._torch.load_state_dict(weights)

    async def step(self, name: str, x: Array) -> Array:
        """Return h (H,) after one input."""
        with torch.inference_mode():
            row = torch.from_numpy(x.reshape(1, -1).copy())
            state = self._torch(row, self._states.get(name))
        self._states[name] = state
        self.batches += 1
        h: Array = state[0][0].numpy()
        return h


KINDS = {"onecell": Sessions, "torch": TorchSessions}


async def within(sessions: Sessions, count: int, seconds: float) -> tuple[float, list[float]]:
    """Step `count` sessions without a network, each as soon as it is answered."""
    x = np.ones(sessions.cell.input_size, np.float32)
    taken: list[float] = []
    end = time.perf_counter() + seconds

    async def session(name: str) -> None:
        sessions.enter(name)
        before = time.perf_counter()
        while before < end:
            await sessions.step(name, x)
            await asyncio.sleep(0)  # the others' turn, which torch's sessions wait for
            now = time.perf_counter()
            taken.append(now - before)
            before = now
        sessions.leave(name)

    await asyncio.gather(*(session(str(number)) for number in range(count)))
    return len(taken) / seconds, taken


async def outside(port: int, options: argparse.Namespace) -> tuple[float, list[float]]:
    """Step sessions through websockets, each at its own moments."""
    taken: list[float] = []
    message = np.ones(options.inputs, np.float32).tobytes()
    gate = asyncio.Semaphore(50)

    async def open_one(number: int) -> ClientConnection:
        async with gate:
            socket = await connect(f"ws://127.0.0.1:{port}/live/{number}", compression=None)
            await socket.recv()
            return socket

    sockets = await asyncio.gather(*map(open_one, range(options.sessions)))
    begin = time.perf_counter() + 0.5

    async def session(number: int, socket: ClientConnection) -> None:
        due = begin + number / options.sessions / options.rate
        while due < begin + options.seconds:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            await socket.send(message)
            await socket.recv()
            taken.append(time.perf_counter() - due)
            due += 1 / options.rate

    await asyncio.gather(*map(session, range(options.sessions), sockets))
    spent = time.perf_counter() - begin
    await asyncio.gather(*(socket.close() for socket in sockets))
    return len(taken) / spent, taken


def tell(what: str, rate: float, taken: list[float]) -> None:
    """Print one line of the table."""
    p50, p99 = np.percentile(np.array(taken) * 1e3, [50, 99])
    print(f"{what:24} {rate:10,.0f} steps/s   p50 {p50:8.2f} ms   p99 {p99:8.2f} ms", flush=True)


def main() -> None:
    """Measure, or serve to a process that does."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sessions", type=int, default=2000)
    arguments.add_argument("--rate", type=float, default=1.0, help="inputs a second of a session")
    arguments.add_argument("--seconds", type=float, default=10.0)
    arguments.add_argument("--inputs", type=int, default=64)
    arguments.add_argument("--units", type=int, default=256)
    arguments.add_argument("--weights", default="int8")
    arguments.add_argument("--only", choices=["within", "websockets"])
    arguments.add_argument("--serve", nargs=3, metavar=("KIND", "CELL", "PORT"))
    options = arguments.parse_args()
    torch.set_num_threads(1)
    if options.serve:
        kind, path, port = options.serve
        sessions = KINDS[kind](FrozenCell.load(path), options.sessions)
        serve(make_app(sessions), "127.0.0.1", int(port))
        return
    cell = LSTMCell(options.inputs, options.units, rng=0).freeze(options.weights)
    if options.only != "websockets":
        for kind, make in KINDS.items():
            tell(f"{kind}, within", *asyncio.run(within(
                make(cell, options.sessions), options.sessions, options.seconds)))  # fmt: skip
    if options.only == "within":
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cell.safetensors"
        cell.save(path)
        for port, kind in enumerate(KINDS, start=8765):
            words = ["--serve", kind, str(path), str(port), "--sessions", str(options.sessions)]
            child = subprocess.Popen([sys.executable, __file__, *words])
            try:
                wait_for(port)
                tell(f"{kind}, websockets", *asyncio.run(outside(port, options)))
            finally:
                child.terminate()
                child.wait()


def wait_for(port: int) -> None:
    """Return as soon as a server answers."""
    import socket  # noqa: PLC0415

    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the server did not start")


if __name__ == "__main__":
    main()

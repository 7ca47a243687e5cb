"""Frozen cells: their errors against the float64 reference, and their speed beside the peers'.

A step or an unroll, called as a user calls it, Python included. Every contender is checked against
the reference before it is timed, and rounds go over all of them in turn. A peer that is not
installed is named.
"""

from __future__ import annotations

import argparse
import copy
import importlib.util
import logging
import multiprocessing
import os
import signal
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from onecell import FrozenCell, LSTMCell, Spec, Weights, reference
from onecell.frozen import WEIGHT_DTYPES

Array: TypeAlias = np.ndarray
Step: TypeAlias = Callable[[], Any]
Size: TypeAlias = tuple[int, int, int, int]
Made: TypeAlias = tuple[Step, Callable[[Any], Array]]
"""A step, and what makes an array of the h that it returns."""

SIZES = [(1, 1, size, size) for size in (128, 256, 512, 1024)]
MANY_ROWS = [(t, batch, size, size) for t in (1, 50) for batch in (16, 64) for size in (512, 1024)]
"""(T, B, I, H)."""
CASES = [(1, 1, 10, 16), (5, 3, 10, 16), (50, 2, 64, 64), (50, 2, 256, 256), (200, 1, 512, 512)]
SCALES = [1.0, 3.0]
"""Weights are uniform(±scale/√H): fresh ones, and such as training may leave."""
CLOSE = 0.05
PEERS = {
    "float32": ("torch LSTMCell", "torch LSTM", "onnxruntime"),
    "bfloat16": ("torch bfloat16", "OpenVINO bfloat16"),
    "int8": ("torch dynamic int8", "onnxruntime dynamic int8"),
}


class Problem:
    """The same weights, input and state for everyone."""

    def __init__(self, steps: int, batch: int, input_size: int, hidden_size: int) -> None:
        rng = np.random.default_rng(0)
        self.size = steps, batch, input_size, hidden_size
        self.weights = Weights.random(Spec(input_size, hidden_size), rng)
        self.x = rng.standard_normal((steps, batch, input_size)).astype(np.float32)
        self.h, self.c = rng.uniform(-1, 1, (2, batch, hidden_size)).astype(np.float32)


def errors() -> None:
    """Print the largest and the root mean square error of h over the cases, for each storage."""
    print("| weights | scale | largest error of h | root mean square | largest error of c |")
    print("|---|---|---|---|---|")
    for name in WEIGHT_DTYPES:
        for scale in SCALES:
            found, cells = [], []
            for number, (steps, batch, input_size, hidden_size) in enumerate(CASES):
                rng = np.random.default_rng(number)
                fresh = Weights.random(Spec(input_size, hidden_size), rng).arrays()
                weights = Weights(**{n: (a * scale).astype("f4") for n, a in fresh.items()})
                x = rng.standard_normal((steps, batch, input_size)).astype("f4")
                h, c = rng.uniform(-1, 1, (2, batch, hidden_size)).astype("f4")
                want, want_c = reference.unroll(weights, x, h, c)
                got, (_, last) = LSTMCell.from_weights(weights).freeze(name).unroll(x, (h, c))
                found.append((got - want).ravel())
                cells.append(float(np.abs(last - want_c[-1]).max()))
            every = np.concatenate(found)
            worst, mean = np.abs(every).max(), float(np.sqrt(np.mean(every**2)))
            print(f"| {name} | {scale:g} | {worst:.1e} | {mean:.1e} | {max(cells):.1e} |")


def ours(p: Problem) -> Iterator[tuple[str, Made]]:
    """Yield our contenders."""
    live, state = LSTMCell.from_weights(p.weights), (p.h, p.c)
    frozen = {f"frozen {name}": live.freeze(name) for name in WEIGHT_DTYPES}
    cells: dict[str, LSTMCell | FrozenCell] = {"live": live, **frozen}
    for name, cell in cells.items():
        if len(p.x) == 1:
            yield f"onecell {name}", (partial(cell, p.x[0], state), lambda out: out[0])
        else:
            yield f"onecell {name}", (partial(cell.unroll, p.x, state), lambda out: out[0][-1])


def of_torch(p: Problem) -> Iterator[tuple[str, Made]]:
    """Yield torch's cell or layer, in bfloat16 too, and its dynamically quantised ones."""
    import torch  # noqa: PLC0415 - a peer may be missing

    kind, end = (torch.nn.LSTMCell, "") if len(p.x) == 1 else (torch.nn.LSTM, "_l0")
    cell = kind(*p.size[2:])
    cell.load_state_dict({n + end: torch.from_numpy(a) for n, a in p.weights.arrays().items()})

    def step(module: Any, dtype: torch.dtype = torch.float32) -> Made:  # noqa: ANN401
        x, h, c = (torch.from_numpy(a).to(dtype) for a in (p.x, p.h, p.c))
        given = (x[0], (h, c)) if len(p.x) == 1 else (x, (h[None], c[None]))

        def run() -> Any:  # noqa: ANN401
            with torch.inference_mode():
                return module(*given)

        return run, lambda out: (out[0] if len(p.x) == 1 else out[0][-1]).float().numpy()

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    yield f"torch {kind.__name__}", step(cell)
    yield "torch bfloat16", step(copy.deepcopy(cell).bfloat16(), torch.bfloat16)
    for name, dtype in (("int8", torch.qint8), ("float16", torch.float16)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the module is announced to move
            small = torch.ao.quantization.quantize_dynamic(
                torch.nn.Sequential(cell), {kind}, dtype=dtype
            )[0]
        yield f"torch dynamic {name}", step(small)


def of_openvino(p: Problem) -> Iterator[tuple[str, Made]]:
    """Yield OpenVINO's cell or sequence in bfloat16."""
    from bench.contenders.open_vino import request  # noqa: PLC0415

    work: Any = "step" if len(p.x) == 1 else "unroll"
    asked: Any = p  # all that it looks at
    made = request(asked, work, len(os.sched_getaffinity(0)), precision="bf16")
    yield (
        "OpenVINO bfloat16",
        (
            made.call,
            lambda out: out[0] if len(p.x) == 1 else out[0][:, 0, -1],
        ),
    )


def of_onnxruntime(p: Problem) -> Iterator[tuple[str, Made]]:
    """Yield onnxruntime's LSTM, and its dynamically quantised one."""
    import onnx  # noqa: PLC0415
    import onnxruntime  # noqa: PLC0415

    w = p.weights.arrays()

    def reordered(array: Array) -> Array:  # gates i o f c, a direction in front
        i, f, g, o = np.split(array, 4)
        return np.concatenate([i, o, f, g])[None]

    bias = np.concatenate([reordered(w["bias_ih"]), reordered(w["bias_hh"])], axis=1)
    names = {"w": reordered(w["weight_ih"]), "r": reordered(w["weight_hh"]), "b": bias}
    inputs = [("x", p.x.shape), ("h", (1, *p.h.shape)), ("c", (1, *p.c.shape))]
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    node = helper.make_node(
        "LSTM",
        ["x", *list(names), "", "h", "c"],
        ["y", "h_next", "c_next"],
        hidden_size=p.h.shape[1],
    )
    graph = helper.make_graph(
        [node],
        "step",
        [helper.make_tensor_value_info(n, kind, s) for n, s in inputs],
        [helper.make_tensor_value_info(n, kind, None) for n in ("y", "h_next", "c_next")],
        [onnx.numpy_helper.from_array(np.ascontiguousarray(a), n) for n, a in names.items()],
    )
    opset = helper.make_opsetid("", 14)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=9)
    feed = {"x": p.x, "h": p.h[None], "c": p.c[None]}

    def made(content: bytes) -> Made:
        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
        return lambda: session.run(None, feed), lambda out: out[1][0]

    yield "onnxruntime", made(model.SerializeToString())
    logging.disable(logging.WARNING)  # advice of the quantiser about its other uses
    from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "small.onnx"
        quantize_dynamic(model, small, weight_type=QuantType.QInt8)
        yield "onnxruntime dynamic int8", made(small.read_bytes())


GROUPS: dict[str, Callable[[Problem], Iterator[tuple[str, Made]]]] = {
    "onecell": ours,
    "torch": of_torch,
    "onnxruntime": of_onnxruntime,
    "openvino": of_openvino,
}


def microseconds(step: Step, seconds: float) -> float:
    """Return µs a call over at least `seconds`, after as long without looking."""
    calls = 0
    for _ in range(2):
        calls, start = 0, time.perf_counter()
        while (spent := time.perf_counter() - start) < seconds:
            step()
            calls += 1
    return spent / calls * 1e6


def work(group: str, size: Size, seconds: float, pipe: Connection) -> None:
    """Check the contenders of one group, tell their names, then time one whenever asked."""
    p = Problem(*size)
    want = reference.unroll(p.weights, p.x, p.h, p.c)[0][-1]
    steps = {}
    for name, (step, read) in GROUPS[group](p):
        error = float(np.abs(read(step()) - want).max())
        if not error < CLOSE:
            raise SystemExit(f"{name} at {size} is off by {error:.1e}: not timed.")
        steps[name] = step
    pipe.send(list(steps))
    while (name := pipe.recv()) is not None:
        pipe.send(microseconds(steps[name], seconds))


class Worker:
    """A process for one group of contenders, stopped while others are timed: idle threads spin."""

    def __init__(self, group: str, size: Size, seconds: float) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=work, args=(group, size, seconds, theirs))
        self._process.start()
        theirs.close()
        self.names: list[str] = self._pipe.recv()
        self._signal(signal.SIGSTOP)

    def _signal(self, number: int) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def time(self, name: str) -> float:
        """Return µs a call of one contender."""
        self._signal(signal.SIGCONT)
        self._pipe.send(name)
        found: float = self._pipe.recv()
        self._signal(signal.SIGSTOP)
        return found

    def close(self) -> None:
        """Let the process end."""
        self._signal(signal.SIGCONT)
        self._pipe.send(None)
        self._process.join()


def speed(sizes: list[Size], rounds: int, seconds: float) -> None:
    """Print µs a call, median over the rounds, and the ratio to the best peer of each precision."""
    there = [g for g in GROUPS if importlib.util.find_spec(g) is not None]
    for missing in GROUPS.keys() - there:
        print(f"({missing} is not installed)")
    for size in sizes:
        workers = [Worker(group, size, seconds) for group in there]
        times: dict[str, list[float]] = {name: [] for w in workers for name in w.names}
        for _ in range(rounds):
            for worker in workers:
                for name in worker.names:
                    times[name].append(worker.time(name))
        for worker in workers:
            worker.close()
        medians = {name: statistics.median(values) for name, values in times.items()}
        best = {kind: min_of(medians, names) for kind, names in PEERS.items()}
        print(f"\n(T, B, I, H) = {size}\n")
        print(f"| cell | µs | {' | '.join(f'best {kind} peer ÷ it' for kind in best)} |")
        print(f"|---|---|{'---|' * len(best)}")
        for name, median in medians.items():
            ratios = " | ".join(f"{value / median:.2f}" for value in best.values())
            print(f"| {name} | {median:.1f} | {ratios} |", flush=True)


def min_of(medians: dict[str, float], names: tuple[str, ...]) -> float:
    """Return the least of those that there are."""
    return min((medians[n] for n in names if n in medians), default=np.nan)


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["errors", "speed", "rows"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.03, help="of one timing")
    options = parser.parse_args()
    if options.only in {None, "errors"}:
        errors()
    if options.only in {None, "speed"}:
        speed(SIZES, options.rounds, options.seconds)
    if options.only in {None, "rows"}:
        speed(MANY_ROWS, options.rounds, options.seconds)


if __name__ == "__main__":
    main()

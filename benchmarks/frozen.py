"""Frozen cells: their errors against the float64 reference, and their speed beside the peers'.

One step, called as a user calls it, Python included. Every contender is checked against the
reference before it is timed, and rounds go over all of them in turn. A peer that is not installed
is named.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np

from onecell import LSTMCell, Spec, Weights, reference
from onecell.frozen import WEIGHT_DTYPES

Array: TypeAlias = np.ndarray
Step: TypeAlias = Callable[[], Any]
Made: TypeAlias = tuple[Step, Callable[[Any], Array]]
"""A step, and what makes an array of the h that it returns."""

SIZES = [(1, 128, 128), (1, 256, 256), (1, 512, 512), (1, 1024, 1024)]
CASES = [(1, 1, 10, 16), (5, 3, 10, 16), (50, 2, 64, 64), (50, 2, 256, 256), (200, 1, 512, 512)]
SCALES = [1.0, 3.0]
"""Weights are uniform(±scale/√H): fresh ones, and such as training may leave."""
CLOSE = 0.05


class Problem:
    """The same weights, input and state for everyone."""

    def __init__(self, batch: int, input_size: int, hidden_size: int) -> None:
        rng = np.random.default_rng(0)
        self.weights = Weights.random(Spec(input_size, hidden_size), rng)
        self.x = rng.standard_normal((batch, input_size)).astype(np.float32)
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
    yield "onecell live", (lambda: live(p.x, state), lambda out: out[0])
    for name in WEIGHT_DTYPES:
        cell = live.freeze(name)
        yield (
            f"onecell frozen {name}",
            (lambda cell=cell: cell(p.x, state), lambda out: out[0]),
        )


def of_torch(p: Problem) -> Iterator[tuple[str, Made]]:
    """Yield torch's cell, and its dynamically quantised ones."""
    import torch  # noqa: PLC0415 - a peer may be missing

    cell = torch.nn.LSTMCell(p.x.shape[1], p.h.shape[1])
    cell.load_state_dict({n: torch.from_numpy(a) for n, a in p.weights.arrays().items()})
    x, h, c = map(torch.from_numpy, (p.x, p.h, p.c))

    def step(module: Any) -> Step:  # noqa: ANN401 - quantised modules are no common class
        def run() -> Any:  # noqa: ANN401
            with torch.inference_mode():
                return module(x, (h, c))

        return run

    yield "torch LSTMCell", (step(cell), lambda out: out[0].numpy())
    for name, dtype in (("int8", torch.qint8), ("float16", torch.float16)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the module is announced to move
            small = torch.ao.quantization.quantize_dynamic(
                torch.nn.Sequential(cell), {torch.nn.LSTMCell}, dtype=dtype
            )[0]
        yield f"torch dynamic {name}", (step(small), lambda out: out[0].numpy())


def of_onnxruntime(p: Problem) -> Iterator[tuple[str, Made]]:
    """Yield onnxruntime's LSTM over one step, and its dynamically quantised one."""
    import onnx  # noqa: PLC0415
    import onnxruntime  # noqa: PLC0415

    names = {n: a[None] for n, a in p.weights.to_dialect("onnx").items()}
    inputs = [("x", p.x.shape), ("h", p.h.shape), ("c", p.c.shape)]
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
        [helper.make_tensor_value_info(n, kind, (1, *s)) for n, s in inputs],
        [helper.make_tensor_value_info(n, kind, None) for n in ("h_next", "c_next")],
        [onnx.numpy_helper.from_array(np.ascontiguousarray(a), n) for n, a in names.items()],
    )
    opset = helper.make_opsetid("", 14)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=9)
    feed = {"x": p.x[None], "h": p.h[None], "c": p.c[None]}

    def made(content: bytes) -> Made:
        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
        return lambda: session.run(None, feed), lambda out: out[0][0]

    yield "onnxruntime", made(model.SerializeToString())
    from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415

    small = io.BytesIO()
    quantize_dynamic(model, small, weight_type=QuantType.QInt8)
    yield "onnxruntime dynamic int8", made(small.getvalue())


def contenders(p: Problem) -> Iterator[tuple[str, Made]]:
    """Yield everybody who is installed, and name who is not."""
    yield from ours(p)
    for library, make in (("torch", of_torch), ("onnxruntime", of_onnxruntime)):
        if importlib.util.find_spec(library) is None:
            print(f"({library} is not installed)")
            continue
        yield from make(p)


def microseconds(step: Step, seconds: float) -> float:
    """Return µs a call over at least `seconds`."""
    calls, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        step()
        calls += 1
    return spent / calls * 1e6


def speed(rounds: int, seconds: float) -> None:
    """Print µs a call, median over the rounds, and the ratio to the best float32 peer."""
    for size in SIZES:
        p = Problem(*size)
        want = reference.step(p.weights, p.x, p.h, p.c)[0]
        steps: dict[str, Step] = {}
        for name, (step, read) in contenders(p):
            error = float(np.abs(read(step()) - want).max())
            if not error < CLOSE:
                raise SystemExit(f"{name} at {size} is off by {error:.1e}: not timed.")
            steps[name] = step
        times: dict[str, list[float]] = {name: [] for name in steps}
        for _ in range(rounds):
            for name, step in steps.items():
                times[name].append(microseconds(step, seconds))
        medians = {name: statistics.median(values) for name, values in times.items()}
        best = min(medians.get(n, np.inf) for n in ("torch LSTMCell", "onnxruntime"))
        print(f"\n(B, I, H) = {size}\n")
        print("| cell | µs a step | best float32 peer ÷ it |\n|---|---|---|")
        for name, median in medians.items():
            print(f"| {name} | {median:.1f} | {best / median:.2f} |")


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["errors", "speed"])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.02, help="of one timing")
    options = parser.parse_args()
    if options.only != "speed":
        errors()
    if options.only != "errors":
        speed(options.rounds, options.seconds)


if __name__ == "__main__":
    main()

"""The kernel called from C++, with no Python around it: what a stream is held against."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bench import probes
from bench.contenders import Prepared
from bench.problem import Outputs, Problem, Work


class _Program:
    """The probe with a file of weights, which lives as long as this does."""

    def __init__(self, p: Problem) -> None:
        self._folder = TemporaryDirectory()
        self._file = Path(self._folder.name) / "weights"
        w = p.weights.arrays()
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        self._file.write_bytes(b"".join(a.tobytes() for a in (*(w[n] for n in names), p.x[0])))
        self._sizes = [str(n) for n in p.size[1:]]
        self._program = probes.build() / "bare_step"

    def run(self, seconds: float) -> list[float]:
        """Return µs a step, then h' of the first step."""
        command = [str(self._program), *self._sizes, str(seconds), str(self._file)]
        return [float(line) for line in subprocess.check_output(command, text=True).split()]


def kernel(p: Problem, work: Work, threads: int) -> Prepared:
    """`onecell::unroll` of one step, state to state, from a program of its own."""
    assert work == "stream"
    program = _Program(p)

    def read() -> Outputs:
        h = np.array(program.run(0.0)[1:], np.float32)
        return {"h": h.reshape(1, p.size.batch, p.size.hidden)}

    return Prepared(
        read, read, f"compiled, {threads} CPUs", measure=lambda seconds: program.run(seconds)[0]
    )


def _ceiling(threads: int, settings: str, measure: Callable[[float], float]) -> Prepared:
    probes.build()  # where that fails, it is to be known before the clock starts

    def read() -> Outputs:
        raise AssertionError("a ceiling computes nothing that could be wrong")

    return Prepared(read, read, f"compiled, {threads} threads, {settings}", measure=measure)


def _probe(threads: int, *words: object) -> float:
    command = [str(probes.build() / "roofline"), str(threads), *map(str, words)]
    return float(subprocess.check_output(command, text=True))


def multiply_adds(p: Problem, work: Work, threads: int) -> Prepared:
    """As many multiply-adds, out of registers: no cell can be quicker than this."""
    # Backward there are two products for each one forward: by the inputs and by the weights.
    count = p.size.multiply_adds * (1 if work in ("step", "unroll") else 3)
    return _ceiling(
        threads,
        "the multiply-adds of the products, operands in registers",
        lambda seconds: 2e-3 * count / _probe(threads, "fma", seconds),
    )


def reading(p: Problem, work: Work, threads: int) -> Prepared:
    """Only reading the weights of every step, as often as an unrolled sequence has to."""
    step_bytes = 4 * p.size.read_each_step
    kib = max(1, step_bytes // 1024)
    return _ceiling(
        threads,
        "reading the weights that each step reads, the recurrent ones where there are more",
        lambda seconds: 1e-3 * step_bytes * p.size.steps / _probe(threads, "read", kib, seconds),
    )

"""Same bits: every way through MindSpore gives what the cell over arrays gives."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
import pytest
from hypothesis import given, settings
from mindspore import Tensor, nn

from mindspore_cells import by_loop, by_unroll, forward, ours, results, step_inputs, tensor
from onecell.mindspore import autograd, calls, graph, plain
from problems import Problem, assert_same_bits, problem, problems
from problems import results as array_results

OUTPUTS = ("h_all", "h_last", "c_last")


def array_outputs(p: Problem) -> dict[str, Any]:
    found = array_results(p)
    return {name: found[name] for name in OUTPUTS}


@pytest.fixture
def no_operators(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail wherever a call leaves the direct ways."""

    def fail(*_: Any) -> None:
        raise AssertionError("the call went by operators")

    monkeypatch.setattr(graph, "step", fail)
    monkeypatch.setattr(graph, "unroll", fail)


@given(problems())
@settings(max_examples=25, deadline=None)
def test_eager_has_the_bits_of_arrays(p: Problem) -> None:
    cell = ours(p)
    assert_same_bits(forward(p, cell, by_unroll), array_outputs(p))
    assert_same_bits(forward(p, cell, by_loop), array_outputs(p))


@given(problems())
@settings(max_examples=15, deadline=None)
def test_recorded_unroll_has_the_bits_of_arrays_gradients_and_all(p: Problem) -> None:
    assert_same_bits(results(p, ours(p), by_unroll), array_results(p))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.usefixtures("no_operators")
def test_recorded_step_has_the_bits_of_arrays(bias: bool, dtype: Any) -> None:
    p = problem(1, bias=bias, dtype=dtype)
    assert_same_bits(results(p, ours(p), by_loop), array_results(p))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.usefixtures("no_operators")
def test_eager_calls_need_no_operator(bias: bool) -> None:
    p = problem(bias=bias)
    cell, (x, state) = ours(p), step_inputs(p)
    cell(x, state)
    cell.unroll(tensor(p.x), state)
    cell(x)


@pytest.mark.parametrize("run", [by_loop, by_unroll])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("mode", ["ast", "bytecode"])
def test_compiled_has_the_bits_of_arrays(mode: str, bias: bool, dtype: Any, run: Any) -> None:
    p = problem(2, bias=bias, dtype=dtype)
    cell = ours(p)

    def compiled(x: Tensor, h: Tensor, c: Tensor) -> Any:
        return run(cell, x, (h, c))

    call = ms.jit(compiled, capture_mode=mode)
    for _ in range(2):
        h_all, (h_last, c_last) = call(tensor(p.x), tensor(p.h), tensor(p.c))
        found = {"h_all": h_all, "h_last": h_last, "c_last": c_last}
        assert_same_bits({n: a.asnumpy() for n, a in found.items()}, array_outputs(p))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("mode", ["ast", "bytecode"])
def test_gradient_of_compiled_has_the_bits_of_arrays(mode: str, bias: bool) -> None:
    p = problem(bias=bias)

    def wrap(function: Any) -> Any:
        return ms.jit(function, capture_mode=mode)

    assert_same_bits(results(p, ours(p), by_unroll, wrap=wrap), array_results(p))


@pytest.mark.parametrize("mode", ["ast", "bytecode"])
def test_compiled_gradient_has_the_bits_of_arrays(mode: str) -> None:
    p = problem(dtype=np.float64)

    def outside(function: Any) -> Any:
        return ms.jit(function, capture_mode=mode)

    assert_same_bits(results(p, ours(p), by_unroll, outside=outside), array_results(p))


TRACED = """
import mindspore as ms
import numpy as np
from onecell.mindspore import LSTMCell

cell = LSTMCell(10, 16)
x, h, c = (ms.Tensor(np.full((3, size), 0.5, np.float32)) for size in (10, 16, 16))

@ms.jit(capture_mode="trace")
def traced(x, h, c):
    return cell(x, (h, c))

for scale in (1, 2, 3):
    scaled = ms.Tensor(x.asnumpy() * np.float32(scale))
    got, want = traced(scaled, h, c), cell(scaled, (h, c))
    assert [a.asnumpy().tobytes() for a in got] == [a.asnumpy().tobytes() for a in want], scale
"""


def test_traced_operators_see_later_inputs(tmp_path: Path) -> None:
    # In a process of its own: the tracer reads the source of every frame, pytest's included.
    script = tmp_path / "traced.py"
    script.write_text(TRACED)
    subprocess.run([sys.executable, script], check=True, capture_output=True, timeout=300)


class Around(nn.Cell):  # type: ignore[misc]
    """A cell around a cell, as users have them."""

    def __init__(self, cell: Any) -> None:
        super().__init__()
        self.cell = cell

    def construct(self, x: Tensor, h: Tensor, c: Tensor) -> Any:
        h_all, state = self.cell.unroll(x, (h, c))
        return h_all, self.cell(x[0], state)


@pytest.mark.parametrize("bias", [True, False])
def test_graph_mode_has_the_bits_of_eager(bias: bool) -> None:
    p = problem(bias=bias)
    net = Around(ours(p))
    arguments = tensor(p.x), tensor(p.h), tensor(p.c)
    h_all, (h, c) = net(*arguments)
    ms.set_context(mode=ms.GRAPH_MODE)
    in_graph_all, (in_graph_h, in_graph_c) = net(*arguments)
    for eager, compiled in ((h_all, in_graph_all), (h, in_graph_h), (c, in_graph_c)):
        assert eager.asnumpy().tobytes() == compiled.asnumpy().tobytes()


@pytest.mark.parametrize(
    ("where", "name", "value"),
    [(autograd, "_Function", None), (plain, "KNOWN", False), (calls, "quick", None)],
)
def test_private_names_that_go_change_no_bit(
    where: Any, name: str, value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(where, name, value)
    p = problem()
    assert_same_bits(forward(p, ours(p), by_loop), array_outputs(p))
    assert_same_bits(results(p, ours(p), by_unroll), array_results(p))


def strided(array: Any) -> Tensor:
    """Return a tensor of the values of `array`, transposed in memory."""
    return tensor(np.ascontiguousarray(array.T)).T


def offset(array: Any) -> Tensor:
    """Return a view into a larger tensor."""
    return tensor(np.stack([array * 0, array]))[1]


def misaligned(array: Any) -> Tensor:
    """Return a tensor that starts at an odd address."""
    raw = np.zeros(array.nbytes + 1, np.uint8)[1:].view(array.dtype).reshape(array.shape)
    raw[...] = array
    return Tensor.from_numpy(raw)


@pytest.mark.parametrize("place", [strided, offset, misaligned])
@pytest.mark.parametrize("record", [False, True])
def test_where_a_tensor_lies_changes_no_bit(place: Any, record: bool) -> None:
    p = problem()
    cell = ours(p)
    x, h, c = (place(array) for array in (p.x[0], p.h, p.c))
    want = p.cell(p.x[0], p.state)

    def run(x: Tensor) -> Any:
        h_next, c_next = cell(x, (h, c))
        return h_next.sum(), h_next, c_next

    got = ms.value_and_grad(run, has_aux=True)(x)[0][1:] if record else cell(x, (h, c))
    assert [a.asnumpy().tobytes() for a in got] == [a.tobytes() for a in want]


@pytest.mark.parametrize("record", [False, True])
def test_the_kernel_is_given_aligned_addresses_only(
    record: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def aligned(function: Any) -> Any:
        def call(*arguments: int) -> None:
            assert not any(value % 4 for value in arguments if value > 2**20)
            function(*arguments)

        return call

    kernel = calls.FLOAT32
    watched = {name: aligned(getattr(kernel, name)) for name in ("step", "unroll", "backward")}
    monkeypatch.setattr(calls, "FLOAT32", replace(kernel, **watched))
    p = problem()
    cell, state = ours(p), tuple(misaligned(a) for a in p.state)

    def run(x: Tensor) -> Any:
        return cell(x, state)[0].sum()

    (ms.grad(run) if record else run)(misaligned(p.x[0]))


def test_strided_parameters_change_no_bit() -> None:
    p = problem()
    cell = ours(p)
    cell.weight_ih = ms.Parameter(strided(p.weights.weight_ih), name="weight_ih")
    got, want = cell(*step_inputs(p)), p.cell(p.x[0], p.state)
    assert [a.asnumpy().tobytes() for a in got] == [a.tobytes() for a in want]


def test_a_row_does_not_depend_on_the_batch_around_it() -> None:
    p = problem(batch=5)
    cell, (x, (h, c)) = ours(p), step_inputs(p)
    whole, alone = cell(x, (h, c)), cell(x[2], (h[2], c[2]))
    assert whole[0].asnumpy()[2].tobytes() == alone[0].asnumpy().tobytes()
    assert whole[1].asnumpy()[2].tobytes() == alone[1].asnumpy().tobytes()

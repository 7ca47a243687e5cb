"""Graphs whose steps are gathered compute what their steps compute, in as few calls as may be."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch._dynamo.backends.common import aot_autograd
from torch._functorch._aot_autograd.utils import make_boxed_func
from torch.fx import GraphModule

from onecell.torch import LSTMCell, reading
from onecell.torch.gathering import Gathering
from problems import problem
from torch_cells import by_loop, ours, step_inputs

BETWEEN: dict[str, Any] = {
    "nothing": lambda h: h,
    "relu": torch.relu,
    "a sum with itself": lambda h: h + h,
    "a turn": lambda h: h.T.contiguous().T,
}
ROWS: dict[str, Any] = {
    "time first": lambda x: [x[t] for t in range(x.shape[0])],
    "counted back": lambda x: [x[t - x.shape[0]] for t in range(x.shape[0])],
    "batch first": lambda x: [x.transpose(0, 1).contiguous()[:, t] for t in range(x.shape[0])],
    "iterated": list,
}


@pytest.fixture
def graphs() -> Iterator[list[GraphModule]]:
    """The graphs that were compiled, forward and backward, after the pass."""
    torch.compiler.reset()
    yield []
    torch.compiler.reset()


def compiled(function: Any, graphs: list[GraphModule]) -> Any:
    def gather(module: GraphModule, _: Any) -> Any:
        Gathering()(module.graph)
        module.recompile()
        graphs.append(module)
        return make_boxed_func(module.forward)

    backend = aot_autograd(fw_compiler=gather, bw_compiler=gather)
    return torch.compile(function, fullgraph=True, backend=backend)


def programs(module: GraphModule) -> list[str]:
    """Return the programs of a graph that calls the kernel in no other way."""
    calls = [node for node in module.graph.nodes if str(node.target).startswith("onecell.")]
    assert all(node.target is torch.ops.onecell.program.default for node in calls)
    return [node.args[1] for node in calls]


def words(module: GraphModule, word: str) -> int:
    return sum(program.split().count(word) for program in programs(module))


def network(cells: list[LSTMCell], between: str, rows: str) -> Any:
    def run(x: Tensor) -> Tensor:
        states: list[Any] = [None] * len(cells)
        out = []
        for row in ROWS[rows](x):
            h = row
            for k, cell in enumerate(cells):
                states[k] = cell(h, states[k])
                h = BETWEEN[between](states[k][0])
            out.append(h)
        return torch.stack(out)

    return run


def cells_of(sizes: list[int], bias: bool, dtype: torch.dtype) -> list[LSTMCell]:
    return [LSTMCell(i, h, bias=bias, dtype=dtype) for i, h in pairwise(sizes)]


@settings(
    deadline=None, max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    sizes=st.lists(st.integers(1, 5), min_size=2, max_size=4),
    steps=st.integers(1, 4),
    batch=st.sampled_from([1, 3, 100]),
    bias=st.booleans(),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    between=st.sampled_from(list(BETWEEN)),
    rows=st.sampled_from(list(ROWS)),
    wanted=st.booleans(),
    frozen=st.booleans(),
)
def test_the_bits_are_those_of_the_steps(
    sizes: list[int],
    steps: int,
    batch: int,
    bias: bool,
    dtype: torch.dtype,
    between: str,
    rows: str,
    wanted: bool,
    frozen: bool,
    graphs: list[GraphModule],
) -> None:
    torch.compiler.reset()
    graphs.clear()
    cells = cells_of(sizes, bias, dtype)
    cells[0].weight_hh.requires_grad_(not frozen)
    x = torch.randn(steps, batch, sizes[0], dtype=dtype, requires_grad=wanted)
    run = network(cells, between, rows)
    leaves = [p for p in [x, *(p for c in cells for p in c.parameters())] if p.requires_grad]
    want = run(x)
    got = compiled(run, graphs)(x)
    assert torch.equal(got, want)
    by = torch.randn_like(want)
    found = torch.autograd.grad(got, leaves, by)
    assert all(map(torch.equal, found, torch.autograd.grad(want, leaves, by)))
    forward, backward = graphs
    assert words(forward, "record") == words(backward, "back") == steps * len(cells)
    assert words(backward, "sums") == len(cells)


def test_a_loop_over_two_cells_is_one_call_each_way(graphs: list[GraphModule]) -> None:
    run = network(cells_of([3, 5, 4], True, torch.float32), "nothing", "batch first")
    compiled(run, graphs)(torch.randn(6, 2, 3)).sum().backward()
    assert [len(programs(graph)) for graph in graphs] == [1, 1]
    with torch.no_grad():
        compiled(run, graphs)(torch.randn(6, 2, 3))
    assert len(programs(graphs[2])) == 1
    assert words(graphs[2], "step") == 12


def test_what_lies_between_parts_the_calls_but_not_the_sums(graphs: list[GraphModule]) -> None:
    (cell,) = cells_of([4, 4], True, torch.float32)

    def decode(x: Tensor) -> Tensor:
        state = cell(x)
        for _ in range(3):
            state = cell(torch.softmax(state[0], 1), state)
        last: Tensor = state[0]
        return last

    compiled(decode, graphs)(torch.randn(2, 4)).sum().backward()
    forward, backward = graphs
    assert len(programs(forward)) == 4
    assert words(backward, "sums") == 1


def test_other_batches_of_one_cell_are_summed(graphs: list[GraphModule]) -> None:
    (cell,) = cells_of([3, 2], False, torch.float64)

    def run(x: Tensor) -> Tensor:
        return torch.cat([cell(x)[0], cell(x[:2])[0], cell(x[:2] + 1)[0]])

    x = torch.randn(5, 3, dtype=torch.float64)
    compiled(run, graphs)(x).square().sum().backward()
    found = [p.grad for p in cell.parameters()]
    want = torch.autograd.grad(run(x).square().sum(), list(cell.parameters()))
    torch.testing.assert_close(found, list(want))


def test_no_rows_are_left_to_the_operators(graphs: list[GraphModule]) -> None:
    (cell,) = cells_of([3, 2], True, torch.float32)
    out = compiled(lambda x: cell(x)[0], graphs)(torch.randn(0, 3))
    out.sum().backward()
    assert out.shape == (0, 2)
    assert not any(p.grad is None or p.grad.any() for p in cell.parameters())


@pytest.mark.filterwarnings("ignore:.torch.jit.script_method. is deprecated:DeprecationWarning")
def test_inductor_gathers_a_whole_loop(kernel: Any) -> None:
    torch.compiler.reset()
    p = problem(steps=3)
    cell, (_, state) = ours(p), step_inputs(p)
    xs = torch.from_numpy(p.x)
    want, _ = by_loop(cell, xs, state)
    by = torch.autograd.grad(want.sum(), list(cell.parameters()))
    kernel.calls = 0
    got, _ = torch.compile(lambda x: by_loop(cell, x, state), fullgraph=True)(xs)
    assert kernel.calls == 1
    assert torch.equal(got, want)
    found = torch.autograd.grad(got.sum(), list(cell.parameters()))
    assert kernel.calls == 2
    assert all(map(torch.equal, found, by))


@pytest.mark.filterwarnings("ignore:.torch.jit.script_method. is deprecated:DeprecationWarning")
def test_states_that_are_written_are_read_before() -> None:
    torch.compiler.reset()
    cell = LSTMCell(3, 3)

    def listen(x: Tensor, h: Tensor, c: Tensor) -> Tensor:
        first = cell(x, (h, c))
        out = h.sin() + first[1]
        second = cell(out.relu(), first)
        third = cell(first[0], second)
        h.copy_(third[0])
        c.copy_(second[1])
        heard: Tensor = out + third[1] + h
        return heard

    x, state = torch.randn(2, 3), torch.randn(2, 2, 3)
    mine, other = state.clone(), state.clone()
    with torch.no_grad():
        run = torch.compile(listen, fullgraph=True)
        for _ in range(2):
            torch.testing.assert_close(run(x, *mine), listen(x, *other))
            torch.testing.assert_close(mine, other)


STEP = "step 0 1 2 3 4 5 6"


@pytest.mark.parametrize(
    "program",
    ["", "give", "step", "0 1", "words", f"{STEP} give 7 x", STEP, "add 1 give 7", "give -2",
     "give 99999999999999999999", f"give {2**40}", "back 7 1 give 7", "sums 1 give 7"],
)  # fmt: skip
def test_what_is_no_program_is_refused(program: str) -> None:
    assert reading.step_reader is not None
    x, cell = torch.randn(2, 3), LSTMCell(3, 4)
    given = [x, torch.randn(2, 4), torch.randn(2, 4), *(p.detach() for p in cell.parameters())]
    if program == "give":
        assert reading.step_reader.run(given, program) == []
        return
    with pytest.raises(ValueError, match="no such program"):
        reading.step_reader.run(given, program)


@pytest.mark.parametrize(
    "program",
    ["give 99", "give 0", "give -1", "step 0 0 0 0 0 0 0 give 7", "step 0 1 2 3 4 5 -1 give 7",
     "step -1 1 2 3 4 5 6 give 7", "pick 0 0 0 give 7", "add 0 1 give 7", "add 3 3 add 7 9 give 8",
     "back 7 1 1 1 1 1 1 give 8", "sums 15 0 1 2 give 7", f"{STEP} give 1", f"{STEP} give 9"],
)  # fmt: skip
def test_programs_of_other_tensors_are_refused(program: str) -> None:
    assert reading.step_reader is not None
    x, cell = torch.randn(2, 3), LSTMCell(3, 4)
    given = [x, torch.randn(2, 4), torch.randn(2, 4), *(p.detach() for p in cell.parameters())]
    assert reading.step_reader.run(given, program) is None
    with pytest.raises(RuntimeError, match="not of one cell"):
        torch.ops.onecell.program(given, program)
    for at in range(len(given)):
        odd = [*given]
        odd[at] = given[at].half()
        assert reading.step_reader.run(odd, f"{STEP} give 7 8") is None

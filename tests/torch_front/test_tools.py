"""What tools that look into a model find of ours: profilers, tracers, packages."""

from __future__ import annotations

import io
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.package.package_exporter import PackageExporter, PackagingError
from torch.package.package_importer import PackageImporter
from torch.profiler import ProfilerActivity, profile

from onecell.torch import LSTM, LSTMCell
from problems import problem
from torch_cells import ours

P = problem(steps=3)
X = torch.from_numpy(P.x)
STATE = (torch.from_numpy(P.h), torch.from_numpy(P.c))


class Unrolled(torch.nn.Module):
    """A model of one cell, which it unrolls."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = ours(P)

    def forward(self, x: Tensor) -> Tensor:
        h_all, (h, c) = self.cell.unroll(x)
        total: Tensor = h_all.sum() + h.sum() + c.sum()
        return total


def events(run: Any) -> set[str]:
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        run()
    return {event.key for event in seen.key_averages()}


@pytest.mark.parametrize("recording", [True, False])
def test_a_profiler_shows_the_operators_by_name(recording: bool) -> None:
    cell = ours(P)

    def run() -> None:
        with torch.set_grad_enabled(recording):
            h, _ = cell(X[0])
            h_all, _ = cell.unroll(X)
        if recording:
            (h.sum() + h_all.sum()).backward()

    seen = events(run)
    assert {"onecell::lstm_cell", "onecell::lstm"} <= seen
    if recording:
        assert {"onecell::lstm_cell_step_backward", "onecell::lstm_cell_steps_backward"} <= seen
    assert not seen & {"Step", "StepBackward", "Anchor", "AnchorBackward", "Cell", "CellBackward"}


@pytest.mark.parametrize("kind", ["cell", "frozen", "stream", "frozen unroll", "LSTM", "one step"])
@torch.no_grad()
def test_a_profiler_shows_whatever_computes_and_changes_no_bit(kind: str) -> None:
    cell = ours(P)
    lstm = LSTM(cell.input_size, cell.hidden_size)
    runs: dict[str, tuple[Any, Tensor]] = {
        "cell": (cell, X[0]),
        "frozen": (lambda x: cell.freeze()(x, STATE), X[0]),
        "stream": (lambda x: [cell.freeze().stream(len(x)).step(x)], X[0]),
        "frozen unroll": (lambda x: cell.freeze().unroll(x)[:1], X),
        "LSTM": (lambda x: lstm(x)[:1], X),
        "one step": (lambda x: lstm(x)[:1], X[:1]),
    }
    run, given = runs[kind]
    got: list[Tensor] = []
    want = run(given)
    seen = events(lambda: got.extend(run(given)))
    assert {"onecell::lstm_cell", "onecell::lstm"} & seen
    assert all(torch.equal(a, b) for a, b in zip(got, want, strict=True))


def test_symbolic_tracing_makes_one_node_of_unroll() -> None:
    model = Unrolled()
    traced = torch.fx.symbolic_trace(model)
    traced.graph.lint()
    assert torch.equal(traced(X), model(X))


@pytest.mark.filterwarnings("ignore:.*torch.jit.script.* is deprecated:DeprecationWarning")
def test_scripting_has_no_unroll() -> None:
    with pytest.raises((AssertionError, RuntimeError), match=r"annotation|unroll"):
        torch.jit.script(Unrolled())


@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated:UserWarning")
@pytest.mark.parametrize("how", ["intern", "extern"])
def test_a_package_takes_onecell_from_outside(how: str) -> None:
    cell, buffer = ours(P), io.BytesIO()

    def save() -> None:
        with PackageExporter(buffer) as package:
            getattr(package, how)(["onecell.**"])
            package.extern(["torch.**", "numpy.**", "ctypes.**", "typing_extensions"])
            package.save_pickle("model", "cell.pkl", cell)

    if how == "intern":
        with pytest.raises(PackagingError, match=r"onecell\._kernel"):
            save()
        return
    save()
    buffer.seek(0)
    loaded = PackageImporter(buffer).load_pickle("model", "cell.pkl")
    assert isinstance(loaded, LSTMCell)
    assert torch.equal(loaded(X[0])[0], cell(X[0])[0])

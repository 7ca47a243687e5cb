"""Exported programs hold torch's and ONNX's own operators: they run where onecell is not."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor

from problems import problem
from torch_cells import State, of_torch, ours, step_inputs

QUIET = (  # what torch's exporters and its quantiser say about themselves
    "ignore:.isinstance.treespec, LeafSpec.:FutureWarning",
    "ignore:You are using the legacy TorchScript-based ONNX export:DeprecationWarning",
    "ignore:The feature will be removed:DeprecationWarning",
    "ignore:.torch.jit.* is deprecated:DeprecationWarning",
    "ignore:torch.ao.quantization is deprecated:DeprecationWarning",
    "ignore:Exporting a model to ONNX with a batch_size other than 1:UserWarning",
)
pytestmark = [pytest.mark.filterwarnings(line) for line in QUIET]

P = problem()
X, STATE = step_inputs(P)


class Twice(torch.nn.Module):
    """A model with the cell in it, called twice."""

    def __init__(self, cell: torch.nn.LSTMCell) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> State:
        h, c = self.cell(x, (h, c))
        pair: State = self.cell(x, (h, c))
        return pair


class Through(torch.nn.Module):
    """A model that unrolls."""

    def __init__(self, cell: Any) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x: Tensor) -> Tensor:
        h_all: Tensor = self.cell.unroll(x)[0]
        return h_all


def domains(program: torch.export.ExportedProgram) -> set[str]:
    calls = (node.target for node in program.graph.nodes if node.op == "call_function")
    return {target.namespace for target in calls if isinstance(target, torch._ops.OpOverload)}


@pytest.mark.parametrize("strict", [True, False])
def test_export_saves_loads_and_runs_for_any_batch(strict: bool) -> None:
    batch = torch.export.Dim("batch")
    shapes = {name: {0: batch} for name in ("x", "h", "c")}
    model = Twice(ours(P))
    program = torch.export.export(model, (X, *STATE), dynamic_shapes=shapes, strict=strict)
    assert domains(program) == {"aten"}
    file = io.BytesIO()
    torch.export.save(program, file)
    file.seek(0)
    again = torch.export.load(file).module()
    x, h = torch.randn(7, 10), torch.randn(7, 16)
    torch.testing.assert_close(again(x, h, -h), Twice(of_torch(P))(x, h, -h))


def test_unroll_exports() -> None:
    xs = torch.from_numpy(P.x)
    program = torch.export.export(Through(ours(P)), (xs,))
    assert domains(program) == {"aten"}
    torch.testing.assert_close(program.module()(-xs), ours(P).unroll(-xs)[0])


@pytest.mark.slow  # it compiles C++
def test_a_package_of_ahead_of_time_inductor_computes_the_same(tmp_path: Path) -> None:
    xs = torch.from_numpy(P.x)
    program = torch.export.export(Through(ours(P)), (xs,))
    package = str(tmp_path / "model.pt2")
    torch._inductor.aoti_compile_and_package(program, package_path=package)
    run: Any = torch._inductor.aoti_load_package(package)
    torch.testing.assert_close(run(-xs), ours(P).unroll(-xs)[0].detach(), rtol=1e-5, atol=1e-6)


def run_onnx(model: onnx.ModelProto, *inputs: Tensor) -> list[Tensor]:
    session = onnxruntime.InferenceSession(model.SerializeToString())
    names = [each.name for each in session.get_inputs()]
    feed = {name: value.numpy() for name, value in zip(names, inputs, strict=True)}
    return [torch.from_numpy(array) for array in session.run(None, feed)]


def to_onnx(model: torch.nn.Module, inputs: tuple[Tensor, ...], folder: Path, *, new: bool) -> Any:
    path = folder / "model.onnx"
    torch.onnx.export(model.eval(), inputs, path, dynamo=new, verbose=False)
    exported = onnx.load(path)
    onnx.checker.check_model(exported, full_check=True)
    return exported


@pytest.mark.parametrize("new", [True, False], ids=["dynamo", "TorchScript"])
def test_onnx_has_standard_operators_and_the_same_values(new: bool, tmp_path: Path) -> None:
    exported = to_onnx(Twice(ours(P)), (X, *STATE), tmp_path, new=new)
    assert {node.domain for node in exported.graph.node} == {""}
    assert not exported.functions
    got = run_onnx(exported, X, *STATE)
    want = Twice(of_torch(P))(X, *STATE)
    torch.testing.assert_close(got, [t.detach() for t in want], rtol=1e-5, atol=1e-6)


def test_unroll_goes_to_onnx(tmp_path: Path) -> None:
    xs = torch.from_numpy(P.x)
    exported = to_onnx(Through(ours(P)), (xs,), tmp_path, new=True)
    assert {node.domain for node in exported.graph.node} == {""}
    (got,) = run_onnx(exported, xs)
    torch.testing.assert_close(got, ours(P).unroll(xs)[0].detach(), rtol=1e-5, atol=1e-6)


def test_dynamic_quantisation_leaves_the_cell_as_it_is(kernel: Any) -> None:
    model = Twice(ours(P))
    left = torch.ao.quantization.quantize_dynamic(model, {torch.nn.LSTMCell})
    assert type(left.cell) is type(model.cell)
    left(X, *STATE)
    assert kernel.calls == 2

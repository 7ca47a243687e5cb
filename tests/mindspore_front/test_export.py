"""What is exported runs where onecell is not: MindSpore's own operators, and no path of ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
import onnxruntime
import pytest
from mindspore import Tensor, nn

from mindspore_cells import ours, step_inputs, tensor
from problems import problem

P = problem(4)
CLOSE = 1e-6


class Step(nn.Cell):  # type: ignore[misc]
    """One step with the state apart, as exporters want it."""

    def __init__(self, cell: Any) -> None:
        super().__init__()
        self.cell = cell

    def construct(self, x: Tensor, h: Tensor, c: Tensor) -> Any:
        return self.cell(x, (h, c))


class Unroll(Step):
    def construct(self, x: Tensor, h: Tensor, c: Tensor) -> Any:
        h_all, (h_last, c_last) = self.cell.unroll(x, (h, c))
        return h_all, h_last, c_last


class Alone(nn.Cell):  # type: ignore[misc]
    def __init__(self, cell: Any) -> None:
        super().__init__()
        self.cell = cell

    def construct(self, x: Tensor) -> Any:
        return self.cell(x)


def cases(bias: bool) -> dict[str, tuple[nn.Cell, tuple[Tensor, ...]]]:
    p = problem(4, bias=bias)
    x, (h, c) = step_inputs(p)
    nets = {"step": Step(ours(p)), "unroll": Unroll(ours(p)), "alone": Alone(ours(p))}
    given = {"step": (x, h, c), "unroll": (tensor(p.x), h, c), "alone": (x,)}
    return {name: (net, given[name]) for name, net in nets.items()}


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("name", ["step", "unroll", "alone"])
def test_onnx_computes_the_same(name: str, bias: bool, tmp_path: Path) -> None:
    net, given = cases(bias)[name]
    want = net(*given)
    ms.export(net, *given, file_name=str(tmp_path / "net.onnx"), file_format="ONNX")
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    names = [node.name for node in session.get_inputs()]
    got = session.run(None, dict(zip(names, (a.asnumpy() for a in given), strict=True)))
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b.asnumpy(), rtol=0, atol=CLOSE)


LOADED = """
import sys
sys.modules["onecell"] = None
import numpy as np
import mindspore as ms
from mindspore import nn

for name in sys.argv[1:]:
    case = np.load(f"{name}.npz")
    run = nn.GraphCell(ms.load(f"{name}.mindir"))
    found = run(*(ms.Tensor(case[key]) for key in case if key.startswith("given")))
    wants = [case[key] for key in case if key.startswith("want")]
    for got, want in zip(found, wants, strict=True):
        np.testing.assert_allclose(got.asnumpy(), want, rtol=0, atol=1e-4)  # its tanh
"""


def test_mindir_loads_in_a_process_without_onecell(tmp_path: Path) -> None:
    names = []
    for bias in (True, False):
        for name, (net, given) in cases(bias).items():
            path = tmp_path / f"{name}{bias}"
            names.append(str(path))
            want = net(*given)
            compiled = ms.jit(net)
            first = compiled(*given)
            ms.export(net, *given, file_name=str(path), file_format="MINDIR")
            # What is compiled to run stays the kernel's.
            again = compiled(*given)
            for a, b, c in zip(want, first, again, strict=True):
                assert a.asnumpy().tobytes() == b.asnumpy().tobytes() == c.asnumpy().tobytes()
            content = path.with_suffix(".mindir").read_bytes()
            assert b"_kernel" not in content
            assert str(Path(ms.__file__).parent).encode() not in content
            arrays = {f"given{k}": a.asnumpy() for k, a in enumerate(given)}
            np.savez(path, **arrays, **{f"want{k}": a.asnumpy() for k, a in enumerate(want)})
    script = tmp_path / "loaded.py"
    script.write_text(LOADED)
    command = [sys.executable, str(script), *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr

"""The page's two examples: torch, MindSpore and onecell agree step by step on equal weights."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from onecell import LSTMCell, Spec, Weights, reference

SEED = Path(__file__).parents[2] / "examples" / "seed"

# One float32 rounding on either side of a value below 1, through five steps.
CLOSE = 2e-6
# MindSpore's own tanh on CPU is off by up to 1e-4 near |x| = 5; on this page's small weights its
# cell is off by 1.6e-6 a step.
CLOSE_FOR_MINDSPORE = 2e-5


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, SEED / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", autouse=True)
def mindspore() -> Any:
    """Import MindSpore, which warns as it comes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mindspore
    return mindspore


@pytest.fixture(params=[True, False], ids=["bias", "no bias"])
def weights(request: pytest.FixtureRequest) -> Weights:
    return Weights.random(Spec(10, 16, request.param), 3)


def expected(weights: Weights) -> list[np.ndarray]:
    """Return h after each step by the definition, in float64."""
    ones = np.ones((5, 3, 10)), np.ones((3, 16)), np.ones((3, 16))
    return list(reference.unroll(weights, *ones)[0])


def largest_difference(output: list[Any], want: list[np.ndarray]) -> float:
    assert len(output) == len(want)
    return max(float(np.abs(np.asarray(a) - b).max()) for a, b in zip(output, want, strict=True))


def in_torch(cell: torch.nn.Module, weights: Weights) -> list[np.ndarray]:
    cell.load_state_dict({n: torch.from_numpy(a) for n, a in weights.arrays().items()})
    return [h.detach().numpy() for h in load("with_torch").run(cell)]


def in_mindspore(ms: Any, cell: Any, weights: Weights) -> list[np.ndarray]:
    parameters = {n: ms.Parameter(ms.Tensor(a), name=n) for n, a in weights.arrays().items()}
    missing, unused = ms.load_param_into_net(cell, parameters, strict_load=True)
    assert not missing
    assert not unused
    return [h.asnumpy() for h in load("with_mindspore").run(cell)]


def test_all_agree_step_by_step(weights: Weights, mindspore: Any) -> None:
    want = expected(weights)
    ours = load("with_arrays").run(LSTMCell.from_weights(weights))
    assert largest_difference(ours, want) <= CLOSE

    theirs = in_torch(torch.nn.LSTMCell(10, 16, bias=weights.bias), weights)
    assert largest_difference(theirs, want) <= CLOSE
    own_in_torch = in_torch(load("with_torch").LSTMCell(10, 16, bias=weights.bias), weights)
    assert [h.tobytes() for h in own_in_torch] == [h.tobytes() for h in ours]

    original = mindspore.nn.LSTMCell(10, 16, has_bias=weights.bias)
    assert largest_difference(in_mindspore(mindspore, original, weights), want) <= (
        CLOSE_FOR_MINDSPORE
    )
    cell = load("with_mindspore").LSTMCell(10, 16, has_bias=weights.bias)
    own_in_mindspore = in_mindspore(mindspore, cell, weights)
    assert [h.tobytes() for h in own_in_mindspore] == [h.tobytes() for h in ours]


def test_the_page_as_printed_does_not_carry_the_state(weights: Weights) -> None:
    """Repeating the first state at every step is off by a third or more from step 2 on."""
    cell = LSTMCell.from_weights(weights)
    want = expected(weights)
    x, state = np.ones((3, 10), np.float32), np.ones((2, 3, 16), np.float32)
    repeated = [cell(x, state[0], state[1])[0] for _ in range(5)]
    assert largest_difference(repeated[:1], want[:1]) <= CLOSE
    assert all(
        largest_difference([r], [w]) > 0.1 for r, w in zip(repeated[1:], want[1:], strict=True)
    )


@pytest.mark.parametrize("name", ["with_arrays", "with_torch", "with_mindspore"])
def test_each_example_runs_as_a_program(name: str) -> None:
    done = subprocess.run(
        [sys.executable, SEED / f"{name}.py"], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-2:] == ["(3, 16)", "(3, 16)"]

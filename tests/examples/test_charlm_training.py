"""The ported character model trains in MindSpore as it does in torch: step by step, in numbers.

Model, optimizer and training step are what the migrator made of torch's.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from migrate.execution import Array, draw_weights, load_module
from onecell.migrate import Target, rewrite

CHARLM = Path(__file__).parents[2] / "examples" / "charlm"
VOCABULARY, TIME, BATCH = 11, 5, 3

LOSS = 1e-5
"""Rounding through five steps of two cells; MindSpore's own tanh is off by up to 1e-4 only where
its argument is near 5, which these weights do not reach."""
GRADIENT = 1e-4
"""Of the largest gradient of a parameter: rounding, and that tanh."""
OPTIMIZERS = {
    "SGD": "torch.optim.SGD(model.parameters(), lr=0.1)",
    "SGD with momentum": "torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)",
    "Adam": "torch.optim.Adam(model.parameters(), lr=5e-3)",
}
PROGRAM = """
import torch
import torch.nn.functional as F


def train(model: torch.nn.Module, inputs, targets, steps):
    optimizer = {optimizer}
    losses = []
    for _ in range(steps):
        scores = model(inputs)
        loss = F.cross_entropy(scores.reshape(-1, {vocabulary}), targets.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
"""
RATES = {"SGD": 0.1, "SGD with momentum": 0.1, "Adam": 5e-3}


@pytest.fixture(scope="module", autouse=True)
def _framework() -> Iterator[None]:
    """Import MindSpore, which warns as it comes, and let it run in the caller's thread."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onecell.verify.sides.mindspore import take_process

        take_process()
        yield


pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:mindspore")


def draw_texts() -> tuple[Array, Array]:
    """Return what is read (T, N) and what follows each character (T, N)."""
    rng = np.random.default_rng(3)
    windows = rng.integers(0, VOCABULARY, (TIME + 1, BATCH))
    return windows[:-1], windows[1:]


def make(source: str) -> Any:
    """Return the model of a module, without dropout: the frameworks draw different numbers."""
    return load_module(source).CharLM(VOCABULARY, embedding=6, hidden=7, dropout=0.0)


def program(optimizer: str) -> str:
    """Return the training loop, in torch."""
    return PROGRAM.format(optimizer=OPTIMIZERS[optimizer], vocabulary=VOCABULARY)


def train_in_torch(optimizer: str, steps: int) -> tuple[list[float], dict[str, Array]]:
    from migrate.in_torch import InTorch

    side = InTorch()
    model = make((CHARLM / "model.py").read_text())
    side.load(model, draw_weights(side.shapes(model)))
    texts = map(torch.from_numpy, draw_texts())
    losses = load_module(program(optimizer)).train(model, *texts, steps)
    return losses, side.read(model)


def train_in_mindspore(
    optimizer: str, steps: int, target: Target
) -> tuple[list[float], dict[str, Array]]:
    import mindspore

    from migrate.in_mindspore import InMindSpore

    side = InMindSpore()
    ported = rewrite((CHARLM / "model.py").read_text(), to="mindspore", target=target)
    model = make(ported.after)
    side.load(model, draw_weights(side.shapes(model)))
    migrated = rewrite(program(optimizer), to="mindspore", target=target, whole_file=True).after
    assert "TODO(onecell)" not in migrated
    texts = map(mindspore.Tensor, draw_texts())
    losses = load_module(migrated).train(model, *texts, steps)
    return losses, side.read(model)


@pytest.mark.parametrize("target", ["onecell", "native"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_two_steps_give_the_same_losses(name: str, target: Target) -> None:
    """The second loss is that of the updated weights."""
    want, _ = train_in_torch(name, 2)
    got, _ = train_in_mindspore(name, 2, target)
    assert want[1] < want[0]
    assert np.allclose(got, want, rtol=LOSS, atol=0)


@pytest.mark.parametrize("target", ["onecell", "native"])
@pytest.mark.parametrize("name", ["SGD", "SGD with momentum"])
def test_sgd_gives_the_same_weights(name: str, target: Target) -> None:
    _, want = train_in_torch(name, 2)
    _, got = train_in_mindspore(name, 2, target)
    assert got.keys() == want.keys()
    for parameter, expected in want.items():
        limit = RATES[name] * GRADIENT * max(1.0, float(np.abs(expected).max()))
        assert np.abs(got[parameter] - expected).max() <= limit, parameter


@pytest.mark.parametrize("target", ["onecell", "native"])
def test_adam_gives_the_same_weights(target: Target) -> None:
    """Adam's first step is the rate times g / |g|: what rounding makes of a tiny g can be large.

    So every weight moves by at most the rate from where it was, and almost all agree as closely as
    the gradients do.
    """
    _, want = train_in_torch("Adam", 1)
    _, got = train_in_mindspore("Adam", 1, target)
    assert got.keys() == want.keys()
    rate = RATES["Adam"]
    apart = np.concatenate([np.abs(got[p] - want[p]).ravel() for p in want])
    assert apart.max() <= 2 * rate
    assert np.mean(apart <= 10 * GRADIENT * rate) >= 0.995

"""The ported character model trains in MindSpore as it does in torch: one step, number for number.

The three lines of the training step are written here by hand: MindSpore differentiates functions,
so the migrator marks them. Model and optimizer are what the migrator made of torch's.
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
    "SGD": "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)",
    "SGD with momentum": "optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)",
    "Adam": "optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)",
}
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


def train_in_torch(optimizer_line: str, steps: int) -> tuple[list[float], dict[str, Array]]:
    from migrate.in_torch import InTorch

    side = InTorch()
    model = make((CHARLM / "model.py").read_text())
    side.load(model, draw_weights(side.shapes(model)))
    space: dict[str, Any] = {"torch": torch, "model": model}
    exec(optimizer_line, space)
    inputs, targets = map(torch.from_numpy, draw_texts())
    losses = []
    for _ in range(steps):
        scores = model(inputs)
        loss = torch.nn.functional.cross_entropy(
            scores.reshape(-1, VOCABULARY), targets.reshape(-1)
        )
        space["optimizer"].zero_grad()
        loss.backward()
        space["optimizer"].step()
        losses.append(float(loss))
    return losses, side.read(model)


def train_in_mindspore(
    optimizer_line: str, steps: int, target: Target
) -> tuple[list[float], dict[str, Array]]:
    import mindspore

    from migrate.in_mindspore import InMindSpore

    side = InMindSpore()
    ported = rewrite((CHARLM / "model.py").read_text(), to="mindspore", target=target)
    model = make(ported.after)
    side.load(model, draw_weights(side.shapes(model)))
    # The program around the line tells the migrator what `model` is.
    program = f"import torch\nfrom model import CharLM\n\nmodel = CharLM(11)\n{optimizer_line}\n"
    migrated = rewrite(program, to="mindspore", target=target, whole_file=True).after
    space: dict[str, Any] = {"mindspore": mindspore, "model": model}
    exec(migrated.partition("model = CharLM(11)\n")[2], space)
    inputs, targets = map(mindspore.Tensor, draw_texts())

    def compute_loss() -> Any:
        scores = model(inputs)
        return mindspore.ops.cross_entropy(scores.reshape(-1, VOCABULARY), targets.reshape(-1))

    optimizer = space["optimizer"]
    differentiate = mindspore.value_and_grad(compute_loss, None, optimizer.parameters)
    losses = []
    for _ in range(steps):
        loss, gradients = differentiate()
        optimizer(gradients)
        losses.append(float(loss.asnumpy()))
    return losses, side.read(model)


@pytest.mark.parametrize("target", ["onecell", "native"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_two_steps_give_the_same_losses(name: str, target: Target) -> None:
    """The second loss is that of the updated weights."""
    want, _ = train_in_torch(OPTIMIZERS[name], 2)
    got, _ = train_in_mindspore(OPTIMIZERS[name], 2, target)
    assert want[1] < want[0]
    assert np.allclose(got, want, rtol=LOSS, atol=0)


@pytest.mark.parametrize("target", ["onecell", "native"])
@pytest.mark.parametrize("name", ["SGD", "SGD with momentum"])
def test_sgd_gives_the_same_weights(name: str, target: Target) -> None:
    _, want = train_in_torch(OPTIMIZERS[name], 2)
    _, got = train_in_mindspore(OPTIMIZERS[name], 2, target)
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
    _, want = train_in_torch(OPTIMIZERS["Adam"], 1)
    _, got = train_in_mindspore(OPTIMIZERS["Adam"], 1, target)
    assert got.keys() == want.keys()
    rate = RATES["Adam"]
    apart = np.concatenate([np.abs(got[p] - want[p]).ravel() for p in want])
    assert apart.max() <= 2 * rate
    assert np.mean(apart <= 10 * GRADIENT * rate) >= 0.995

"""Distributions: what `torch.distributions` computes, and draws that are spread alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mindspore as ms
import numpy as np
import pytest
import torch
from torch import distributions as theirs

from onecell.mindspore import distributions as ours

RNG = np.random.default_rng(2)
ROWS = RNG.uniform(0.1, 2.0, (3, 5))
ODDS = RNG.standard_normal((3, 5)) * 3
SURE = np.array([[0.0, 1.0, 0.5], [0.25, 0.0, 0.75]])
MADE: dict[str, tuple[Callable[..., Any], list[np.ndarray], np.ndarray]] = {
    "normal": (lambda home, a, b: home.Normal(a, b), [ODDS, ROWS], ODDS + 1),
    "normal, broadcast": (lambda home, a, b: home.Normal(a, b), [ODDS, ROWS[:1]], ODDS - 1),
    "weights": (lambda home, a: home.Categorical(a), [ROWS], np.array([1, 4, 0])),
    "logits": (
        lambda home, a: home.Categorical(logits=a),
        [ODDS],
        np.array([[1, 4, 0], [2, 2, 3]]),
    ),
    "sure": (lambda home, a: home.Categorical(probs=a), [SURE], np.array([1, 2])),
    "bernoulli": (lambda home, a: home.Bernoulli(a), [ROWS / 2.1], (ODDS > 0) * 1.0),
    "odds": (lambda home, a: home.Bernoulli(logits=a), [ODDS * 9], (ODDS > 1) * 1.0),
}


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_densities_entropies_and_gradients_are_torchs(name: str, kind: str) -> None:
    make, given, value = MADE[name]
    arrays = [array.astype(kind) for array in given]
    value = value.astype(kind) if value.dtype.kind == "f" else value

    def total(home: Any, value: Any, *parts: Any) -> Any:
        made = make(home, *parts)
        return made.log_prob(value), made.entropy()

    tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
    want = total(theirs, torch.tensor(value), *tensors)
    (want[0].sum() + 2 * want[1].sum()).backward()
    got = total(ours, ms.Tensor(value), *map(ms.Tensor, arrays))
    for one, other in zip(got, want, strict=True):
        assert str(one.dtype).lower() == kind
        np.testing.assert_allclose(one.asnumpy(), other.detach().numpy(), rtol=2e-5, atol=2e-6)

    def summed(*parts: ms.Tensor) -> ms.Tensor:
        density, entropy = total(ours, ms.Tensor(value), *parts)
        return density.sum() + 2 * entropy.sum()

    found = ms.grad(summed, tuple(range(len(arrays))))(*map(ms.Tensor, arrays))
    found = found if isinstance(found, tuple) else (found,)
    for one, tensor in zip(found, tensors, strict=True):
        assert tensor.grad is not None
        np.testing.assert_allclose(one.asnumpy(), tensor.grad.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("shape", [(), (2,), (4, 3)])
def test_samples_have_torchs_shape_and_type(name: str, shape: tuple[int, ...]) -> None:
    make, given, _ = MADE[name]
    arrays = [array.astype(np.float32) for array in given]
    want = make(theirs, *map(torch.tensor, arrays)).sample(shape)
    got = make(ours, *map(ms.Tensor, arrays)).sample(shape)
    assert got.shape == tuple(want.shape)
    assert str(got.dtype).lower() == str(want.dtype).removeprefix("torch.")


def test_samples_are_spread_as_they_should_be() -> None:
    ms.set_seed(5)
    weights = np.array([0.1, 0.6, 0.3], np.float32)
    drawn = ours.Categorical(ms.Tensor(weights)).sample((4000,)).asnumpy()
    np.testing.assert_allclose(np.bincount(drawn, minlength=3) / 4000, weights, atol=0.04)
    ones = ours.Bernoulli(ms.Tensor(weights)).sample((4000,)).asnumpy()
    np.testing.assert_allclose(ones.mean(0), weights, atol=0.04)
    around = ours.Normal(ms.Tensor(weights), 2.0).sample((4000,)).asnumpy()
    np.testing.assert_allclose(around.mean(0), weights, atol=0.15)
    np.testing.assert_allclose(around.std(0), 2.0, atol=0.1)
    sure = ours.Categorical(ms.Tensor(SURE.astype(np.float32)[:, :2])).sample((200,)).asnumpy()
    assert set(sure[:, 0]) == {1}
    assert set(sure[:, 1]) == {0}


def test_one_of_two_is_given() -> None:
    for home in (ours.Categorical, ours.Bernoulli, theirs.Categorical, theirs.Bernoulli):
        with pytest.raises(ValueError, match="not both"):
            home()

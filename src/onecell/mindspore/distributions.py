"""Distributions that programs from torch draw from, as `torch.distributions` has them.

Densities and entropies are torch's, with its gradients; samples are other random numbers.
"""

from __future__ import annotations

import math
from typing import Any, Final

import mindspore as ms

__all__ = ["Bernoulli", "Categorical", "Normal"]

_LOG_ROOT: Final = math.log(math.sqrt(2 * math.pi))


def __dir__() -> list[str]:
    return list(__all__)


def _tensor(value: Any) -> ms.Tensor:  # noqa: ANN401 - a number or a tensor
    return value if isinstance(value, ms.Tensor) else ms.tensor(value, ms.float32)


def _shape(value: Any) -> tuple[int, ...]:  # noqa: ANN401 - any sequence of sizes
    return tuple(int(size) for size in value)


class Normal:
    """Numbers around `loc`, `scale` apart.

    Args:
        loc: the means.
        scale: the standard deviations, positive; broadcast with the means.
    """

    def __init__(self, loc: Any, scale: Any) -> None:  # noqa: ANN401
        loc, scale = _tensor(loc), _tensor(scale)
        shape = (loc + scale).shape
        self.loc, self.scale = ms.ops.broadcast_to(loc, shape), ms.ops.broadcast_to(scale, shape)

    @property
    def mean(self) -> ms.Tensor:
        """The means."""
        return self.loc

    @property
    def stddev(self) -> ms.Tensor:
        """The standard deviations."""
        return self.scale

    @property
    def variance(self) -> ms.Tensor:
        """Their squares."""
        return self.scale * self.scale

    def rsample(self, sample_shape: Any = ()) -> ms.Tensor:  # noqa: ANN401
        """Return numbers of `sample_shape` and the means' shape, through which gradients go."""
        shape = (*_shape(sample_shape), *self.loc.shape)
        return (
            self.loc + self.scale * ms.ops.randn(*shape, dtype=self.loc.dtype)
            if shape
            else (self.loc + self.scale * ms.ops.randn(1, dtype=self.loc.dtype)[0])
        )

    def sample(self, sample_shape: Any = ()) -> ms.Tensor:  # noqa: ANN401
        """Return numbers of `sample_shape` and the means' shape, without a gradient."""
        return ms.ops.stop_gradient(self.rsample(sample_shape))

    def log_prob(self, value: Any) -> ms.Tensor:  # noqa: ANN401
        """Return the logarithm of the density at `value`."""
        apart = _tensor(value) - self.loc
        return -(apart * apart) / (2 * self.variance) - ms.ops.log(self.scale) - _LOG_ROOT

    def entropy(self) -> ms.Tensor:
        """Return the entropy of each."""
        return 0.5 + _LOG_ROOT + ms.ops.log(self.scale)


class Categorical:
    """One of several numbers, from 0, along the last axis.

    Args:
        probs: weights that are not negative, of any sum; or
        logits: their logarithms, of any sum.

    Raises:
        ValueError: not exactly one of them is given.
    """

    def __init__(self, probs: ms.Tensor | None = None, logits: ms.Tensor | None = None) -> None:
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        if probs is not None:
            self.probs = probs / probs.sum(-1, keepdims=True)
            self.logits = _logarithm(self.probs)
        elif logits is not None:
            self.logits = ms.ops.log_softmax(logits, -1)
            self.probs = ms.ops.exp(self.logits)

    def sample(self, sample_shape: Any = ()) -> ms.Tensor:  # noqa: ANN401
        """Return int64 numbers, of `sample_shape` and the weights' shape but for its last axis."""
        shape, rows = _shape(sample_shape), self.probs.shape[:-1]
        flat = self.probs.reshape(-1, self.probs.shape[-1])
        drawn = ms.ops.multinomial(flat, math.prod(shape), replacement=True)
        return ms.ops.stop_gradient(drawn.T.reshape(*shape, *rows).astype(ms.int64))

    def log_prob(self, value: ms.Tensor) -> ms.Tensor:
        """Return the logarithm of the probability of `value`, whole numbers from 0."""
        chosen = value.astype(ms.int64).expand_dims(-1)
        shape = (ms.ops.zeros((*value.shape, 1)) + ms.ops.zeros(self.logits.shape)).shape
        logits = ms.ops.broadcast_to(self.logits, shape)
        index = ms.ops.broadcast_to(chosen, (*shape[:-1], 1))
        return ms.ops.gather_elements(logits, -1, index).squeeze(-1)

    def entropy(self) -> ms.Tensor:
        """Return the entropy of each row of weights."""
        least = -3.4028234663852886e38 if self.logits.dtype == ms.float32 else -1.7e308
        return -(ms.ops.maximum(self.logits, ms.tensor(least, self.logits.dtype)) * self.probs).sum(
            -1
        )


class Bernoulli:
    """1 with a probability, else 0.

    Args:
        probs: the probabilities; or
        logits: the logarithms of their odds.

    Raises:
        ValueError: not exactly one of them is given.
    """

    def __init__(self, probs: Any = None, logits: Any = None) -> None:  # noqa: ANN401
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        if logits is None:
            self.probs = _tensor(probs)
            odd = _clamped(self.probs)
            self.logits = ms.ops.log(odd) - ms.ops.log1p(-odd)
        else:
            self.logits = _tensor(logits)
            self.probs = ms.ops.sigmoid(self.logits)

    @property
    def mean(self) -> ms.Tensor:
        """The probabilities."""
        return self.probs

    def sample(self, sample_shape: Any = ()) -> ms.Tensor:  # noqa: ANN401
        """Return zeros and ones, of `sample_shape` and then the shape of the probabilities."""
        shape = (*_shape(sample_shape), *self.probs.shape)
        drawn = ms.ops.rand(*(shape or (1,)), dtype=self.probs.dtype) < self.probs
        return ms.ops.stop_gradient(drawn.astype(self.probs.dtype).reshape(shape))

    def log_prob(self, value: ms.Tensor) -> ms.Tensor:
        """Return the logarithm of the probability of `value`, zeros and ones."""
        return -(ms.ops.relu(self.logits) - self.logits * value + _softened(self.logits))

    def entropy(self) -> ms.Tensor:
        """Return the entropy of each."""
        return ms.ops.relu(self.logits) - self.logits * self.probs + _softened(self.logits)


def _clamped(probs: ms.Tensor) -> ms.Tensor:
    """Return probabilities that are no nearer to 0 and 1 than one rounding."""
    least = 1.1920928955078125e-07 if probs.dtype == ms.float32 else 2.220446049250313e-16
    return ms.ops.clamp(probs, least, 1 - least)


def _logarithm(probs: ms.Tensor) -> ms.Tensor:
    return ms.ops.log(_clamped(probs))


def _softened(logits: ms.Tensor) -> ms.Tensor:
    """Return the logarithm of 1 and what decays from the odds."""
    return ms.ops.log1p(ms.ops.exp(-ms.ops.abs(logits)))

"""What probes use to put questions and to write answers down; part of the programs readers see."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from inspect import Parameter
from typing import Any

import numpy as np
import numpy.typing as npt

from onecell import reference
from onecell.spec import Spec
from onecell.weights import Weights

Array = npt.NDArray[Any]

SAID: list[str] = []
"""The errors' messages since it was last cleared, for the reader of the table."""


def ask(question: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
    """Return what `question` returns, or "raises X" for the error that it raises."""
    try:
        return question(*args, **kwargs)
    except Exception as error:
        return raised(error)


def raised(error: BaseException) -> str:
    """Write an error down as an answer; its message is kept apart in `SAID`."""
    first = (str(error).strip().splitlines() or [""])[0]
    SAID.append(first)
    return f"raises {type(error).__name__}"


def accepts(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
    """Return "accepted", or "raises X"."""
    return ask(lambda: (call(*args, **kwargs), "accepted")[1])


def ones(tensor: Callable[[Array], Any], *shape: int) -> Any:  # noqa: ANN401
    """Return a float32 tensor of ones, made by `tensor` of either framework."""
    return tensor(np.ones(shape, np.float32))


def draw(spec: Spec, rows: int, seed: int = 0) -> tuple[Weights, Array, Array, Array]:
    """Return weights as both frameworks draw them, x (N, I) and a state h, c (N, H) that is not 0.

    The numbers depend on `seed` alone.
    """
    rng = np.random.default_rng(seed)
    weights = Weights.random(spec, rng)
    widths = (spec.input_size, spec.hidden_size, spec.hidden_size)
    x, h, c = (rng.standard_normal((rows, width)).astype(spec.dtype) for width in widths)
    return weights, x, h, c


def default_of(parameter: Parameter) -> str:
    """Write a parameter as name, or name=default."""
    if parameter.default is Parameter.empty:
        return parameter.name
    return f"{parameter.name}={parameter.default!s}"


def shapes(state: tuple[Any, Any]) -> list[list[int]]:
    """Return the shapes of h and c."""
    return [list(part.shape) for part in state]


def dtype_of(tensor: Any) -> str:  # noqa: ANN401 - a tensor of either framework
    """Return the name of an element type as NumPy spells it."""
    return str(tensor.dtype).rsplit(".", 1)[-1].lower()


def to_array(tensor: Any) -> Array:  # noqa: ANN401 - a tensor of either framework
    """Return a copy of a tensor's content."""
    plain = tensor.asnumpy() if hasattr(tensor, "asnumpy") else tensor.detach().numpy()
    return np.array(plain)


def fill(cell: Any, weights: Weights, tensor: Callable[[Array], Any]) -> Any:  # noqa: ANN401
    """Give `cell`, of either framework, these weights, and return it."""
    for name, array in weights.arrays().items():
        parameter, value = getattr(cell, name), tensor(np.array(array))
        if hasattr(parameter, "set_data"):
            parameter.set_data(value)
        else:
            parameter.data = value
    return cell


def distance(got: Any, want: Array) -> float:  # noqa: ANN401 - a tensor of either framework
    """Return the largest absolute difference, to two significant digits."""
    return float(f"{np.abs(to_array(got).astype(np.float64) - want).max():.1e}")


def by_definition(weights: Weights, x: Any, h: Any, c: Any) -> Array:  # noqa: ANN401
    """Return h after each step of x (T, N, I) in float64, the state carried from step to step."""
    return reference.unroll(weights, to_array(x), to_array(h), to_array(c))[0]


def distances(output: Iterable[Any], want: Array) -> list[float]:
    """Return each step's largest absolute difference, to two decimals."""
    return [round(distance(h, h_want), 2) for h, h_want in zip(output, want, strict=True)]


def writes_to_stderr(call: Callable[[], Any]) -> bool:
    """Return whether `call` writes to the process's standard error, by whatever way."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with tempfile.TemporaryFile() as file:
            os.dup2(file.fileno(), 2)
            call()
            sys.stderr.flush()
            return file.seek(0, os.SEEK_END) > 0
    finally:
        os.dup2(kept, 2)
        os.close(kept)

"""What a person finds at the prompt: names, signatures, short answers, errors of one line."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import onecell
from onecell import FrozenCell, LSTMCell, OnecellError, Spec, Stream, Weights

PACKAGES = [
    "onecell",
    "onecell.checkpoint",
    "onecell.migrate",
    "onecell.mindspore",
    "onecell.mindspore.data",
    "onecell.mindspore.distributions",
    "onecell.project",
    "onecell.torch",
    "onecell.verify",
]


@pytest.mark.parametrize("name", PACKAGES)
def test_dir_shows_the_public_names_alone(name: str) -> None:
    package = import_module(name)
    shown = {each for each in dir(package) if not each.startswith("__")}
    assert shown == set(package.__all__)
    assert all(hasattr(package, each) for each in package.__all__)


def ours(owner: object, name: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield the public callables of a module and the public methods that its classes define."""
    for each in dir(owner):
        found = getattr(owner, each)
        if each.startswith("__") or not (inspect.isclass(found) or inspect.isroutine(found)):
            continue
        yield f"{name}.{each}", found
        if inspect.isclass(found) and not issubclass(found, Exception):
            for base in found.__mro__:
                if base.__module__.startswith("onecell"):
                    for method in vars(base):
                        if not method.startswith("_") and callable(getattr(found, method)):
                            yield f"{name}.{each}.{method}", getattr(found, method)


@pytest.mark.parametrize("name", PACKAGES)
def test_every_public_callable_has_a_signature_and_a_docstring(name: str) -> None:
    without = []
    for path, found in ours(import_module(name), name):
        if inspect.isclass(found) and issubclass(found, Exception):
            continue  # as Python's own
        try:
            inspect.signature(found)
        except ValueError:
            without.append(path)
        if not inspect.getdoc(found):
            without.append(f"{path}: no docstring")
    assert not without


def test_a_signature_says_what_is_taken() -> None:
    assert str(inspect.signature(onecell.set_isa)) == "(name: 'str') -> 'None'"
    assert str(inspect.signature(Stream.step)) == "(self, /, x, out=None, rows=None)"
    assert str(inspect.signature(LSTMCell(3, 4).stream().step)) == "(x, out=None, rows=None)"


def test_values_say_their_shapes_and_not_their_numbers() -> None:
    cell = LSTMCell(3, 4, dtype=np.float64, rng=0)
    _, pullback = cell.vjp(np.ones((2, 3)))
    assert repr(cell.weights) == (
        "Weights(weight_ih=float64 (16, 3), weight_hh=float64 (16, 4), "
        "bias_ih=float64 (16,), bias_hh=float64 (16,))"
    )
    assert repr(pullback(np.ones((2, 4)))) == (
        "Gradients(x=float64 (2, 3), h=float64 (2, 4), c=float64 (2, 4), "
        "weight_ih=float64 (16, 3), weight_hh=float64 (16, 4), "
        "bias_ih=float64 (16,), bias_hh=float64 (16,))"
    )
    plain = LSTMCell(3, 4, bias=False).weights.astype("bfloat16")
    assert "weight_ih=bfloat16 (16, 3)" in repr(plain)
    assert "bias_ih=None" in repr(plain)


CELL = LSTMCell(3, 4, rng=0)


@pytest.mark.parametrize(
    ("argument", "call"),
    [
        ("cell", lambda: Stream(object())),  # type: ignore[arg-type]
        ("cell", lambda: Stream(LSTMCell)),  # type: ignore[arg-type]
        ("cell", lambda: Stream(None)),  # type: ignore[arg-type]
        ("batch", lambda: CELL.stream(2**60)),
        ("batch", lambda: CELL.freeze().stream(2**70)),
        ("weights", lambda: setattr(CELL, "weights", 5)),
        ("weights", lambda: LSTMCell.from_weights(None)),  # type: ignore[arg-type]
        ("weights", lambda: FrozenCell(CELL)),  # type: ignore[arg-type]
        ("other", lambda: CELL.weights.same_bits(CELL)),  # type: ignore[arg-type]
        ("rng", lambda: LSTMCell(3, 4, rng=-1)),
        ("rng", lambda: LSTMCell(3, 4, rng="a")),  # type: ignore[arg-type]
        ("rng", lambda: Weights.random(Spec(3, 4), 1.5)),  # type: ignore[arg-type]
        ("spec", lambda: Weights.random(5)),  # type: ignore[arg-type]
        ("arrays", lambda: Weights.from_dialect(5, "torch")),  # type: ignore[arg-type]
        ("name", lambda: onecell.set_isa(5)),  # type: ignore[arg-type]
        ("name", lambda: onecell.set_isa("abacus")),
    ],
)
def test_what_cannot_be_is_an_error_that_names_the_argument(
    argument: str, call: Callable[[], object]
) -> None:
    with pytest.raises(OnecellError, match=rf"`{argument}` ") as caught:
        call()
    assert isinstance(caught.value, (ValueError, TypeError))

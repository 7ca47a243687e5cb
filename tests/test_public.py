"""What a person finds at the prompt: names, signatures, short answers, errors of one line."""

from __future__ import annotations

import builtins
import inspect
import pydoc
import re
import rlcompleter
from collections.abc import Callable, Iterator
from enum import Enum
from importlib import import_module
from typing import Any, Final, get_origin

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

VARIADIC: Final = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}


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


def names_in(section: str, doc: str) -> list[str]:
    """Return what the lines of "Args:" or "Raises:" begin with."""
    found = re.search(rf"^{section}:\n((?:    .*\n|\n)*)", f"{doc}\n", re.MULTILINE)
    heads = re.findall(
        r"^    (\**[\w.]+(?:, \**[\w.]+)*):", found[1] if found else "", re.MULTILINE
    )
    return [name.strip("*") for head in heads for name in head.split(", ")]


def documented(package: str) -> Iterator[tuple[str, Callable[..., Any], str]]:
    """Yield every public callable of `package`, calls of its objects too, with its docstring."""
    module = import_module(package)
    for name in module.__all__:
        found = getattr(module, name)
        if not inspect.isclass(found):
            if callable(found) and get_origin(found) is None:
                yield name, found, inspect.getdoc(found) or ""
            continue
        if issubclass(found, (Exception, Enum)):
            continue
        if not hasattr(found, "__dataclass_fields__"):  # its fields have texts of their own
            yield name, found, inspect.getdoc(found) or ""
        for base in found.__mro__:
            for each in vars(base) if base.__module__.startswith("onecell") else ():
                method = getattr(found, each)
                if (each[0] != "_" or each == "__call__") and callable(method):
                    yield f"{name}.{each}", method, inspect.getdoc(method) or ""


@pytest.mark.parametrize("package", PACKAGES)
def test_a_docstring_names_the_arguments_that_there_are_and_all_of_them(package: str) -> None:
    wrong = []
    for path, found, doc in documented(package):
        kinds = inspect.signature(found).parameters
        taken = [name for name in kinds if name != "self" and name[0] != "_"]
        named = [kind for kind in taken if kinds[kind].kind not in VARIADIC]
        elsewhere = re.search(r"[Aa]rguments(,| and| are)[^.]*`\w", doc)
        said = set(names_in("Args", doc))
        wrong += [f"{path} has no {name}" for name in said.difference(taken)]
        if not elsewhere:
            wrong += [
                f"{path} does not say what {name} is"
                for name in named
                if name not in said and not re.search(rf"\b{name}\b", doc)
            ]
    assert not wrong


@pytest.mark.parametrize("package", PACKAGES)
def test_a_docstring_names_errors_that_there_are(package: str) -> None:
    front_end = package if package in {"onecell.torch", "onecell.mindspore"} else "onecell"
    homes = [builtins, import_module("onecell.errors"), import_module(f"{front_end}.errors")]
    for path, _, doc in documented(package):
        for name in names_in("Raises", doc):
            assert name == "..." or any(hasattr(home, name) for home in homes), (path, name)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_property_says_what_it_is(package: str) -> None:
    module = import_module(package)
    for name in module.__all__:
        found = getattr(module, name)
        for base in found.__mro__ if inspect.isclass(found) else ():
            for each, value in vars(base).items() if base.__module__.startswith("onecell") else ():
                if isinstance(value, property) and each[0] != "_":
                    assert value.__doc__, f"{package}.{name}.{each}"


@pytest.mark.parametrize(
    ("begun", "found"),
    [
        ("onecell.LS", "onecell.LSTMCell("),
        ("onecell.set_i", "onecell.set_isa("),
        ("cell.unr", "cell.unroll("),
        ("cell.weight_i", "cell.weight_ih"),
        ("stream.st", "stream.step("),
        ("frozen.sa", "frozen.save("),
    ],
)
def test_the_prompt_completes(begun: str, found: str) -> None:
    cell = LSTMCell(3, 4, rng=0)
    names = {"onecell": onecell, "cell": cell, "stream": cell.stream(), "frozen": cell.freeze()}
    completer = rlcompleter.Completer(names)
    shown = [completer.complete(begun, at) for at in range(9)]
    assert found in {each and each.removesuffix(")") for each in shown}


@pytest.mark.parametrize(
    "name", ["LSTMCell.unroll", "Stream.step", "FrozenCell.__call__", "set_isa"]
)
def test_help_shows_what_is_taken_and_what_it_does(name: str) -> None:
    found: Any = onecell
    for part in name.split("."):
        found = getattr(found, part)
    text = pydoc.render_doc(found, renderer=pydoc.plaintext)  # type: ignore[attr-defined]
    assert "(...)" not in text
    assert len(text.splitlines()) > 4

"""A framework's own cell in a process of its own, as a side.

The cell gets the arrays of its dialect: those of a file as they lie there, or what its row makes of
weights. What it answers goes back through the same row.
"""

from __future__ import annotations

import atexit
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from typing import Any, Final

import numpy as np

from onecell.checkpoint.formats.onnx.graph import write_tensors
from onecell.dialect import Dialect, get_dialect
from onecell.dialect.arrays import from_canonical, to_canonical
from onecell.errors import NotACellError, RuntimeMissingError
from onecell.verify.child import (
    LIMIT,
    Child,
    ChildEndedError,
    ChildMissingError,
    ChildTimedOutError,
)
from onecell.verify.quantities.optimizers import Optimizer
from onecell.verify.runtimes.interpreters import Interpreter, find_interpreter
from onecell.verify.runtimes.table import NO_OPTIMIZER, ONE_BIAS, RUNTIMES
from onecell.verify.sides import Array, get_side, without_training
from onecell.weights import Weights

_CHILDREN: Final[dict[tuple[str, ...], Child]] = {}
"""Its command → a process: started once, asked many times."""
_HELD: Final[dict[Child, tuple[object, int]]] = {}
"""A process → whose weights it holds, and which of its starts it was."""


class RuntimeSide:
    """The cell of one framework that holds given arrays.

    Args:
        row: of the dialect.
        interpreter: the Python that has the framework.
        pieces: by the names of the layout's pieces, the arrays of one cell and one direction.
        bias: whether the canonical cell has biases.

    Raises:
        RuntimeMissingError: the framework does not load, or not in this element type.
    """

    epsilon_first = False

    def __init__(
        self, row: Dialect, interpreter: Interpreter, pieces: Mapping[str, Array], *, bias: bool
    ) -> None:
        self.name = name = row.name
        self.row, self.runtime = row, RUNTIMES[name]
        self.child = _child(name, interpreter)
        self.pieces = dict(pieces)
        self.dtype = next(iter(self.pieces.values())).dtype.name
        try:
            self.child.start()
        except ChildMissingError as error:
            raise RuntimeMissingError(name, str(error)) from None
        hello = self.child.hello
        if self.dtype not in hello.get("dtypes", self.runtime.dtypes):
            raise RuntimeMissingError(name, f"{hello['version']} does not compute in {self.dtype}")
        self.version = str(hello["version"])
        self.parameters = ("weight_ih", "weight_hh", *(("bias_ih", "bias_hh") if bias else ()))
        self.leaves_out: dict[str, str] = {}
        self.no_gradients = self.runtime.no_gradients.get(self.dtype)
        if self.no_gradients is not None:
            every = ("x", "h", "c", *self.parameters)
            self.leaves_out |= {f"gradient.{name}": self.no_gradients for name in every}
        elif bias and self.row.layout.biases != 2:
            self.leaves_out["gradient.bias_hh"] = ONE_BIAS
        self.leaves_out |= without_training(self.parameters, NO_OPTIMIZER)

    def step(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        """Return (h', c') of one step."""
        found = self._ask("step", x=x, h=h, c=c)
        return found["h"], found["c"]

    def rollout(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        """Return h and c after each step."""
        found = self._ask("rollout", x=x, h=h, c=c)
        return found["h"], found["c"]

    def gradients(
        self, x: Array, h: Array, c: Array, grad_h_all: Array, grad_c_last: Array
    ) -> Mapping[str, Array]:
        """Return the framework's own gradients, those of its arrays put into canonical layout."""
        if self.no_gradients is not None:
            return {}
        given = {"x": x, "h": h, "c": c, "grad_h_all": grad_h_all, "grad_c_last": grad_c_last}
        found = self._ask("gradients", **given)
        pieces = {piece: found[self._name(piece)] for piece in self.pieces}
        # A gradient moves as its numbers do, and nothing is added to it.
        layout = replace(self.row.layout, forget_offset=0.0)
        canonical = to_canonical(pieces, layout, reverse=False)
        shown = [n for n in self.parameters if f"gradient.{n}" not in self.leaves_out]
        inputs = {name: found[name] for name in ("x", "h", "c")}
        return inputs | {name: canonical[name] for name in shown}

    def train(
        self, optimizer: Optimizer, given: Array, x: Array, h: Array, c: Array
    ) -> Mapping[str, Array]:
        """Return nothing: see `leaves_out`."""
        return {}

    def _name(self, piece: str) -> str:
        """Return what the program calls a piece: as the framework does, without its module."""
        owner = f"{self.row.owner}." if self.row.owner else ""
        return self.row.spell(piece).removeprefix(owner)

    def _ask(self, do: str, **arrays: Array) -> Mapping[str, Array]:
        try:
            self.child.start()  # again, if it has ended: what it held is then gone
        except ChildMissingError as error:
            raise self._refused(f"its process {error}") from None
        if _HELD.get(self.child) != (self, self.child.starts):
            held = {self._name(piece): array for piece, array in self.pieces.items()}
            if self.name == "onnx":
                held = {"model": _model(held)}
            # By itself the framework adds what it adds: the table is not asked, it is on trial.
            usual = get_dialect(self.name).layout.forget_offset
            added = self.row.layout.forget_offset
            told = None if added == usual else added
            self._exchange({"do": "open", "dtype": self.dtype, "forget_bias": told}, held)
            _HELD[self.child] = (self, self.child.starts)
        return self._exchange({"do": do}, arrays)

    def _exchange(self, question: dict[str, Any], arrays: Mapping[str, Array]) -> dict[str, Array]:
        plain = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        question["arrays"] = [[n, array.dtype.str, array.shape] for n, array in plain.items()]
        try:
            answer, contents = self.child.ask(
                json.dumps(question).encode(), *(array.tobytes() for array in plain.values())
            )
        except ChildTimedOutError as error:
            raise self._refused(f"it does not answer within {error}") from None
        except ChildEndedError as error:
            raise self._refused(f"its process ends ({error})") from None
        except ChildMissingError as error:
            raise self._refused(f"its process {error}") from None
        if "raises" in answer:
            raise self._refused(answer["raises"])
        told = zip(answer["arrays"], contents, strict=True)
        return {name: np.frombuffer(raw, kind).reshape(shape) for (name, kind, shape), raw in told}

    def _refused(self, why: str) -> NotACellError:
        return NotACellError(f"{self.name} does not compute this cell: {why}.")


def open_runtime(name: str, weights: Weights, row: Dialect | None = None) -> RuntimeSide:
    """Return the cell of the framework `name` holding what its row makes of `weights`.

    Args:
        name: of the dialect.
        weights: of the cell.
        row: the dialect's, where its cell adds another forget bias.

    Raises:
        RuntimeMissingError: it is not installed here and no Python is named that has it, or see
            `RuntimeSide`.
    """
    row = get_dialect(name) if row is None else row
    pieces = from_canonical(weights.arrays(), row.layout)
    return open_pieces(row, pieces, bias=weights.bias or row.layout.always_bias)


def open_pieces(row: Dialect, pieces: Mapping[str, Array], *, bias: bool) -> RuntimeSide:
    """Return the cell of a framework holding the arrays of one cell of its dialect.

    Arguments and errors as those of `open_runtime` and `RuntimeSide`.
    """
    interpreter = find_interpreter(row.name)
    if interpreter is None:
        raise get_side(row.name).missing()
    return RuntimeSide(row, interpreter, pieces, bias=bias)


def _child(name: str, interpreter: Interpreter) -> Child:
    serve = str(files("onecell.verify.runtimes") / "programs" / "serve.py")
    words = (interpreter.path, serve, name, RUNTIMES[name].program)
    if words not in _CHILDREN:
        child = _CHILDREN[words] = Child(words, limit=LIMIT)
        atexit.register(child.close)
    return _CHILDREN[words]


def _model(held: Mapping[str, Array]) -> Array:
    """Return the bytes of an ONNX model of one cell in step form."""
    file = io.BytesIO()
    write_tensors(file, held, {}, "step")
    return np.frombuffer(file.getvalue(), np.uint8)

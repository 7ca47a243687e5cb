"""Everything that can compute the cell, by name, in one table that imports none of it.

A side is one cell of one make, holding given weights. The table names where each is found; the
frameworks behind them are imported when a side is opened, not before.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, cast

import numpy as np
import numpy.typing as npt

from onecell.errors import ArgumentError, MissingExtraError, NotACellError, RuntimeMissingError
from onecell.verify.quantities.optimizers import OPTIMIZERS, Optimizer
from onecell.verify.runtimes.table import RUNTIMES
from onecell.weights import Weights

Array = npt.NDArray[Any]
Bits = tuple[str, str, tuple[int, ...], bytes]
"""A tensor of a file: name, element type, shape and content."""


class Side(Protocol):
    """One cell with its weights. Arrays in and out are NumPy's, in the cell's element type."""

    @property
    def leaves_out(self) -> Mapping[str, str]:
        """Quantities, such as "gradient.bias_hh", that this side cannot have, and why."""

    @property
    def epsilon_first(self) -> bool:
        """Whether its framework's Adam adds epsilon before it corrects the second moment."""

    def step(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        """Return (h', c') of one step; x (N, I), h and c (N, H)."""

    def gradients(
        self, x: Array, h: Array, c: Array, grad_h_all: Array, grad_c_last: Array
    ) -> Mapping[str, Array]:
        """Return the gradients of "x", "h", "c" and of every parameter, by name.

        x is (S, N, I); the loss is the sum of h · grad_h_all over S steps and of the last
        c · grad_c_last.
        """

    def rollout(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        """Return h and c after each of T steps over `x` (T, N, I), both (T, N, H)."""

    def train(
        self, optimizer: Optimizer, given: Array, x: Array, h: Array, c: Array
    ) -> Mapping[str, Array]:
        """Have the framework's own `optimizer` step the parameters of a copy of the cell.

        Args:
            optimizer: which, and at which rate.
            given: (S, P), for each step what its gradients are spread from (`optimizers.spread`).
            x: (N, I), what the copy is asked afterwards; `h` and `c` likewise.
            h: (N, H).
            c: (N, H).

        Returns:
            By name: how far each parameter moved, in float64, and the copy's answer "h" and "c".
            The side itself is not changed by it.
        """


@dataclass(frozen=True, slots=True)
class Entry:
    """Where one side is found and what it can do."""

    name: str
    opener: str
    """module:function; the function takes Weights and returns a Side."""
    library: str | None = None
    """The framework that it needs, and the extra that installs it."""
    dtypes: tuple[str, ...] = ("float32", "float64")
    """The element types it computes in."""
    tanh_error: float = 0.0
    """Largest absolute error of its tanh beyond rounding; its limits allow for it."""
    apart: bool = False
    """Whether it runs in a process of its own; its opener then takes its name first."""

    @property
    def framework(self) -> str | None:
        """The framework whose files it computes; None: those of all."""
        return self.name if self.apart else self.library

    @property
    def available(self) -> bool:
        """Whether the framework behind this side is installed, or a Python is named that has it."""
        if self.apart:
            find = _find("onecell.verify.runtimes.interpreters:find_interpreter")
            return cast("Callable[[str], object]", find)(self.name) is not None
        return self.library is None or is_installed(self.library)

    def open(self, weights: Weights) -> Side:
        """Return the side holding `weights` (float32 or float64; see `Weights.widened`).

        Raises:
            MissingExtraError: its framework is not installed.
            RuntimeMissingError: it is to run in a process of its own and does not load there.
        """
        if not self.available:
            raise self.missing()
        if self.apart:
            return cast("Callable[[str, Weights], Side]", _find(self.opener))(self.name, weights)
        return cast("Callable[[Weights], Side]", _find(self.opener))(weights)

    def missing(self) -> MissingExtraError | RuntimeMissingError:
        """Return the error that says how to install this side's framework."""
        if self.apart:
            return RuntimeMissingError(self.name, self.why_missing)
        library = str(self.library)
        return MissingExtraError(library, library, f"the side `{self.name}`")

    @property
    def why_missing(self) -> str:
        """Why this side takes no part where its framework is not installed."""
        if not self.apart:
            return f"`{self.library}` is not installed"
        name = _find("onecell.verify.runtimes.interpreters:variable")
        variable = cast("Callable[[str], str]", name)(self.name)
        return f"`{self.library}` is not installed, and {variable} names no Python that has it"


MINDSPORE_TANH_ERROR: Final = 1.0e-4
"""MindSpore 2.10's tanh on CPU is a rational approximation, off by this much near |x| = 5."""

COPY: Final = "it cannot be copied, and only a copy is trained"
"""Why a live object takes no part in what optimizers do."""

_SIDES: Final = "onecell.verify.sides"

SIDES: Final[Mapping[str, Entry]] = {
    entry.name: entry
    for entry in (
        Entry("reference", f"{_SIDES}.reference:open_side"),
        Entry("arrays", f"{_SIDES}.arrays:open_side"),
        Entry("torch", f"{_SIDES}.torch:open_theirs", "torch"),
        Entry("onecell.torch", f"{_SIDES}.torch:open_ours", "torch"),
        Entry(
            "mindspore",
            f"{_SIDES}.mindspore:open_theirs",
            "mindspore",
            dtypes=("float32",),
            tanh_error=MINDSPORE_TANH_ERROR,
        ),
        Entry("onecell.mindspore", f"{_SIDES}.mindspore:open_ours", "mindspore"),
        *(
            Entry(
                row.name,
                "onecell.verify.runtimes.side:open_runtime",
                row.library,
                dtypes=row.dtypes,
                apart=True,
            )
            for row in RUNTIMES.values()
        ),
    )
}
"""Every side by name. To add a framework, add a row and a module that opens it."""


def get_side(name: str) -> Entry:
    """Return the table's row called `name`.

    Raises:
        ArgumentError: no side has that name.
    """
    if name not in SIDES:
        raise ArgumentError(f"`side` must be one of {', '.join(SIDES)}, got {name!r}.")
    return SIDES[name]


READERS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "torch": (f"{_SIDES}.torch:read_file", (".pt", ".pth")),
    "mindspore": (f"{_SIDES}.mindspore:read_file", (".ckpt", ".safetensors")),
}
"""Frameworks that can read a checkpoint by themselves: module:function, and which files."""


def get_reader(framework: str, path: Path) -> Callable[[Path], Iterable[Bits]] | None:
    """Return how `framework` itself reads `path`; None if it cannot, or is not installed."""
    if framework not in READERS or not is_installed(framework):
        return None
    reader, suffixes = READERS[framework]
    if path.suffix not in suffixes:
        return None
    return cast("Callable[[Path], Iterable[Bits]]", _find(reader))


def is_installed(library: str) -> bool:
    """Return whether `library` could be imported, without importing it."""
    try:
        return importlib.util.find_spec(library) is not None
    except (ImportError, ValueError):  # a finder that refuses it; a half-removed package
        return False


def as_arrays(weights: Weights) -> dict[str, np.ndarray]:
    """Return copies of the parameters that a framework may own and write to."""
    return {name: np.array(array, order="C") for name, array in weights.arrays().items()}


def check_unwritten(after: Mapping[str, Array], before: Mapping[str, Array]) -> None:
    """Raise `NotACellError` if a call has changed one of its arguments.

    Args:
        after: argument → what it holds after the call.
        before: the same before it.
    """
    for name, array in before.items():
        if not np.array_equal(after[name], array, equal_nan=True):
            raise NotACellError(f"it writes into its argument `{name}`")


def without_gradients(parameters: Iterable[str], why: str) -> dict[str, str]:
    """Return what a side has to leave out that knows no gradient of `parameters`."""
    names = tuple(parameters)
    return {f"gradient.{name}": why for name in names} | without_training(names, why)


def without_training(parameters: Iterable[str], why: str) -> dict[str, str]:
    """Return what a side has to leave out whose `parameters` no optimizer steps."""
    names = tuple(parameters)
    after = ("h", "c") if names else ()
    return {f"{kind}.{name}": why for name in (*names, *after) for kind in OPTIMIZERS}


def moves(after: Mapping[str, Array], before: Mapping[str, Array]) -> dict[str, Array]:
    """Return in float64 how far each array has moved."""
    return {name: array.astype(np.float64) - before[name] for name, array in after.items()}


def _find(path: str) -> object:
    """Import what `path`, spelled module:function, names."""
    module, function = path.split(":")
    return getattr(importlib.import_module(module), function)

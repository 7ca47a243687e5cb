"""Live objects as sides: which framework one belongs to, what it holds, how it is called.

A framework's module is asked only where the object is that framework's, and then it is loaded.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np

from onecell.cell import LSTMCell
from onecell.dialect import FRONT_ENDS
from onecell.errors import NotACellError
from onecell.frozen import FrozenCell
from onecell.spec import PARAMETERS
from onecell.verify.quantities.optimizers import Optimizer
from onecell.verify.sides import Array, Side, check_unwritten, without_gradients
from onecell.verify.sides.arrays import ArraysSide


@dataclass(frozen=True, slots=True, eq=False)
class Live:
    """One live object, looked at and not yet called."""

    framework: str | None
    side: str
    """The name of the side that it is: one of `SIDES` where its class is known there."""
    trusted: bool
    """Whether its class is a known one, so that its parameters say what it computes."""
    tensors: Mapping[str, np.ndarray]
    """Its named parameters."""
    sizes: tuple[int, int] | None
    """I and H, where it has attributes that say so."""
    open: Callable[[Mapping[str, str]], Side]
    """Takes canonical name → name in `tensors`; returns the object as a side."""
    tanh_error: float = 0.0
    children: Callable[[], Iterator[tuple[str, Any]]] = lambda: iter(())
    """Modules inside it, by name."""


_FRAMEWORKS: Final[Mapping[str, tuple[str, str]]] = {
    "torch": ("torch.nn.Module", "onecell.verify.sides.torch"),
    "mindspore": ("mindspore.nn.Cell", "onecell.verify.sides.mindspore"),
}
"""Framework → the class of its modules, and the module here that looks at one."""


FROZEN: Final = "a frozen cell has no gradients"
"""Why a frozen cell takes no part in some quantities."""

KNOWN_CELLS: Final[Mapping[str, str]] = {
    **{name: row.cell for name, row in FRONT_ENDS.items()},
    **{f"onecell.{name}": row.onecell for name, row in FRONT_ENDS.items()},
}
"""Side → the class whose parameters are known to say what it computes."""


def look_at(thing: object) -> Live:
    """Return what can be told of a live object without calling it.

    Raises:
        NotACellError: it is a class, or cannot be called at all.
    """
    for base, place in _FRAMEWORKS.values():
        module, name = base.rsplit(".", 1)
        kind = getattr(sys.modules.get(module), name, None)  # not loaded: not an object of it
        if kind is not None and isinstance(thing, kind):
            return cast("Live", importlib.import_module(place).look_at(thing))
    if isinstance(thing, type):
        raise NotACellError(f"{thing.__name__} is a class; give an instance of it.")
    if type(thing) is LSTMCell:
        cell = thing
        return Live(
            None,
            "arrays",
            trusted=True,
            tensors=cell.weights.arrays(),
            sizes=(cell.input_size, cell.hidden_size),
            open=lambda _: ArraysSide(cell.weights),
        )
    if type(thing) is FrozenCell:
        frozen = thing
        return Live(
            None,
            say_frozen(frozen.weight_dtype),
            trusted=True,
            tensors=frozen.weights.arrays(),
            sizes=(frozen.input_size, frozen.hidden_size),
            open=lambda _: FunctionSide(frozen, FROZEN),
        )
    if not callable(thing):
        raise NotACellError(
            f"an object of type {type(thing).__name__} cannot be called; a cell is called as "
            "cell(x, (h, c))."
        )
    return Live(
        None,
        say_class(thing),
        trusted=False,
        tensors={},
        sizes=sizes_of(thing),
        open=lambda _: FunctionSide(thing),
    )


def functions_of(thing: Any) -> Iterator[Side]:  # noqa: ANN401
    """Yield a plain callable as a side, by each kind of array that it may take, NumPy's first."""
    yield FunctionSide(thing)
    for base, place in _FRAMEWORKS.values():
        if base.rsplit(".", 1)[0] in sys.modules:
            yield importlib.import_module(place).open_function(thing)


class FunctionSide:
    """A function of NumPy arrays, `cell(x, (h, c)) -> (h', c')`. It shows no gradients."""

    epsilon_first = False

    def __init__(
        self,
        cell: Any,  # noqa: ANN401
        why: str = "a function of arrays shows no gradients",
    ) -> None:
        self.cell = cell
        self.leaves_out = without_any_gradient(why)

    def step(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        """Return (h', c') of one step, of copies of the inputs."""
        given = {"x": x.copy(), "h": h.copy(), "c": c.copy()}
        h_next, c_next = self.cell(given["x"], (given["h"], given["c"]))
        check_unwritten(given, {"x": x, "h": h, "c": c})
        return np.array(h_next), np.array(c_next)

    def gradients(
        self, x: Array, h: Array, c: Array, grad_h_all: Array, grad_c_last: Array
    ) -> Mapping[str, Array]:
        """Return nothing: see `leaves_out`."""
        return {}

    def rollout(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        """Return h and c after each step."""
        h_all, c_all = [], []
        for row in x:
            h, c = self.step(row, h, c)
            h_all.append(h)
            c_all.append(c)
        return np.stack(h_all), np.stack(c_all)

    def train(
        self, optimizer: Optimizer, given: Array, x: Array, h: Array, c: Array
    ) -> Mapping[str, Array]:
        """Return nothing: see `leaves_out`."""
        return {}


def without_any_gradient(why: str) -> dict[str, str]:
    """Return what a side has to leave out that only computes forward."""
    inputs = {f"gradient.{name}": why for name in ("x", "h", "c")}
    return inputs | without_gradients(PARAMETERS, why)


def say_frozen(weight_dtype: str) -> str:
    """Return the name of a frozen cell as a side."""
    return f"frozen ({weight_dtype})"


def sizes_of(thing: object) -> tuple[int, int] | None:
    """Return (I, H) where the object has the attributes that both frameworks' cells have."""
    if not all(has(thing, name) for name in ("input_size", "hidden_size")):
        return None
    found = [getattr(thing, name) for name in ("input_size", "hidden_size")]
    if all(isinstance(size, int) and size > 0 for size in found):
        return cast("tuple[int, int]", tuple(found))
    return None


def say_class(thing: object) -> str:
    """Return what to call a live object: its class with its module, or a function's own name."""
    named: Any = thing if has(thing, "__qualname__") else type(thing)
    return f"{named.__module__}.{named.__qualname__}"


def has(thing: object, name: str) -> bool:
    """Return whether `thing` has an attribute; one that raises anything counts as none."""
    try:
        getattr(thing, name)
    except Exception:
        return False
    return True


def known_side(thing: object) -> str | None:
    """Return the name of the side whose cell has exactly the class of `thing`."""
    kind = type(thing)
    for name, path in KNOWN_CELLS.items():
        module, attribute = path.rsplit(".", 1)
        if getattr(sys.modules.get(module), attribute, None) is kind:
            return name
    return None

"""Run a case's two modules, each in its own framework, with equal weights, inputs and questions.

What is asked of a module: the outputs of `run`, the parameters as it leaves them, and the gradients
of the sum of all outputs times fixed random numbers, by every parameter and every float input.
Everything goes in and comes out as NumPy arrays under torch's parameter names, so that the answers
of two frameworks can be held against each other.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from onecell.migrate import Framework, Target
from onecell.neighbours import find_neighbour, rename_parameters

Array = np.ndarray
CASES = Path(__file__).with_name("cases")
OTHER: dict[Framework, Framework] = {"torch": "mindspore", "mindspore": "torch"}

FORWARD = 2e-5
"""Of an output's size. Rounding is 1e-6 through a few steps; MindSpore's own cell misses its exact
value by 1.6e-6 a step at weights of usual size, its tanh by up to 1e-4 where |x| is near 5."""
GRADIENT = 1e-4
"""Of a gradient's size. It goes through the same tanh again, and sums over batch and time."""
HALF = 5e-3
"""Of the size of anything in 16-bit floats: a few roundings of 2**-11."""


@dataclass(frozen=True, slots=True)
class Case:
    """One folder of `cases`."""

    name: str
    to: Framework
    target: Target
    run: bool
    before: str
    after: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    trains: bool = False
    """Whether `run` updates the weights, so that its outputs have no gradient."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What one module said; arrays by name."""

    outputs: Mapping[str, Array]
    parameters: Mapping[str, Array]
    """As `run` left them."""
    gradients: Mapping[str, Array] | None
    """Empty where no output depends on anything that has a gradient; None where MindSpore has no
    derivative of an operator, so that the program has no gradients there to compare with."""


def read_cases() -> list[Case]:
    """Return every case, in the order of their names."""
    return [_read_case(path.parent) for path in sorted(CASES.glob("*/case.toml"))]


def _read_case(folder: Path) -> Case:
    says = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
    before, after = ((folder / f"{part}.py").read_bytes().decode() for part in ("before", "after"))
    return Case(
        folder.name,
        says["to"],
        says["target"],
        says["run"],
        before,
        after,
        says.get("inputs", {}),
        says.get("trains", False),
    )


def draw_inputs(case: Case) -> dict[str, Array]:
    """Return the inputs of a case: the same each time, no number near zero."""
    rng = np.random.default_rng(5)
    drawn: dict[str, Array] = {}
    for name, form in case.inputs.items():
        if isinstance(form, dict):
            tokens = rng.integers(0, form["below"], form["shape"])
            drawn[name] = np.asarray(tokens, np.int64)
        else:
            drawn[name] = draw(rng, form)
    return drawn


def draw(rng: np.random.Generator, shape: Iterable[int], scale: float = 0.6) -> Array:
    """Return float32 numbers between an eighth and twice `scale` away from zero."""
    shape = tuple(shape)
    sizes = rng.uniform(0.125, 1.875, shape) * scale
    return np.asarray(rng.choice([-1.0, 1.0], shape) * sizes, np.float32)


def draw_weights(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    """Return a value for every parameter, of the size that keeps gates responsive."""
    rng = np.random.default_rng(7)
    return {
        name: draw(rng, shape, 0.6 / np.sqrt(shape[-1]) if len(shape) > 1 else 0.4)
        for name, shape in sorted(shapes.items())
    }


class Side(Protocol):
    """What `execute` needs of a framework; parameters go by torch's names."""

    def shapes(self, model: Any) -> dict[str, tuple[int, ...]]: ...
    def load(self, model: Any, weights: Mapping[str, Array]) -> None: ...
    def read(self, model: Any) -> dict[str, Array]: ...
    def tensor(self, array: Array) -> Any: ...
    def arrays(self, found: Any) -> list[Array]: ...
    def gradients(
        self, model: Any, run: Callable[..., Any], inputs: Mapping[str, Array]
    ) -> dict[str, Array] | None: ...


def open_side(name: str) -> Side:
    """Return the framework called `name`; it must be installed."""
    if name == "torch":
        from migrate.in_torch import InTorch

        return InTorch()
    from migrate.in_mindspore import InMindSpore

    return InMindSpore()


def execute(
    source: str,
    framework: str,
    inputs: Mapping[str, Array],
    change: Callable[[dict[str, Array]], None] = lambda weights: None,
    *,
    trains: bool = False,
) -> Answers:
    """Run a module's `build` and `run` twice: for what it gives, and for its gradients.

    Args:
        source: the module. A model is run in the mode, training or evaluation, that it is built in.
        framework: the one that it is written in.
        inputs: what `run` gets after the model, in order.
        change: may alter the weights before they are loaded, to see that it is noticed.
        trains: whether `run` updates the weights; then nobody asks for gradients of its outputs.
    """
    side = open_side(framework)
    module = load_module(source)

    def build() -> Any:
        model = module.build()
        weights = draw_weights(side.shapes(model))
        change(weights)
        side.load(model, weights)
        return model

    model = build()
    found = side.arrays(module.run(model, *map(side.tensor, inputs.values())))
    assert found, "`run` must return at least one tensor or number"
    return Answers(
        {f"output {number}": array for number, array in enumerate(found)},
        side.read(model),
        {} if trains else side.gradients(build(), module.run, inputs),
    )


def load_module(source: str) -> ModuleType:
    """Return a module made of `source`, under a name of its own."""
    module = ModuleType(f"case_under_test_{len(sys.modules)}")
    sys.modules[module.__name__] = module  # dataclasses and annotations look themselves up there
    exec(compile(source, f"<{module.__name__}>", "exec"), module.__dict__)
    return module


def questions(outputs: Iterable[tuple[int, ...]]) -> list[Array]:
    """Return the numbers by which each output is weighted before all are summed."""
    rng = np.random.default_rng(11)
    return [draw(rng, shape) for shape in outputs]


def owner(kinds: Iterable[type], framework: str) -> str:
    """Return the import path, as users write it, of the framework's class among `kinds`."""
    for kind in kinds:
        if kind.__module__.startswith(f"{framework}.nn"):
            return f"{framework}.nn.{kind.__name__}"
    return ""


def names_in(framework: str, kinds: Iterable[type], own: Iterable[str]) -> dict[str, str]:
    """Return a layer's parameter names in `framework` → those that torch gives them."""
    row = find_neighbour(framework, owner(kinds, framework))
    known = {} if row is None else rename_parameters(row, framework, "torch")
    return {name: known.get(name, name) for name in own}


def torchs(name: str) -> str:
    """Return a parameter's name without the `_` of attributes that are called anew."""
    return ".".join(part.rstrip("_") for part in name.split("."))


def differences(got: Answers, want: Answers) -> list[str]:
    """Return what is not the same within the tolerances, in words; nothing where all is."""
    found = [
        *_differ("", got.outputs, want.outputs, FORWARD),
        *_differ("parameter ", got.parameters, want.parameters, FORWARD),
    ]
    if got.gradients is not None and want.gradients is not None:
        found += _differ("gradient of ", got.gradients, want.gradients, GRADIENT)
    return found


def _differ(
    what: str, got: Mapping[str, Array], want: Mapping[str, Array], tolerance: float
) -> Iterable[str]:
    if got.keys() != want.keys():
        yield f"{what}names: {sorted(got)} for {sorted(want)}"
        return
    for name, expected in want.items():
        found = got[name]
        if found.shape != expected.shape or found.dtype.kind != expected.dtype.kind:
            yield (
                f"{what}{name}: {found.dtype} {found.shape} for {expected.dtype} {expected.shape}"
            )
            continue
        if expected.dtype.kind != "f":
            if not np.array_equal(found, expected):
                yield f"{what}{name}: {found} for {expected}"
            continue
        half = min(found.dtype.itemsize, expected.dtype.itemsize) < 4
        limit = (HALF if half else tolerance) * max(1.0, float(np.abs(expected).max(initial=0)))
        error = float(np.abs(found.astype(np.float64) - expected).max(initial=0))
        if not error <= limit:
            yield f"{what}{name}: off by {error:.1e}, limit {limit:.1e}"

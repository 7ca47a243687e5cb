"""Draw calls of a row from its domain: what is written, and the arrays that it is given."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from onecell.migrate.rules.table.domain import Axis, OneOf, Tensor
from onecell.migrate.rules.table.row import Row

Array = np.ndarray
_Choice = TypeVar("_Choice")
SEED = 0
"""Another number draws other calls."""
_SPECIAL = ("plain", "plain", "nan", "infinite", "row of -inf", "denormal", "tie", "large")

_FORCED = {
    "nan": ("nan",),
    "infinite": ("infinite",),
    "plus infinite": ("infinite",),
    "row of -inf": ("row of -inf",),
    "denormal": ("denormal",),
    "zero": ("zeros", "tie"),  # of both signs
    "at a bound": ("tie",),
    "beyond 40": ("large",),
    "negative zero": ("negative zero",),
    "tie": ("tie",),
}
"""Feature → what is drawn to have it."""

TURNS = 3
"""So often it is drawn anew for what does not show, or agree, each time."""


class Chance:
    """What is drawn, the same whenever the same words are given.

    Hypothesis draws the numbers in the code of all modules that are loaded, too, so that each
    order of the tests would have calls of its own.
    """

    def __init__(self, *words: object) -> None:
        self._random = random.Random(repr((SEED, *words)))  # noqa: S311 - no secrets

    def whole(self, low: int, high: int) -> int:
        """Return a number from `low` to `high`."""
        return self._random.randint(low, high)

    def yes(self) -> bool:
        """Return either."""
        return self._random.random() < 0.5

    def one_of(self, choices: Sequence[_Choice]) -> _Choice:
        """Return one of `choices`."""
        return self._random.choice(choices)


@dataclass(frozen=True, slots=True)
class Drawn:
    """One call."""

    text: str
    """The call in torch's spelling; the arrays go by their names in it."""
    arrays: Mapping[str, Array] = field(default_factory=dict)
    lists: Mapping[str, int] = field(default_factory=dict)
    """Name of a list of tensors → its length; its arrays are called `name_0`, `name_1`, …"""
    given: tuple[Array, ...] = ()
    """What an instance is called with."""

    special: frozenset[str] = frozenset()
    """What is special about the call itself."""

    @property
    def features(self) -> frozenset[str]:
        """What is special about the arrays, in the words of `SENTENCES`."""
        arrays = [*self.arrays.values(), *self.given]
        found = {name for array in arrays for name in _features(array)}
        kinds = {array.dtype for array in arrays if array.dtype != bool}
        if len(kinds) > 1 and "0-d" in found:
            found.add("0-d mixed")
        return frozenset(found | set(self.special))


def _features(array: Array) -> list[str]:
    found = []
    if array.size == 1:
        found.append("one number")
    if array.dtype == np.int32:
        found.append("int32")
    if array.dtype.kind in "iu" and len(np.unique(array)) < array.size:
        found.append("tie")
    if array.size == 0:
        found.append("empty")
    if array.ndim == 0:
        found.append("0-d")
    if array.dtype.kind in "iu":
        found.append("integers")
    if array.dtype == bool:
        found.append("bool")
    if array.dtype == np.float64:
        found.append("float64")
    if array.dtype.kind != "f" or not array.size:
        return found
    sizes = np.abs(array)
    tests = {
        "nan": np.isnan(array).any(),
        "infinite": np.isinf(array).any(),
        "plus infinite": (array == np.inf).any(),
        "row of -inf": array.ndim > 0
        and any(np.all(array == -np.inf, axis=i).any() for i in range(array.ndim)),
        "denormal": ((sizes > 0) & (sizes < np.finfo(array.dtype).tiny)).any(),
        "large": (sizes[np.isfinite(array)] > 80).any(),
        "beyond 40": (sizes[np.isfinite(array)] > 40).any() or (array == np.inf).any(),
        "large float64": array.dtype == np.float64 and (sizes[np.isfinite(array)] > 80).any(),
        "negative zero": (np.signbit(array) & (array == 0)).any(),
        "tie": array.ndim > 0 and len(np.unique(array)) < array.size,
        "zero": (sizes < np.finfo(array.dtype).tiny).any(),
        "at a bound": (2 * array == np.round(2 * array)).any(),
    }
    return found + [name for name, holds in tests.items() if holds]


@dataclass(slots=True)
class _Sizes:
    """The sizes and element types that the arguments of one call share."""

    draw: Chance
    feature: str = ""
    """What the call has to have, "" where anything may come."""
    whole: dict[str, tuple[int, ...]] = field(default_factory=dict)
    axes: dict[str, int] = field(default_factory=dict)
    kinds: dict[tuple[str, ...], str] = field(default_factory=dict)

    def axis(self, name: str) -> int:
        if name.isdigit():
            return int(name)
        if name not in self.axes:
            self.axes[name] = self.draw.whole(1, 5)
        return self.axes[name]

    def shape(self, text: str) -> tuple[int, ...]:
        if text[:1] not in ("*", "+", "~"):
            return tuple(self.axis(name) for name in text.split())
        name = text[1:]
        if name not in self.whole:
            rank = self.draw.one_of((2, 1, 3, *((0,) if text[0] != "+" else ())))
            empty = text[0] != "+" and self.draw.whole(0, 7) == 0
            sizes: tuple[int, ...] = (3, 1, 2, 4, 0) if empty else (3, 1, 2, 4)
            if self.feature == "one number":
                sizes = (1,)
            self.whole[name] = tuple(self.draw.one_of(sizes) for _ in range(rank))
        shape = self.whole[name]
        if text[0] != "~":
            return shape
        if self.feature == "0-d mixed":
            return ()
        shape = shape[self.draw.whole(0, len(shape)) :]
        return tuple(1 if self.draw.yes() else size for size in shape)

    def kind(self, tensor: Tensor) -> str:
        if self.feature == "float64" and "float64" in tensor.dtypes:
            return "float64"
        if tensor.mixed:
            return str(self.draw.one_of(tensor.dtypes))
        if tensor.dtypes not in self.kinds:
            self.kinds[tensor.dtypes] = self.draw.one_of(tensor.dtypes)
        return self.kinds[tensor.dtypes]

    def array(self, tensor: Tensor) -> Array:
        shape, kind = self.shape(tensor.shape), self.kind(tensor)
        special = (
            self.draw.one_of(_FORCED.get(self.feature, _SPECIAL))
            if tensor.values == "any"
            else "plain"
        )
        rng = np.random.default_rng(self.draw.whole(0, 2**16))
        if tensor.values.startswith("below "):
            return rng.integers(0, self.axis(tensor.values[6:]), shape).astype(kind)
        if kind == "bool":
            return np.asarray(rng.integers(0, 2, shape), bool)
        if kind.startswith("int"):
            low = 1 if tensor.values == "positive" else -7
            return np.asarray(rng.integers(low, 9, shape), kind)
        values = rng.uniform(0.1, 1.9, shape) * rng.choice([-1.0, 1.0], shape)
        if tensor.values in ("positive", "unit"):
            values = np.abs(values) / (2 if tensor.values == "unit" else 1)
        return _specially(np.asarray(values, kind), special, rng)


def _specially(values: Array, special: str, rng: np.random.Generator) -> Array:
    """Return `values` with something special in them."""
    if not values.size or special == "plain":
        return values
    flat = values.reshape(-1)
    some = rng.integers(0, flat.size, max(1, flat.size // 3))
    if special == "row of -inf" and values.ndim:
        axis = int(rng.integers(0, values.ndim))
        np.moveaxis(values, axis, 0)[int(rng.integers(0, values.shape[axis]))] = -np.inf
    elif special == "nan":
        flat[some] = np.nan
    elif special == "infinite":
        flat[some] = rng.choice([np.inf, -np.inf], len(some))
    elif special == "denormal":
        flat[some] = rng.choice([1, -1], len(some)) * np.finfo(values.dtype).tiny / 8
    elif special == "large":
        flat[some] *= 100
    elif special == "zeros":
        values = np.zeros_like(values)
    elif special == "negative zero":
        flat[some] = -0.0
    elif special == "tie":
        values = np.asarray(np.round(values), values.dtype)
    return values


def calls(draw: Chance, row: Row, feature: str = "") -> Drawn:
    """Draw a call of `row`'s torch side."""
    sizes = _Sizes(draw, feature)
    side = row.torch
    arrays: dict[str, Array] = {}
    lists: dict[str, int] = {}
    parts: list[str] = []
    by_keyword = False
    positions = any(_is_several(domain) for domain in row.domain.values())
    wanted: dict[str, str] = {}
    # Arguments that others lean on come first.
    for name, domain in row.domain.items():
        optional = name in side.defaults and not isinstance(domain, Tensor)
        optional = optional and not _is_several(domain)
        if optional and draw.yes():
            continue
        if isinstance(domain, Tensor) and name in side.defaults and draw.whole(0, 2) == 0:
            continue
        if name in row.needs and row.needs[name] not in wanted:
            continue
        wanted[name] = _argument(draw, sizes, name, domain, arrays, lists)
    for name in side.positional:
        if name not in wanted:
            by_keyword = True
            continue
        # "0, 5" is for two arguments, which may only be positions.
        fixed = positions or name in side.only_positional
        by_keyword = by_keyword or (draw.whole(0, 3) == 0 and not fixed)
        parts.append(f"{name}={wanted[name]}" if by_keyword else wanted[name])
    if side.rest is not None and side.rest in wanted:
        parts.append(wanted[side.rest])
    parts += [f"{n}={t}" for n, t in wanted.items() if n in set(side.names) - set(side.positional)]
    given = tuple(sizes.array(tensor) for tensor in row.given)
    special = frozenset(["several ranks"] if {"dim"} & row.domain.keys() else [])
    if wanted.get("dim", "").startswith("-"):
        special |= {"negative axis"}
    head, _, method = side.path.rpartition(".")
    if head == "torch.Tensor":
        held = parts.pop(0).partition("=")[2] or wanted[side.positional[0]]
        return Drawn(f"{held}.{method}({', '.join(parts)})", arrays, lists, given, special)
    return Drawn(f"{side.path}({', '.join(parts)})", arrays, lists, given, special)


def _is_several(domain: Any) -> bool:
    """Whether a choice stands for more than one argument."""
    return isinstance(domain, OneOf) and any(", " in c and c[0] not in "([{" for c in domain)


def _argument(
    draw: Chance,
    sizes: _Sizes,
    name: str,
    domain: Any,
    arrays: dict[str, Array],
    lists: dict[str, int],
) -> str:
    match domain:
        case Tensor(listed=True):
            lists[name] = draw.whole(1, 3)
            for i in range(lists[name]):
                arrays[f"{name}_{i}"] = sizes.array(domain)
            return name
        case Tensor():
            arrays[name] = sizes.array(domain)
            return name
        case Axis(of=of, extra=extra, negative=negative):
            rank = (arrays[of] if of in arrays else arrays[f"{of}_0"]).ndim + extra
            if rank == 0:
                return "0"
            return str(draw.whole(-rank if negative else 0, rank - 1))
        case OneOf():
            return str(draw.one_of(tuple(domain)))
    raise TypeError(name)


def batches(row: Row, count: int, feature: str = "", turn: int = 0) -> list[Drawn]:
    """Draw that many calls at once: both frameworks are asked once for all."""
    draw = Chance(row.rule, row.torch.path, feature, turn)
    return [calls(draw, row, feature) for _ in range(count)]

"""What stands above every question: what a framework's adapter gives, and what questions share.

A question is a plain program. It is put together of this file's text, the text of a framework's
adapter (a file of `adapters`, which defines the first half of these functions as the framework
needs them) and the question's own lines; a process that has the framework and NumPy runs it. A
*part* is h or c; numbers are NumPy's on this side of `tensor` and `array`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

ORDER = "hc"
"""The order of the two parts, in and out, that the adapter's other functions rely on."""


def make(inputs: int, hidden: int, *, bias: bool = True, dtype: str = "float32") -> Any:
    """Return a fresh cell in the framework's own way, ready to be called."""
    raise NotImplementedError(inputs, hidden, bias, dtype)


def tensor(array: np.ndarray) -> Any:
    """Return a tensor of the framework's, of the same element type."""
    return array


def array(given: Any) -> np.ndarray:
    """Return a copy of what a tensor holds."""
    return np.array(given)


def state(first: Any, second: Any) -> tuple[Any, ...]:
    """Return the two parts as the arguments that `call` takes behind x."""
    return ((first, second),)


def call(cell: Any, x: Any, *args: Any) -> Any:
    """Return one step as the framework returns it; without `args` the state is left out."""
    return cell(x, *args)


def parts(returned: Any) -> tuple[Any, Any]:
    """Return the two parts, in `ORDER`, out of what `call` returned."""
    first, second = returned
    return first, second


def parameters(cell: Any) -> dict[str, np.ndarray]:
    """Return what each parameter holds, by the framework's name of it, dotted."""
    raise NotImplementedError(cell)


def put(cell: Any, values: Mapping[str, np.ndarray]) -> Any:
    """Return the cell, or another, with these parameters."""
    raise NotImplementedError(cell, values)


def fill(cell: Any, weight_ih: np.ndarray, weight_hh: np.ndarray, bias: np.ndarray) -> Any:
    """Return the cell, or another, that computes with these: gates i f g o, (4H, I), (4H, H)."""
    weights = {"weight_ih": weight_ih, "weight_hh": weight_hh}
    return put(cell, {**weights, "bias_ih": bias, "bias_hh": 0 * bias})


def gradients(cell: Any, x: np.ndarray, h: np.ndarray, c: np.ndarray) -> dict[str, np.ndarray]:
    """Return the gradients of sum(h') + sum(c') by "x", "h", "c" and by each parameter."""
    raise NotImplementedError("the runtime has none")


def signature() -> dict[str, Callable[..., Any] | Sequence[str]]:
    """Return what takes the arguments, or their names: the constructor and the call."""
    raise NotImplementedError


def shown(cell: Any) -> str | None:
    """Return the cell's repr; None where there is no object."""
    return repr(cell)


# From here on: what questions share.

SAID: Final[list[str]] = []
"""The errors' own messages, for the reader of the table."""


def ask(question: Callable[..., Any], *args: Any) -> Any:
    """Return what `question` returns, or "raises X" for the error that it raises."""
    try:
        return question(*args)
    except Exception as error:
        SAID.append((str(error).strip().splitlines() or [""])[0][:200])
        return f"raises {type(error).__name__}"


def arguments(order: str, h: Any, c: Any) -> tuple[Any, ...]:
    """Return the state as arguments of `call`, its parts in this order."""
    return state(h, c) if order == "hc" else state(c, h)


def step(cell: Any, x: np.ndarray, h: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (h', c') of one step."""
    returned = call(cell, tensor(x), *arguments(ORDER, tensor(h), tensor(c)))
    first, second = map(array, parts(returned))
    return (first, second) if ORDER == "hc" else (second, first)


def shapes(cell: Any, x: np.ndarray, h: np.ndarray, c: np.ndarray) -> list[list[int]]:
    """Return the shapes of (h', c')."""
    return [list(part.shape) for part in step(cell, x, h, c)]


def ones(*shape: int) -> np.ndarray:
    """Return ones in float32."""
    return np.ones(shape, np.float32)


def with_zeros(cell: Any) -> Any:
    """Return the cell, or another, with all its parameters 0."""
    return put(cell, {name: np.zeros_like(value) for name, value in parameters(cell).items()})


def definition(
    weights: Sequence[np.ndarray], x: np.ndarray, h: np.ndarray, c: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return (h', c') of one step in float64; weights are (weight_ih, weight_hh, bias)."""
    weight_ih, weight_hh, bias = (each.astype(np.float64) for each in weights)
    gates = x @ weight_ih.T + h @ weight_hh.T + bias
    i, f, g, o = np.split(gates, 4, axis=1)
    i, f, o = (1 / (1 + np.exp(-each)) for each in (i, f, o))
    c_next = f * c + i * np.tanh(g)
    return o * np.tanh(c_next), c_next


def draw(
    seed: int, bound: float = 0.25
) -> tuple[list[np.ndarray], np.ndarray, np.ndarray, np.ndarray]:
    """Return weights from uniform(-bound, bound), x (3, 10), h and c (3, 16) in float32."""
    rng = np.random.default_rng(seed)
    weights = [rng.uniform(-bound, bound, n).astype(np.float32) for n in ((64, 10), (64, 16), 64)]
    x, h, c = (rng.standard_normal((3, n)).astype(np.float32) for n in (10, 16, 16))
    return weights, x, h, c


def largest(got: Sequence[np.ndarray], want: Sequence[np.ndarray]) -> float:
    """Return the largest absolute difference, to two significant digits."""
    error = max(float(np.abs(g - w).max()) for g, w in zip(got, want, strict=True))
    return float(f"{error:.1e}")


def names(given: Callable[..., Any] | Sequence[str]) -> list[str]:
    """Return the arguments that a function takes, as "name" or "name=default"."""
    if not callable(given):
        return list(given)
    told = []
    for each in inspect.signature(given).parameters.values():
        if each.kind in {each.VAR_KEYWORD, each.VAR_POSITIONAL} or each.name == "self":
            continue
        default = getattr(each.default, "__name__", str(each.default))
        told.append(
            each.name if each.default is each.empty else f"{each.name}={plain(default, 20)}"
        )
    return told


def plain(text: str, most: int = 60) -> str:
    """Return the beginning of a text in one line, without colours, addresses and counters."""
    text = re.sub("\x1b\\[[0-9;]*m", "", text)
    text = re.sub(r"_\d+\b", "_n", re.sub(" object at 0x[0-9a-f]+", "", " ".join(text.split())))
    return text if len(text) <= most else text[:most] + "…"


def kind(given: Any, leaf: Callable[[Any], str]) -> str:
    """Return how a value is nested, such as "tuple(h', list(h', c'))"."""
    if isinstance(given, tuple | list):
        within = ", ".join(kind(each, leaf) for each in given)
        return f"{type(given).__name__}({within})"
    return leaf(given)


def drawn(value: np.ndarray) -> str:
    """Return which distribution a parameter of 100 inputs and 100 units looks like."""
    matrix = value.squeeze().astype(np.float64)
    few = np.unique(matrix)
    if len(few) < 3:
        return " and ".join(f"{each:g}" for each in few)
    extreme, deviation = np.abs(matrix).max(), matrix.std()
    low = matrix if matrix.ndim == 1 or len(matrix) <= len(matrix.T) else matrix.T
    products = low @ low.T
    if matrix.ndim == 2 and np.abs(products - np.eye(len(products))).max() < 1e-3:
        return "orthogonal"
    if 1.5 < extreme / deviation < 2:  # 3**0.5, in 400 numbers ± 0.04; cut at two deviations 2.27
        return f"uniform ±{extreme:.2f}"
    return f"{'truncated ' if extreme < 2.5 * deviation else ''}normal, deviation {deviation:.2f}"


def effects(cell: Any) -> Iterator[tuple[str, tuple[int, ...], str, int, str]]:
    """Find what each number of each parameter does: set it alone, and see what moves.

    Yields:
        The parameter, the index in it, the gate, its unit, and what it multiplies: "x0" is the
        first of the input, "h1" the second of h, "1" a bias.
    """
    x, h = np.array([[0.2, 0.5, 0.9]], np.float32), np.array([[0.3, 0.7]], np.float32)
    full, empty = ones(1, 2), 0 * ones(1, 2)
    sources = {"x0": 0.2, "x1": 0.5, "x2": 0.9, "h0": 0.3, "h1": 0.7, "1": 1.0}
    zeros = {name: np.zeros_like(value) for name, value in parameters(cell).items()}
    cell = put(cell, zeros)
    still = np.array(step(cell, x, h, full))  # i = o = 1/2, g = 0, f as it is without weights
    open_g: dict[int, dict[str, np.ndarray]] = {}
    unknown = []

    def moved(values: dict[str, np.ndarray], c: np.ndarray) -> np.ndarray:
        return np.array(step(put(cell, {**zeros, **values}), x, h, c))[:, 0]

    def source(unit: int, sigmoid: float, before: float) -> str:
        amount = np.log(sigmoid / (1 - sigmoid)) - np.log(before / (1 - before))
        return min(sources, key=lambda each: abs(sources[each] - amount))

    for name, value in zeros.items():
        for index in np.ndindex(*value.shape):
            set_one = value.copy()
            set_one[index] = 1
            values = {name: set_one}
            h_next, c_next = moved(values, full)
            from_zero = moved(values, empty)[1]
            units = np.flatnonzero(np.abs(h_next - still[0, 0]) > 1e-3)
            if not len(units):
                unknown.append((name, index, values))
                continue
            (unit,) = map(int, units)
            if from_zero[unit] > 1e-3:  # c' = tanh(g) / 2
                amount = np.arctanh(2 * from_zero[unit])
                what = min(sources, key=lambda each: abs(sources[each] - amount))
                open_g.setdefault(unit, values)
                yield name, index, "g", unit, what
            elif abs(c_next[unit] - still[1, 0, unit]) > 1e-3:  # c' = f
                yield name, index, "f", unit, source(unit, c_next[unit], still[1, 0, unit])
            else:  # h' = o tanh(c')
                share = h_next[unit] / np.tanh(c_next[unit])
                yield name, index, "o", unit, source(unit, share, 0.5)
    for name, index, values in unknown:  # i is seen only where g is not 0
        for unit, others in open_g.items():
            with_g = moved(others, empty)[1, unit]
            both = {**others, **values}
            if others.keys() == values.keys():
                both = {name: others[name] + values[name]}
            i = moved(both, empty)[1, unit] / with_g / 2
            if abs(i - 0.5) > 1e-3:
                yield name, index, "i", unit, source(unit, i, 0.5)


def layout(cell: Any) -> dict[str, str]:
    """Return what each parameter holds, as `effects` finds it: "(I, 4H) of x: i f g o"."""
    sizes = {3: "I", 2: "H", 8: "4H", 5: "I+H", 16: "8H", 1: "1"}
    found = sorted(effects(cell))
    told = {}
    for name, value in parameters(cell).items():
        own = {
            index: (gate + str(unit), what)
            for each, index, gate, unit, what in found
            if each == name
        }
        shape = ", ".join(sizes[size] for size in value.shape)
        gates = [_blocks(_along(own, value.shape, axis, 0)) for axis in range(value.ndim)]
        inputs = [_sources(_along(own, value.shape, axis, 1)) for axis in range(value.ndim)]
        of = next(filter(None, inputs), "irregular")
        if of == "xh":
            of = "x beside h" if value.shape[-1] == 5 else "x above h"
        if len(own) < value.size:
            of = f"{value.size - len(own)} without effect"
        what = "bias" if of == "1" else f"of {of}"
        told[name] = f"({shape}) {what}: {next(filter(None, gates), 'irregular')}"
    return told


def _along(own: Mapping[Any, Any], shape: tuple[int, ...], axis: int, which: int) -> list[str]:
    """Return the gates with their units (0), or what is multiplied (1), place by place of an axis.

    Empty where a place has more than one of them, and so the axis is not theirs.
    """
    order = [{o[which] for i, o in own.items() if i[axis] == n} for n in range(shape[axis])]
    return [each for there in order for each in there] if set(map(len, order)) == {1} else []


def _blocks(order: Sequence[str]) -> str:
    """Return the gates of blocks of two units, in their order: "i f g o"."""
    gates = [each[0] for each in order[::2]]
    return " ".join(gates) if [f"{g}{unit}" for g in gates for unit in "01"] == [*order] else ""


def _sources(order: Sequence[str]) -> str:
    """Return what an axis multiplies: "x", "h", both in their order, or "1"."""
    if set(order) == {"1"}:
        return "1"
    kinds = "".join(dict.fromkeys(each[0] for each in order))
    whole = [f"{each}{n}" for each in kinds for n in range({"x": 3, "h": 2}.get(each, 1))]
    return kinds if whole == [*order] else ""

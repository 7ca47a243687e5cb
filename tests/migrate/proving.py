"""Prove rows: write calls in torch, let the migrator rewrite them, run both, compare."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import mindspore as ms
import numpy as np
import torch

from migrate.drawing import Array, Drawn
from migrate.execution import draw, names_in
from onecell.migrate import Finding, Outcome, rewrite
from onecell.migrate.rules.table.domain import OF_GRADIENTS, Tensor
from onecell.migrate.rules.table.row import Row

_LAYERS = ("layer", "module", "loss")
_STEPS = 4
RELATIVE = 2e-5
ABSOLUTE = 2e-6
GRADIENT = 1e-4


@dataclass(frozen=True, slots=True)
class Answer:
    """What one side made of a call."""

    values: tuple[Array, ...] = ()
    kinds: tuple[str, ...] = ()
    gradients: tuple[Array, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of a batch."""

    wrong: tuple[str, ...]
    """Calls that differ, and how."""
    apart: frozenset[str]
    """Features that the row names, and with which a call did differ."""
    agreed: int


def source_of(row: Row, drawn: Sequence[Drawn]) -> str:
    """Return a module in torch with a function for each call."""
    lines = ["import torch", "import torch.nn.functional", "import torch.optim", ""]
    for i, one in enumerate(drawn):
        listed = {f"{n}_{k}" for n, count in one.lists.items() for k in range(count)}
        names = [*(n for n in one.arrays if n not in listed), *one.lists]
        if row.torch.path.startswith("torch.Tensor."):
            names[0] += ": torch.Tensor"
        lines += [f"def case_{i}({', '.join(names)}):", f"    return {_used(row, one.text, i)}", ""]
    return "\n".join(lines)


def _used(row: Row, text: str, i: int) -> str:
    """Return what is made of a call: of a pair, each way of taking it apart."""
    if row.gives in ("pair", "extreme"):
        return text + ("[0]", "[1]", ".values", ".indices")[i % 4]
    return text


def prove(
    row: Row, drawn: Sequence[Drawn], change: Callable[[str], str] = lambda after: after
) -> Proof:
    """Rewrite the calls there and back, run each, and compare with what torch makes of them.

    `change` may alter what the migrator wrote, to see that it is noticed.
    """
    before = source_of(row, drawn)
    there = rewrite(before, to="mindspore", target="native", whole_file=True)
    marked = [f for f in there.findings if f.outcome in (Outcome.MARKED, Outcome.REFUSED)]
    assert not marked, f"in the domain, and marked: {_line(before, marked[0])}: {marked[0].message}"
    back = rewrite(there.after, to="torch", target="native", whole_file=True)
    left = any(f.outcome in (Outcome.MARKED, Outcome.REFUSED) for f in back.findings)
    modules = _load(before), _load(change(there.after)), None if left else _load(back.after)
    wrong: list[str] = []
    apart: set[str] = set()
    agreed = 0
    for i, one in enumerate(drawn):
        first, second, third = (getattr(m, f"case_{i}", _nothing) for m in modules)
        want = _in_torch(row, first, one)
        assert not want.error, f"torch itself fails: {one.text} {_shapes(one)}: {want.error}"
        got = _in_mindspore(row, second, one)
        found = _differ(row, got, want)
        if not left and not found:
            found = _differ(row, _in_torch(row, third, one), want)
        named = one.features & {*row.holds, *row.raises}
        if found and not found.startswith("gradient"):
            named -= set(OF_GRADIENTS)
        loud = one.features & set(row.raises)
        if not found:
            agreed += 1
        elif not named and _is_everywhere(one, got, found):
            continue
        elif not named or (got.error and not loud):
            wrong.append(f"{one.text} {_shapes(one)} {sorted(one.features)}: {found}")
        elif got.error:
            apart |= loud
        elif one.features & set(row.holds):
            apart |= one.features & set(row.holds)
        else:
            wrong.append(f"{one.text} {_shapes(one)}: no error, and {found}")
    return Proof(tuple(wrong), frozenset(apart), agreed)


def _nothing() -> None:
    """Stand for a way back that is left to the reader."""


def _is_everywhere(one: Drawn, got: Answer, found: str) -> bool:
    """Whether a difference is one of those that the page tells of every function."""
    quiet = got.error or found.startswith("gradient")
    return "denormal" in one.features or bool("empty" in one.features and quiet)


def _constant(row: Row) -> set[str]:
    return {n for n, d in row.domain.items() if isinstance(d, Tensor) and d.constant}


def _line(source: str, found: Finding) -> str:
    return source.splitlines()[found.line - 1].strip()


def _shapes(one: Drawn) -> str:
    arrays = {**one.arrays, **{f"given {i}": a for i, a in enumerate(one.given)}}
    return ", ".join(f"{n}: {a.dtype}{list(a.shape)}" for n, a in arrays.items())


def _load(source: str) -> ModuleType:
    module = ModuleType(f"row_under_test_{len(sys.modules)}")
    exec(compile(source, "<row under test>", "exec"), module.__dict__)
    return module


def _arguments(one: Drawn, made: dict[str, Any]) -> list[Any]:
    listed = {f"{n}_{k}" for n, count in one.lists.items() for k in range(count)}
    plain = [made[name] for name in one.arrays if name not in listed]
    return [*plain, *([made[f"{n}_{k}"] for k in range(c)] for n, c in one.lists.items())]


def _questions(shapes: Sequence[tuple[int, ...]]) -> list[Array]:
    rng = np.random.default_rng(11)
    return [draw(rng, shape) for shape in shapes]


def _in_torch(row: Row, function: Callable[..., Any], one: Drawn) -> Answer:
    made = {n: torch.from_numpy(np.array(a)) for n, a in one.arrays.items()}
    given = [torch.from_numpy(np.array(a)) for a in one.given]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            constant = _constant(row)
            by = [t for n, t in made.items() if n not in constant]
            by += [t for t, d in zip(given, row.given, strict=True) if not d.constant]
            by = [t.requires_grad_() for t in by if t.is_floating_point()]
            if row.gives == "optimizer":
                return _optimized(_torch_steps(function, one))
            found: Any = function(*_arguments(one, made))
            if row.gives in _LAYERS:
                torch_weights(found)
                if isinstance(found, torch.nn.Module):
                    by += [p for _, p in sorted(found.named_parameters())]
                found = found(*given)
            leaves = list(_leaves(found, torch.Tensor))
            tensors = [e for e in leaves if isinstance(e, torch.Tensor)]
            float_leaves = [e for e in tensors if e.is_floating_point() and e.requires_grad]
            asked = _questions([tuple(e.shape) for e in float_leaves])
            total: Any = sum(
                (e * torch.from_numpy(q).to(e.dtype)).sum()
                for e, q in zip(float_leaves, asked, strict=True)
            )
            grads: Sequence[Any] = ()
            if float_leaves and row.proof != "random":
                grads = torch.autograd.grad(total, by, allow_unused=True)
    except Exception as error:
        return Answer(error=f"{type(error).__name__}: {str(error).splitlines()[0][:120]}")
    zeros = [np.zeros(t.shape) if g is None else g.numpy() for g, t in zip(grads, by, strict=False)]
    values = tuple(
        np.array(e.detach().resolve_conj().numpy()) if isinstance(e, torch.Tensor) else np.array(e)
        for e in leaves
    )
    return Answer(values, tuple(str(v.dtype) for v in values), tuple(zeros))


def _torch_steps(function: Callable[..., Any], one: Drawn) -> list[Array]:
    """Return the parameters after a few steps of an optimizer."""
    params = [torch.nn.Parameter(torch.from_numpy(np.array(a))) for a in one.arrays.values()]
    optimizer = function(params)
    for step in range(_STEPS):
        for i, param in enumerate(params):
            param.grad = torch.from_numpy(_gradient(step, i, tuple(param.shape)))
        optimizer.step()
    return [p.detach().numpy() for p in params]


def _mindspore_steps(function: Callable[..., Any], one: Drawn) -> list[Array]:
    params = [ms.Parameter(ms.Tensor(np.array(a)), name=n) for n, a in one.arrays.items()]
    optimizer = function(params)
    for step in range(_STEPS):
        shapes = [tuple(p.shape) for p in params]
        optimizer(tuple(ms.Tensor(_gradient(step, i, s)) for i, s in enumerate(shapes)))
    return [np.array(p.asnumpy()) for p in params]


def _gradient(step: int, place: int, shape: tuple[int, ...]) -> Array:
    return draw(np.random.default_rng([step, place]), shape)


def _optimized(params: list[Array]) -> Answer:
    return Answer(tuple(params), tuple(str(p.dtype) for p in params))


def torch_weights(model: Any) -> None:
    """Give a layer the weights that `draw` draws for its names."""
    if not isinstance(model, torch.nn.Module):
        return
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                value.copy_(torch.from_numpy(_weight(name, tuple(value.shape))))


def _weight(name: str, shape: tuple[int, ...]) -> Array:
    rng = np.random.default_rng(sum(name.encode()))
    found = draw(rng, shape, 0.5)
    return np.abs(found) if "var" in name else found


def _in_mindspore(row: Row, function: Callable[..., Any], one: Drawn) -> Answer:
    made = {n: ms.Tensor(np.array(a)) for n, a in one.arrays.items()}
    given = [ms.Tensor(np.array(a)) for a in one.given]
    constant = _constant(row)
    floats = [n for n, a in one.arrays.items() if a.dtype.kind == "f" and n not in constant]
    by_given = [
        i
        for i, (a, d) in enumerate(zip(one.given, row.given, strict=True))
        if a.dtype.kind == "f" and not d.constant
    ]
    layer = row.gives in _LAYERS
    try:
        if row.gives == "optimizer":
            return _optimized(_mindspore_steps(function, one))
        weights: dict[str, Any] = {}
        if layer:
            instance = function(*_arguments(one, made))
            weights = dict(sorted(mindspore_weights(instance).items()))

        def run(*by: Any) -> Any:
            now = {**made, **dict(zip(floats, by, strict=False))}
            if not layer:
                return function(*_arguments(one, now))
            rest = iter(by)
            return instance(*(next(rest) if i in by_given else g for i, g in enumerate(given)))

        by = [given[i] for i in by_given] if layer else [made[n] for n in floats]
        leaves = list(_leaves(run(*by), ms.Tensor))
        values = tuple(np.array(e.asnumpy()) if isinstance(e, ms.Tensor) else np.array(e)
                       for e in leaves)  # fmt: skip
        if row.proof == "random" or not (by or weights):
            return Answer(values, tuple(str(v.dtype) for v in values))
        grads = _mindspore_gradients(run, by, list(weights.values()))
    except Exception as error:
        _settle()
        return Answer(error=f"{type(error).__name__}: {str(error).splitlines()[0][:120]}")
    return Answer(values, tuple(str(v.dtype) for v in values), grads)


def _settle() -> None:
    """Wait for what a failed call has left, which would fail the next one."""
    with contextlib.suppress(Exception):
        ms.runtime.synchronize()


def mindspore_weights(model: Any) -> dict[str, Any]:
    """Give a layer what `torch_weights` gives torch's; return its parameters by torch's names."""
    trainable: dict[str, Any] = {}
    if not isinstance(model, ms.nn.Cell):
        return trainable
    own = dict(model.parameters_and_names())
    for name, called in names_in("mindspore", type(model).__mro__, own).items():
        shape = tuple(own[name].shape)
        # One axis more: MindSpore convolves over two.
        narrow = (
            (*shape[:2], *shape[3:]) if len(shape) == 4 and "Conv1d" in str(type(model)) else shape
        )
        own[name].set_data(ms.Tensor(_weight(called, narrow).reshape(shape), own[name].dtype))
        if own[name].requires_grad:
            trainable[called] = own[name]
    return trainable


def _mindspore_gradients(
    run: Callable[..., Any], by: list[Any], weights: list[Any]
) -> tuple[Array, ...]:
    def loss(*now: Any) -> Any:
        found = [e for e in _leaves(run(*now), ms.Tensor)
                 if isinstance(e, ms.Tensor) and e.is_floating_point()]  # fmt: skip
        total = ms.Tensor(np.zeros((), np.float32))
        for e, q in zip(found, _questions([tuple(e.shape) for e in found]), strict=True):
            total = total + (e * ms.Tensor(q, e.dtype)).sum().astype(ms.float32)
        return total

    positions = tuple(range(len(by))) or None
    found = ms.grad(loss, positions, weights or None)(*by)
    if positions and weights:
        parts = [*(found[0] if isinstance(found[0], tuple) else (found[0],)), *found[1]]
    else:
        parts = list(found) if isinstance(found, (tuple, list)) else [found]
    return tuple(np.array(p.asnumpy()) for p in parts)


def _leaves(found: Any, kind: type) -> Iterator[Any]:
    if isinstance(found, (tuple, list)):
        for each in found:
            yield from _leaves(each, kind)
    elif isinstance(found, (kind, bool, int, float, np.ndarray)):
        yield found
    else:
        raise TypeError(f"a call gave {type(found).__name__}")


def _differ(row: Row, got: Answer, want: Answer) -> str:
    """Return how an answer differs, "" where it does not."""
    forms = [[(k, v.shape) for k, v in zip(a.kinds, a.values, strict=True)] for a in (got, want)]
    if got.error or forms[0] != forms[1]:
        return got.error or f"{forms[0]} for {forms[1]}"
    if row.proof == "random":
        return ""
    if want.gradients and len(got.gradients) != len(want.gradients):
        return f"{len(got.gradients)} gradients for {len(want.gradients)}"
    for one, other in zip(got.values, want.values, strict=True):
        if not _close(one, other, max(RELATIVE, row.error)):
            return f"{_short(one)} for {_short(other)}"
    # torch asks for none where nothing that comes out has one.
    for one, other in zip(got.gradients, want.gradients, strict=False):
        near = max(GRADIENT, 4 * row.error)
        if one.size != other.size or not _close(one.reshape(other.shape), other, near):
            return f"gradient {_short(one)} for {_short(other)}"
    return ""


def _close(one: Array, other: Array, relative: float) -> bool:
    if other.dtype.kind != "f":
        return bool(np.array_equal(one, other))
    size = max(1.0, float(np.abs(other[np.isfinite(other)]).max(initial=0)))
    with np.errstate(all="ignore"):
        return bool(
            np.allclose(
                one, other, rtol=relative, atol=max(ABSOLUTE, relative / 10) * size, equal_nan=True
            )
        )


def _short(array: Array) -> str:
    return np.array2string(array.reshape(-1)[:8], precision=6, separator=" ").replace("\n", "")

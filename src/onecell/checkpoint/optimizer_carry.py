"""What torch's optimizers have gathered, under the names that MindSpore's optimizers give it.

torch keeps it by a parameter's place among those that the optimizer was given. Where one dictionary
of the same file has tensors of just these shapes in this order, in one way alone, that tells whose
it is; anything else is left. The names are those that `mindspore.experimental.optim` gives, whose
optimizers the migrator writes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

_SLOTS: Final[Mapping[str, Mapping[str, str]]] = {
    "exp_avg": {
        "exp_avg": "exp_avg",
        "exp_avg_sq": "exp_avg_sq",
        "max_exp_avg_sq": "max_exp_avg_sq",
    },
    "square_avg": {
        "square_avg": "mean_square",
        "momentum_buffer": "moment",
        "grad_avg": "mean_grad",
    },
    "momentum_buffer": {"momentum_buffer": "accum"},
    "sum": {"sum": "accum"},
}
"""What tells an optimizer → torch's slot → MindSpore's."""
_STEPS: Final = {"exp_avg": "state_step", "sum": "step_t"}
_UNCOUNTED: Final = (".running_mean", ".running_var", ".num_batches_tracked")
"""How buffers of norms end: they are no parameters."""


@dataclass(frozen=True, slots=True)
class Carried:
    """An optimizer's state in its new form."""

    taken: frozenset[str]
    """The names in the old file of what was carried."""
    tensors: dict[str, np.ndarray]
    plain: str
    """As the `plain` it was given, with the new form in the old one's place."""


def carry(
    tensors: Mapping[str, np.ndarray],
    new: Mapping[str, tuple[str, tuple[int, ...]]],
    plain: str,
) -> Carried:
    """Return every optimizer's state of a torch file as MindSpore's optimizers have it.

    Args:
        tensors: all that the file holds, in its order.
        new: name → new name and new shape, of what is no optimizer's.
        plain: the file without its tensors, see `plain`.
    """
    tree = json.loads(plain)
    taken: set[str] = set()
    made: dict[str, np.ndarray] = {}
    for path in _optimizers(tree, ()):
        root = "".join(f"{part}." for part in path)
        saved = _at(tree, path)
        rates = [{"lr": group["lr"]} for group in saved["param_groups"] if "lr" in group]
        taken |= {f"{root}param_groups.{place}.lr" for place in range(len(rates))}
        try:
            found = _carried(tensors, new, root, saved)
        except (TypeError, ValueError, LookupError, AttributeError):
            found = None  # it only looks like an optimizer's
        if found is not None:
            gone, slots = found
            taken |= gone
            made |= {f"{root}state.{name}": array for name, array in slots.items()}
        saved.clear()
        saved.update({"state": {}, "param_groups": rates})
    return Carried(frozenset(taken), made, json.dumps(tree))


def _optimizers(tree: Any, path: tuple[str, ...]) -> list[tuple[str, ...]]:  # noqa: ANN401 - JSON
    if not isinstance(tree, dict):
        return []
    groups = tree.get("param_groups")
    if "state" in tree and isinstance(groups, list) and all(isinstance(g, dict) for g in groups):
        return [path]
    return [found for key, each in tree.items() for found in _optimizers(each, (*path, key))]


def _at(tree: Any, path: Sequence[str]) -> dict[str, Any]:  # noqa: ANN401 - JSON
    for part in path:
        tree = tree[part]
    assert isinstance(tree, dict)  # noqa: S101 - as `_optimizers` found it
    return tree


def _carried(
    tensors: Mapping[str, np.ndarray],
    new: Mapping[str, tuple[str, tuple[int, ...]]],
    root: str,
    saved: Mapping[str, Any],
) -> tuple[set[str], dict[str, np.ndarray]] | None:
    """Return what is taken of one optimizer, and what it becomes; None if nothing tells whose."""
    places = [place for group in saved["param_groups"] for place in group.get("params", ())]
    slots: dict[tuple[object, str], np.ndarray] = {}
    known = {str(place): place for place in places}
    for name, array in tensors.items():
        if not name.startswith(f"{root}state."):
            continue
        place, _, slot = name.removeprefix(f"{root}state.").partition(".")
        if place not in known:
            return None
        slots[known[place], slot] = array
    kind = next((kind for kind in _SLOTS if any(slot == kind for _, slot in slots)), None)
    if kind is None or any(slot not in (*_SLOTS[kind], "step") for _, slot in slots):
        return None
    plain = saved["state"].get("", []) if isinstance(saved["state"], dict) else []
    counts = {key: each["step"] for key, each in plain if each and "step" in each}
    counts |= {each: array for (each, slot), array in slots.items() if slot == "step"}
    steps = {int(np.asarray(count).reshape(())) for count in counts.values()}
    names = _owner(new, root, tensors, places, {p: a for (p, s), a in slots.items() if s == kind})
    if names is None or len(steps) > 1:
        return None
    taken, made = set(), {}
    for (owned, slot), array in slots.items():
        owner, shape = names[owned]
        taken.add(f"{root}state.{owned}.{slot}")
        if slot != "step":
            made[f"{_SLOTS[kind][slot]}.{owner}"] = array.reshape(shape)
            if kind == "momentum_buffer":  # MindSpore's says that there was a step
                made[f"stat.{owner}"] = np.zeros(shape, array.dtype)
    if kind in _STEPS and steps:
        taken |= {f"{root}state.{each}.step" for each in counts}
        made[_STEPS[kind]] = np.array(steps.pop(), np.int32)
    return taken, made


def _owner(
    new: Mapping[str, tuple[str, tuple[int, ...]]],
    root: str,
    tensors: Mapping[str, np.ndarray],
    places: Sequence[object],
    slots: Mapping[object, np.ndarray],
) -> dict[object, tuple[str, tuple[int, ...]]] | None:
    """Return the new name and shape of each parameter; None unless one dictionary alone fits."""
    above = root[: root[:-1].rfind(".") + 1]
    groups: dict[str, list[str]] = {}
    for name in new:
        if name.startswith(above) and not name.endswith(_UNCOUNTED):
            key, dot, rest = name.removeprefix(above).partition(".")
            if dot and rest:
                groups.setdefault(f"{above}{key}.", []).append(name)
    shapes = [slots[place].shape if place in slots else None for place in places]
    fit = [
        (prefix, found)
        for prefix, names in groups.items()
        if (found := _fitting(names, [tensors[name].shape for name in names], shapes))
    ]
    if len(fit) != 1:
        return None
    prefix, names = fit[0]
    return {
        place: (new[name][0].removeprefix(prefix), new[name][1])
        for place, name in zip(places, names, strict=True)
    }


def _fitting(
    names: Sequence[str],
    shapes: Sequence[tuple[int, ...]],
    wanted: Sequence[tuple[int, ...] | None],
) -> list[str]:
    """Return those of the names, in order, whose shapes are the wanted ones, if only some can be.

    The others are buffers. A shape that is not known is found only where there are none.
    """
    if None in wanted:
        fits = len(names) == len(wanted)
        fits = fits and all(w in (None, s) for w, s in zip(wanted, shapes, strict=True))
        return list(names) if fits else []
    ways = []
    for order in (1, -1):  # the first places that fit from each end: one way if they agree
        left = iter(list(enumerate(shapes))[::order])
        ways.append([next((i for i, shape in left if shape == w), -1) for w in wanted[::order]])
    first, last = ways[0], ways[1][::-1]
    return [names[i] for i in first] if first == last and -1 not in first else []

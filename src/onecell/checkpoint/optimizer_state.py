"""What an optimizer keeps in a checkpoint beside the parameters, told by its names.

MindSpore's optimizers name each of it after the parameter: `moment1.cell.weight_ih`, and
nn.ASGD, nn.AdaFactor and experimental NAdam some of it joined by `_`: `mu_cell.weight_ih`. A name
is taken for one of these only where the rest of it, `cell.weight_ih`, is a tensor of the file and
the shapes agree: any module may be called `moment1`. torch's `optimizer.state_dict()` is
`{"state": {…}, "param_groups": […]}`, wherever it is put. TensorFlow 1 puts it below the variable,
`cell.kernel.Adam`, and TensorFlow 2 below its optimizer, which counts its iterations there.
Keras 3 numbers it: `optimizer.vars.0`.

No optimizer reads what another framework's has kept: torch's goes by the place of a parameter in
its groups, and the file does not tell which that is.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from onecell.dialect import get_dialect

SLOTS: Final = (
    *("accum", "accum_update", "adam_m", "adam_v", "ax", "ax_", "exp_avg", "exp_avg_sq"),
    *("exp_inf", "lamb_m", "lamb_v", "linear", "max_exp_avg_sq", "mean_grad", "mean_square"),
    *("moment", "moment1", "moment2", "moments", "momentum_buf", "prev", "stat", "step_size"),
    "vhat",
)
"""First words, before a dot, of what has the shape of its parameter: in mindspore.nn.optim,
mindspore.experimental.optim and mindspore.mint.optim."""

JOINED: Final = (
    *("mu_product", "mu", "eta"),
    *("exp_avg_sq_row", "exp_avg_sq_col", "exp_avg_sq"),
)
"""First words, before an underscore, of what has a shape of its own."""

_ONCE: Final = re.compile(
    r"global_step|learning_rate(?:_group_\d+)?|beta[12]_power|momentum|afactor_step|state_step"
    r"|step_t|cov_step"
)
"""What a MindSpore optimizer keeps once, at most a row of numbers."""

_POWER: Final = re.compile(r"(?:.*\.)?beta[12]_power(?:_\d+)?", re.DOTALL)
_COUNT: Final = re.compile(r"(?P<root>.*\.)(?:_?iterations?|iter)", re.DOTALL)
"""What TensorFlow's optimizers keep once: of version 1, and of version 2 among all of theirs."""

_NUMBERED: Final = re.compile(r"optimizer\.(?:.+\.)?vars\.\d+", re.DOTALL)
"""What Keras's optimizers keep in a .keras, one that is wrapped in another too."""

_SLOT: Final = re.compile(rf"(?:{'|'.join(SLOTS)})\.(?P<dotted>.+)", re.DOTALL)
_NESTED: Final = re.compile(rf"(?:.*\.)?state\.(?:{'|'.join(SLOTS)})\.(?P<dotted>.+)", re.DOTALL)
"""What the migrator's `optimizer_state` saves, beside a dictionary of the parameters."""
_JOINED: Final = re.compile(rf"(?:{'|'.join(JOINED)})_(?P<joined>.+)", re.DOTALL)
_GROUPS: Final = re.compile(r"(?P<root>(?:.*\.)?)param_groups\.\d+\..+", re.DOTALL)


def mindspore_slots(tensors: Mapping[str, np.ndarray]) -> set[str]:
    """Return the names of what a MindSpore optimizer keeps for each parameter."""
    nested = [(n, m["dotted"]) for n in tensors if (m := _NESTED.fullmatch(n)) is not None]
    found = {name for name in tensors if _is_slot(name, tensors)}
    if not nested:
        return found
    inner: dict[str, set[tuple[int, ...]]] = {}
    slots = {name for name, _ in nested}
    for name in tensors.keys() - slots:
        for start in (0, *(at.end() for at in re.finditer(r"\.", name))):
            inner.setdefault(name[start:], set()).add(tensors[name].shape)
    return found | {n for n, twin in nested if tensors[n].shape in inner.get(twin, ())}


def _is_slot(name: str, tensors: Mapping[str, np.ndarray]) -> bool:
    if (match := _SLOT.fullmatch(name)) and (twin := match["dotted"]) in tensors:
        return tensors[twin].shape == tensors[name].shape
    if (match := _JOINED.fullmatch(name)) and (twin := match["joined"]) in tensors:
        # A number, a row or a column of its parameter, or as large as that.
        whole, mine = tensors[twin].shape, tensors[name].shape
        rows = {whole[:-1], whole[:-2] + whole[-1:]}
        return mine in {(), (1,), whole} or mine in rows
    return False


def optimizer_state(
    tensors: Mapping[str, np.ndarray], values: Iterable[str], framework: str
) -> set[str]:
    """Return the names of all tensors and plain values that an optimizer of `framework` keeps."""
    kept = get_dialect(framework).optimizer
    if not kept:
        return set()
    if kept == "nested":
        return _nested(tensors)
    if kept == "slots":
        found = mindspore_slots(tensors)
        once = {n for n, array in tensors.items() if array.ndim < 2 and _ONCE.fullmatch(n)}
        return found | once if found else found
    names = sorted({*tensors, *values})
    roots = {match["root"] for name in names if (match := _GROUPS.fullmatch(name))}
    return set(names_under(names, {root + own for root in roots for own in _OWN}))


def slots(tensors: Mapping[str, np.ndarray], kept: str) -> set[str]:
    """Return the names of what an optimizer keeps under the names of cells, by how it keeps it."""
    if kept == "slots":
        return mindspore_slots(tensors)
    return _nested(tensors) if kept == "nested" else set()


def _nested(tensors: Mapping[str, np.ndarray]) -> set[str]:
    """Return what is numbered, below a variable or beside a count of iterations, and powers."""
    found = {n for n, a in tensors.items() if not a.shape and _POWER.fullmatch(n)}
    found |= {n for n in tensors if _NUMBERED.fullmatch(n)}
    roots = {match["root"] for name in tensors if (match := _COUNT.fullmatch(name))}
    names = sorted(tensors)
    below = {f"{name}." for name in names}
    return found | set(names_under(names, roots | below))


_OWN: Final = ("state.", "param_groups.")


def names_under(names: Sequence[str], prefixes: Collection[str]) -> list[str]:
    """Return those of the sorted `names` that begin with one of `prefixes`, each ending in a dot.

    However the prefixes lie in each other, the cost is that of the names and of sorting.
    """
    found: list[str] = []
    done = 0
    for prefix in sorted(prefixes):
        start, end = span(names, prefix)
        found += names[max(start, done) : end]
        done = max(done, end)
    return found


def span(names: Sequence[str], prefix: str) -> tuple[int, int]:
    """Return from where to where the sorted `names` begin with `prefix`: none, or up to a dot."""
    if not prefix:
        return 0, len(names)
    after = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    return bisect_left(names, prefix), bisect_left(names, after)

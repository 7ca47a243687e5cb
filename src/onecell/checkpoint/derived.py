"""Parameters that a file holds as the parts that torch computes them from.

Instead of `weight_hh` there are, by what the module was wrapped in:

- `weight_norm`: `weight_hh_g` and `weight_hh_v`, or `original0` and `original1`;
- `prune`: `weight_hh_orig` and `weight_hh_mask`;
- `spectral_norm`: `weight_hh_orig`, `weight_hh_u` and `weight_hh_v`, or `original`, `0._u`, `0._v`;

the second of each as `torch.nn.utils.parametrizations` has it, under `parametrizations.weight_hh.`;
one wrapper possibly around another. Each is arithmetic on what the file holds, done in float64 and
rounded once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from onecell.dtypes import BFLOAT16, FLOAT_NAMES, dtype_name, narrow, widen

_OLD: Final = ("_g", "_v", "_u", "_orig", "_mask")
_DEEPEST: Final = 2
"""So many wrappers of the old kind around one parameter are told apart."""
_MOST: Final = 4
"""So many parametrizations of one parameter, one after the other."""

Parts = Mapping[str, np.ndarray]
"""What follows the parameter's name, as "_g" or ".original0" → the array."""


def _suffixes(depth: int) -> tuple[str, ...]:
    deeper = _suffixes(depth - 1) if depth > 1 else ()
    return (*_OLD, *(first + rest for first in ("_g", "_v", "_orig") for rest in deeper))


_ENDINGS: Final = _suffixes(_DEEPEST)
_ORIGINALS: Final = (".original", ".original0", ".original1")
_VECTORS: Final = tuple(f".{index}.{name}" for index in range(_MOST) for name in ("_u", "_v"))
PARAMETRIZATIONS: Final = "parametrizations."


def find_parts(tensors: Mapping[str, np.ndarray], name: str) -> dict[str, str]:
    """Return what the parameter called `name` may be computed from: ending → name in the file.

    Of a parameter that is there as itself that is `{"": name}`.
    """
    if name in tensors:
        return {"": name}
    owner, dot, own = name.rpartition(".")
    new = f"{owner}{dot}{PARAMETRIZATIONS}{own}"
    names = {ending: name + ending for ending in _ENDINGS}
    names |= {ending: new + ending for ending in (*_ORIGINALS, *_VECTORS)}
    return {ending: each for ending, each in names.items() if each in tensors}


def derive(parts: Parts) -> tuple[np.ndarray, str] | None:
    """Return a parameter out of its parts, and by what; None if they are no wrapper's known here.

    By the names alone another parametrization cannot be told from `weight_norm`; its shapes are
    checked.
    """
    if parts.keys() == {""}:
        return parts[""], ""
    if any(ending.startswith(".") for ending in parts):
        return _parametrized(parts)
    inner = {ending: _inside(parts, ending) for ending in _OLD}
    there = {ending for ending, found in inner.items() if found}
    for rule, how, endings in _RULES:
        if there == set(endings):
            made = [derive(inner[ending]) for ending in endings]
            known = [each for each in made if each is not None]
            array = rule(*(a for a, _ in known)) if len(known) == len(made) else None
            said = known[-1][1] if known else ""
            return None if array is None else (array, _say(said, how))
    return None


def _parametrized(parts: Parts) -> tuple[np.ndarray, str] | None:
    """Compute what `torch.nn.utils.parametrize` keeps, one parametrization after the other."""
    left = dict(parts)
    if left.keys() >= {".original0", ".original1"}:
        first: np.ndarray | None = _weight_norm(left.pop(".original0"), left.pop(".original1"))
        array, how, index = first, "weight_norm", 1
    elif ".original" in left:
        array, how, index = left.pop(".original"), "", 0
    else:
        return None
    while array is not None and left.keys() >= {f".{index}._u", f".{index}._v"}:
        array = _spectral_norm(left.pop(f".{index}._u"), left.pop(f".{index}._v"), array)
        how, index = _say(how, "spectral_norm"), index + 1
    return None if left or array is None or not how else (array, how)


def _inside(parts: Parts, start: str) -> Parts:
    return {ending[len(start) :]: a for ending, a in parts.items() if ending.startswith(start)}


def _say(inner: str, outer: str) -> str:
    return f"{inner}, then {outer}" if inner else outer


def _weight_norm(length: np.ndarray, direction: np.ndarray) -> np.ndarray | None:
    """Return g·v/‖v‖, the norm over every axis but the one that g has, if it has one."""
    if not _are_floats(length, direction):
        return None
    g, v = _wide(length), _wide(direction)
    if g.ndim:
        kept = [axis for axis, size in enumerate(g.shape) if size != 1]
        fits = g.ndim == v.ndim and len(kept) <= 1
        if not fits or any(g.shape[axis] != v.shape[axis] for axis in kept):
            return None
        over = tuple(axis for axis, size in enumerate(g.shape) if size == 1)
    else:
        over = tuple(range(v.ndim))
    with np.errstate(all="ignore"):
        norm = np.sqrt(np.sum(v * v, axis=over, keepdims=True))
        return _narrow(v * (g / norm), direction)


def _masked(mask: np.ndarray, whole: np.ndarray) -> np.ndarray | None:
    """Return the product of a parameter and its mask."""
    if mask.shape != whole.shape or not _are_floats(whole) or mask.dtype.kind == "c":
        return None
    with np.errstate(all="ignore"):
        return _narrow(_wide(whole) * _wide(mask), whole)


def _spectral_norm(u: np.ndarray, v: np.ndarray, whole: np.ndarray) -> np.ndarray | None:
    """Return W / (u·W·v), as in evaluation: with the u and v of the file."""
    if not _are_floats(whole, u, v) or not whole.ndim:
        return None
    matrix = _wide(whole).reshape(whole.shape[0], -1)
    if (u.size, v.size) == matrix.shape[::-1] != matrix.shape:
        matrix = matrix.T
    if u.shape != matrix.shape[:1] or v.shape != matrix.shape[1:]:
        return None
    with np.errstate(all="ignore"):
        return _narrow(_wide(whole) / np.dot(_wide(u), matrix @ _wide(v)), whole)


_RULES: Final[tuple[tuple[Callable[..., np.ndarray | None], str, tuple[str, ...]], ...]] = (
    (_weight_norm, "weight_norm", ("_g", "_v")),
    (_masked, "prune", ("_mask", "_orig")),
    (_spectral_norm, "spectral_norm", ("_u", "_v", "_orig")),
)
"""Rule, the wrapper's name, and the parts that it takes, the parameter itself last."""


def _are_floats(*arrays: np.ndarray) -> bool:
    return all(dtype_name(array.dtype) in FLOAT_NAMES for array in arrays)


def _wide(array: np.ndarray) -> np.ndarray:
    return (widen(array) if array.dtype == BFLOAT16 else array).astype(np.float64)


def _narrow(array: np.ndarray, like: np.ndarray) -> np.ndarray:
    return narrow(array, dtype_name(like.dtype))

"""What was given as a cell, read: a file, weights, a live object, or where to import one from."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from onecell.checkpoint import find_cells
from onecell.dialect import FRONT_ENDS, TORCH
from onecell.dtypes import FLOAT_NAMES, dtype_name
from onecell.errors import MissingExtraError, ObjectImportError, WhichCellError
from onecell.verify.comparing.cells_of_file import CellsOfFile, read_cells
from onecell.verify.comparing.checks import check_numbers
from onecell.verify.comparing.claim import Claim, quoted
from onecell.verify.comparing.comparison import Label
from onecell.verify.sides.live import Live, has, look_at, say_class
from onecell.weights import Weights

_OBJECT: Final = re.compile(r"(?P<module>[^\W\d]\w*(?:\.\w+)*):(?P<attribute>[^\W\d]\w*(?:\.\w+)*)")


def read_claim(
    label: Label, given: object, cell: str | None = None, *, perhaps: bool = False
) -> Claim:
    """Return what `given` is.

    Args:
        label: "a" or "b", for messages.
        given: a path, "module:attribute", `Weights`, a file that was read, or a live object.
        cell: which cell of a file or of a module, by its name.
        perhaps: whether `cell` may be meant for the other one: where there is no cell of that name
            and no choice either, the only one is taken.

    Raises:
        CheckpointError: a file that cannot be read, or holds no cell.
        WhichCellError: it holds several cells and `cell` is None, or none of that name.
        ObjectImportError, MissingExtraError: the module or the attribute cannot be imported.
        NotACellError: an object that cannot be called.
        NotFiniteError: a parameter holds NaN or infinity.
    """
    if isinstance(given, Weights):
        claim = Claim(label, "Weights", "weights", "(root)", ("(root)",), None, given, {}, None)
    elif isinstance(given, str) and names_an_object(given):
        claim = _of_object(label, given, import_object(given), cell, perhaps=perhaps)
    elif isinstance(given, str | os.PathLike):
        claim = read_cells(Path(given)).claim(label, cell, perhaps=perhaps)
    elif isinstance(given, CellsOfFile):
        claim = given.claim(label, cell, perhaps=perhaps)
    else:
        claim = _of_object(label, say_class(given), given, cell, perhaps=perhaps)
    if claim.weights is None:
        return claim
    check_numbers(f"`{label}` ({claim.given})", claim.weights)
    return replace(claim, stored=claim.weights.dtype_name)


def names_an_object(given: str) -> bool:
    """Whether a string is "module:attribute" and not the path of a file that is there."""
    return _OBJECT.fullmatch(given) is not None and not Path(given).exists()


def import_object(path: str) -> object:
    """Return what "module:attribute" names; importing runs the module, as any import does.

    Raises:
        MissingExtraError: a framework that the module needs is not installed.
        ObjectImportError: the module does not import, or has no such attribute.
    """
    module, attribute = path.split(":")
    try:
        found: object = importlib.import_module(module)
    except ModuleNotFoundError as error:
        library = (error.name or "").split(".")[0]
        if library in FRONT_ENDS:
            raise MissingExtraError(library, library, f"`{path}`") from error
        raise ObjectImportError(f"`{path}`: {error}.") from error
    except (Exception, SystemExit) as error:
        # A script that ends its process must not end this one as if all were well.
        text = f"`{path}`: importing it raises {type(error).__name__}: {error}"
        raise ObjectImportError(text) from error
    for name in attribute.split("."):
        if not has(found, name):
            there = ", ".join(n for n in vars(found) if not n.startswith("_"))[:200]
            where = f"`{module}` has no `{attribute}`"
            raise ObjectImportError(f"{where}; it has {there or 'no public names'}.")
        found = getattr(found, name)
    return found


def _of_object(
    label: Label, given: str, thing: object, cell: str | None, *, perhaps: bool
) -> Claim:
    if isinstance(thing, Weights):
        return Claim(label, given, "weights", "(root)", ("(root)",), None, thing, {}, None)
    live = look_at(thing)
    if cell is not None:
        inside = dict(live.children())
        if cell not in inside and perhaps:
            cell = None
        elif cell not in inside:
            held = f"it holds {quoted(inside)}" if inside else "it holds no modules"
            raise WhichCellError(f"`{label}` ({given}): no module called {cell!r}; {held}.")
        else:
            thing = inside[cell]
            live = look_at(thing)
    weights, names = _weights_in(live)
    kinds = {dtype_name(array.dtype) for array in live.tensors.values()} & set(FLOAT_NAMES)
    return Claim(
        label,
        given,
        "callable" if live.framework is None and weights is None else "module",
        cell or say_class(thing),
        (cell or say_class(thing),),
        live.framework,
        weights,
        names,
        kinds.pop() if len(kinds) == 1 else None,
        live=live,
        thing=thing,
    )


def _weights_in(live: Live) -> tuple[Weights | None, Mapping[str, str]]:
    """Return the one cell among the object's parameters, by canonical names, if there is one."""
    dialect = live.framework or TORCH.name
    sites = find_cells(live.tensors, dialect)
    if len(sites) != 1 or sites[0].layer is not None:
        return None, {}
    names = {n: name for n, name in sites[0].names(dialect).items() if name in live.tensors}
    weights = sites[0].weights(live.tensors, dialect)
    # Parameters that are computed at each call cannot be set.
    return (weights, names) if names.keys() == weights.arrays().keys() else (None, {})

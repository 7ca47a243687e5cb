"""What a module shows about its own objects: their attributes, and that they must be modules."""

from __future__ import annotations

import re
from typing import Final

import libcst as cst

from onecell.migrate.meaning.names import Names, dotted
from onecell.migrate.meaning.scopes import ImportAssignment
from onecell.migrate.meaning.syntax import literal, upwards

_TELLTALE: Final = {
    "torch": {"parameters", "named_parameters", "state_dict", "load_state_dict"},
    "mindspore": {
        "get_parameters",
        "parameters_and_names",
        "parameters_dict",
        "set_train",
        "state_dict",
        "load_state_dict",
        "trainable_params",
    },
}
"""Framework → methods that nothing but its modules has."""
OPTIMIZER: Final = re.compile(r"(?:^|_)opt(?:im|s)?(?:_|\d|$)|optim", re.IGNORECASE)
_OPTIMIZERS: Final = ("torch.optim.", "mindspore.experimental.optim.", "mindspore.nn.optim.")
SCHEDULER: Final = re.compile(r"sched", re.IGNORECASE)
"""How optimizers and schedulers are called, which have a state as modules do."""


def evidence_of(names: Names, framework: str) -> frozenset[str | cst.CSTNode]:
    """Return what must be a module because one of its telltale methods is called.

    That is the import path of a class from another file, for every instance of it, and otherwise
    the argument or variable itself.
    """
    found: set[str | cst.CSTNode] = set()
    for node in names.of_kind(cst.Call):
        func = node.func
        if (
            not isinstance(func, cst.Attribute)
            or func.attr.value not in _TELLTALE[framework]
            or not isinstance(func.value, cst.Name)
            or OPTIMIZER.search(func.value.value)
            or SCHEDULER.search(func.value.value)
        ):
            continue
        for binding in names.assignments(func.value):
            if isinstance(binding, ImportAssignment):
                continue
            target = binding.node
            made = names.value_of(target)
            named = made.func if isinstance(made, cst.Call) else None
            if isinstance(target, cst.Param) and target.annotation is not None:
                named = target.annotation.annotation
            path = names.path(named) if named is not None else None
            if path is not None and path.startswith(_OPTIMIZERS):
                continue
            found.add(path if path is not None else target)
    return frozenset(found)


def attributes_of(names: Names) -> dict[cst.ClassDef, dict[str, list[cst.BaseExpression]]]:
    """Return, for every class, what its methods assign to `self` and register as buffers."""
    found: dict[cst.ClassDef, dict[str, list[cst.BaseExpression]]] = {}
    assigned: list[tuple[cst.Assign | cst.AnnAssign, cst.BaseExpression]] = [
        *((node, t.target) for node in names.of_kind(cst.Assign) for t in node.targets),
        *((node, node.target) for node in names.of_kind(cst.AnnAssign)),
    ]
    for node, target in assigned:
        if not isinstance(target, cst.Attribute) or dotted(target.value) != "self":
            continue
        owner = next(
            (up for up in upwards(node, names.parents) if isinstance(up, cst.ClassDef)), None
        )
        if owner is not None and node.value is not None:
            found.setdefault(owner, {}).setdefault(target.attr.value, []).append(node.value)
    for call in names.of_kind(cst.Call):
        if dotted(call.func) != "self.register_buffer" or len(call.args) < 2:
            continue
        name = literal(call.args[0].value)
        owner = next(
            (up for up in upwards(call, names.parents) if isinstance(up, cst.ClassDef)), None
        )
        if owner is not None and isinstance(name, str):
            found.setdefault(owner, {}).setdefault(name, []).append(call.args[1].value)
    return found

"""Methods of cells, layers and modules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import elements, expression, is_pure, literal, upwards
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families.calls import plan_call
from onecell.migrate.rules.families.modules import element_types
from onecell.migrate.rules.families.modules.parameters import keeps_names
from onecell.migrate.rules.families.receivers import forget_args, moves, receiver, renaming
from onecell.migrate.rules.table.row import Row

THERE: Final = {
    "forward": "construct",
    "parameters": "get_parameters",
    "named_parameters": "parameters_and_names",
    "children": "cells",
    "from_torch": "from_mindspore",
}
"""Methods of torch's modules → what MindSpore's are called."""
_RENAMED: Final[Mapping[str, Mapping[str, str]]] = {
    "mindspore": THERE,
    "torch": {new: old for old, new in THERE.items()},
}
LACKING: Final = {
    "mindspore": {
        "modules",
        "named_modules",
        "named_children",
        "reset_parameters",
        "double",
        "half",
        "float",
        "requires_grad_",
        "register_forward_hook",
        "share_memory",
        "register_parameter",
        "get_parameter",
        "type",
        "bfloat16",
        "zero_grad",
        "add_module",
        "register_module",
        "get_submodule",
        "named_buffers",
        "register_full_backward_hook",
        "register_forward_pre_hook",
        "register_load_state_dict_pre_hook",
        "to_empty",
    },
    "torch": {
        "cells_and_names",
        "name_cells",
        "set_grad",
        "to_float",
        "set_inputs",
        "parameters_dict",
        "set_comm_fusion",
        "recompute",
        "insert_child_to_cell",
        "insert_param_to_cell",
        "untrainable_params",
        "compile",
    },
}
"""Methods of modules that only the source's framework has, or that mean something else."""


def of_module(  # noqa: PLR0912 - one question after another
    ctx: Context, node: cst.Call, name: str
) -> tuple[str, Plan] | None:
    """Return the rule and plan of a module's method, None where it may stay.

    Raises:
        Unsure: the method is known to be another in the other framework.
    """
    if name == "__init__" and node.args:
        if (row := _base_row(ctx, node)) is not None:
            return row.rule, plan_call(ctx, node, row, func=False)
        if (plain := _without_prefix(ctx, node)) is not None:
            return plain
        _check_base(ctx, node)
    if ctx.to == "mindspore":
        if (found := _to_mindspore(ctx, node, name)) is not None:
            return found
    else:
        found = set_train(ctx, node, name) or element_types.plan_back(ctx, node, name)
        if found is not None:
            return found
        if name == "trainable_params" and not node.args and _is_for_optimizer(ctx, node):
            return "parameters", renaming("parameters")  # it passes over those without a gradient
        if name == "trainable_params" and not node.args:
            return "parameters", lambda u: expression(
                "[p for p in _.parameters() if p.requires_grad]", _=receiver(u)
            )
    if name == "parameters" and not node.args and _is_for_optimizer(ctx, node):
        return "parameters", renaming("trainable_params")
    new = _RENAMED[ctx.to].get(name)
    if new is None:
        return None
    if node.args and name in ("parameters", "named_parameters", "get_parameters"):
        raise Unsure(f"`{name}` with arguments has no exact counterpart")
    if name in ("named_parameters", "parameters_and_names"):
        _check_names(ctx, node)
    rule = {"construct": "skeleton", "forward": "skeleton"}.get(name, "parameters")
    return ("wrap" if name.startswith("from_") else rule), renaming(new)


def _to_mindspore(ctx: Context, node: cst.Call, name: str) -> tuple[str, Plan] | None:
    """Return the rule and plan of a method of torch's modules alone, None for any other."""
    if (held := _holding(ctx, node, name)) is not None:
        return held
    if name == "train":
        return "train", renaming("set_train")
    if name == "eval" and not node.args:
        return "train", lambda u: expression("_.set_train(False)", _=receiver(u))
    if name in ("cuda", "cpu") or (name == "to" and moves(ctx, node)):
        forget_args(ctx, node)
        return "device", receiver
    return element_types.plan_module(ctx, node, name)


def _base_row(ctx: Context, node: cst.Call) -> Row | None:
    """Return the row of the layer whose constructor a subclass calls, where one call is like it."""
    owner = ctx.kinds.class_around(node)
    row = ctx.kinds.base_row(owner) if owner is not None else None
    return row if row is not None and row.shape == "" else None


def _holding(ctx: Context, node: cst.Call, name: str) -> tuple[str, Plan] | None:
    """Return the rule and plan of what gives a module parts, None for any other method."""
    if name == "append" and _is_kept_list(ctx, node):
        return "module_list", _appending
    if name == "flatten_parameters" and _is_dropped(ctx, node):
        return "parameters", receiver  # it only moves torch's memory
    if name in _REGISTERING and _registers(ctx, node):
        return "module", lambda u: expression(
            "setattr(self, n_, v_)", n_=u.args[0].value, v_=u.args[1].value
        )
    if name == "modules" and not node.args and _tells_classes_apart(ctx, node):
        return "parameters", lambda u: expression(
            "(part for _, part in x_.cells_and_names())", x_=receiver(u)
        )
    if name == "register_buffer":
        return "buffer", lambda u: u
    return None


_REGISTERING: Final = ("add_module", "register_module", "register_parameter")


def _registers(ctx: Context, node: cst.Call) -> bool:
    """Whether a module, and nothing that runs its parts in order, is given a part by name.

    MindSpore's own `insert_child_to_cell` leaves a part's parameters without its name.
    """
    owner = ctx.kinds.class_around(node)
    held = receiver(node)
    if owner is None or not isinstance(held, cst.Name) or held.value != "self":
        return False
    rows = [found for base in owner.bases if (found := ctx.row(base.value)) is not None]
    plain = len(node.args) == 2 and not any(arg.keyword or arg.star for arg in node.args)
    taken = plain and literal(node.args[0].value) in ctx.outside.renamed
    return plain and not taken and bool(rows) and all(found.rule == "module" for found in rows)


def _is_dropped(ctx: Context, node: cst.Call) -> bool:
    """Whether nobody reads what a call gives: it is a statement, or the items of a list that is."""
    up = ctx.names.parents.get(node)
    if isinstance(up, cst.ListComp) and up.elt is node:
        up = ctx.names.parents.get(up)
    return isinstance(up, cst.Expr)


def _tells_classes_apart(ctx: Context, node: cst.Call) -> bool:
    """Whether a loop over modules only asks for classes: MindSpore's LSTM has parts of its own."""
    match ctx.names.parents.get(node):
        case cst.For(
            target=cst.Name(value=part),
            body=cst.IndentedBlock(body=[cst.If(test=test, orelse=orelse)]),
        ):
            while isinstance(orelse, cst.If) and _asks_class(orelse.test, part):
                orelse = orelse.orelse
            return _asks_class(test, part) and orelse is None
    return False


def _asks_class(test: cst.BaseExpression, part: str) -> bool:
    match test:
        case cst.Call(
            func=cst.Name(value="isinstance"),
            args=[cst.Arg(value=cst.Name(value=asked)), cst.Arg()],
        ):
            return asked == part
        case cst.BooleanOperation(left=left, operator=cst.Or(), right=right):
            return _asks_class(left, part) and _asks_class(right, part)
    return False


def _is_kept_list(ctx: Context, node: cst.Call) -> bool:
    """Whether a statement appends to a list of modules that is an attribute already."""
    assert isinstance(node.func, cst.Attribute)  # noqa: S101 - the caller looked
    held = node.func.value
    row = ctx.kinds.made_by(held) if isinstance(held, cst.Attribute) else None
    return (
        row is not None
        and row.rule == "module_list"
        and is_pure(held)
        and isinstance(ctx.names.parents.get(node), cst.Expr)
        and len(node.args) == 1
        and not node.args[0].star
    )


def _appending(updated: cst.Call) -> cst.BaseExpression:
    """Return `held += [module]`: what is appended would not get the list's name before its own."""
    more = cst.List([cst.Element(updated.args[0].value)])
    return cst.NamedExpr(cst.ensure_type(receiver(updated), cst.Attribute), more)


def _is_for_optimizer(ctx: Context, node: cst.Call) -> bool:
    """Whether parameters are given to an optimizer, where they are listed.

    torch's passes over those that need no gradient; MindSpore's would decay them.
    """
    for up in upwards(node, ctx.names.parents):
        if isinstance(up, cst.Call):
            row = ctx.row(up.func)
            if row is not None and row.gives == "optimizer":
                return True
        elif isinstance(up, cst.BaseStatement | cst.BaseSmallStatement):
            return False
    return False


def _without_prefix(ctx: Context, node: cst.Call) -> tuple[str, Plan] | None:
    """Return the plan of `super().__init__(auto_prefix=False)`, None for any other."""
    named = {a.keyword.value if a.keyword is not None else "" for a in node.args}
    if ctx.to != "torch" or not named <= {"auto_prefix", "flags"}:
        return None
    if any(literal(a.value) is not True for a in node.args):
        said = "a checkpoint calls its tensors by their places in the modules"
        ctx.holds.setdefault(node, []).append(said)
    forget_args(ctx, node)
    return "module", lambda u: u.with_changes(args=[])


def _check_base(ctx: Context, node: cst.Call) -> None:
    """Raise `Unsure` where the framework's own module is given arguments."""
    owner = ctx.kinds.class_around(node)
    rows = [ctx.row(base.value) for base in owner.bases] if owner is not None else []
    if len(rows) == 1 and rows[0] is not None and rows[0].rule == "module":
        raise Unsure(
            f"`{rows[0].side(ctx.source).path}` takes other arguments in {ctx.to}",
            "leave them out, if they are not needed",
        )


def _check_names(ctx: Context, node: cst.Call) -> None:
    """Raise `Unsure` where the names of parameters are read that the frameworks give otherwise."""
    loop = ctx.names.parents.get(node)
    target = loop.target if isinstance(loop, cst.For | cst.CompFor) else None
    parts = elements(target) if target is not None else None
    first = parts[0] if parts else None
    if isinstance(first, cst.Name) and (
        first.value == "_" or all(_tells_alike(ctx, read) for read in ctx.names.reads_of(first))
    ):
        return
    if isinstance(node.func, cst.Attribute) and keeps_names(ctx, node.func.value):
        return
    has_own = any(ctx.kinds.of_class(owner) for owner in ctx.names.of_kind(cst.ClassDef))
    if not has_own or any(ctx.names.called(layer) for layer in ("Embedding", "LayerNorm")):
        raise Unsure(
            f"embeddings and layer norms call their parameters otherwise in {ctx.to}",
            "tell parameters apart by what holds them",
        )


_ENDS: Final = ("weight", "bias", "gamma", "beta", "embedding_table")
"""What the frameworks call parameters of embeddings and norms."""


def _tells_alike(ctx: Context, read: cst.CSTNode) -> bool:
    """Whether a name is only searched for what is part of no end that differs."""
    target = ctx.names.parents.get(read)
    asked = ctx.names.parents.get(target) if isinstance(target, cst.ComparisonTarget) else None
    if not isinstance(asked, cst.Comparison) or len(asked.comparisons) != 1:
        return False
    text = literal(asked.left)
    return (
        isinstance(asked.comparisons[0].operator, cst.In | cst.NotIn)
        and isinstance(text, str)
        and "." not in text
        and not any(text in end for end in _ENDS)
    )


def set_train(ctx: Context, node: cst.Call, name: str) -> tuple[str, Plan] | None:
    """Return the rule and plan of MindSpore's `set_train`, None for any other method."""
    if name != "set_train":
        return None
    assert isinstance(node.func, cst.Attribute)  # noqa: S101 - the caller looked
    held = node.func.value
    row = ctx.row(held.func) if isinstance(held, cst.Call) else None
    if row is not None and row.shape == "training" and not node.args:
        return "train", receiver  # torch's layers begin in training mode
    value = literal(node.args[0].value) if len(node.args) == 1 else None
    if value is False:
        return "train", lambda u: expression("_.eval()", _=receiver(u))
    if value is True:
        return "train", lambda u: expression("_.train()", _=receiver(u))
    return "train", renaming("train")

"""Buffers of modules: MindSpore lets none be set by its name.

A checkpoint fills them as in torch: what is written is `load_state_dict`, which does, and never
`load_param_into_net`, which passes over them.
"""

from __future__ import annotations

import libcst as cst

from onecell.migrate.meaning.syntax import literal
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.context import Context
from onecell.migrate.rules.families.registry import Change, syntax


def _buffer(ctx: Context, target: cst.BaseExpression) -> str | None:
    """Return the name of the buffer that a statement sets, None where it sets none."""
    match target:
        case cst.Attribute(value=cst.Name(value="self"), attr=cst.Name(value=name)):
            owner = ctx.kinds.class_around(target)
        case _:
            return None
    if ctx.to != "mindspore" or owner is None or not ctx.kinds.of_class(owner):
        return None
    return name if any(_registers(ctx, call, owner, name) for call in _calls(ctx)) else None


def _calls(ctx: Context) -> list[cst.Call]:
    return [
        call
        for read in ctx.names.called("register_buffer")
        if isinstance(at := ctx.names.parents.get(read), cst.Attribute)
        and isinstance(call := ctx.names.parents.get(at), cst.Call)
        and call.func is at
    ]


def _registers(ctx: Context, call: cst.Call, owner: cst.ClassDef, name: str) -> bool:
    return (
        bool(call.args)
        and literal(call.args[0].value) == name
        and ctx.kinds.class_around(call) is owner
    )


def _registering(name: str, value: cst.BaseExpression) -> cst.Expr:
    """Return the statement that sets a buffer."""
    call = cst.ensure_type(cst.parse_expression(f'self.register_buffer("{name}", _)'), cst.Call)
    return cst.Expr(call.with_changes(args=[call.args[0], cst.Arg(value)]))


@syntax("buffer", cst.Assign)
def _set(ctx: Context, node: cst.Assign) -> Change | None:
    name = _buffer(ctx, node.targets[0].target) if len(node.targets) == 1 else None
    if name is None:
        return None
    build = lambda updated: _registering(name, updated.value)  # noqa: E731
    return Change("A buffer is set by registering it anew.", build)


@syntax("buffer", cst.AugAssign)
def _augmented(ctx: Context, node: cst.AugAssign) -> None:
    if _buffer(ctx, node.target) is not None:
        raise Unsure("MindSpore lets no buffer be set", "register it anew with the new numbers")

"""Element types: of a whole module at once, and torch's classes of tensors that stand for one."""

from __future__ import annotations

from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import code, expression, is_pure, upwards
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families.receivers import is_device, receiver
from onecell.migrate.rules.families.tensors.made import TYPES

_NAMED: Final = {
    "double": "float64",
    "float": "float32",
    "half": "float16",
    "bfloat16": "bfloat16",
}
CASTS: Final = frozenset(_NAMED)
"""Methods that give all parameters of a module an element type."""
_BUFFERS: Final = "no buffer that it registers holds floats, which torch makes of that type too"


def plan_module(ctx: Context, node: cst.Call, name: str) -> tuple[str, Plan] | None:
    """Return the rule and plan of `module.double()` and its like, None for any other method.

    MindSpore's layers compute in the element type of their parameters, which keep their numbers.

    Raises:
        Unsure: what is given is no element type.
    """
    if name in _NAMED and not node.args:
        kind: cst.BaseExpression | None = None
    elif name in ("type", "to") and node.args and not any(arg.star for arg in node.args):
        kind = _given(ctx, node, name)
    else:
        return None
    wanted = _NAMED.get(name) or _float_of(ctx, kind)
    if wanted in ("float64", "bfloat16") and ctx.target == "native":
        raise Unsure(f"a cell of {wanted} does not run in MindSpore", "use `--target onecell`")
    if ctx.names.called("register_buffer"):
        ctx.holds.setdefault(node, []).append(_BUFFERS)
    place = next((i for i, arg in enumerate(node.args) if arg.value is kind), None)
    for arg in node.args:
        if arg.value is not kind:
            ctx.forget(arg.value)

    def build(updated: cst.Call) -> cst.BaseExpression:
        made = (
            ctx.speller.spell(f"mindspore.{_NAMED[name]}")
            if place is None
            else updated.args[place].value
        )
        return expression(
            "_.apply(lambda cell: [p.set_dtype(t_) for p in cell.get_parameters(expand=False)])",
            _=receiver(updated),
            t_=made,
        )

    return "element_type", build


def _given(ctx: Context, node: cst.Call, name: str) -> cst.BaseExpression:
    """Return the element type among the arguments of `type` or `to`."""
    found = [
        arg.value
        for arg in node.args
        if not is_device(ctx, arg.value)
        and (arg.keyword is None or arg.keyword.value in ("dtype", "dst_type"))
    ]
    if len(found) != 1 or not is_pure(found[0]):
        raise Unsure(f"`{name}` of a module is not given one element type")
    kind = found[0]
    if ctx.kinds.of(kind) != "dtype" and not _float_of(ctx, kind):
        if name == "to":
            raise Unsure("what `to` is given may be a device or an element type")
        said = f"`{code(kind)}` is an element type of floats"
        ctx.holds.setdefault(node, []).append(said)
    return kind


def _float_of(ctx: Context, node: cst.BaseExpression | None) -> str:
    """Return the name of the float type that an expression surely is, empty where it is none."""
    path = ctx.names.path(node) if node is not None else None
    home, _, name = (path or "").rpartition(".")
    if home in ("torch", "torch.cuda") and name in TYPES:
        return TYPES[name]
    return {"double": "float64", "half": "float16", "float": "float32"}.get(name, name)


def stood_for(ctx: Context, node: cst.CSTNode, path: str) -> tuple[str, str] | None:
    """Return the element type that a class of tensors stands for, and what is supposed for it.

    torch takes `torch.FloatTensor` where it takes `torch.float32`: `x.type(torch.FloatTensor)`.
    None where the class itself may be wanted: it is called, asked for, or handed to torch.
    """
    home, _, name = path.rpartition(".")
    if home not in ("torch", "torch.cuda") or name not in TYPES or name == "Tensor":
        return None
    if ctx.to != "mindspore":
        return None
    before = node
    for up in upwards(node, ctx.names.parents):
        match up:
            case cst.IfExp() if up.test is not before:
                pass
            case cst.Arg():
                pass
            case cst.Call(func=cst.Attribute(attr=cst.Name(value="type"))) if before is not up.func:
                return TYPES[name], ""
            case cst.Assign():
                targets = [each.target for each in up.targets]
                if any(_is_called(ctx, target) for target in targets):
                    return None
                held = code(targets[0])
                return TYPES[name], f"`{held}` is given to `type` and its like, and not called"
            case _:
                return None
        before = up
    return None


def _is_called(ctx: Context, target: cst.BaseExpression) -> bool:
    """Whether what a class of tensors is bound to makes tensors somewhere in this file."""
    name = target.attr.value if isinstance(target, cst.Attribute) else code(target)
    return any(
        (isinstance(up := ctx.names.parents.get(read), cst.Call) and up.func is read)
        or (
            isinstance(up, cst.Attribute)
            and up.attr is read
            and isinstance(around := ctx.names.parents.get(up), cst.Call)
            and around.func is up
        )
        for read in ctx.names.called(name)
    )


def plan_back(ctx: Context, node: cst.Call, name: str) -> tuple[str, Plan] | None:
    """Return the rule and plan of what `plan_module` writes, None for any other `apply`."""
    match node.args if name == "apply" else ():
        case [
            cst.Arg(
                value=cst.Lambda(
                    body=cst.ListComp(
                        elt=cst.Call(
                            func=cst.Attribute(attr=cst.Name(value="set_dtype")), args=[cst.Arg()]
                        ),
                        for_in=cst.CompFor(
                            iter=cst.Call(
                                func=cst.Attribute(attr=cst.Name(value="get_parameters"))
                            ) as every
                        ),
                    )
                )
            )
        ]:
            ctx.gone.add(every)
        case _:
            return None

    def build(updated: cst.Call) -> cst.BaseExpression:
        cast = cst.ensure_type(updated.args[0].value, cst.Lambda).body
        made = cst.ensure_type(cst.ensure_type(cast, cst.ListComp).elt, cst.Call)
        return expression("_.to(t_)", _=receiver(updated), t_=made.args[0].value)

    return "element_type", build

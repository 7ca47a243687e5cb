"""Gradients that are clipped between `backward` and the optimizer's step.

torch clips them where they are kept; in MindSpore they are what `value_and_grad` gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import code, expression, is_pure, literal
from onecell.migrate.rules.arguments import bind
from onecell.migrate.rules.context import Context
from onecell.migrate.rules.table.row import Signature

_NORM: Final = "parameters, max_norm, norm_type=2.0"
_CLIPS: Final = {
    "torch.nn.utils.clip_grad_norm_": Signature(f"clip({_NORM})"),
    "torch.nn.utils.clip_grad_norm": Signature(f"clip({_NORM})"),
    "torch.nn.utils.clip_grad_value_": Signature("clip(parameters, clip_value)"),
}
_FAR: Final = "the norm of the gradients is far above 1e-6, which torch adds to it"


def clips_in(ctx: Context, line: cst.BaseStatement) -> list[cst.Call]:
    """Return the calls of a statement that does nothing but clip gradients, maybe under an `if`."""
    if (
        isinstance(line, cst.If)
        and line.orelse is None
        and isinstance(line.body, cst.IndentedBlock)
    ):
        parts = [clips_in(ctx, inner) for inner in line.body.body]
        return [call for part in parts for call in part] if all(parts) else []
    call = _call(line)
    if call is None or _bound(ctx, call) is None:
        return []
    return [call]


def suppose(ctx: Context, call: cst.Call, optimizer: cst.BaseExpression) -> None:
    """Note what has to hold for a clip to be MindSpore's of the gradients that `optimizer` gets."""
    bound = _bound(ctx, call) or {}
    said = ctx.holds.setdefault(call, [])
    if not _trains(ctx, optimizer, bound["parameters"]):
        said.append(f"`{code(optimizer)}` trains the parameters that are clipped, and no others")
    if "max_norm" in bound:
        said.append(_FAR)


def clipped(
    ctx: Context, line: cst.BaseStatement, updated: cst.BaseStatement, grads: str
) -> Sequence[cst.BaseStatement]:
    """Return what a statement of `clips_in` becomes where gradients are called `grads`."""
    if isinstance(line, cst.If):
        assert isinstance(updated, cst.If)  # noqa: S101 - statements stay what they are
        pairs = zip(line.body.body, updated.body.body, strict=True)
        inner = [
            each
            for old, new in pairs
            if isinstance(old, cst.BaseStatement) and isinstance(new, cst.BaseStatement)
            for each in clipped(ctx, old, new, grads)
        ]
        return [updated.with_changes(body=updated.body.with_changes(body=inner))]
    call, now = _call(line), _call(updated)
    bound = _bound(ctx, call) if call is not None else None
    if call is None or now is None or bound is None:
        return [updated]
    by = "max_norm" if "max_norm" in bound else "clip_value"
    limit = next(n.value for o, n in zip(call.args, now.args, strict=True) if o.value is bound[by])
    if by == "max_norm":
        made = expression(
            "f_(g_, m_)",
            f_=ctx.speller.spell("mindspore.ops.clip_by_global_norm"),
            g_=cst.Name(grads),
            m_=limit,
        )
    else:
        low = limit.with_changes(lpar=[], rpar=[])
        made = expression(
            "f_(g_, -l_, m_)",
            f_=ctx.speller.spell("mindspore.ops.clip_by_value"),
            g_=cst.Name(grads),
            l_=low if isinstance(low, cst.Name | cst.Attribute | cst.BaseNumber) else limit,
            m_=limit,
        )
    assert isinstance(updated, cst.SimpleStatementLine)  # noqa: S101 - as `_call` has seen
    target = cst.AssignTarget(cst.Name(grads))
    line_now = updated.with_changes(body=[cst.Assign([target], made)])
    kept = updated.body[0]
    if not isinstance(kept, cst.Assign):
        return [line_now]
    root = code(ctx.speller.spell("mindspore.ops.sqrt"))
    norm = cst.parse_expression(f"{root}(sum((grad * grad).sum() for grad in {grads}))")
    first = updated.with_changes(body=[kept.with_changes(value=norm)])
    plain = cst.TrailingWhitespace()
    return [first, line_now.with_changes(leading_lines=[], trailing_whitespace=plain)]


def _call(line: cst.BaseStatement) -> cst.Call | None:
    """Return the call of a statement that is nothing else, but that it may get a name."""
    if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
        return None
    small = line.body[0]
    if not isinstance(small, cst.Expr | cst.Assign) or not isinstance(small.value, cst.Call):
        return None
    targets = small.targets if isinstance(small, cst.Assign) else ()
    named = all(isinstance(each.target, cst.Name) for each in targets)
    return small.value if named else None


def _bound(ctx: Context, call: cst.Call) -> dict[str, cst.BaseExpression] | None:
    """Return the arguments of a clip of all parameters of a module, None of anything else."""
    signature = _CLIPS.get(ctx.names.path(call.func) or "")
    if signature is None or ctx.to != "mindspore" or any(arg.star for arg in call.args):
        return None
    if any(arg.keyword and arg.keyword.value not in signature.names for arg in call.args):
        return None
    if len(call.args) > len(signature.positional):
        return None
    found = {b.parameter: call.args[b.index].value for b in bind(call.args, signature)}
    given = {name: value for name, value in found.items() if name is not None}
    match given.get("parameters"):
        case cst.Call(func=cst.Attribute(attr=cst.Name(value="parameters"), value=held), args=[]):
            pure = is_pure(held)
        case _:
            pure = False
    norm = given.get("norm_type")
    plain = norm is None or literal(norm) in (2, 2.0)
    limits = [given[name] for name in ("max_norm", "clip_value") if name in given]
    settled = [each for each in limits if is_pure(each) or literal(each) is not literal]
    return given if pure and plain and len(settled) == 1 else None


def _trains(ctx: Context, optimizer: cst.BaseExpression, parameters: cst.BaseExpression) -> bool:
    """Whether an optimizer is seen to be made of these parameters alone."""
    if not isinstance(optimizer, cst.Name):
        return False
    made = [ctx.names.value_of(bound.node) for bound in ctx.names.assignments(optimizer)]
    return bool(made) and all(
        isinstance(value, cst.Call)
        and bool(value.args)
        and code(value.args[0].value) == code(parameters)
        for value in made
    )

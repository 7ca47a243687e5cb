"""The way back of MindSpore's usual step: a function that gives loss and gradients, kept by a name.

    grad_fn = mindspore.value_and_grad(forward_fn, None, net.trainable_params(), has_aux=True)
    ...
    (loss, logits), grads = grad_fn(data, label)
    optimizer(grads)

`grad_fn` is the function itself then; `loss.backward()` follows the call, and the optimizer steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import code, elements, is_none, is_pure, literal, upwards
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.context import Context
from onecell.migrate.rules.table.scan import canonical

PATHS: Final = ("mindspore.value_and_grad", "mindspore.ops.value_and_grad")
_BY_HAND: Final = "call the function, then `backward()` of its loss and `step()` of the optimizer"
_SUPPOSED: Final = (
    "nothing that it is given was computed with the parameters, and each of them has a gradient"
)


@dataclass(frozen=True, slots=True)
class _Use:
    """One call of the function, and the step that follows."""

    assign: cst.Assign
    first: cst.BaseExpression
    """What the call gives besides the gradients."""
    loss: cst.Name
    step: cst.Call
    statement: cst.SimpleStatementLine


def is_made(ctx: Context, node: cst.Call) -> bool:
    """Whether a call makes a function that gives loss and gradients, to be kept by a name."""
    path = ctx.names.path(node.func) if ctx.to == "torch" else None
    kept = isinstance(ctx.names.parents.get(node), cst.Assign)
    return path is not None and canonical(path) in PATHS and kept


def plan(ctx: Context, node: cst.Call) -> tuple[cst.BaseExpression, list[_Use]]:
    """Return what takes the place of the function, and the steps that it is used in.

    Raises:
        Unsure: it is not of the usual form.
    """
    named = {a.keyword.value: a.value for a in node.args if a.keyword is not None}
    plain = [a.value for a in node.args if a.keyword is None and not a.star]
    order = ("fn", "grad_position", "weights", "has_aux", "return_ids")
    given = {**dict(zip(order, plain, strict=False)), **named}
    if "fn" not in given or len(given) != len(node.args):
        raise Unsure("what is differentiated is not seen", _BY_HAND)
    if not is_none(given.get("grad_position")) or "return_ids" in given:
        raise Unsure("gradients by arguments are asked for", _BY_HAND)
    if "weights" not in given or is_none(given["weights"]):
        raise Unsure("no parameters are differentiated by", _BY_HAND)
    aux = literal(given["has_aux"]) if "has_aux" in given else False
    uses = [_use(ctx, call, has_aux=aux is True) for call in _calls(ctx, node)]
    if aux is literal or not uses:
        raise Unsure("its calls are not seen here", _BY_HAND)
    return given["fn"], uses


def _calls(ctx: Context, node: cst.Call) -> list[cst.Call]:
    assign = ctx.names.parents[node]
    assert isinstance(assign, cst.Assign)  # noqa: S101 - as the caller asked
    target = assign.targets[0].target
    readers: list[cst.CSTNode] = []
    if len(assign.targets) == 1 and isinstance(target, cst.Name):
        readers = list(ctx.names.reads_of(target))
    elif len(assign.targets) == 1 and is_pure(target):
        text = code(target)
        readers = [
            each
            for each in ctx.names.of_kind(cst.Attribute)
            if code(each) == text and each is not target
        ]
    calls = []
    for reader in readers:
        call = ctx.names.parents.get(reader)
        if not isinstance(call, cst.Call) or call.func is not reader:
            raise Unsure("the function is handed on", _BY_HAND)
        calls.append(call)
    return calls


def _use(ctx: Context, call: cst.Call, *, has_aux: bool) -> _Use:
    assign = ctx.names.parents.get(call)
    targets = assign.targets if isinstance(assign, cst.Assign) else ()
    parts = elements(targets[0].target) if len(targets) == 1 else None
    if not isinstance(assign, cst.Assign) or parts is None or len(parts) != 2:
        raise Unsure("loss and gradients are not taken apart at once", _BY_HAND)
    first, grads = parts
    inner = elements(first)
    loss = inner[0] if inner and has_aux else first
    if not isinstance(loss, cst.Name) or (inner is not None) != has_aux:
        raise Unsure("which of what it gives is the loss is not seen", _BY_HAND)
    if not isinstance(grads, cst.Name):
        raise Unsure("the gradients have no name of their own", _BY_HAND)
    reads = ctx.names.reads_of(grads)
    arg = ctx.names.parents.get(reads[0]) if len(reads) == 1 else None
    step = ctx.names.parents.get(arg) if isinstance(arg, cst.Arg) else None
    if not isinstance(step, cst.Call) or len(step.args) != 1 or not is_pure(step.func):
        raise Unsure("the gradients do not go to an optimizer alone", _BY_HAND)
    known = ctx.kinds.of(step.func)
    if known not in ("optimizer", "") or ctx.names.path(step.func) is not None:
        raise Unsure("the gradients do not go to an optimizer alone", _BY_HAND)
    if known == "" and "opt" not in code(step.func):
        raise Unsure("what the gradients go to is not seen to be an optimizer", _BY_HAND)
    ups = list(upwards(step, ctx.names.parents))
    statement = next((up for up in ups if isinstance(up, cst.SimpleStatementLine)), None)
    made = next((up for up in upwards(call, ctx.names.parents) if up in ups), None)
    block = ctx.names.parents.get(ctx.names.parents[assign])
    if statement is None or ctx.names.parents.get(statement) is not block or made is None:
        raise Unsure("the step is in another block", _BY_HAND)
    if not _is_alone(ctx, step):
        raise Unsure("what the optimizer returns is used", _BY_HAND)
    return _Use(assign, first, loss, step, statement)


def _is_alone(ctx: Context, step: cst.Call) -> bool:
    """Whether a step stands by itself, or in `ops.depend(loss, optimizer(grads))`."""
    parent = ctx.names.parents.get(step)
    if isinstance(parent, cst.Expr):
        return True
    call = ctx.names.parents.get(parent) if isinstance(parent, cst.Arg) else None
    path = ctx.names.path(call.func) if isinstance(call, cst.Call) else None
    return path is not None and canonical(path) == "mindspore.ops.depend"


def apply(ctx: Context, uses: list[_Use]) -> dict[cst.Call, list[str]]:
    """Note what follows the lines of each step; return what is supposed of its calls."""
    supposed: dict[cst.Call, list[str]] = {}
    for use in uses:
        line = ctx.names.parents[use.assign]
        ctx.lines.followed[line] = cst.parse_statement(f"{use.loss.value}.backward()")
        held = code(use.step.func)
        ctx.lines.followed[use.statement] = cst.parse_statement(f"{held}.zero_grad()")
        assert isinstance(use.assign.value, cst.Call)  # noqa: S101 - as found
        supposed[use.assign.value] = [_SUPPOSED]
        for arg in use.step.args:
            ctx.forget(arg.value)
    return supposed

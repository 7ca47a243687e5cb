"""Write a training step that `step.find_step` has found as MindSpore's function and call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import libcst as cst

from onecell.migrate.meaning.lines import Lines, rearranged
from onecell.migrate.meaning.syntax import code
from onecell.migrate.rules.context import Context
from onecell.migrate.rules.training.clips import clipped, clips_in
from onecell.migrate.rules.training.step import Step

FUNCTION: Final = "compute_loss"
GRADIENTS: Final = "grads"
DIFFERENTIATE: Final = "mindspore.value_and_grad"
_WIDTH: Final = 88
_BLANK: Final = cst.EmptyLine(indent=False)

Block = tuple[list[cst.BaseStatement], list[cst.BaseStatement]]
"""Statements as they were, and what each is now."""


def step_written(
    ctx: Context,
    step: Step,
    original: Sequence[cst.BaseStatement],
    updated: Sequence[cst.BaseStatement],
    lines: Lines,
) -> Block:
    """Return a block with the step as MindSpore writes it; `lines` knows that `zero_grad` goes."""
    function, gradients = (_free_name(ctx, name) for name in (FUNCTION, GRADIENTS))
    before: list[cst.BaseStatement] = []
    after: list[cst.BaseStatement] = []
    for place, (old, new) in enumerate(zip(original, updated, strict=True)):
        if place == step.first:
            follows = any(line not in lines.gone for line in original[:place])
            define = _function(step, function, original, updated, lines, follows)
            before.append(define)
            after.append(define)
            call = _call(ctx, step, function, gradients, updated[step.backward])
            before.append(call)
            after.append(call)
        if place in step.region or place == step.backward:
            continue
        if step.backward < place < step.step and clips_in(ctx, old):
            written = clipped(ctx, old, new, gradients)
            before.extend(written)
            after.extend(written)
            continue
        before.append(old)
        after.append(_stepping(step, gradients, new) if place == step.step else new)
    return before, after


def _function(
    step: Step,
    name: str,
    original: Sequence[cst.BaseStatement],
    updated: Sequence[cst.BaseStatement],
    lines: Lines,
    follows: bool,
) -> cst.FunctionDef:
    region = slice(step.first, step.between)
    body, left = rearranged(original[region], updated[region], lines)
    first = body[0]
    over = list(getattr(first, "leading_lines", ()))
    body[0] = first.with_changes(leading_lines=[])
    if follows and not over:
        over = [_BLANK]  # as formatters want it; a block does not begin with one
    given = [cst.Param(cst.Name(n), default=cst.Name(n), equal=_TIGHT) for n in step.carried]
    names = ", ".join([step.loss, *step.returned])
    statements = [*body, cst.parse_statement(f"return {names}").with_changes(leading_lines=left)]
    return cst.FunctionDef(
        cst.Name(name),
        cst.Parameters(params=given),
        cst.IndentedBlock(statements),
        leading_lines=over,
    )


_TIGHT: Final = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))


def _call(
    ctx: Context, step: Step, function: str, gradients: str, backward: cst.BaseStatement
) -> cst.BaseStatement:
    spelled = code(ctx.speller.spell(DIFFERENTIATE))
    given = f"{function}, None, {code(step.optimizer)}.parameters"
    value = step.loss
    if step.returned:
        value = f"({', '.join([step.loss, *step.returned])})"
        given += ", has_aux=True"
    text = f"{value}, {gradients} = {spelled}({given})()"
    if len(text) > _WIDTH:
        text = f"{value}, {gradients} = {spelled}(\n    {given}\n)()"
    line = cst.parse_statement(text)
    assert isinstance(backward, cst.SimpleStatementLine)  # noqa: S101 - `loss.backward()`
    over = backward.leading_lines
    if not (over and over[0].comment is None):
        over = [_BLANK, *over]
    return line.with_changes(leading_lines=over, trailing_whitespace=backward.trailing_whitespace)


def _stepping(step: Step, gradients: str, line: cst.BaseStatement) -> cst.BaseStatement:
    called = cst.Call(step.optimizer, [cst.Arg(cst.Name(gradients))])
    return line.with_changes(body=[cst.Expr(called)])


def _free_name(ctx: Context, name: str) -> str:
    """Return `name`, with a number if the module has one of that name that is not ours."""
    free = name
    number = 2
    while ctx.names.called(free):
        free = f"{name}_{number}"
        number += 1
    return free

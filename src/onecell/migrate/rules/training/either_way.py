"""Training steps, whichever way a module is rewritten."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import libcst as cst

from onecell.migrate.meaning.lines import Lines
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.context import Context
from onecell.migrate.rules.training.back import find_steps_back
from onecell.migrate.rules.training.form import step_written
from onecell.migrate.rules.training.gradients import Assumed
from onecell.migrate.rules.training.step import backward_call, find_step

Block = tuple[list[cst.BaseStatement], list[cst.BaseStatement]]
"""Statements as they were, and what each is now."""
Write = Callable[[Sequence[cst.BaseStatement], Sequence[cst.BaseStatement], Lines], Block]


@dataclass(frozen=True, slots=True)
class Step:
    """One training step to rewrite."""

    calls: tuple[cst.Call, ...]
    """What the other framework does not have; nothing else is to be said about these."""
    emptied: tuple[cst.CSTNode, ...]
    """Statements that go."""
    assumes: Assumed
    """Of these calls, what some take for granted."""
    write: Write
    """Given a block before and now, and what becomes of its lines: the block with the step."""


def find_steps(
    ctx: Context, body: Sequence[cst.BaseStatement]
) -> tuple[list[Step], list[tuple[cst.Call, Unsure]]]:
    """Return the steps in a block, and each `loss.backward()` that is no part of a plain one."""
    found: list[Step] = []
    unsure: list[tuple[cst.Call, Unsure]] = []
    if ctx.to == "torch":
        backs = find_steps_back(ctx, body)
        return [Step(back.calls, (), back.assumes, back.write) for back in backs], unsure
    for place, line in enumerate(body):
        call = backward_call(ctx, line)
        if call is None:
            continue
        try:
            step = find_step(ctx, body, place)
        except Unsure as why:
            unsure.append((call, why))
            continue
        write = partial(step_written, ctx, step)
        found.append(Step(step.calls, (body[step.zero],), step.assumes, write))
    return found, unsure

"""The plain training step: find it in a block of torch, and write it as MindSpore does.

    optimizer.zero_grad()              def compute_loss():
    loss = f(model(x))                     loss = f(model(x))
    loss.backward()                        return loss
    optimizer.step()
                                       loss, grads = mindspore.value_and_grad(...)()
                                       optimizer(grads)

torch records whatever runs; MindSpore only what runs in the function that it differentiates. So
all that may depend on a parameter has to be in there, and what is read later has to come out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import libcst as cst

from onecell.migrate.meaning.flow import Flow, nodes
from onecell.migrate.meaning.syntax import code, is_pure, upwards
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.context import Context
from onecell.migrate.rules.families.receivers import may_be_tensor
from onecell.migrate.rules.training.clips import clips_in, suppose
from onecell.migrate.rules.training.gradients import BY_HAND, Assumed, check_origins
from onecell.migrate.rules.training.purity import is_free, is_free_call, is_model, observes
from onecell.migrate.rules.training.unused import check_unused

_WATCHED: Final = ("grad", "requires_grad", "requires_grad_", "register_hook")
"""Attributes by which a program asks for, or changes, gradients between the lines of the step."""


@dataclass(frozen=True, slots=True)
class Step:
    """One training step, by the places of its lines in a block."""

    zero: int
    first: int
    """The first line that goes into the function; those of `between` follow the last."""
    between: int
    backward: int
    step: int
    loss: str
    optimizer: cst.BaseExpression
    carried: tuple[str, ...]
    """What the function changes and needs from before."""
    returned: tuple[str, ...]
    """What is read later, beside the loss."""
    calls: tuple[cst.Call, ...]
    """`zero_grad`, `backward`, `step`, and those that clip gradients."""
    assumes: Assumed
    """What two of these take for granted."""

    @property
    def region(self) -> range:
        """The lines that go into the function; `zero_grad` may be among them."""
        return range(self.first, self.between)


def method_line(line: cst.CSTNode, name: str) -> cst.Call | None:
    """Return the call of a statement that is nothing but `….name(…)`, else None."""
    if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
        return None
    small = line.body[0]
    call = small.value if isinstance(small, cst.Expr) else None
    if isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute):
        return call if call.func.attr.value == name else None
    return None


def backward_call(ctx: Context, line: cst.CSTNode) -> cst.Call | None:
    """Return the call of `loss.backward()`, None if a statement is anything else."""
    call = method_line(line, "backward")
    if call is None or ctx.kinds.of(_held(call)) not in ("", "tensor"):
        return None
    return call if may_be_tensor(ctx, call) else None


def find_step(ctx: Context, body: Sequence[cst.BaseStatement], backward: int) -> Step:
    """Return the step of which `body[backward]` is `loss.backward()`.

    Raises:
        Unsure: it is not the plain pattern, or what it computes could change.
    """
    call = backward_call(ctx, body[backward])
    assert call is not None  # noqa: S101 - the caller looked
    loss = _held(call)
    if call.args or not isinstance(loss, cst.Name):
        raise Unsure("only `loss.backward()` of a name, without arguments, is rewritten", BY_HAND)
    _check_module(ctx)
    step, stepping, clips = _find_stepping(ctx, body, backward)
    optimizer = _held(stepping)
    for each in clips:
        suppose(ctx, each, optimizer)
    zero, zeroing = _find_zeroing(body, backward, optimizer)
    computed = [n for n in range(backward) if n != zero and loss.value in _bound(ctx, body[n])]
    if not computed:
        raise Unsure(f"`{loss.value}` is not computed in the same block", BY_HAND)
    between = backward
    while between - 1 > computed[-1] and (between - 1 == zero or observes(ctx, body[between - 1])):
        between -= 1
    first = _first(ctx, body, computed[-1], between, zero)
    _check_region(ctx, body, first, between, zero)
    inside = [body[n] for n in range(first, between) if n != zero]
    flow = Flow.of(ctx.names, inside)
    gone = {body[zero], body[backward], body[step]}
    carried, returned = _names(ctx, flow, inside, gone, loss.value)
    assumes = {
        call: check_origins(ctx, inside),
        stepping: check_unused(ctx, optimizer, inside, loss.value),
    }
    return Step(
        zero, first, between, backward, step, loss.value, optimizer, carried, returned,
        (zeroing, call, stepping, *clips), assumes,
    )  # fmt: skip


def _held(call: cst.Call) -> cst.BaseExpression:
    """Return what a method is called on."""
    assert isinstance(call.func, cst.Attribute)  # noqa: S101 - a method
    return call.func.value


def _check_module(ctx: Context) -> None:
    for watched in _WATCHED:
        for name in ctx.names.called(watched):
            up = ctx.names.parents.get(name)
            if not isinstance(up, cst.Attribute) or up.attr is not name:
                continue
            set_ = isinstance(ctx.names.parents.get(up), cst.AssignTarget | cst.AugAssign)
            if watched != "requires_grad" or set_:  # who asks for it changes nothing
                raise Unsure(f"the file uses `{watched}`", BY_HAND)


def _find_stepping(
    ctx: Context, body: Sequence[cst.BaseStatement], backward: int
) -> tuple[int, cst.Call, list[cst.Call]]:
    """Return where the optimizer steps, how, and what clips the gradients before."""
    clips: list[cst.Call] = []
    for place in range(backward + 1, len(body)):
        call = method_line(body[place], "step")
        if call is not None and not call.args:
            held = _held(call)
            if is_pure(held) and ctx.kinds.of(held) in ("", "optimizer"):
                return place, call, clips
        found = clips_in(ctx, body[place])
        clips += found
        if not found and not observes(ctx, body[place]):
            raise Unsure("something stands between `backward` and the optimizer's step", BY_HAND)
    raise Unsure("the optimizer's `step` does not follow in the same block", BY_HAND)


def _find_zeroing(
    body: Sequence[cst.BaseStatement], backward: int, optimizer: cst.BaseExpression
) -> tuple[int, cst.Call]:
    for place in range(backward - 1, -1, -1):
        call = method_line(body[place], "zero_grad")
        if call is not None:
            keywords = {arg.keyword.value for arg in call.args if arg.keyword is not None}
            if code(_held(call)) != code(optimizer) or keywords - {"set_to_none"}:
                break
            return place, call
    raise Unsure("the optimizer's `zero_grad` does not come before in the same block", BY_HAND)


def _bound(ctx: Context, statement: cst.BaseStatement) -> set[str]:
    """Return the names that a statement binds or changes."""
    try:
        flow = Flow.of(ctx.names, [statement])
    except Unsure:
        return {node.value for node in nodes(statement) if isinstance(node, cst.Name)}
    simple = isinstance(statement, cst.SimpleStatementLine)
    changed = set() if simple and _assigns(statement) else flow.read
    return set(flow.bound) | flow.stored | changed


def _assigns(line: cst.CSTNode) -> bool:
    return isinstance(line, cst.SimpleStatementLine) and all(
        isinstance(small, cst.Assign | cst.AnnAssign | cst.AugAssign) for small in line.body
    )


def _read(ctx: Context, statement: cst.BaseStatement) -> set[str]:
    return Flow.of(ctx.names, [statement]).read


def _first(
    ctx: Context, body: Sequence[cst.BaseStatement], last: int, between: int, zero: int
) -> int:
    """Return the first line that the loss depends on and that may depend on parameters."""
    first = last
    wanted: set[str] = set()
    for place in range(last, between):
        if place != zero:
            wanted |= _read(ctx, body[place])
    for place in range(last - 1, -1, -1):
        line = body[place]
        if place == zero or not _bound(ctx, line) & wanted:
            continue
        changed = _changed(ctx, [body[n] for n in range(first, between) if n != zero])
        if not is_free(ctx, line) or (_assigns(line) and _bound(ctx, line) & changed):
            for inner in range(place, first):
                if inner != zero:
                    wanted |= _read(ctx, body[inner])
            first = place
        else:
            wanted |= _bound_reads(ctx, line)
    return first


def _changed(ctx: Context, statements: Iterable[cst.BaseStatement]) -> set[str]:
    """Return the names that `statements` bind and need from before."""
    flow = Flow.of(ctx.names, statements)
    return set(flow.bound) & flow.asked


def _bound_reads(ctx: Context, line: cst.BaseStatement) -> set[str]:
    return {
        node.value for node in nodes(line) if isinstance(node, cst.Name) and node in ctx.names.loads
    }


def _check_region(
    ctx: Context, body: Sequence[cst.BaseStatement], first: int, between: int, zero: int
) -> None:
    """Raise `Unsure` unless the lines hold a model's computation, and no other step."""
    models, others = 0, 0
    for place in range(first, between):
        if place == zero:
            continue
        for node in nodes(body[place]):
            if not isinstance(node, cst.Call):
                continue
            if (
                isinstance(node.func, cst.Attribute)
                and node.func.attr.value
                in (
                    "backward",
                    "step",
                    "zero_grad",
                )
                and not is_model(ctx, node)
            ):
                raise Unsure("another step stands among what computes the loss", BY_HAND)
            if ctx.kinds.of(node) in ("optimizer", *_MADE) and not is_model(ctx, node):
                raise Unsure(
                    "the model or the optimizer is made in the block of the step",
                    "put the step into a loop or a function, " + BY_HAND,
                )
            if is_model(ctx, node):
                models += 1
            elif not is_free_call(ctx, node):
                others += 1
    if not models and others < 2:
        raise Unsure(
            "nothing here is surely the call of a model",
            "annotate the model (`model: nn.Module`), or " + BY_HAND,
        )


_MADE: Final = ("module", "cell")


def _names(
    ctx: Context,
    flow: Flow,
    inside: Sequence[cst.BaseStatement],
    gone: set[cst.BaseStatement],
    loss: str,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what goes into the function and what comes out beside the loss."""
    within = {node for statement in inside for node in nodes(statement)}
    skipped = within | {node for statement in gone for node in nodes(statement)}
    home = _home(ctx, inside[0])
    later = {
        node.value
        for node in (nodes(home) if home is not None else ctx.names.of_kind(cst.Name))
        if isinstance(node, cst.Name)
        and node.value in flow.bound
        and node in ctx.names.loads
        and node not in skipped
        and not flow.is_inner(node)
        and _may_read(ctx, node, home)
    }
    carried = []
    for name in flow.bound:
        kept = name in later or name == loss
        if not (name in flow.asked or (kept and name not in flow.sure)):
            continue
        if _is_bound_before(ctx, flow.bound[name][0], within):
            carried.append(name)
        elif name in flow.missed or (kept and name not in flow.likely):
            raise Unsure(f"`{name}` may come from an earlier step", BY_HAND)
    returned = [n for n in flow.bound if n != loss and (n in later or n in carried)]
    return tuple(carried), tuple(returned)


def _home(ctx: Context, node: cst.CSTNode) -> cst.CSTNode | None:
    """Return the function whose names those of `node` are, None for the module's."""
    ups = upwards(node, ctx.names.parents)
    return next((up for up in ups if isinstance(up, cst.FunctionDef | cst.Lambda)), None)


def _may_read(ctx: Context, name: cst.Name, home: cst.CSTNode | None) -> bool:
    """Whether `name`, which stands in `home`, may be read from what that binds.

    LibCST tells only what is bound further up, so a name in a loop may also be bound further down.
    """
    homes = [_home(ctx, bound.node) for bound in ctx.names.assignments(name)]
    return not homes or any(
        place is None or place is home or home not in (None, *upwards(place, ctx.names.parents))
        for place in homes
    )


def _is_bound_before(ctx: Context, target: cst.Name, within: set[cst.CSTNode]) -> bool:
    """Whether the name of `target` is bound in the same scope, outside of the lines."""
    for scope in ctx.names.scopes:
        same = scope.bound.get(target.value, ())
        if any(one.node is target for one in same):
            return any(one.node not in within for one in same)
    return False

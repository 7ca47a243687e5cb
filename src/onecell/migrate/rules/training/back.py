"""The training step that `form` writes: find it in MindSpore's code, and write torch's.

Only that form is known: a function, whose arguments stand for names of the block, that ends with
its only `return`; the call of `mindspore.value_and_grad` right after it; and the optimizer called
with the gradients.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from onecell.migrate.meaning.flow import Flow, nodes
from onecell.migrate.meaning.lines import Lines
from onecell.migrate.meaning.syntax import elements, is_none, is_pure, literal, upwards
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.context import Context
from onecell.migrate.rules.training.form import DIFFERENTIATE
from onecell.migrate.rules.training.gradients import Assumed, check_origins
from onecell.migrate.rules.training.purity import observes
from onecell.migrate.rules.training.unused import check_unused


@dataclass(frozen=True, slots=True)
class StepBack:
    """One step, by the places of its lines in a block."""

    place: int
    """Of the function; the call is right after it."""
    step: int
    loss: str
    optimizer: cst.BaseExpression
    calls: tuple[cst.Call, ...]
    assumes: Assumed

    def write(
        self,
        original: Sequence[cst.BaseStatement],
        updated: Sequence[cst.BaseStatement],
        lines: Lines,
    ) -> tuple[list[cst.BaseStatement], list[cst.BaseStatement]]:
        """Return the block before and now, with the step as torch writes it."""
        del lines
        before: list[cst.BaseStatement] = []
        after: list[cst.BaseStatement] = []
        for place, (old, new) in enumerate(zip(original, updated, strict=True)):
            if place == self.place:
                new_lines = _inlined(new)
            elif place == self.place + 1:
                new_lines = self._backward(new)
            elif place == self.step:
                assert isinstance(new, cst.SimpleStatementLine)  # noqa: S101 - a call
                new_lines = [new.with_changes(body=[_called(self.optimizer, "step")])]
            else:
                before.append(old)
                after.append(new)
                continue
            before += new_lines
            after += new_lines
        return before, after

    def _backward(self, line: cst.BaseStatement) -> list[cst.BaseStatement]:
        assert isinstance(line, cst.SimpleStatementLine)  # noqa: S101 - as found
        over = list(line.leading_lines)
        if over and over[0].comment is None:
            del over[0]
        zero = cst.SimpleStatementLine([_called(self.optimizer, "zero_grad")], leading_lines=over)
        back = line.with_changes(body=[_called(cst.Name(self.loss), "backward")], leading_lines=[])
        return [zero, back]


def _inlined(function: cst.BaseStatement) -> list[cst.BaseStatement]:
    """Return the lines of the function, less its `return`."""
    assert isinstance(function, cst.FunctionDef)  # noqa: S101 - as found
    body = list(function.body.body)
    assert all(isinstance(line, cst.BaseStatement) for line in body)  # noqa: S101 - a block
    del body[-1]
    over = list(function.leading_lines)
    first = body[0]
    body[0] = first.with_changes(leading_lines=[*over, *getattr(first, "leading_lines", ())])
    return body  # type: ignore[return-value]  # as asserted


def _called(held: cst.BaseExpression, method: str) -> cst.Expr:
    return cst.Expr(cst.Call(cst.Attribute(held, cst.Name(method))))


def find_steps_back(ctx: Context, body: Sequence[cst.BaseStatement]) -> Iterator[StepBack]:
    """Yield each step of a block that has the form we know, and computes the same in torch."""
    for place, function in enumerate(body[:-1]):
        if isinstance(function, cst.FunctionDef):
            found = _match(ctx, body, place, function)
            if found is not None:
                yield found


def _match(
    ctx: Context, body: Sequence[cst.BaseStatement], place: int, function: cst.FunctionDef
) -> StepBack | None:
    returned = _returned(function)
    carried = _carried(function)
    if returned is None or carried is None or not carried <= set(returned):
        return None
    line = body[place + 1]
    assign = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
    if not isinstance(assign, cst.Assign) or len(assign.targets) != 1:
        return None
    given = elements(assign.targets[0].target)
    if given is None or len(given) != 2 or not isinstance(given[1], cst.Name):
        return None
    got = elements(given[0]) if len(returned) > 1 else [given[0]]
    if got is None or [n.value for n in got if isinstance(n, cst.Name)] != returned:
        return None
    optimizer = _differentiated(ctx, assign.value, function.name.value, len(returned) > 1)
    if optimizer is None or not _is_local(ctx, function, returned, carried):
        return None
    for later in range(place + 2, len(body)):
        call = _stepping(body[later], optimizer, given[1].value)
        if call is not None:
            once = (_reads(ctx, function.name), _reads(ctx, given[1]))
            if once != (1, 1):
                return None
            assert isinstance(assign.value, cst.Call)  # noqa: S101 - as matched
            lines = [s for s in function.body.body if isinstance(s, cst.BaseStatement)][:-1]
            try:
                assumes = {
                    assign.value: check_origins(ctx, lines),
                    call: check_unused(ctx, optimizer, lines, returned[0]),
                }
            except Unsure:
                return None  # MindSpore does not follow the gradient there, torch would
            calls = (assign.value, call)
            return StepBack(place, later, returned[0], optimizer, calls, assumes)
        if not observes(ctx, body[later]):
            return None
    return None


def _returned(function: cst.FunctionDef) -> list[str] | None:
    """Return the names that the last line gives back, None if it is no such line."""
    if not isinstance(function.body, cst.IndentedBlock) or len(function.body.body) < 2:
        return None
    last = function.body.body[-1]
    small = last.body[0] if isinstance(last, cst.SimpleStatementLine) else None
    if not isinstance(small, cst.Return) or small.value is None:
        return None
    parts = elements(small.value) or [small.value]
    names = [part.value for part in parts if isinstance(part, cst.Name)]
    return names if len(names) == len(parts) else None


def _carried(function: cst.FunctionDef) -> set[str] | None:
    """Return the arguments, each of which is a name of the block's; None for any other function."""
    given = function.params
    odd = given.kwonly_params or given.posonly_params or given.star_kwarg or function.returns
    if odd or isinstance(given.star_arg, cst.Param) or function.decorators or function.asynchronous:
        return None
    names = {
        param.name.value
        for param in given.params
        if param.annotation is None
        and isinstance(param.default, cst.Name)
        and param.default.value == param.name.value
    }
    return names if len(names) == len(given.params) else None


def _differentiated(
    ctx: Context,
    value: cst.BaseExpression,
    function: str,
    has_aux: bool,
) -> cst.BaseExpression | None:
    """Return the optimizer whose parameters `value` differentiates `function` by."""
    made = value.func if isinstance(value, cst.Call) and not value.args else None
    if not isinstance(made, cst.Call) or ctx.names.path(made.func) != DIFFERENTIATE:
        return None
    plain = [arg.value for arg in made.args if arg.keyword is None and not arg.star]
    named = {a.keyword.value: a.value for a in made.args if a.keyword is not None}
    aux = named.pop("has_aux", None)
    if len(plain) != 3 or named or len(plain) + (aux is not None) != len(made.args):
        return None
    if (aux is not None and literal(aux) is True) != has_aux:
        return None
    first, position, weights = plain
    if not isinstance(first, cst.Name) or first.value != function or not is_none(position):
        return None
    if not isinstance(weights, cst.Attribute) or weights.attr.value != "parameters":
        return None
    return weights.value if is_pure(weights.value) else None


def _is_local(
    ctx: Context, function: cst.FunctionDef, returned: list[str], carried: set[str]
) -> bool:
    """Whether the function's names, once they are those of the block, change nothing there."""
    lines = [s for s in function.body.body if isinstance(s, cst.BaseStatement)][:-1]
    try:
        flow = Flow.of(ctx.names, lines)
    except Unsure:
        return False
    if (flow.asked & set(flow.bound)) - carried or not set(returned) <= set(flow.bound):
        return False
    inside = set(nodes(function))
    own = set(flow.bound) - set(returned)
    # Names in other functions are others, whatever they are called.
    around = upwards(function, ctx.names.parents)
    home = next((up for up in around if isinstance(up, cst.FunctionDef | cst.Lambda)), None)
    near = set(nodes(home)) if home is not None else None
    return all(
        node in inside or (near is not None and node not in near)
        for name in own
        for node in ctx.names.called(name)
    )


def _stepping(
    line: cst.BaseStatement, optimizer: cst.BaseExpression, gradients: str
) -> cst.Call | None:
    small = (
        line.body[0] if isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1 else None
    )
    call = small.value if isinstance(small, cst.Expr) else None
    if not isinstance(call, cst.Call) or not call.func.deep_equals(optimizer):
        return None
    given = [arg.value for arg in call.args if arg.keyword is None and not arg.star]
    if len(given) != 1 or len(call.args) != 1 or not isinstance(given[0], cst.Name):
        return None
    return call if given[0].value == gradients else None


def _reads(ctx: Context, name: cst.Name) -> int:
    """Return how often the name is read wherever it is that of the same scope's."""
    return sum(
        any(
            bound.node in (name, ctx.names.parents.get(name))
            for bound in ctx.names.assignments(node)
        )
        for node in ctx.names.called(name.value)
    )

"""What one file shows about what another takes for granted: its calls, and what it gives back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import libcst as cst

from onecell.errors import SourceError
from onecell.migrate.meaning.flow import nodes
from onecell.migrate.rewriting.transform import context_of
from onecell.migrate.rules.assumptions import Assumption
from onecell.migrate.rules.context import Context
from onecell.migrate.rules.training.cuts import is_cut
from onecell.migrate.rules.training.origins import Origins
from onecell.migrate.rules.training.purity import is_model
from onecell.migrate.run.notebooks import parts_of
from onecell.migrate.run.testimony import Question, Said, Testimony
from onecell.migrate.source.text import decode


def answered(question: Question) -> Testimony:
    """Answer a question about a file."""
    task = question.task
    try:
        text = parts_of(task.data)[0] if task.is_notebook else decode(task.data).text
        module, ctx = context_of(text, task.to, task.target, task.outside)
    except (SourceError, cst.ParserSyntaxError, RecursionError, MemoryError):
        return Testimony(
            tuple((each.called, each.parameter, "open") for each in question.given),
            tuple((name, "open") for name in question.returned),
        )
    given = [
        (each.called, each.parameter, _worst(ctx, values))
        for each in dict.fromkeys(question.given)
        for values in _calls(ctx, each)
    ]
    defined = dict(_defined(module))
    returned = [
        (name, _given_back(ctx, defined[name])) for name in question.returned if name in defined
    ]
    return Testimony(tuple(given), tuple(returned))


def _worst(ctx: Context, values: Iterable[cst.CSTNode]) -> Said:
    origins = Origins(ctx, set())
    if any(not is_cut(ctx, value) and origins.carries(value) for value in values):
        return "carries"
    return "open" if origins.assumed else "data"


def _calls(ctx: Context, asked: Assumption) -> Iterator[list[cst.BaseExpression]]:
    """Yield, for each call by a name that is asked about, what it may give to the parameter."""
    parents = ctx.names.parents
    for name in ctx.names.called(asked.called):
        node: cst.CSTNode = name
        up = parents.get(node)
        if isinstance(up, cst.Attribute) and up.attr is name:
            node, up = up, parents.get(up)
        if isinstance(up, cst.Arg):  # handed on, to `partial` say
            call = parents.get(up)
            yield [arg.value for arg in call.args] if isinstance(call, cst.Call) else []
        if not isinstance(up, cst.Call) or up.func is not node:
            continue
        yield [
            arg.value
            for place, arg in enumerate(up.args)
            if arg.star
            or asked.index < 0
            or (
                place == asked.index
                if arg.keyword is None
                else arg.keyword.value == asked.parameter
            )
        ]


def _defined(module: cst.Module) -> Iterator[tuple[str, cst.CSTNode]]:
    """Yield what the module binds at its top, by name; of a name bound twice, the last."""
    for line in module.body:
        if isinstance(line, cst.FunctionDef | cst.ClassDef):
            yield line.name.value, line
        elif isinstance(line, cst.SimpleStatementLine):
            for small in line.body:
                targets = small.targets if isinstance(small, cst.Assign) else ()
                for target in targets:
                    if isinstance(target.target, cst.Name):
                        yield target.target.value, target.target


def _given_back(ctx: Context, node: cst.CSTNode) -> Said:
    origins = Origins(ctx, set())
    if isinstance(node, cst.FunctionDef):
        # What it is given is the caller's to look at; what it calls may be a model of its own.
        carries = origins.gives(node) or any(
            is_model(ctx, inner) for inner in nodes(node) if isinstance(inner, cst.Call)
        )
        own = {p.name.value for p in (*node.params.params, *node.params.kwonly_params)}
        rest = [a for a in origins.assumed if not (a.basis == "given" and a.name in own)]
        return "carries" if carries else "open" if rest else "data"
    if isinstance(node, cst.Name):
        return _worst(ctx, [value for value in [ctx.names.value_of(node)] if value is not None])
    return "open"

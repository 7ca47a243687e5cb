"""A layer's parameters where the layer is not made: in another file, behind a test of its class.

`model.embed.weight` is a table in MindSpore, `norm.weight` a gamma. What the project's classes keep
under `embed` tells which layer it is; so does `isinstance(m, nn.LayerNorm)` around `m.weight`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

import libcst as cst

from onecell.migrate.meaning.syntax import code, literal
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.context import Context
from onecell.neighbours import NEIGHBOURS, find_neighbour, rename_parameters

_OF_PARAMETERS = frozenset(
    "data grad requires_grad copy_ fill_ zero_ uniform_ normal_ set_data detach clone".split()  # noqa: SIM905 - a list of words
)
"""Attributes that a parameter is asked for, and a plain number or list is not."""


def renamed(ctx: Context, node: cst.Attribute) -> tuple[str, bool] | None:
    """Return what a layer's parameter is called on the other side, and whether that is sure.

    None where it keeps its name, or nothing shows that it is a parameter.

    Raises:
        Unsure: the project has layers whose parameter of that name has another there, and it does
            not show whether this is one.
    """
    name, held = node.attr.value, node.value
    if name not in _renamed(ctx.source, ctx.to):
        return None
    if (layers := _handed_back(ctx, held)) and _names(ctx, layers, name) != {name}:
        return _agreed(ctx, node, layers, sure=True)
    if _is_known(ctx, held):
        return None
    if (classes := _tested(ctx, held)) is not None:
        return _agreed(ctx, node, classes, sure=True)
    if isinstance(held, cst.Attribute) and (paths := ctx.outside.layers.get(held.attr.value)):
        sure = ctx.kinds.of(held.value) in ("module", "cell")
        return _agreed(ctx, node, paths, sure=sure)
    if (parts := _parts(ctx, held)) is not None:
        return _agreed(ctx, node, parts, sure=True)
    if (given := given_layers(ctx, held)) is not None:
        return _agreed(ctx, node, given, sure=True)
    here = {path for paths in ctx.outside.layers.values() for path in paths}
    others = sorted(_names(ctx, here, name) - {name})
    if others and isinstance(held, cst.Name | cst.Subscript) and _is_parameter(ctx, node):
        said = " or ".join(f"`{other}`" for other in others)
        raise Unsure(
            f"some layers of this project call `{name}` {said} in {ctx.to}, and what "
            f"`{code(held)}` is, is not seen",
            f"write {said} where it is such a layer",
        )
    return None


def _handed_back(ctx: Context, held: cst.BaseExpression) -> list[str]:
    """Return the classes of an attribute that is set to layers, and to what is made of itself.

    As in `self.embed = nn.Embedding(…)` and then `self.embed = on_device(self.embed)`.
    """
    values = ctx.kinds.values_of(held) if isinstance(held, cst.Attribute) else []
    made = [each for each in values if isinstance(each, cst.Call)]
    rows = {each: row for each in made if (row := ctx.kinds.row(each.func)) is not None}
    rest = [each for each in made if each not in rows]
    if len(made) < len(values) or not all(_is_given(each, held) for each in rest):
        return []
    return [row.side(ctx.source).path for row in rows.values()] if rest else []


def _is_given(call: cst.Call, held: cst.BaseExpression) -> bool:
    """Whether something is an argument of a call, or what it is a method of."""
    given = [arg.value for arg in call.args]
    if isinstance(call.func, cst.Attribute):
        given.append(call.func.value)
    return any(each.deep_equals(held) for each in given)


def given_layers(ctx: Context, held: cst.BaseExpression) -> list[str] | None:
    """Return the classes of what a function of this file is given at each of its calls.

    None where `held` is no parameter of such a function, or something else may give it more. What
    is the other framework's already, as in a second run, is left out.
    """
    bound = ctx.names.assignments(held) if isinstance(held, cst.Name) else []
    target = bound[0].node if len(bound) == 1 else None
    function = _function_of(ctx, target) if isinstance(target, cst.Param) else None
    if function is None or function.name.value in ctx.outside.taken:
        return None
    place = next((i for i, p in enumerate(function.params.params) if p is target), None)
    reads = ctx.names.reads_of(function)
    found = []
    for read in reads:
        call = ctx.names.parents.get(read)
        if place is None or not isinstance(call, cst.Call) or call.func is not read:
            return None
        first = call.args[: place + 1]
        if len(first) <= place or any(arg.keyword is not None or arg.star for arg in first):
            return None
        values = ctx.kinds.values_of(first[place].value)
        if values and all(_is_theirs(ctx, value) for value in values):
            continue
        row = ctx.kinds.made_by(first[place].value)
        layers = [row.side(ctx.source).path] if row else _handed_back(ctx, first[place].value)
        if not layers:
            return None
        found += layers
    return found if reads else None


def _function_of(ctx: Context, parameter: cst.Param) -> cst.FunctionDef | None:
    """Return the function at the module's top that a parameter is one of."""
    up = ctx.names.parents.get(ctx.names.parents[parameter])
    top = isinstance(up, cst.FunctionDef) and isinstance(ctx.names.parents.get(up), cst.Module)
    return up if top and isinstance(up, cst.FunctionDef) else None


def keeps_names(ctx: Context, held: cst.BaseExpression) -> bool:
    """Whether all layers that something may be call their parameters alike in both frameworks."""
    layers = given_layers(ctx, held)
    old = _renamed(ctx.source, ctx.to)
    return layers is not None and all(_names(ctx, layers, name) <= {name} for name in old)


@cache
def _renamed(source: str, to: str) -> frozenset[str]:
    """Return the parameters that some layer calls otherwise there."""
    return frozenset(
        old
        for row in NEIGHBOURS
        for old, new in rename_parameters(row, source, to).items()
        if old != new and "." not in old + new
    )


def _is_known(ctx: Context, held: cst.BaseExpression) -> bool:
    """Whether this file shows what something is, or that it is no layer."""
    kind = ctx.kinds.of(held)
    if kind == "layer":
        return ctx.kinds.made_by(held) is not None
    if kind not in ("", "module"):
        return True
    if isinstance(held, cst.Name) and held.value in ("self", "cls"):
        return True
    owner = ctx.kinds.owner_of(held)
    if owner is not None:
        return True
    if ctx.names.paths(held) - {"?"}:
        return True
    values = ctx.kinds.values_of(held)
    if values and all(_is_theirs(ctx, value) for value in values):
        return True
    return bool(isinstance(held, cst.Attribute) and values)


def _is_theirs(ctx: Context, made: cst.BaseExpression | None) -> bool:
    """Whether something is made by the other framework already, as in a second run."""
    path = ctx.names.path(made.func) if isinstance(made, cst.Call) else None
    return (path or "").partition(".")[0] in (ctx.to, "onecell")


def _agreed(
    ctx: Context, node: cst.Attribute, paths: Iterable[str], *, sure: bool
) -> tuple[str, bool] | None:
    """Return the one name that layers of all these classes have for a parameter."""
    name = node.attr.value
    found = _names(ctx, paths, name)
    if found <= {name}:
        return None
    if len(found) > 1:
        said = " or ".join(f"`{each}`" for each in sorted(found))
        raise Unsure(f"`{code(node)}` is {said} in {ctx.to}: it may be any of several layers")
    (new,) = found
    return new, sure


def _names(ctx: Context, paths: Iterable[str], name: str) -> set[str]:
    """Return what layers of the classes `paths` call a parameter there; "" is no layer at all."""
    rows = (find_neighbour(ctx.source, path) for path in paths)
    return {
        name if row is None else rename_parameters(row, ctx.source, ctx.to).get(name, name)
        for row in rows
    }


def _parts(ctx: Context, held: cst.BaseExpression) -> list[str] | None:
    """Return the classes of what a list of layers is made of, where `held` is one of its parts."""
    if isinstance(held, cst.Subscript):
        lists = [held.value]
    else:
        bound = ctx.names.assignments(held) if isinstance(held, cst.Name) else ()
        loops = [ctx.names.parents.get(each.node) for each in bound]
        if not loops or not all(isinstance(loop, cst.For | cst.CompFor) for loop in loops):
            return None
        lists = [loop.iter for loop in loops if isinstance(loop, cst.For | cst.CompFor)]
    made = [value for each in lists for value in ctx.kinds.values_of(each) or [None]]
    found: list[str] = []
    for value in made:
        row = ctx.kinds.row(value.func) if isinstance(value, cst.Call) else None
        if row is None or row.gives not in ("modules", "layers") or not isinstance(value, cst.Call):
            return None
        for element in _elements(value):
            layer = ctx.kinds.row(element.func) if isinstance(element, cst.Call) else None
            if layer is None:
                return None
            found.append(layer.side(ctx.source).path)
    return found


def _elements(made: cst.Call) -> Iterator[cst.BaseExpression]:
    """Yield what a list of modules is given, one by one or as a list."""
    for arg in made.args:
        if arg.star:
            yield arg.value
        elif isinstance(arg.value, cst.List | cst.Tuple):
            yield from (element.value for element in arg.value.elements)
        elif isinstance(arg.value, cst.ListComp | cst.GeneratorExp):
            yield arg.value.elt
        else:
            yield arg.value


def _tested(ctx: Context, held: cst.BaseExpression) -> list[str] | None:
    """Return the classes that a test around `held` found it to be one of, None where none did."""
    below: cst.CSTNode = held
    up = ctx.names.parents.get(below)
    while up is not None:
        if isinstance(up, cst.If | cst.IfExp) and below is up.body:
            for test in _all_of(up.test):
                if (found := _classes(ctx, test, held)) is not None:
                    return found
        elif isinstance(up, cst.BooleanOperation) and below is up.right:
            for test in _all_of(up.left) if isinstance(up.operator, cst.And) else ():
                if (found := _classes(ctx, test, held)) is not None:
                    return found
        elif isinstance(up, cst.FunctionDef | cst.ClassDef):
            return None
        below, up = up, ctx.names.parents.get(up)
    return None


def _all_of(test: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """Yield what all has to be true for a test to be."""
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And):
        yield from _all_of(test.left)
        yield from _all_of(test.right)
    else:
        yield test


def _classes(ctx: Context, test: cst.BaseExpression, held: cst.BaseExpression) -> list[str] | None:
    """Return the classes that `test` says `held` to be one of: by `isinstance`, type or name."""
    match test:
        case cst.Call(
            func=cst.Name(value="isinstance"), args=[cst.Arg(value=what), cst.Arg(value=classes)]
        ) if what.deep_equals(held):
            every = (
                [e.value for e in classes.elements] if isinstance(classes, cst.Tuple) else [classes]
            )
            return [ctx.names.path(each) or "" for each in every]
        case cst.Comparison(
            left=cst.Call(func=cst.Name(value="type"), args=[cst.Arg(value=what)]),
            comparisons=[
                cst.ComparisonTarget(
                    operator=cst.Is() | cst.Equal(), comparator=cst.Name() | cst.Attribute() as one
                )
            ],
        ) if what.deep_equals(held):
            return [ctx.names.path(one) or ""]
        case cst.Comparison() | cst.Call():
            words = [str(literal(e)) for e in _strings(test)]
            known = [
                path
                for row in NEIGHBOURS
                for path in (row.classes[ctx.source],)
                if len(words) == 1 and words[0] and words[0] in path.rpartition(".")[2]
            ]
            return known or None
    return None


def _strings(test: cst.BaseExpression) -> Iterator[cst.SimpleString]:
    for child in test.children:
        if isinstance(child, cst.SimpleString):
            yield child
        elif isinstance(child, cst.CSTNode):
            yield from _strings(child)  # type: ignore[arg-type]


def _is_parameter(ctx: Context, node: cst.Attribute) -> bool:
    """Whether what is done with an attribute is done with a parameter only."""
    up = ctx.names.parents.get(node)
    if isinstance(up, cst.Attribute):
        return up.attr.value in _OF_PARAMETERS
    if isinstance(up, cst.Arg):
        call = ctx.names.parents[up]
        path = ctx.names.path(call.func) if isinstance(call, cst.Call) else None
        return (path or "").startswith("torch.nn.init.")
    if isinstance(up, cst.AssignTarget):
        assigned = ctx.names.parents[up]
        value = assigned.value if isinstance(assigned, cst.Assign) else None
    elif isinstance(up, cst.Assign):
        value = up.targets[0].target
    else:
        return False
    return isinstance(value, cst.Attribute) and value.attr.value == node.attr.value

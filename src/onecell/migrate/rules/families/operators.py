"""The way back: MindSpore's operators, made and called, and functions without a row of both sides.

An operator that is kept, `self.cat = ops.Concat(1)`, becomes a function that does the same.
"""

from __future__ import annotations

import re
from typing import Final

import libcst as cst

from onecell.migrate.meaning.names import dotted
from onecell.migrate.meaning.syntax import code, expression, is_pure, literal, operand, upwards
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.arguments import bind
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.table.operator import Operator
from onecell.migrate.rules.table.operator_index import by_path
from onecell.migrate.rules.table.row import Signature
from onecell.migrate.rules.table.scan import canonical
from onecell.migrate.rules.written import WRITTEN

_ALONE: Final = cst.Assign | cst.AnnAssign | cst.Arg | cst.Return | cst.Element
"""Where a lambda needs no parentheses."""
Given = dict[str, int]
"""Parameter → which argument is for it."""
_TORCH: Final = re.compile(r"\btorch(?:\.\w+)+")


def path_of(ctx: Context, node: cst.CSTNode) -> str | None:
    """Return the import path of the operator's class that `node` names, None for anything else."""
    path = ctx.names.path(node) if ctx.to == "torch" else None
    rows = by_path().get(canonical(path)) if path is not None else None
    return rows[0].path if rows is not None and rows[0].is_made else None


def name_of(ctx: Context, path: str) -> str | None:
    """Return the function of torch's that may be handed on in place of MindSpore's, or None."""
    rows = by_path().get(path, ()) if ctx.to == "torch" else ()
    plain = len(rows) == 1 and not rows[0].is_made and rows[0].is_name and not rows[0].holds
    return rows[0].torch.partition("(")[0] if plain else None


def takes_more(ctx: Context, node: cst.Call, path: str) -> bool:
    """Whether a call has more arguments than the row of both sides knows, such as `one_hot`'s."""
    row = ctx.kinds.rows.get(path)
    found = by_path().get(path) if ctx.to == "torch" and row is not None else None
    return found is not None and len(node.args) == len(found[0].called.names)


def advised(path: str) -> str:
    """Return what to write where no row of a path fits."""
    return f"write `{by_path()[path][0].torch}`, with what is given here"


def plan(ctx: Context, node: cst.Call, made: cst.Call | None, path: str) -> tuple[Operator, Plan]:
    """Return the row of a call, and its plan.

    The call is of a function, of the operator that `made` makes, or of an operator's class.

    Raises:
        Unsure: the call would not surely compute the same.
    """
    if made is not None:
        row, settings = _chosen(made, node, path)
        return row, _written(ctx, row, node, made, settings, _bound(node, row.called))
    if by_path()[path][0].is_made:
        row, settings = _chosen(node, None, path)
        return row, _kept(ctx, node, row, settings)
    row, given = _chosen(None, node, path)
    return row, _written(ctx, row, node, None, {}, given)


def _chosen(made: cst.Call | None, called: cst.Call | None, path: str) -> tuple[Operator, Given]:
    """Return the row of which the call fulfils the conditions, and what it is made with."""
    why = Unsure(f"`{path}` is not in the table")
    for row in by_path()[path]:
        given = _bound(made, row.made) if made is not None else {}
        inside = _bound(called, row.called) if called is not None else {}
        for name, wanted in row.when.items():
            signature, places, call = (
                (row.made, given, made) if name in row.made.names else (row.called, inside, called)
            )
            if call is None:
                why = Unsure(f"`{name}` is exact only as {wanted}")
                break
            value = call.args[places[name]].value if name in places else None
            text = signature.defaults.get(name, "") if value is None else code(value).strip()
            if text != wanted and not (value is not None and _is_like(value, wanted)):
                if value is not None and literal(value) is literal and dotted(value) is None:
                    raise Unsure(f"`{name}` is not known here")
                why = Unsure(f"`{name}` is exact only as {wanted}")
                break
        else:
            return row, given if made is not None else inside
    raise why


def _is_like(value: cst.BaseExpression, wanted: str) -> bool:
    """Whether an expression is a literal of the value that is wanted."""
    found = literal(value)
    return found is not literal and found == literal(cst.parse_expression(wanted))


def _bound(call: cst.Call, signature: Signature) -> Given:
    if any(arg.star for arg in call.args) and signature.rest is None:
        raise Unsure("`*` and `**` hide what is given")
    bound = bind(call.args, signature)
    found = {b.parameter: b.index for b in bound if b.parameter not in (None, signature.rest)}
    missing = [n for n in signature.names if n not in found and n not in signature.defaults]
    if missing:
        raise Unsure(f"`{missing[0]}` is not given")
    return {name: place for name, place in found.items() if name is not None}


def _spelled(ctx: Context, text: str) -> tuple[str, dict[str, cst.BaseExpression]]:
    """Return an expression with a placeholder for each import path, and what it stands for."""
    paths = dict.fromkeys(_TORCH.findall(text))
    nodes = {f"torch_{i}_": ctx.speller.spell(path) for i, path in enumerate(paths)}
    for i, path in enumerate(paths):
        text = re.sub(rf"\b{re.escape(path)}\b(?!\.\w)", f"torch_{i}_", text)
    for name in WRITTEN:
        if f"{name}(" in text:
            nodes[name] = ctx.write(name)
    return text, nodes


def _default(ctx: Context, text: str) -> cst.BaseExpression:
    return ctx.speller.spell(text) if text.startswith("torch.") else cst.parse_expression(text)


def _values(
    ctx: Context, call: cst.Call | None, signature: Signature, places: Given
) -> dict[str, cst.BaseExpression]:
    found = {name: _default(ctx, text) for name, text in signature.defaults.items()}
    if call is not None:
        found |= {name: call.args[place].value for name, place in places.items()}
    return found


def _written(
    ctx: Context,
    row: Operator,
    node: cst.Call,
    made: cst.Call | None,
    settings: Given,
    given: Given,
) -> Plan:
    """Return the plan that writes the expression where the call stands."""
    ctx.forget((made or node).func)
    names = re.findall(r"\b[a-z_]\w*\b", row.torch)
    for call, places in ((made, settings), (node, given)):
        for name, place in places.items():
            value = call.args[place].value if call is not None else None
            if value is None or isinstance(value, cst.Name) or literal(value) is not literal:
                continue
            if names.count(name) > 1 and not is_pure(value):
                raise Unsure(f"`{code(value)}` would be asked twice", "give it a name first")
            if name not in names:
                ctx.forget(value)

    def build(updated: cst.Call) -> cst.BaseExpression:
        inner = updated.func if made is not None else None
        assert inner is None or isinstance(inner, cst.Call)  # noqa: S101 - as it was made
        values = {
            **_values(ctx, inner, row.made, settings),
            **_values(ctx, updated, row.called, given),
        }
        text, nodes = _spelled(ctx, row.torch)
        if row.called.rest is not None:
            return cst.Call(cst.Name(row.torch.partition("(")[0]), updated.args)
        if not row.torch.startswith("torch."):
            values = {name: operand(value) for name, value in values.items()}
        elif "torch.maximum" in row.torch or "torch.minimum" in row.torch:
            values = {name: _as_tensor(ctx, value) for name, value in values.items()}
        return _filled(text, values, nodes)

    return build


def _filled(
    text: str, values: dict[str, cst.BaseExpression], nodes: dict[str, cst.BaseExpression]
) -> cst.BaseExpression:
    """Return an expression with its names replaced; those of keywords stay."""
    for name in values:
        text = re.sub(rf"\b{name}\b(?!=[^=])", f"value_{name}_", text)
    return expression(text, **nodes, **{f"value_{name}_": each for name, each in values.items()})


def _as_tensor(ctx: Context, value: cst.BaseExpression) -> cst.BaseExpression:
    """Return a number as the tensor that torch wants."""
    if not isinstance(literal(value), int | float):
        return value
    return cst.Call(ctx.speller.spell("torch.tensor"), [cst.Arg(value)])


def _kept(ctx: Context, node: cst.Call, row: Operator, settings: Given) -> Plan:
    """Return the plan that writes a function in place of an operator that is kept."""
    if _in_class_body(ctx, node) and not row.is_name:
        raise Unsure("a function in a class's body is a method", "make it in `__init__`")
    ctx.forget(node.func)
    plain = row.is_name and not settings
    around = ctx.names.parents.get(node)

    def build(updated: cst.Call) -> cst.BaseExpression:
        text, nodes = _spelled(ctx, row.torch)
        if plain or row.called.rest is not None:
            return expression(text.partition("(")[0], **nodes)
        own = _values(ctx, updated, row.made, settings)
        used = {n: v for n, v in own.items() if re.search(rf"\b{n}\b", text)}
        late = {n: v for n, v in used.items() if literal(v) is literal and not _is_fixed(v)}
        parameters = row.called.text.partition("(")[2].removesuffix(")")
        bound = "".join(f", {name}=late_{name}_" for name in late)
        now = {name: value for name, value in used.items() if name not in late}
        now |= {f"late_{name}_": value for name, value in late.items()}
        made = _filled(f"lambda {parameters}{bound}: {text}", now, nodes)
        return made if isinstance(around, _ALONE) else expression("(_)", _=made)

    return build


def _in_class_body(ctx: Context, node: cst.Call) -> bool:
    for up in upwards(node, ctx.names.parents):
        if isinstance(up, cst.FunctionDef | cst.Lambda):
            return False
        if isinstance(up, cst.ClassDef):
            return True
    return False


def _is_fixed(value: cst.BaseExpression) -> bool:
    """Whether an expression means the same whenever it is asked: a type of torch's, say."""
    name = dotted(value)
    return name is not None and name.startswith("torch.")

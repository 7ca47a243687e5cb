"""Methods of tensors that have a row of the table: as they are, or written as MindSpore's."""

from __future__ import annotations

from typing import Final

import libcst as cst

from onecell.migrate.meaning.names import root
from onecell.migrate.meaning.syntax import literal
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.arguments import Converter
from onecell.migrate.rules.context import Context, Made, Plan
from onecell.migrate.rules.families.calls import plan_call
from onecell.migrate.rules.families.receivers import receiver, shown
from onecell.migrate.rules.families.tensors.denormals import kept_type
from onecell.migrate.rules.families.tensors.pairs import take_apart
from onecell.migrate.rules.families.tensors.picked import supposed
from onecell.migrate.rules.table.methods import AS_FUNCTION, METHODS
from onecell.migrate.rules.table.row import Row

_PAIRS: Final = ("pair", "extreme")
_OTHERWISE: Final = frozenset(
    "aminmax cummin diag equal median nanmedian std var".split()  # noqa: SIM905 - one line
)
"""Methods that both frameworks' tensors have, for different things."""
_NUMPY_TOO: Final = ("argmin", "argsort", "repeat", "std", "var")
"""Methods that NumPy's arrays have as well."""
_ADVICE: Final = {
    "std": "write `mindspore.ops.std(x, ddof=1)` of a tensor: torch divides by N - 1",
    "var": "write `mindspore.ops.var(x, ddof=1)` of a tensor: torch divides by N - 1",
    "median": "write `mindspore.ops.sort(x.reshape(-1))[0][(x.size - 1) // 2]` for that of all"
    " numbers of a tensor, `mindspore.ops.median(x, axis)` along an axis",
    "diag": "write `mindspore.ops.diag(x)` of one axis, `x.diagonal()` of two",
    "repeat": "write `x.tile((n,))` of a tensor: MindSpore's `repeat` is another",
    "equal": "`bool((a == b).all())` of two of one shape",
    "argmin": "give the indices `.long()`: they are int32",
    "argsort": "give the indices `.long()`: they are int32",
}


def plan_row(ctx: Context, node: cst.Call, name: str) -> tuple[str, Plan] | None:
    """Return the rule and plan of a method of a tensor, None where it stays and nothing is said.

    Raises:
        Unsure: the table lacks the method, or it would not surely compute the same.
    """
    row = METHODS.get(name)
    if row is None:
        raise _lacking(name)
    if name == "flip" and _spreads(node):
        return "flip", _gathered
    said = ctx.holds.setdefault(node, [])
    said.extend(row.assumed)
    if (picked := supposed(ctx, node, row.rule, receiver(node))) is not None:
        said.append(picked)
    stays: tuple[str, Plan] | None = (row.rule, lambda updated: updated) if said else None
    if row.gives == "extreme" and not ctx.kinds.along_axis(node, 0):
        return stays
    if row.gives in _PAIRS and not take_apart(ctx, node, long=row.gives == "pair"):
        raise Unsure(
            f"`{name}` computes the same in MindSpore, but its indices are int32",
            "take the pair apart here, and give the indices `.long()`",
        )
    # What is called stands in the row; here it stands for nothing.
    call = node.with_changes(func=cst.Name("_"), args=[cst.Arg(receiver(node)), *node.args])
    same = _is_same(node, row) and kept_type(ctx, call, row) is None
    if row.gives in _PAIRS or same:
        Converter(row, ctx.source, ctx.to, ctx.make, ctx.same).convert(call.args, call.args)
        return stays
    plan = plan_call(ctx, call, row)

    def build(updated: cst.Call) -> cst.BaseExpression:
        func = ctx.speller.spell(row.mindspore.path) if name in AS_FUNCTION else updated.func
        args = [cst.Arg(receiver(updated)), *updated.args]
        return plan(updated.with_changes(func=func, args=args))

    return row.rule, build


def _is_same(node: cst.Call, row: Row) -> bool:
    """Whether MindSpore's method is called alike, and so are the arguments that are given."""
    keywords = {arg.keyword.value for arg in node.args if arg.keyword is not None}
    ours, theirs = (side.path.partition(".")[2] for side in (row.torch, row.mindspore))
    return ours == theirs and not row.shape and not keywords & row.pairs.keys()


def _spreads(node: cst.Call) -> bool:
    """Whether axes are given one by one, which MindSpore takes as one argument."""
    return bool(node.args) and not any(
        arg.keyword or arg.star or isinstance(arg.value, cst.Tuple | cst.List) for arg in node.args
    )


def _gathered(updated: cst.Call) -> cst.BaseExpression:
    return updated.with_changes(
        args=[cst.Arg(cst.Tuple([cst.Element(arg.value) for arg in updated.args]))]
    )


def _lacking(name: str) -> Unsure:
    if name in _OTHERWISE:
        why = f"`{name}` of a tensor gives something else in MindSpore"
        return Unsure(why, _ADVICE.get(name, ""))
    return Unsure(f"`{name}` of a tensor has no exact counterpart")


def plan_supposed(ctx: Context, node: cst.Call, name: str) -> Made | None:
    """Do as `plan_row` for what the file does not show to be a tensor.

    What only tensors have is taken for theirs, which is said; what other libraries' objects have
    too is marked where a tensor's would give something else, without an error.

    Raises:
        Unsure: the method gives something else in MindSpore if a tensor's.
    """
    if ctx.kinds.defines(name) or is_of_others(ctx, receiver(node)):
        return None
    held = receiver(node)
    if isinstance(held, cst.Name) and held.value in ("self", "cls"):
        return None
    keywords = {arg.keyword.value for arg in node.args if arg.keyword is not None}
    if keywords & {"axis", "keepdims", "ddof"}:
        return None  # NumPy's
    if _is_tensors(node, name, keywords):
        found = plan_row(ctx, node, name)
        return None if found is None else (*found, f"`{shown(node)}` is a tensor")
    if (picked := supposed(ctx, node, name, receiver(node))) is not None:
        return name, lambda updated: updated, picked
    if name == "any" and not any(arg.star for arg in node.args):
        return "any", lambda updated: updated, f"`{shown(node)}` holds nothing but truth values"
    if name in _OTHERWISE or name in _NUMPY_TOO:
        raise Unsure(
            f"`{name}` of a tensor gives something else in MindSpore, and this file does not show"
            f" whether `{shown(node)}` is one",
            _ADVICE.get(name, ""),
        )
    return None


def _is_tensors(node: cst.Call, name: str, keywords: set[str]) -> bool:
    """Whether nothing but a tensor has such a method, called so."""
    first = literal(node.args[0].value) if node.args and not node.args[0].star else None
    places = [literal(arg.value) for arg in node.args if arg.keyword is None and not arg.star]
    match name:
        case "relu" | "count_nonzero" | "bernoulli":
            return not node.args or keywords == {"dim"}
        case "softmax" | "log_softmax" | "any":
            return "dim" in keywords or (name != "any" and isinstance(first, int))
        case "argmin" | "argsort" | "amax" | "amin":
            return bool(keywords & {"dim", "keepdim"})
        case "squeeze":
            return "dim" in keywords
        case "multinomial" | "topk" | "clamp_min" | "clamp_max":
            return bool(node.args)
        case "norm":
            return bool(node.args)
        case "flip":
            return bool(places) and all(isinstance(place, int) for place in places)
        case "repeat":
            return len(node.args) > 1
        case "sort":
            return bool(keywords & {"dim", "descending"}) or isinstance(first, int)
    return False


def is_of_others(ctx: Context, held: cst.BaseExpression) -> bool:
    """Whether an expression, or all that its first name is bound to, comes from another library."""
    start = root(held)
    while isinstance(start, cst.Call | cst.Subscript):
        start = root(start.func if isinstance(start, cst.Call) else start.value)
    if not isinstance(start, cst.Name):
        return False
    path = ctx.names.path(start)
    if path is not None:
        return not ctx.is_foreign(path)
    values = [ctx.names.value_of(bound.node) for bound in ctx.names.assignments(start)]
    made = [ctx.names.path(value.func) if isinstance(value, cst.Call) else None for value in values]
    return bool(made) and all(path is not None and not ctx.is_foreign(path) for path in made)

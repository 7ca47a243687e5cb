"""What the rules ask about the places a cell may be in."""

from __future__ import annotations

import libcst as cst

from onecell.migrate.meaning.names import dotted, imported
from onecell.migrate.meaning.syntax import code, upwards
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families.calls import plan_call
from onecell.migrate.rules.families.receivers import is_super
from onecell.migrate.rules.table.layers import CELL
from onecell.migrate.rules.table.row import Row
from onecell.migrate.rules.table.scan import canonical


def inherited_constructor(ctx: Context, node: cst.Call) -> bool | None:
    """Return True where a call reaches the cell's own constructor through a subclass, else None."""
    func = node.func
    if (
        isinstance(func, cst.Attribute)
        and func.attr.value == "__init__"
        and is_super(func.value)
        and (owner := ctx.kinds.class_around(node)) is not None
    ):
        return True if ctx.kinds.of_class(owner) == "cell" else None
    local = ctx.kinds.local_class(func)
    if local is None or ctx.kinds.of_class(local) != "cell":
        return None
    return None if ctx.kinds.own(local, "__init__") else True


def constructions(ctx: Context, owner: cst.ClassDef) -> list[cst.Call]:
    """Return the calls by which a class hands arguments to the constructor that it derives from."""
    own = [
        line
        for line in owner.body.body
        if isinstance(line, cst.FunctionDef) and line.name.value == "__init__"
    ]
    return [
        call
        for call in ctx.names.of_kind(cst.Call)
        if own
        and own[0] in upwards(call, ctx.names.parents)
        and isinstance(call.func, cst.Attribute)
        and call.func.attr.value == "__init__"
        and is_super(call.func.value)
    ]


def cell_called(ctx: Context, node: cst.Call) -> cst.BaseExpression | None:
    """Return the cell that a call steps, None where it steps none."""
    func = node.func
    if ctx.kinds.of(func) == "cell":
        return func
    if not isinstance(func, cst.Attribute) or func.attr.value != ctx.kinds.step:
        return None
    if is_super(func.value):
        owner = ctx.kinds.class_around(node)
        is_cell = owner is not None and ctx.kinds.of_class(owner) == "cell"
        return cst.Name("self") if is_cell else None  # what `super()` is bound to
    return func.value if ctx.kinds.of(func.value) == "cell" else None


def plan_partial(ctx: Context, node: cst.Call) -> tuple[str, Plan] | None:
    """Return how `functools.partial(Cell, ...)` is rewritten, None for any other.

    Raises:
        Unsure: what is bound would not surely mean the same.
    """
    first = node.args[0].value
    row = ctx.row(first)
    if row is None or ctx.spelled(first) is None or not row.side(ctx.source).is_callable:
        return None
    if row.shape not in ("", "cell"):
        raise Unsure(f"`partial` of `{row.side(ctx.source).path}` is not in the table")
    old, rest = row.side(ctx.source), list(node.args[1:])
    required = [name for name in old.names if name not in old.defaults]
    given = {a.keyword.value for a in rest if a.keyword is not None}
    given |= {name for name, a in zip(old.positional, rest, strict=False) if a.keyword is None}
    missing = [cst.Arg(cst.Name("_"), keyword=cst.Name(n)) for n in required if n not in given]
    inner = node.with_changes(func=first, args=[*rest, *missing])
    plan = plan_call(ctx, inner, row)

    def build(updated: cst.Call) -> cst.Call:
        called = plan(
            updated.with_changes(func=updated.args[0].value, args=[*updated.args[1:], *missing])
        )
        assert isinstance(called, cst.Call)  # noqa: S101 - rows without a shape stay calls
        names = set(row.names(ctx.source).values())
        kept = [
            a
            for a in called.args
            if not (isinstance(a.value, cst.Name) and a.value.value == "_" and names)
        ]
        head = updated.args[0].with_changes(value=called.func)
        args = [head, *kept]
        args[-1] = args[-1].with_changes(comma=node.args[-1].comma)
        return updated.with_changes(args=args)

    return "partial", build


def wraps(ctx: Context, node: cst.Call) -> bool:
    """Whether a call is `LSTMCell.from_torch(cell)`, or its like."""
    func = node.func
    return (
        isinstance(func, cst.Attribute)
        and func.attr.value == f"from_{ctx.source}"
        and ctx.names_cell(func.value)
    )


def plan_wrap(ctx: Context, node: cst.Call) -> tuple[str, Plan]:
    """Return how `LSTMCell.from_torch(cell)` is rewritten.

    Raises:
        Unsure: the framework's own cell is wanted, which cannot wrap another.
    """
    if ctx.target == "native":
        raise Unsure(f"`from_{ctx.source}` is onecell's alone", "use `--target onecell`")
    row, func = CELL["onecell"], node.func
    assert isinstance(func, cst.Attribute)  # noqa: S101 - the caller looked
    held = func.value

    def build(updated: cst.Call) -> cst.Call:
        spelled = ctx.respell(held, row) or held
        return updated.with_changes(func=cst.Attribute(spelled, cst.Name(f"from_{ctx.to}")))

    return "wrap", build


def mode_to_state(ctx: Context, line: cst.SimpleStatementLine) -> str | None:
    """Return what has to follow `super().__init__()` in a class that asks `self.training`.

    torch's modules begin in training mode, MindSpore's do not.
    """
    call = line.body[0].value if isinstance(line.body[0], cst.Expr) else None
    if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute):
        return None
    if call.func.attr.value != "__init__" or not is_super(call.func.value):
        return None
    owner = ctx.kinds.class_around(line)
    if owner is None or not ctx.kinds.of_class(owner) or not _asks_mode(ctx, owner):
        return None
    mode = "self.set_train()" if ctx.to == "mindspore" else "self.eval()"
    block = ctx.names.parents.get(line)
    body = list(block.body) if isinstance(block, cst.IndentedBlock) else [line]
    after = body[body.index(line) + 1 :][:1]
    return None if [code(each).strip() for each in after] == [mode] else mode  # it has it already


def without_constructor(ctx: Context, owner: cst.ClassDef) -> str | None:
    """Return the constructor that a module has to get which asks `self.training` and has none."""
    own = any(
        isinstance(line, cst.FunctionDef) and line.name.value == "__init__"
        for line in owner.body.body
    )
    if own or not ctx.kinds.of_class(owner) or not _asks_mode(ctx, owner):
        return None
    bases = [ctx.row(base.value) for base in owner.bases]
    plain = len(bases) == 1 and bases[0] is not None and bases[0].rule == "module"
    given, handed = ("self", "") if plain else ("self, *args, **kwargs", "*args, **kwargs")
    mode = "self.set_train()" if ctx.to == "mindspore" else "self.eval()"
    return f"def __init__({given}):\n    super().__init__({handed})\n    {mode}\n"


def _asks_mode(ctx: Context, owner: cst.ClassDef) -> bool:
    parents = ctx.names.parents
    return any(
        isinstance(node := parents.get(name), cst.Attribute)
        and dotted(node) == "self.training"
        and owner in upwards(node, parents)
        for name in ctx.names.called("training")
    )


def unfit_as_type(ctx: Context, node: cst.CSTNode, row: Row) -> Unsure | None:
    """Return why a class may not be named on the other side, None where it may."""
    path = row.side(ctx.source).path
    if row.shape == "loss":
        return Unsure(f"`{path}` is a function in {ctx.to}")
    arg = ctx.names.parents.get(node)
    around = ctx.names.parents.get(arg) if arg is not None else None
    if not isinstance(around, cst.ClassDef) or row.gives not in ("layer", "modules", "optimizer"):
        return None
    if row.shape == "sequence" or row.is_interchangeable(ctx.source):
        return None
    if row.shape == "" and ctx.kinds.base_row(around) is row and constructions(ctx, around):
        return None  # whoever makes one gives the class's own arguments
    # Those of whoever makes one, here or in another file, and of `super().__init__`.
    return Unsure(
        f"what derives from `{path}` hands on arguments that {ctx.to} calls otherwise",
        "make it a module that holds one",
    )


def is_type_context(ctx: Context, node: cst.CSTNode) -> bool:
    """Whether a name stands where only the class itself matters: a base, a check, an annotation."""
    for up in upwards(node, ctx.names.parents):
        if isinstance(up, cst.Annotation):
            return True
        if isinstance(up, cst.ClassDef):
            return any(arg.value is node for arg in up.bases)
        if isinstance(up, cst.Call):
            return isinstance(up.func, cst.Name) and up.func.value in ("isinstance", "issubclass")
        if not isinstance(
            up,
            cst.Arg
            | cst.Tuple
            | cst.Element
            | cst.BinaryOperation
            | cst.Subscript
            | cst.SubscriptElement
            | cst.Index
            | cst.ComparisonTarget,
        ):
            return isinstance(up, cst.Comparison) and _compares_types(up)
    return False


def _compares_types(node: cst.Comparison) -> bool:
    """Whether something's class is one side of a comparison: `type(m) == …`, `m.__class__ is …`."""
    for side in (node.left, *(each.comparator for each in node.comparisons)):
        if isinstance(side, cst.Attribute) and side.attr.value == "__class__":
            return True
        if isinstance(side, cst.Call) and code(side.func) == "type" and len(side.args) == 1:
            return True
    return False


def handed_on(ctx: Context, module: cst.Module, node: cst.ImportFrom) -> dict[str, Row]:
    """Return path and row of what a statement imports for other files: nothing here reads it.

    Of the cell, any such import counts; of the rest those of modules that do nothing else, since
    an import that nobody needs is common.
    """
    if isinstance(node.names, cst.ImportStar):
        return {}
    read = {
        bound.name
        for bindings in ctx.names.loads.values()
        for bound in bindings
        if bound.node is node
    }
    only = not any(isinstance(line, cst.FunctionDef | cst.ClassDef) for line in module.body)
    found = {}
    for alias in node.names:
        name, path = imported(alias, node)
        row = ctx.kinds.rows.get(canonical(path)) if ctx.is_foreign(path) else None
        if row is None or name in read or not row.side(ctx.source).is_callable:
            continue
        if row.rule == "cell" or only:
            found[path] = row
    return found

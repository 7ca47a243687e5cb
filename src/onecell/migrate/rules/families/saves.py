"""What is saved and loaded: plainly where a file is one module's parameters, else nested as it is.

`torch.save(model.state_dict(), "x.pt")` is MindSpore's own call where the name is seen to end as
it wants; anything else goes through the functions of `written`, which keep dictionaries, lists,
plain values and the file's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import libcst as cst

from onecell.migrate.meaning.evidence import OPTIMIZER, SCHEDULER
from onecell.migrate.meaning.syntax import literal
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.context import Context, Made, Plan
from onecell.migrate.rules.families.file_names import renamed
from onecell.migrate.rules.families.receivers import receiver, shown
from onecell.migrate.rules.table.row import Row

MODULES: Final = {"cell", "cells", "layer", "layers", "module", "modules"}
_USED_AS_MODULE: Final = frozenset(
    (
        "eval",
        "train",
        "parameters",
        "named_parameters",
        "modules",
        "cuda",
        "to",
        "module",
        "forward",
    )
)
_FORGIVEN: Final = frozenset(("pickle_module", "pickle_protocol", "_use_new_zipfile_serialization"))
"""How torch writes a file, which no other framework's file has."""
_WHOLE: Final = Unsure(
    "a whole module is a pickle of its class, and MindSpore's files hold tensors",
    "save its `state_dict()`, and load that into one made anew",
)
_MEMORY: Final = Unsure("MindSpore writes and reads files by name alone", "give it a file's name")
MODEL: Final = re.compile(
    r"(?:^|_)(?:model|module|net|network|encoder|decoder|generator|discriminator|optim(?:izer)?)$",
    re.IGNORECASE,
)
"""How modules and optimizers are called that a file does not show to be some."""


def to_mindspore(ctx: Context, node: cst.Call, row: Row) -> Plan:
    """Plan a call of `torch.save` or `torch.load`.

    Raises:
        Unsure: it is a whole module, or no file that is saved or loaded.
    """
    saving = row.rule == "save"
    rest = [arg for arg in node.args if arg.star]
    if rest and (saving or len(node.args) != 2 or rest[0] is not node.args[1]):  # `load(f, **how)`
        raise Unsure("its arguments are not written out")
    names = ("obj", "f") if saving else ("f",)
    given = {
        arg.keyword.value if arg.keyword is not None else names[place]: arg.value
        for place, arg in enumerate(node.args)
        if not arg.star and (arg.keyword is not None or place < len(names))
    }
    if not given.keys() >= set(names):
        raise Unsure("its arguments are not written out")
    file = _file(ctx, given["f"])
    if saving:
        for part in _parts(ctx, given["obj"]):
            if _is_module(ctx, part):
                raise _WHOLE
    elif _is_used_as_module(ctx, node) or _is_of_saved_object(ctx, node):
        raise _WHOLE
    for value in (*(given[name] for name in given if name not in names), *(a.value for a in rest)):
        ctx.forget(value)
    alone = is_state(ctx, given["obj"]) if saving else _goes_into_module(ctx, node)
    if alone and _ends(ctx, file):
        return _direct(ctx, node, row, names)
    function = "save_nested" if saving else "load_nested"
    if saving and not _is_shown(ctx, given["obj"]):
        ctx.holds.setdefault(node, []).append(
            "what is saved is tensors, numbers, texts, and dictionaries and lists of these"
        )
    ctx.forget(node.func)
    named = ctx.write(function)

    def build(updated: cst.Call) -> cst.BaseExpression:
        return cst.Call(named, _arguments(updated, names))

    return build


def _direct(ctx: Context, node: cst.Call, row: Row, names: tuple[str, ...]) -> Plan:
    path = row.mindspore.path
    like = ctx.spelled(node.func)
    ctx.forget(node.func)

    def build(updated: cst.Call) -> cst.BaseExpression:
        args = _arguments(updated, names)
        if (ended := renamed(ctx, args[-1].value)) is not None:
            args[-1] = args[-1].with_changes(value=ended)
        return updated.with_changes(func=ctx.speller.spell(path, like), args=args)

    return build


def _arguments(updated: cst.Call, names: tuple[str, ...]) -> list[cst.Arg]:
    """Return the arguments called `names`, by place and in order; of an opened file its name."""
    found: dict[str, cst.BaseExpression] = {}
    for place, arg in enumerate(updated.args):
        if arg.star:
            continue
        name = arg.keyword.value if arg.keyword is not None else names[place : place + 1]
        found["".join(name)] = arg.value
    values = [found[name] for name in names]
    values[-1] = opened(values[-1]) or values[-1]
    return [cst.Arg(value) for value in values]


def opened(value: cst.BaseExpression) -> cst.BaseExpression | None:
    """Return the name in `open(name, "wb")`, None for anything else."""
    match value:
        case cst.Call(func=cst.Name(value="open"), args=[cst.Arg(value=name, keyword=None), *_]):
            return name
    return None


def _ends(ctx: Context, file: cst.BaseExpression, depth: int = 4) -> bool:
    """Whether a file's name, or all that a name is bound to, ends as MindSpore wants it."""
    if isinstance(file, cst.Name) and depth:
        values = [ctx.names.value_of(bound.node) for bound in ctx.names.assignments(file)]
        return bool(values) and all(v is not None and _ends(ctx, v, depth - 1) for v in values)
    return renamed(ctx, file) is not None


def _file(ctx: Context, value: cst.BaseExpression) -> cst.BaseExpression:
    """Return the name of the file that a call is given.

    Raises:
        Unsure: it is one in memory.
    """
    values: list[cst.BaseExpression | None] = [value]
    if isinstance(value, cst.Name):
        values = [ctx.names.value_of(bound.node) for bound in ctx.names.assignments(value)]
    for each in values:
        path = ctx.names.path(each.func) if isinstance(each, cst.Call) else None
        if path is not None and path.rpartition(".")[2] == "BytesIO":
            raise _MEMORY
    return opened(value) or value


def is_state(ctx: Context, value: cst.BaseExpression) -> bool:
    """Whether a value is written as the `state_dict()` of a module."""
    match value:
        case cst.Call(func=cst.Attribute(value=held, attr=cst.Name(value=name)), args=[]):
            return name in ("state_dict", "parameters_dict") and not is_optimizer(ctx, held)
    return False


def _goes_into_module(ctx: Context, node: cst.Call) -> bool:
    """Whether what is loaded is given to a module and nothing else."""
    arg = ctx.names.parents.get(node)
    call = ctx.names.parents.get(arg) if isinstance(arg, cst.Arg) else None
    return (
        isinstance(call, cst.Call)
        and isinstance(call.func, cst.Attribute)
        and call.func.attr.value == "load_state_dict"
        and call.args[0] is arg
        and not is_optimizer(ctx, call.func.value)
        and not is_scheduler(call.func.value)
    )


def _parts(ctx: Context, value: cst.BaseExpression, depth: int = 8) -> Iterator[cst.BaseExpression]:
    """Yield a value and what it is made of, as far as the file shows it."""
    yield value
    if depth == 0:
        return
    inner: list[cst.BaseExpression | None] = []
    match value:
        case cst.Dict(elements=items):
            inner = [item.value for item in items]
        case cst.List(elements=items) | cst.Tuple(elements=items):
            inner = [item.value for item in items]
        case cst.Call(func=cst.Name(value="dict" | "OrderedDict"), args=args):
            inner = [arg.value for arg in args]
        case cst.Name():
            for bound in ctx.names.assignments(value):
                if isinstance(bound.node, cst.Param):
                    inner += _given(ctx, bound.node)
                else:
                    inner.append(ctx.names.value_of(bound.node))
    for each in inner:
        if each is not None:
            yield from _parts(ctx, each, depth - 1)


def _given(ctx: Context, param: cst.Param) -> list[cst.BaseExpression | None]:
    """Return what the calls in this file give a parameter."""
    function: cst.CSTNode | None = param
    while function is not None and not isinstance(function, cst.FunctionDef):
        function = ctx.names.parents.get(function)
    if function is None or param not in function.params.params:
        return []
    place = list(function.params.params).index(param)
    return [
        call.args[place].value
        for read in ctx.names.called(function.name.value)
        if isinstance(call := ctx.names.parents.get(read), cst.Call)
        and call.func is read
        and len(call.args) > place
        and not any(arg.star or arg.keyword for arg in call.args[: place + 1])
    ]


def _is_shown(ctx: Context, value: cst.BaseExpression, depth: int = 8) -> bool:
    """Whether the file shows that a value is of tensors, plain values and containers."""
    match value:
        case cst.Dict() | cst.List() | cst.Tuple() | cst.DictComp() | cst.ListComp():
            return True
        case cst.Call(func=cst.Name(value="dict" | "OrderedDict")):
            return True
        case cst.Call(func=cst.Attribute(attr=cst.Name(value="state_dict"))):
            return True
        case cst.Name() if depth:
            found: list[cst.BaseExpression | None] = []
            for bound in ctx.names.assignments(value):
                if isinstance(bound.node, cst.Param):
                    found += _given(ctx, bound.node) or [None]
                else:
                    found.append(ctx.names.value_of(bound.node))
            made = [each is not None and _is_shown(ctx, each, depth - 1) for each in found]
            if made and all(made):
                return True
    return ctx.kinds.of(value) in ("tensor", "tensors", "state", "pair")


def _is_module(ctx: Context, value: cst.BaseExpression) -> bool:
    if isinstance(value, cst.Name) and value.value == "self":
        return ctx.kinds.class_around(value) is not None
    kind = ctx.kinds.of(value)
    return kind in (*MODULES, "optimizer") or (kind == "" and is_called(value, MODEL))


def _is_used_as_module(ctx: Context, node: cst.Call) -> bool:
    """Whether what is loaded is called, or asked for what modules have."""
    read = _reads(ctx, node)
    items = [up for each in read if isinstance(up := ctx.names.parents.get(each), cst.Subscript)]
    items = [item for item in items if isinstance(_key(item), str)]
    for each in (*read, *items, *(use for item in items for use in _reads(ctx, item))):
        around = ctx.names.parents.get(each)
        if isinstance(around, cst.Call) and around.func is each:
            return True
        if isinstance(around, cst.Attribute) and around.attr.value in _USED_AS_MODULE:
            call = ctx.names.parents.get(around)
            if isinstance(call, cst.Call) and call.func is around:
                return True
    return False


def _is_of_saved_object(ctx: Context, node: cst.Call) -> bool:
    """Whether the class around a load saves its instances whole."""
    owner = ctx.kinds.class_around(node)
    return owner is not None and any(
        call.args
        and isinstance(call.args[0].value, cst.Name)
        and call.args[0].value.value == "self"
        and (row := ctx.row(call.func)) is not None
        and row.rule == "save"
        and ctx.kinds.class_around(call) is owner
        for call in ctx.names.of_kind(cst.Call)
    )


def _reads(ctx: Context, node: cst.CSTNode) -> list[cst.CSTNode]:
    """Return where a value is read: itself, or the name that it is bound to."""
    up = ctx.names.parents.get(node)
    if isinstance(up, cst.Assign) and isinstance(up.targets[0].target, cst.Name):
        return list(ctx.names.reads_of(up.targets[0].target))
    return [node]


def _key(item: cst.Subscript) -> object:
    index = item.slice[0].slice
    return literal(index.value) if isinstance(index, cst.Index) else None


def is_optimizer(ctx: Context, held: cst.BaseExpression) -> bool:
    """Whether something is an optimizer, or is called as one."""
    kind = ctx.kinds.of(held)
    return kind == "optimizer" or (kind == "" and is_called(held, OPTIMIZER))


def is_scheduler(held: cst.BaseExpression) -> bool:
    """Whether something is called as a learning-rate scheduler is."""
    return is_called(held, SCHEDULER)


def is_called(held: cst.BaseExpression, pattern: re.Pattern[str]) -> bool:
    """Whether the last of a value's names, or of what it is an item of, is like `pattern`."""
    match held:
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            return pattern.search(name) is not None
        case cst.Subscript(value=inner):
            return is_called(inner, pattern)
    return False


def plan_state(ctx: Context, node: cst.Call, name: str) -> Made | None:
    """Plan `state_dict` and `load_state_dict` of an optimizer, None for anything else.

    Raises:
        Unsure: they are a scheduler's, which has none in MindSpore.
    """
    assert isinstance(node.func, cst.Attribute)  # noqa: S101 - the caller looked
    held = node.func.value
    if ctx.to != "mindspore" or name not in ("state_dict", "load_state_dict"):
        return None
    if is_scheduler(held) and not ctx.kinds.of(held):
        raise Unsure(
            f"MindSpore's schedulers have no `{name}`", "save and set its `last_epoch` yourself"
        )
    if not is_optimizer(ctx, held) or len(node.args) != (name == "load_state_dict"):
        return None
    function = "optimizer_state" if name == "state_dict" else "load_optimizer"
    named = ctx.write(function)

    def build(updated: cst.Call) -> cst.BaseExpression:
        args = [cst.Arg(receiver(updated)), *(cst.Arg(arg.value) for arg in updated.args)]
        return cst.Call(named, args)

    if ctx.kinds.of(held) == "optimizer":
        return "optimizer_state", build
    return "optimizer_state", build, f"`{shown(node)}` is an optimizer"

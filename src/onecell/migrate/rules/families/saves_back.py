"""Saves and loads on the way to torch, and which way a call goes."""

from __future__ import annotations

from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import code, expression
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.arguments import Converter, bind
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families.file_names import renamed
from onecell.migrate.rules.families.registry import shape
from onecell.migrate.rules.families.saves import (
    MODEL,
    MODULES,
    is_called,
    is_optimizer,
    is_state,
    to_mindspore,
)
from onecell.migrate.rules.table.row import Row


@shape("file")
def plan_file(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """Plan a call of `save` or `load` of either framework.

    Raises:
        Unsure: it is a whole module, or no file that is saved or loaded.
    """
    del converter
    return to_torch(ctx, node, row) if ctx.to == "torch" else to_mindspore(ctx, node, row)


def to_torch(ctx: Context, node: cst.Call, row: Row) -> Plan:
    """Plan MindSpore's own call on the way to torch."""
    side = row.mindspore
    known = {"append_dict", "integrated_save", "async_save", "net", "strict_load", "format"}
    places: dict[str, int] = {}
    names = [*side.names, *(("net",) if row.rule == "load" else ())]
    for place, arg in enumerate(node.args):
        if arg.star or (arg.keyword is None and place >= len(names)):
            raise Unsure("its arguments are not written out")
        places[names[place] if arg.keyword is None else arg.keyword.value] = place
    if places.keys() - known - set(side.names) or not set(side.names) <= places.keys():
        odd = sorted(places.keys() - known - set(side.names)) or ["what it is given"]
        raise Unsure(f"`{odd[0]}` has no exact counterpart")
    held = node.args[places["net"]].value if "net" in places else None
    if held is not None and not isinstance(ctx.names.parents.get(node), cst.Expr):
        raise Unsure("it fills a net, and what it returns is used", "write two statements")
    saved = node.args[places["save_obj"]].value if row.rule == "save" else None
    text, supposed = _saved(ctx, saved) if saved is not None else ("", "")
    if supposed:
        ctx.holds.setdefault(node, []).append(supposed)
    more = _appended(node.args[places["append_dict"]].value) if "append_dict" in places else ()
    like = ctx.spelled(node.func)
    ctx.forget(node.func)
    if saved is not None and code(saved).endswith("parameters_dict()"):
        ctx.gone.add(saved)
    path = row.torch.path

    def build(updated: cst.Call) -> cst.BaseExpression:
        given = {name: updated.args[place].value for name, place in places.items()}
        file = renamed(ctx, given["ckpt_file_name"]) or given["ckpt_file_name"]
        func = ctx.speller.spell(path, like)
        if saved is None:
            read = cst.Call(func, [cst.Arg(file)])
            if held is None:
                return read
            return expression("n_.load_state_dict(r_, strict=False)", n_=given["net"], r_=read)
        what = expression(text, x_=_without_call(given["save_obj"]))
        if more:
            whole = given["append_dict"]
            assert isinstance(whole, cst.Dict)  # noqa: S101 - as it was looked at
            tensor = ctx.speller.spell("torch.as_tensor")
            parts: list[cst.BaseDictElement] = [cst.StarredDictElement(what)]
            for element, wrapped in zip(whole.elements, more, strict=True):
                value = element.value
                value = cst.Call(tensor, [cst.Arg(value)]) if wrapped else value
                parts.append(element.with_changes(value=value))
            what = whole.with_changes(elements=parts)
        return cst.Call(func, [cst.Arg(what), cst.Arg(file)])

    return build


_LIST: Final = '{each["name"]: each["data"] for each in x_}'


def _saved(ctx: Context, value: cst.BaseExpression) -> tuple[str, str]:
    """Return what is saved in torch of what MindSpore saves, `x_`, and what that supposes."""
    if is_state(ctx, value):
        return "x_.state_dict()", ""
    if isinstance(value, cst.List | cst.ListComp):
        return _LIST, ""
    if isinstance(value, cst.Dict | cst.DictComp):
        return "x_", ""
    if ctx.kinds.of(value) in MODULES:
        return "x_.state_dict()", ""
    if ctx.kinds.of(value) == "" and is_called(value, MODEL) and not is_optimizer(ctx, value):
        return "x_.state_dict()", f"`{code(value)}` is a module"
    raise Unsure("what is saved is not seen to be a module", "save the state_dict of one model")


def _without_call(value: cst.BaseExpression) -> cst.BaseExpression:
    """Return the module in `module.parameters_dict()`, anything else as it is."""
    match value:
        case cst.Call(func=cst.Attribute(value=held, attr=cst.Name(value=name)), args=[]):
            return held if name in ("state_dict", "parameters_dict") else value
    return value


def _appended(value: cst.BaseExpression) -> tuple[bool, ...]:
    """Return which values of `append_dict` MindSpore makes tensors: all but texts.

    Raises:
        Unsure: it is not written out.
    """
    match value:
        case cst.Dict(elements=[*items]) if all(isinstance(i, cst.DictElement) for i in items):
            texts = cst.SimpleString | cst.FormattedString | cst.ConcatenatedString
            return tuple(not isinstance(item.value, texts) for item in items)
    raise Unsure("`append_dict` is not written out", "write its entries out")


@shape("load_into")
def plan_load_into(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """`load_param_into_net(net, parameters)` is the net's `load_state_dict`, which it forgives."""
    del converter
    bound = {b.parameter: node.args[b.index].value for b in bind(node.args, row.mindspore)}
    if not {"net", "parameter_dict"} <= bound.keys() or any(arg.star for arg in node.args):
        raise Unsure("`net` and `parameter_dict` are not written out")
    places = {b.parameter: b.index for b in bind(node.args, row.mindspore)}
    ctx.forget(node.func)

    def build(updated: cst.Call) -> cst.BaseExpression:
        net, parameters = (updated.args[places[n]].value for n in ("net", "parameter_dict"))
        return expression("net_.load_state_dict(dict_, strict=False)", net_=net, dict_=parameters)

    return build

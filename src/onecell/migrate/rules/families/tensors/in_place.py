"""Tell where a tensor is changed that something else holds too.

torch's `x += y` changes the tensor that `x` names, MindSpore's makes another; who holds the first
one by another name sees the change in torch alone. MindSpore's methods that end in `_` change
nothing on the CPU, without a word.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import libcst as cst

from onecell.migrate.meaning.flow import nodes
from onecell.migrate.meaning.syntax import code, elements, upwards
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.context import Context
from onecell.migrate.rules.families.registry import syntax

_VIEWS: Final = frozenset(
    "view view_as reshape reshape_as t transpose permute squeeze unsqueeze expand expand_as"  # noqa: SIM905 - one name a line would be a page
    " flatten contiguous detach to float double half type_as cpu cuda chunk split unbind narrow"
    " select swapaxes swapdims movedim diagonal expand_dims astype broadcast_to".split()
)
"""Methods of a tensor that may give the same numbers in the same memory."""
_KEEPING: Final = {"append", "appendleft", "insert", "extend", "add", "put", "setdefault", "update"}
"""Methods that keep what they are given."""
_SHARING: Final = {
    "dropout",
    "dropout_function",
    "identity",
    "from_numpy",
    "unsqueeze",
    "parameter",
}
"""Rules of what may give back its argument, or a view of it."""
_METHODS: Final = frozenset(
    "add_ addmm_ bernoulli_ clamp_ detach_ div_ erfinv_ exp_ exponential_ fill_ fill_diagonal_"  # noqa: SIM905 - as above
    " floor_ floor_divide_ index_add_ index_copy_ index_fill_ index_put_ log_ masked_fill_"
    " masked_scatter_ mul_ normal_ random_ remainder_ scatter_ scatter_add_ sigmoid_ sign_"
    " squeeze_ sub_ tanh_ uniform_ unsqueeze_ zero_".split()
)


def check_method(ctx: Context, name: str, *, known: bool) -> None:
    """Raise `Unsure` for a method that changes a tensor in place; `copy_` alone does in MindSpore.

    Args:
        ctx: The module.
        name: What the method is called.
        known: Whether it is surely a tensor's.
    """
    found = name in _METHODS and not ctx.kinds.defines(name)
    ends = name.endswith("_") and not name.endswith("__") and name != "copy_"
    if found or (known and ends):
        raise Unsure(f"`{name}` changes a tensor in place, which MindSpore does not do on the CPU")


@syntax("in_place", cst.AugAssign, check=True)
def _check_augmented(ctx: Context, node: cst.AugAssign) -> None:
    """Raise `Unsure` where `x += y` changes a tensor that something else may hold."""
    target = node.target
    adds_tensor = ctx.kinds.of(node.value) == "tensor"
    match target:
        case cst.Attribute():
            shared = ctx.kinds.of(target) == "tensor" or (adds_tensor and _is_given(ctx, target))
        case cst.Subscript():  # an item of a tensor is written in place by both
            is_item = ctx.kinds.of(target.value) == "tensor"
            shared = not is_item and (
                adds_tensor or ctx.kinds.of(target) == "tensor" or lists(ctx, target.value)
            )
        case cst.Name():
            shared = _Walk(ctx, target.value, adds_tensor).is_shared(node)
        case _:
            shared = False
    if shared:
        name = code(node.target)
        raise Unsure(
            f"torch changes `{name}` for whatever else holds it too, MindSpore does not",
            f"assign to `{name}` if nothing else is to change",
        )


def _is_given(ctx: Context, target: cst.Attribute) -> bool:
    """Whether an attribute of `self` is set to what a method was given."""
    owner = ctx.kinds.owner_of(target.value)
    values = ctx.kinds.attributes.get(owner, {}).get(target.attr.value, ()) if owner else ()
    return any(
        isinstance(value, cst.Name)
        and any(isinstance(bound.node, cst.Param) for bound in ctx.names.assignments(value))
        for value in values
    )


def lists(ctx: Context, node: cst.BaseExpression, *, alone: bool = False, depth: int = 4) -> bool:
    """Whether an expression is a list, tuple or dictionary of tensors.

    They have other names besides, unless `alone` is enough. `depth` is how many expressions may be
    looked through.
    """
    if depth == 0:
        return False
    inner: list[cst.BaseExpression | None] = []
    parts: list[cst.BaseExpression] = list(elements(node) or ())
    match node:
        case cst.Name():
            inner = [ctx.names.part_of(bound.node) for bound in ctx.names.assignments(node)]
            inner = [each for each in inner if not isinstance(each, cst.Name)]
            parts = list(_appended(ctx, node.value))
        case cst.Call(func=cst.Name()):  # `enumerate`, `zip`, `list` of such
            inner = [arg.value for arg in node.args]
        case cst.Call(func=cst.Attribute(attr=cst.Name("values" | "items"))):
            assert isinstance(node.func, cst.Attribute)  # noqa: S101 - as matched
            inner = [node.func.value]
        case cst.Dict():
            parts = [each.value for each in node.elements]
        case cst.ListComp() | cst.SetComp() | cst.GeneratorExp():
            parts = [node.elt]
    return any(
        ctx.kinds.of(part) in ("tensor", "state")
        and (alone or isinstance(part, cst.Name | cst.Attribute))
        for part in parts
    ) or any(each is not None and lists(ctx, each, alone=alone, depth=depth - 1) for each in inner)


def _appended(ctx: Context, name: str) -> Iterator[cst.BaseExpression]:
    """Yield what is appended to a list of that name."""
    for call in ctx.names.of_kind(cst.Call):
        func = call.func
        appends = isinstance(func, cst.Attribute) and func.attr.value == "append"
        if appends and len(call.args) == 1 and code(func) == f"{name}.append":
            yield call.args[0].value


def is_shared(ctx: Context, name: cst.Name, node: cst.CSTNode) -> bool:
    """Whether something else may hold the tensor that a name stands for at a statement."""
    return _Walk(ctx, name.value, True).is_shared(node)


@syntax("in_place", cst.Assign, cst.AugAssign, check=True)
def _check_item(ctx: Context, node: cst.Assign | cst.AugAssign) -> None:
    """Raise `Unsure` where an item is set in a view of a tensor that has another name."""
    targets = [node.target] if isinstance(node, cst.AugAssign) else [t.target for t in node.targets]
    for target in targets:
        held = target.value if isinstance(target, cst.Subscript) else None
        if isinstance(held, cst.Name) and _Walk(ctx, held.value, views=True).is_shared(node):
            raise Unsure(
                f"`{held.value}` is a view: MindSpore's gradient does not see what is set in it",
                "set the item in the tensor itself",
            )


class _Walk:
    """Walk back from a statement to what bound a name, past whatever else may hold it by then."""

    def __init__(
        self, ctx: Context, name: str, is_tensor: bool = False, *, views: bool = False
    ) -> None:
        self.ctx = ctx
        self.name = name
        self.is_tensor = is_tensor
        """Whether the name surely holds a tensor, or will."""
        self.views = views
        """Whether only what a method of a tensor gives is of interest."""

    def is_shared(self, node: cst.CSTNode) -> bool:
        parents = self.ctx.names.parents
        kept = False
        before = node
        for up in upwards(node, parents):
            if isinstance(up, cst.IndentedBlock | cst.Module):
                place = next(n for n, line in enumerate(up.body) if line is before)
                for line in reversed(up.body[:place]):
                    kept = kept or self._keeps(line)
                    found = self._bound(line)
                    if any(self._is_other(value, kept) for value in found):
                        return True
                    if found and isinstance(line, cst.SimpleStatementLine):
                        return False
            if isinstance(up, cst.For | cst.While):
                kept = kept or self._keeps(up.body)
                if any(self._is_other(value, kept) for value in self._bound(up.body)):
                    return True
                if isinstance(up, cst.For) and self._names(up.target):
                    held = self.is_tensor and isinstance(up.iter, cst.Name | cst.Attribute)
                    listed = held or lists(self.ctx, up.iter, alone=True)
                    return not self.views and (listed or self.ctx.kinds.of(up.iter) == "tensor")
            if isinstance(up, cst.FunctionDef):
                return self._is_given(up.params)
            if isinstance(up, cst.ClassDef | cst.Lambda):
                return False
            before = up
        return False

    def _names(self, target: cst.CSTNode) -> bool:
        return any(isinstance(n, cst.Name) and n.value == self.name for n in nodes(target))

    def _is_given(self, params: cst.Parameters) -> bool:
        every = (*params.posonly_params, *params.params, *params.kwonly_params)
        for param in every:
            if param.name.value == self.name and not self.views:
                return self.is_tensor or self.ctx.kinds.of_parameter(param) == "tensor"
        return False

    def _bound(self, line: cst.CSTNode) -> list[cst.BaseExpression]:
        """Return what a statement binds the name to, but not to a view of what it had."""
        found: list[cst.BaseExpression] = []
        for node in nodes(line):
            if isinstance(node, cst.Assign):
                for target in node.targets:
                    found.extend(self._values(target.target, node.value))
            elif isinstance(node, cst.AnnAssign) and node.value is not None:
                found.extend(self._values(node.target, node.value))
        return [value for value in found if not self._is_own(value)]

    def _values(
        self, target: cst.BaseExpression, value: cst.BaseExpression
    ) -> Iterator[cst.BaseExpression]:
        if isinstance(target, cst.Name):
            if target.value == self.name:
                yield value
            return
        parts, whole = elements(target), elements(value)
        for place, part in enumerate(parts or ()):
            same = whole is not None and len(whole) == len(parts or ())
            yield from self._values(part, whole[place] if same and whole is not None else value)

    def _is_own(self, value: cst.BaseExpression) -> bool:
        while True:
            inner = viewed(value)
            if inner is None:
                return isinstance(value, cst.Name) and value.value == self.name
            value = inner

    def _is_other(self, value: cst.BaseExpression, kept: bool) -> bool:
        """Whether something else holds a value that the name is bound to, or will by then."""
        is_tensor = self.is_tensor or self.ctx.kinds.of(value) in ("tensor", "state")
        return (kept and is_tensor and not self.views) or self._is_view(value)

    def _is_view(self, value: cst.BaseExpression) -> bool:
        kinds = self.ctx.kinds
        if isinstance(value, cst.IfExp):
            return self._is_view(value.body) or self._is_view(value.orelse)
        if isinstance(value, cst.Name | cst.Attribute):
            return not self.views and (self.is_tensor or kinds.of(value) in ("tensor", "state"))
        inner = viewed(value)
        if inner is not None and kinds.of(inner) in ("tensor", "state"):
            if isinstance(value, cst.Subscript) and self.views:
                return False
            return isinstance(inner, cst.Name | cst.Attribute) or self._is_view(inner)
        if isinstance(value, cst.Subscript):
            return self.is_tensor
        if not isinstance(value, cst.Call) or self.views:
            return False
        row = kinds.row(value.func) or kinds.made_by(value.func)
        return row is not None and row.rule in _SHARING

    def _keeps(self, line: cst.CSTNode) -> bool:
        """Whether a statement gives what the name holds to something that outlives it."""
        loads, parents = self.ctx.names.loads, self.ctx.names.parents
        return any(
            isinstance(node, cst.Name)
            and node.value == self.name
            and node in loads
            and self._is_kept(node, parents)
            for node in nodes(line)
        )

    def _is_kept(self, node: cst.CSTNode, parents: dict[cst.CSTNode, cst.CSTNode]) -> bool:
        before = node
        for up in upwards(node, parents):
            match up:
                case cst.Attribute():
                    if up.attr.value not in (*_VIEWS, "data", "T"):
                        return False
                case cst.Call():
                    func = up.func
                    if func is not before:
                        named = isinstance(func, cst.Attribute) and func.attr.value
                        return named in _KEEPING
                case cst.Subscript():
                    if up.value is not before:
                        return False
                case cst.Assign():
                    own = [t.target for t in up.targets]
                    return not any(isinstance(t, cst.Name) and t.value == self.name for t in own)
                case cst.AnnAssign() | cst.NamedExpr() | cst.DictElement() | cst.Yield():
                    return True
                case cst.Arg() | cst.Tuple() | cst.List() | cst.Element():
                    pass
                case _:
                    return False
            before = up
        return False


def viewed(value: cst.BaseExpression) -> cst.BaseExpression | None:
    """Return what an expression may be a view of, None where it is none."""
    if isinstance(value, cst.Subscript):
        return value.value
    if isinstance(value, cst.Attribute) and value.attr.value in ("data", "T"):
        return value.value
    if (
        isinstance(value, cst.Call)
        and isinstance(value.func, cst.Attribute)
        and value.func.attr.value in _VIEWS
    ):
        return value.func.value
    return None

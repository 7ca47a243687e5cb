"""Walk over one module and apply the rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import libcst as cst
from libcst.metadata import CodeRange

from onecell.migrate import special
from onecell.migrate.arguments import Unsure
from onecell.migrate.calls import plan_call
from onecell.migrate.cell_calls import plan_cell_call
from onecell.migrate.comments import rearranged, with_todos
from onecell.migrate.context import Context, Plan
from onecell.migrate.findings import Finding, Outcome
from onecell.migrate.methods import plan_method
from onecell.migrate.names import dotted, root
from onecell.migrate.scan import FUNCTIONAL, canonical
from onecell.migrate.syntax import code, is_layout, upwards
from onecell.migrate.table import MADE_TENSOR
from onecell.migrate.table_layers import CELL

_STATEMENTS: Final = (
    cst.SimpleStatementLine
    | cst.FunctionDef
    | cst.ClassDef
    | cst.If
    | cst.For
    | cst.While
    | cst.With
    | cst.Try
    | cst.TryStar
    | cst.Match
)


@dataclass(slots=True)
class Log:
    """What was found, and what has to be said in the source."""

    positions: Mapping[cst.CSTNode, CodeRange]
    findings: list[Finding] = field(default_factory=list)
    todos: dict[cst.CSTNode, list[str]] = field(default_factory=dict)

    def add(
        self, node: cst.CSTNode, rule: str, outcome: Outcome, message: str, by_hand: str = ""
    ) -> None:
        """Note what became of `node`."""
        at = self.positions[node].start
        self.findings.append(Finding(rule, outcome, at.line, at.column, message, by_hand))


class Rewriter(cst.CSTTransformer):
    """Decide on the way down, from the module as it was; build on the way up."""

    def __init__(self, ctx: Context, log: Log, module: cst.Module) -> None:
        super().__init__()
        self.ctx = ctx
        self.log = log
        self.module = module
        self.plans: dict[cst.CSTNode, Plan] = {}
        self.swaps: dict[cst.CSTNode, cst.BaseExpression] = {}
        self.removed: set[cst.CSTNode] = set()
        self.emptied: set[cst.CSTNode] = set()
        self.followed: dict[cst.CSTNode, cst.BaseStatement] = {}

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Pass over layout: it has no names, and is most of a module."""
        return not is_layout(node) and super().on_visit(node)

    def on_leave(
        self, original_node: cst.CSTNodeT, updated_node: cst.CSTNodeT
    ) -> cst.CSTNodeT | cst.RemovalSentinel | cst.FlattenSentinel[cst.CSTNodeT]:
        """Build what `original_node` becomes."""
        if is_layout(original_node):
            return updated_node
        return super().on_leave(original_node, updated_node)

    # What is left as it is.

    def _leave(self, node: cst.CSTNode, rule: str, outcome: Outcome, why: Unsure) -> bool:
        """Leave `node` as it is, and say so in front of its statement."""
        self.log.add(node, rule, outcome, f"Left as it is: {why.message}.", why.by_hand)
        statement = (
            node
            if isinstance(node, _STATEMENTS)
            else next(
                up for up in upwards(node, self.ctx.names.parents) if isinstance(up, _STATEMENTS)
            )
        )
        tail = f"; {why.by_hand}" if why.by_hand else ""
        lines = self.log.todos.setdefault(statement, [])
        text = f"# TODO(onecell): {rule}: {why.message}{tail}"
        if text not in lines:
            lines.append(text)
        return False

    def _refuse(self, node: cst.CSTNode, rule: str, why: Unsure) -> bool:
        return self._leave(node, rule, Outcome.REFUSED, why)

    def _mark(self, node: cst.CSTNode, rule: str, why: Unsure) -> bool:
        return self._leave(node, rule, Outcome.MARKED, why)

    def _converted(self, node: cst.CSTNode, rule: str, message: str) -> None:
        self.log.add(node, rule, Outcome.CONVERTED, message)

    # Imports are settled afterwards; only a star is looked at here.

    def visit_Import(self, node: cst.Import) -> bool:
        del node
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        home = dotted(node.module) or ""
        if isinstance(node.names, cst.ImportStar) and self.ctx.is_foreign(home):
            by_hand = "name what the module uses"
            if special.reads(self.module, "LSTMCell") and not node.relative:
                self._refuse(node, "star_import", Unsure("it may bring the cell", by_hand))
            else:
                self._mark(node, "star_import", Unsure("it hides what is used", by_hand))
        return False

    # Calls.

    def visit_Call(self, node: cst.Call) -> bool:
        ctx, func = self.ctx, node.func
        if node in ctx.gone:
            return False
        path = ctx.names.path(func)
        if path is None and ctx.names_cell(func):
            return self._refuse(node, "cell", _AMBIGUOUS)
        if path is not None and ctx.is_foreign(path):
            return self._call_of(node, canonical(path))
        if path == "functools.partial" and node.args:
            return self._try(node, lambda: special.plan_partial(ctx, node), "partial")
        inherited = special.inherited_constructor(ctx, node)
        if inherited is not None:
            row = CELL[ctx.target]
            return self._try(
                node, lambda: (row.rule, plan_call(ctx, node, row, func=False)), row.rule
            )
        held = special.cell_called(ctx, node)
        if held is not None:
            return self._try(node, lambda: _plan_held(ctx, node, held), "cell_call")
        if isinstance(func, cst.Attribute):
            return self._try(node, lambda: plan_method(ctx, node), "method")
        return True

    def _call_of(self, node: cst.Call, path: str) -> bool:
        ctx = self.ctx
        if path in FUNCTIONAL[ctx.source]:
            return self._refuse(node, "functional_cell", _FUNCTIONAL)
        row = ctx.kinds.rows.get(path)
        if row is MADE_TENSOR or (row is not None and row.rule == "tensor_type"):
            row = MADE_TENSOR if ctx.to == "torch" else None
        if row is None:
            if special.wraps(ctx, node):
                return self._try(node, lambda: special.plan_wrap(ctx, node), "wrap")
            if ctx.kinds.rows.get(path) is not None:
                return self._mark(node, "tensor_type", Unsure(f"`{path}(…)` is not in the table"))
            return self._mark(node, "unknown", Unsure(f"`{path}` is not in the table"))
        if not row.side(ctx.source).is_callable:
            return True
        if ctx.spelled(node.func) is None and not row.is_interchangeable(ctx.source):
            return True  # a name of the module's own; what it was given is marked there
        chosen = row
        return self._try(node, lambda: (chosen.rule, plan_call(ctx, node, chosen)), row.rule)

    def _has_row_above(self, path: str) -> bool:
        while "." in path:
            path = path.rpartition(".")[0]
            if path in self.ctx.kinds.rows:
                return True
        return False

    def _try(self, node: cst.Call, make: Callable[[], tuple[str, Plan] | None], rule: str) -> bool:
        """Plan a call; where that is unsure, leave it as it is."""
        try:
            made = make()
        except Unsure as why:
            about_cell = rule in ("cell", "cell_call", "wrap", "partial")
            return (self._refuse if about_cell else self._mark)(node, rule, why)
        if made is not None:
            name, self.plans[node] = made
            self._converted(node, name, f"Rewritten for {self.ctx.to}.")
        return True

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        plan = self.plans.get(original_node)
        if plan is None:
            return updated_node
        built = plan(updated_node)
        if updated_node.lpar and not built.lpar:
            return built.with_changes(lpar=updated_node.lpar, rpar=updated_node.rpar)
        return built

    # Names.

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        if node in self.ctx.gone:
            return False
        if root(node) in self.ctx.names.loads and self.ctx.names.paths(node) - {"?"}:
            return self._reference(node)
        replaced = special.attribute(self.ctx, node)
        if replaced is not None:
            self.swaps[node] = node.with_changes(attr=cst.Name(replaced))
            self._converted(node, "attribute", f"`{node.attr.value}` is `{replaced}`.")
        return True

    def visit_Name(self, node: cst.Name) -> bool:
        is_read = node in self.ctx.names.loads and node not in self.ctx.gone
        if is_read and self.ctx.names.paths(node) - {"?"}:
            self._reference(node)
        return False

    def _reference(self, node: cst.Attribute | cst.Name) -> bool:
        ctx = self.ctx
        parent = ctx.names.parents.get(node)
        if isinstance(parent, cst.Call) and parent.func is node and parent in self.plans:
            return False  # the plan of the call spells it
        if ctx.spelled(node) is None:
            return isinstance(node, cst.Attribute)
        path = ctx.names.path(node)
        if path is None:
            if ctx.names_cell(node):
                return self._refuse(node, "cell", _AMBIGUOUS)
            return self._mark(node, "unknown", _AMBIGUOUS)
        row = ctx.row(node)
        if row is None:
            if canonical(path) in FUNCTIONAL[ctx.source]:
                return self._refuse(node, "functional_cell", _FUNCTIONAL)
            if self._has_row_above(canonical(path)):
                return True
            return self._mark(node, "unknown", Unsure(f"`{path}` is not in the table"))
        if not row.is_interchangeable(ctx.source) and not special.is_type_context(ctx, node):
            return self._mark(
                node, row.rule, Unsure(f"calls of `{path}` elsewhere may need other arguments")
            )
        spelled = ctx.respell(node, row)
        if spelled is not None:
            self.swaps[node] = spelled
            self._converted(node, row.rule, f"`{code(node)}` is `{code(spelled)}`.")
        return False

    def leave_Attribute(
        self, original_node: cst.Attribute, updated_node: cst.Attribute
    ) -> cst.BaseExpression:
        found = self.swaps.get(original_node)
        if found is None:
            return updated_node
        if isinstance(found, cst.Attribute) and dotted(original_node) is None:
            return updated_node.with_changes(attr=found.attr)
        if isinstance(found, cst.Attribute) and code(found.value) == code(original_node.value):
            return updated_node.with_changes(attr=found.attr)
        return found.with_changes(lpar=original_node.lpar, rpar=original_node.rpar)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        found = self.swaps.get(original_node)
        if found is None:
            return updated_node
        return found.with_changes(lpar=original_node.lpar, rpar=original_node.rpar)

    # The skeleton of a class.

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        ctx = self.ctx
        owner = ctx.kinds.method_of(node)
        if owner is None or node.name.value != ctx.kinds.step or not ctx.kinds.of_class(owner):
            return True
        new = special.STEP[ctx.to]
        if ctx.kinds.own(owner, new):
            self._refuse(
                node, "skeleton", Unsure(f"the class has a `{new}` already", "rename one of them")
            )
            return True
        self.swaps[node] = cst.Name(new)
        self._converted(node, "skeleton", f"`{node.name.value}` is `{new}`.")
        return True

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.BaseStatement:
        if (name := self.swaps.get(original_node)) is not None:
            updated_node = updated_node.with_changes(name=name)
        return self._say(original_node, updated_node)

    # Statements: what moves things between devices goes, and comments come.

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> None:
        mode = special.mode_to_state(self.ctx, node)
        if mode is not None:
            self.followed[node] = cst.parse_statement(mode)
            self._converted(node, "training", "A module begins in the mode of its framework.")

    def visit_Assign(self, node: cst.Assign) -> bool:
        if special.is_device_only(self.ctx, node):
            self.ctx.forget(node.value)
            self.removed.add(node)
            self._converted(node, "device", "MindSpore has one device for the process.")
            return False
        for target in node.targets:
            if (name := special.reserved_attribute(self.ctx, target.target)) is not None:
                why = f"`{name}` is a method of every module in {self.ctx.to}"
                self._mark(node, "reserved", Unsure(why, "call it otherwise, in checkpoints too"))
        return True

    def leave_Assign(
        self, original_node: cst.Assign, updated_node: cst.Assign
    ) -> cst.BaseSmallStatement:
        same = (
            isinstance(original_node.value, cst.Call)
            and original_node.value in self.plans
            and len(updated_node.targets) == 1
            and isinstance(updated_node.value, cst.Name | cst.Attribute)
            and code(updated_node.targets[0].target) == code(updated_node.value)
        )
        if original_node in self.removed or same:
            return self._gone(original_node)
        return updated_node

    def leave_Expr(self, original_node: cst.Expr, updated_node: cst.Expr) -> cst.BaseSmallStatement:
        if original_node.value in self.plans and isinstance(
            updated_node.value, cst.Name | cst.Attribute
        ):
            return self._gone(original_node)
        return updated_node

    def _gone(self, node: cst.BaseSmallStatement) -> cst.BaseSmallStatement:
        """Leave a statement out, with its line if that has nothing else."""
        line = self.ctx.names.parents[node]
        if isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1:
            self.emptied.add(line)
        return cst.Pass()

    def leave_IndentedBlock(
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        body, left = rearranged(original_node.body, updated_node.body, self.emptied, self.followed)
        if not body:
            return updated_node
        return updated_node.with_changes(body=body, footer=[*left, *updated_node.footer])

    def leave_Module(self, original_node: cst.Module, updated_node: cst.Module) -> cst.Module:
        body, left = rearranged(original_node.body, updated_node.body, self.emptied, self.followed)
        return updated_node.with_changes(body=body, footer=[*left, *updated_node.footer])

    def _say(self, original: cst.CSTNode, updated: cst.BaseStatement) -> cst.BaseStatement:
        return with_todos(self.module, original, updated, self.log.todos.get(original, ()))

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.BaseStatement:
        return self._say(original_node, updated_node)

    def leave_ClassDef(
        self, original_node: cst.ClassDef, updated_node: cst.ClassDef
    ) -> cst.BaseStatement:
        return self._say(original_node, updated_node)

    def leave_If(self, original_node: cst.If, updated_node: cst.If) -> cst.BaseStatement:
        return self._say(original_node, updated_node)

    def leave_For(self, original_node: cst.For, updated_node: cst.For) -> cst.BaseStatement:
        return self._say(original_node, updated_node)

    def leave_While(self, original_node: cst.While, updated_node: cst.While) -> cst.BaseStatement:
        return self._say(original_node, updated_node)

    def leave_With(self, original_node: cst.With, updated_node: cst.With) -> cst.BaseStatement:
        return self._say(original_node, updated_node)

    def leave_Try(self, original_node: cst.Try, updated_node: cst.Try) -> cst.BaseStatement:
        return self._say(original_node, updated_node)

    def leave_TryStar(
        self, original_node: cst.TryStar, updated_node: cst.TryStar
    ) -> cst.BaseStatement:
        return self._say(original_node, updated_node)

    def leave_Match(self, original_node: cst.Match, updated_node: cst.Match) -> cst.BaseStatement:
        return self._say(original_node, updated_node)


_AMBIGUOUS: Final = Unsure("the name may be something else here", "import it once, by one name")
_FUNCTIONAL: Final = Unsure(
    "the cell as a function has no counterpart", "make an LSTMCell and give it these weights"
)


def _plan_held(ctx: Context, node: cst.Call, held: cst.BaseExpression) -> tuple[str, Plan] | None:
    """Return the plan of a call of a cell, also by its method."""
    plan = plan_cell_call(ctx, node, held)
    method = (
        plan_method(ctx, node)
        if isinstance(node.func, cst.Attribute) and held is not (node.func)
        else None
    )
    if method is None:
        return None if plan is None else ("cell_call", plan)
    if plan is None:
        return method

    def build(updated: cst.Call) -> cst.BaseExpression:
        renamed = method[1](updated)
        assert isinstance(renamed, cst.Call)  # noqa: S101 - a method renamed
        return plan(renamed)

    return "cell_call", build

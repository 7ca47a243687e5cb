"""Apply the rules to one module."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import libcst as cst

from onecell.dialect import FRONT_ENDS
from onecell.errors import SourceError
from onecell.migrate.meaning.bindings import AnyImport, Binding, bindings_of
from onecell.migrate.meaning.evidence import attributes_of, evidence_of
from onecell.migrate.meaning.kinds import Kinds
from onecell.migrate.meaning.names import Names
from onecell.migrate.meaning.scope_walk import scopes_of
from onecell.migrate.meaning.scopes import Assignment, ImportAssignment, Scope
from onecell.migrate.meaning.survey import surveyed
from onecell.migrate.meaning.syntax import is_none, parents_of
from onecell.migrate.rewriting.comments import marked_before
from onecell.migrate.rewriting.imports import Imported, settle
from onecell.migrate.rewriting.log import Log
from onecell.migrate.rewriting.rewriter import Rewriter
from onecell.migrate.rules.assumptions import Outside
from onecell.migrate.rules.context import Context, sources_of
from onecell.migrate.rules.families import registry
from onecell.migrate.rules.findings import Finding, Outcome, Rewrite
from onecell.migrate.rules.spelling import Speller
from onecell.migrate.rules.table.lookup import rows_to
from onecell.migrate.rules.table.row import Row
from onecell.migrate.rules.table.scan import Uses, cell_paths, other_framework
from onecell.migrate.rules.taken import outside_of
from onecell.migrate.rules.training.keepers import keepers
from onecell.migrate.rules.written import with_functions
from onecell.migrate.source.positions import positions_of

_ROUNDS = 8
"""A name that turns out to stay bound is not taken for something new in the next round, and a
device that turns out to be read is not left out."""


def transform(
    source: str, to: str, target: str, uses: Uses, outside: Outside | None = None
) -> Rewrite:
    """Do what `rewrite` says, once there may be something to do.

    Raises:
        SourceError: there is something to do, but LibCST does not give the source back as it was.
    """
    module = cst.parse_module(source)
    if outside is None:
        outside = outside_of([surveyed(source)], to)
    scopes, names, kinds = analysed(module, to, target, outside)
    positions = positions_of(module)
    old = other_framework(to)
    # A second run knows less: what a marked statement is about may be of this framework by now.
    again = uses.already or not uses.cell
    finished = marked_before(module, names) if again else frozenset()
    already = [
        Finding("cell", Outcome.ALREADY, line, column, f"It is {to}'s cell.")
        for line, column in uses.already
    ]
    kept: frozenset[str] = frozenset()
    pinned: frozenset[cst.CSTNode] = frozenset()
    for _ in range(_ROUNDS):
        speller = _speller(scopes, names, to, old, kept)
        cells = frozenset(cell_paths(FRONT_ENDS[old]))
        ctx = Context(
            old, to, target, names, kinds, speller, cells,
            pinned=pinned, finished=finished, outside=outside,
        )  # fmt: skip
        log = Log(positions)
        speller.sources = sources_of(names, ctx.is_foreign)
        rewriter = Rewriter(ctx, log, module)
        changed = cast("cst.Module", rewriter.rebuilt(module))  # a module stays one
        found = list(_imported(scopes, ctx))
        left = frozenset(one.binding.name for one in found if one.kept)
        read = {name for name in ctx.devices if set(names.reads_of(name)) - ctx.dropped}
        retry = bool(left & {b.name for b in speller.needed}) and not left <= kept
        if not retry and not read:
            break
        kept, pinned = (left if retry else kept), pinned | read
    after = with_functions(settle(changed, found, speller), ctx.written).code
    findings = sorted([*already, *log.findings], key=lambda f: (f.line, f.column))
    if not log.findings and not any(one.used and not one.kept for one in found):
        after = source
    elif positions.code != source:
        raise SourceError("LibCST does not give it back byte for byte")
    return Rewrite(source, after, tuple(findings), keepers(ctx))


def analysed(
    module: cst.Module, to: str, target: str, outside: Outside
) -> tuple[list[Scope], Names, Kinds[Row]]:
    """Return what a module's names stand for, and what kinds of things they are."""
    scopes, loads = scopes_of(module)
    old = other_framework(to)
    names = Names(loads, parents_of(module), scopes)
    kinds = Kinds(
        names,
        rows_to(to, target),
        old,
        attributes_of(names),
        evidence_of(names, old),
        outside.modules,
        registry.kinds(old),
    )
    return scopes, names, kinds


def context_of(
    source: str, to: str, target: str, outside: Outside | None = None
) -> tuple[cst.Module, Context]:
    """Return a module, and what may be asked about it; nothing is rewritten with this."""
    module = cst.parse_module(source)
    scopes, names, kinds = analysed(module, to, target, outside or Outside())
    old = other_framework(to)
    speller = _speller(scopes, names, to, old, frozenset())
    return module, Context(old, to, target, names, kinds, speller, frozenset())


def _speller(
    scopes: Iterable[Scope], names: Names, to: str, old: str, kept: frozenset[str]
) -> Speller:
    taken = set(kept)
    present: dict[str, str] = {}
    for scope in scopes:
        for bound in scope.assignments:
            if not isinstance(bound, ImportAssignment):
                if scope.kind != "class" and not _is_absence(bound, names):
                    taken.add(bound.name)
            elif isinstance(bound.node, cst.Import | cst.ImportFrom):
                for binding in bindings_of(bound.node):
                    first = binding.origin.partition(".")[0]
                    if first == old or binding.origin.startswith(f"onecell.{old}"):
                        continue
                    if scope.kind == "module":
                        present[binding.path] = binding.name
                    else:
                        taken.add(binding.name)
    return Speller(to, frozenset(taken), present, ())


def _is_absence(bound: Assignment, names: Names) -> bool:
    """Whether a binding is the `name = None` of an import that may fail."""
    return is_none(names.value_of(bound.node)) and any(
        isinstance(other, ImportAssignment) for other in bound.scope.lookup(bound.name)
    )


def _imported(scopes: Iterable[Scope], ctx: Context) -> Iterable[Imported]:
    """Yield every name that is imported from the framework the module is leaving.

    `import a.b` is read as `a` as well as `a.b`: it is kept for a read of either.
    """
    found: dict[tuple[AnyImport, int], tuple[Binding, set[cst.CSTNode]]] = {}
    for scope in scopes:
        for bound in scope.assignments:
            statement = bound.node if isinstance(bound, ImportAssignment) else None
            if not isinstance(statement, cst.Import | cst.ImportFrom):
                continue
            for index, binding in enumerate(bindings_of(statement)):
                whole = binding.leaf if binding.path == binding.name else binding.name
                if not f"{whole}.".startswith(f"{bound.name}."):
                    continue
                if ctx.is_foreign(binding.origin):
                    found.setdefault((statement, index), (binding, set()))[1].update(bound.reads)
    for (statement, index), (binding, reads) in found.items():
        known = bool(reads) or _is_for_nobody(ctx, binding.name)
        yield Imported(statement, index, binding, bool(reads - ctx.dropped), known)


def _is_for_nobody(ctx: Context, name: str) -> bool:
    """Whether an import that its file does not read is read by no other file of the project."""
    return ctx.outside.whole and not {name.partition(".")[0], "*"} & ctx.outside.taken

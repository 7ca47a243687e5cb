"""Apply the rules to one module."""

from __future__ import annotations

import libcst as cst
from libcst.helpers import get_full_name_for_node
from libcst.metadata import MetadataWrapper, PositionProvider, QualifiedNameProvider

from onecell.dialect import DIALECTS
from onecell.migrate.findings import Finding, Outcome, Rewrite


class _Constructor(cst.CSTTransformer):
    """Rename the cell's constructor arguments; report what was seen."""

    METADATA_DEPENDENCIES = (QualifiedNameProvider, PositionProvider)

    def __init__(self, to: str) -> None:
        super().__init__()
        self.source = DIALECTS["torch" if to == "mindspore" else "mindspore"]
        self.dest = DIALECTS[to]
        self.findings: list[Finding] = []

    def leave_ImportFrom(  # noqa: N802
        self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom
    ) -> cst.ImportFrom:
        module = get_full_name_for_node(original_node.module) if original_node.module else ""
        names = updated_node.names
        if (
            f"{module}.LSTMCell" not in (self.source.cell, self.source.onecell)
            or isinstance(names, cst.ImportStar)
            or [alias.evaluated_name for alias in names] != ["LSTMCell"]
        ):
            return updated_node
        home = cst.parse_expression(self.dest.onecell.rpartition(".")[0])
        assert isinstance(home, cst.Attribute)  # noqa: S101
        return updated_node.with_changes(module=home)

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:  # noqa: N802
        found = {name.name for name in self.get_metadata(QualifiedNameProvider, original_node.func)}
        if not found & {self.source.cell, self.source.onecell}:
            return updated_node
        spelled = {self.source.constructor[k]: v for k, v in self.dest.constructor.items()}
        args = [
            arg.with_changes(keyword=cst.Name(spelled.get(arg.keyword.value, arg.keyword.value)))
            if arg.keyword
            else arg
            for arg in updated_node.args
        ]
        at = self.get_metadata(PositionProvider, original_node).start
        self.findings.append(
            Finding("constructor", Outcome.CONVERTED, at.line, at.column, "Renamed arguments.")
        )
        return updated_node.with_changes(args=args)


def transform(source: str, to: str, target: str, whole_file: bool, filename: str) -> Rewrite:
    """Do what `rewrite` says, once there may be something to do."""
    del target, whole_file, filename
    if "LSTMCell" not in source:
        return Rewrite(source, source, ())
    rules = _Constructor(to)
    after = MetadataWrapper(cst.parse_module(source)).visit(rules).code
    return Rewrite(source, after, tuple(rules.findings))

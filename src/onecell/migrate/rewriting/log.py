"""What was found, and what has to be said in the source."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import code
from onecell.migrate.rules.assumptions import Assumption
from onecell.migrate.rules.findings import Finding, Outcome
from onecell.migrate.source.positions import Positions
from onecell.text import short

_SHOWN: Final = cst.BaseExpression | cst.BaseSmallStatement
"""What is short enough to be shown before and after."""


@dataclass(slots=True)
class Log:
    """What was found, and what has to be said in the source."""

    positions: Positions
    findings: list[Finding] = field(default_factory=list)
    todos: dict[cst.CSTNode, list[str]] = field(default_factory=dict)

    becoming: dict[cst.CSTNode, int] = field(default_factory=dict)
    """Node that becomes another → the place of what is said of it."""

    def became(self, node: cst.CSTNode, built: cst.CSTNode) -> None:
        """Note what a node has become that something is said of."""
        place = self.becoming.pop(node, None)
        if place is None or not isinstance(node, _SHOWN):
            return
        old, new = (" ".join(code(each).split()) for each in (node, built))
        new = "" if isinstance(built, cst.Pass) else new
        found = self.findings[place]
        if old != new or found.rule != "training_step":
            self.findings[place] = replace(found, before=short(old), after=short(new))

    def add(
        self,
        node: cst.CSTNode,
        rule: str,
        outcome: Outcome,
        message: str,
        by_hand: str = "",
        assumes: tuple[Assumption, ...] = (),
    ) -> None:
        """Note what became of `node`."""
        line, column = self.positions.start(node)
        if outcome in (Outcome.CONVERTED, Outcome.ASSUMED):
            self.becoming[node] = len(self.findings)
        self.findings.append(
            Finding(rule, outcome, line, column, message, by_hand, assumes=assumes)
        )

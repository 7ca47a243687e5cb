"""The difference table of two frameworks, executed: every row is a probe with a claim.

Importing this loads no framework: probes run in processes of their own.
"""

from __future__ import annotations

from onecell.language import LANGUAGES, Language, Text
from onecell.verify.difference.changes import Change, changes, not_compared
from onecell.verify.difference.html import to_html
from onecell.verify.difference.page import to_markdown
from onecell.verify.difference.record import dump, from_json, load_table, stored_table, to_json
from onecell.verify.difference.row import FRAMEWORKS
from onecell.verify.difference.run import choose_rows, run_table
from onecell.verify.difference.values import (
    SECTIONS,
    Finding,
    Json,
    Observation,
    Outcome,
    Table,
    Verdict,
)

__all__ = [
    "FRAMEWORKS",
    "LANGUAGES",
    "SECTIONS",
    "Change",
    "Finding",
    "Json",
    "Language",
    "Observation",
    "Outcome",
    "Table",
    "Text",
    "Verdict",
    "changes",
    "choose_rows",
    "dump",
    "from_json",
    "load_table",
    "not_compared",
    "run_table",
    "stored_table",
    "to_html",
    "to_json",
    "to_markdown",
]

"""The difference table of two frameworks, executed: every row is a probe with a claim.

Importing this loads no framework: probes run in processes of their own.
"""

from __future__ import annotations

from onecell.verify.difference.values import (
    LANGUAGES,
    SECTIONS,
    Finding,
    Json,
    Language,
    Observation,
    Outcome,
    Table,
    Text,
    Verdict,
)

__all__ = [
    "LANGUAGES",
    "SECTIONS",
    "Finding",
    "Json",
    "Language",
    "Observation",
    "Outcome",
    "Table",
    "Text",
    "Verdict",
]

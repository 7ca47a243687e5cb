"""The rows of the way back by import path."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from onecell.migrate.rules.table.operator import Operator
from onecell.migrate.rules.table.operator_functions import FUNCTIONS_BACK
from onecell.migrate.rules.table.operators import OPERATORS
from onecell.migrate.rules.table.scan import SYNONYMS, also_called


@cache
def by_path() -> Mapping[str, tuple[Operator, ...]]:
    """Return import path → its rows, of which the first that fits holds."""
    found: dict[str, list[Operator]] = {}
    for each in (*OPERATORS, *FUNCTIONS_BACK):
        found.setdefault(each.path, []).append(each)
    return {path: tuple(rows) for path, rows in found.items()}


@cache
def makers_back() -> Mapping[str, str]:
    """Return every import path → kind of what is named by it, once it is called."""
    found = {path: rows[0].kind for path, rows in by_path().items()}
    found |= {other: found[path] for other, path in SYNONYMS.items() if path in found}
    return found | {other: kind for path, kind in found.items() for other in also_called(path)}

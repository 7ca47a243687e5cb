"""Rewrite source that uses `LSTMCell` from one framework's spelling to the other's.

`rewrite` takes and gives text; `migrate_paths` takes files, folders and notebooks and says what
would become of them; `write_in_place` and `write_tree` put that on the disk. Importing this loads
neither a framework nor LibCST.

The rooms, in the order in which a file walks through them; imports go back only:

- `source`: text, encodings, magics, limits, positions;
- `meaning`: scopes, names, kinds of values;
- `rules`: `table` (a row a function, layer or optimizer), `families` of syntax, `training` steps;
- `rewriting`: edits, statements, imports, comments;
- `run`: folders, notebooks, child processes, evidence across files, output, results.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from onecell.migrate.rewriting.rewrite import Framework, Target, rewrite
from onecell.migrate.rules.findings import Finding, Outcome, Rewrite
from onecell.migrate.run.results import FileOutcome, FileResult, Migration

if TYPE_CHECKING:
    from onecell.migrate.run.migration import migrate_file, migrate_paths
    from onecell.migrate.run.output import write_in_place, write_tree

_LAZY = {
    "migrate_file": "migration",
    "migrate_paths": "migration",
    "write_in_place": "output",
    "write_tree": "output",
}

__all__ = [
    "FileOutcome",
    "FileResult",
    "Finding",
    "Framework",
    "Migration",
    "Outcome",
    "Rewrite",
    "Target",
    "migrate_file",
    "migrate_paths",
    "rewrite",
    "write_in_place",
    "write_tree",
]


def __getattr__(name: str) -> object:
    if name in _LAZY:
        return getattr(import_module(f"{__name__}.run.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)

"""The engine's table as a page shows it."""

from __future__ import annotations

import sys
from pathlib import Path

from onecell.migrate.rules.table.domain import SENTENCES
from onecell.migrate.rules.table.layers import CELL
from onecell.migrate.rules.table.lookup import ROWS
from onecell.migrate.rules.table.row import Row


def rules_table() -> str:
    """Return the table of what is converted in Markdown: a line each rule and pair of names."""
    lines = [
        "| rule | torch | MindSpore | exact only with, and if |",
        "|---|---|---|---|",
        *(_line(row) for row in (*CELL.values(), *ROWS)),
    ]
    return "\n".join(lines) + "\n"


def write_table(page: Path) -> None:
    """Write the table anew at the end of a page."""
    text, _, _ = page.read_text(encoding="utf-8").partition("\n| rule |")
    page.write_text(f"{text}\n{rules_table()}", encoding="utf-8")


def _line(row: Row) -> str:
    arrow = {"": "", "torch": "← ", "mindspore": "→ "}[row.one_way]
    fixed = ", ".join(f"`{name}={value}`" for name, value in row.fixed.items())
    said = [*([fixed] if fixed else []), *row.assumed]
    said += [f"{SENTENCES[feature]} (else an error)" for feature in row.raises]
    fixed = "; ".join(said)
    torch, mindspore = _named(row, "torch"), _named(row, "mindspore")
    return f"| {row.rule} | {torch} | {arrow}{mindspore} | {fixed} |"


def _named(row: Row, framework: str) -> str:
    """Return the path of one side, and the arguments that the other calls otherwise."""
    side = row.side(framework)
    renamed = [name for name, other in row.names(framework).items() if name != other]
    own = [name for name in side.names if name in renamed]
    return f"`{side.path}`" + (f" {', '.join(f'`{name}`' for name in own)}" if own else "")


if __name__ == "__main__":
    write_table(Path(sys.argv[1]))

"""The engine's table as a page shows it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from onecell.language import in_chinese
from onecell.migrate.rules.table.domain import SENTENCES
from onecell.migrate.rules.table.layers import CELL
from onecell.migrate.rules.table.lookup import ROWS
from onecell.migrate.rules.table.row import Row

_HEAD: Final = {
    "en": "| rule | torch | MindSpore | exact only with, and if |",
    "zh": "| 规则 | torch | MindSpore | 仅在此时精确 |",
}


def rules_table(language: str = "en") -> str:
    """Return the table of what is converted in Markdown: a line each rule and pair of names."""
    rows = (_line(row, language) for row in (*CELL.values(), *ROWS))
    return "\n".join([_HEAD[language], "|---|---|---|---|", *rows]) + "\n"


def write_table(page: Path) -> None:
    """Write the table anew at the end of a page, in Chinese where that lies in docs/zh."""
    language = "zh" if "zh" in page.parts else "en"
    text, _, _ = page.read_text(encoding="utf-8").partition(
        "\n" + _HEAD[language].partition(" torch")[0]
    )
    page.write_text(f"{text}\n{rules_table(language)}", encoding="utf-8")


def _line(row: Row, language: str) -> str:
    arrow = {"": "", "torch": "← ", "mindspore": "→ "}[row.one_way]
    fixed = ", ".join(f"`{name}={value}`" for name, value in row.fixed.items())
    words, other = SENTENCES, " (else an error)"
    if language == "zh":
        words = {feature: in_chinese(said) or said for feature, said in SENTENCES.items()}
        other = "（否则报错）"
    said = [*([fixed] if fixed else []), *(words[feature] for feature in row.holds)]
    said += [words[feature] + other for feature in row.raises]
    fixed = ("；" if language == "zh" else "; ").join(said)
    torch, mindspore = _named(row, "torch"), _named(row, "mindspore")
    return f"| {row.rule} | {torch} | {arrow}{mindspore} | {fixed} |"


def _named(row: Row, framework: str) -> str:
    """Return the path of one side, and the arguments that the other calls otherwise."""
    side = row.side(framework)
    renamed = [name for name, other in row.names(framework).items() if name != other]
    own = [name for name in side.names if name in renamed]
    return f"`{side.path}`" + (f" {', '.join(f'`{name}`' for name in own)}" if own else "")


if __name__ == "__main__":
    for each in sys.argv[1:]:
        write_table(Path(each))

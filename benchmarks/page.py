"""Rewrite the measured sections of reference/performance.md and the READMEs, and the pictures.

A section stands between `<!-- measured: NAME -->` and `<!-- end -->`; what is between them is
written here and nowhere else. Example: python benchmarks/page.py benchmarks/results/main.json
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Any

from bench import result, tables
from bench.words import SAY, Language

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "en" / "reference" / "performance.md"
PAGES: dict[Path, Language] = {
    PAGE: "en",
    ROOT / "docs" / "zh" / "reference" / "performance.md": "zh",
    ROOT / "docs" / "en" / "guides" / "frozen.md": "en",
    ROOT / "docs" / "zh" / "guides" / "frozen.md": "zh",
    ROOT / "README.md": "en",
    ROOT / "README.zh.md": "zh",
}
PICTURES = ROOT / "docs" / "pictures"
MAIN = result.RESULTS / "main.json"
ELSEWHERE = (result.RESULTS / "avx2.json",)
"""The same of other machines."""
_MARKED = re.compile(r"(<!-- measured: ([a-z]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def fill(text: str, measured: dict[str, Any], language: Language = "en") -> str:
    """Return the page with every marked section written anew.

    Raises:
        KeyError: the page marks a section that nothing fills.
    """

    def section(match: re.Match[str]) -> str:
        content = tables.SECTIONS[match[2]](measured, SAY[language]).strip()
        return f"{match[1]}\n{content}\n\n{match[4]}"

    return _MARKED.sub(section, text)


def load(path: Path = MAIN) -> dict[str, Any]:
    """Return a result, and under "elsewhere" those of other machines.

    Raises:
        ResultError: one is not there, or no result.
    """
    return result.load(path) | {"elsewhere": [result.load(other) for other in ELSEWHERE]}


def main() -> int:
    """Rewrite the page, or with --check say whether it says what was measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("result", type=Path, nargs="?", default=MAIN)
    parser.add_argument("--check", action="store_true", help="change nothing; 1 if it differs")
    options = parser.parse_args()
    try:
        measured = load(options.result)
    except result.ResultError as problem:
        print(problem, file=sys.stderr)
        return 2
    pages = {path: path.read_text(encoding="utf-8") for path in PAGES}
    filled = {path: fill(text, measured, PAGES[path]) for path, text in pages.items()}
    if options.check:
        for path in (changed := [path for path in PAGES if filled[path] != pages[path]]):
            print(f"{path.name} is not what {options.result.name} says: run benchmarks/page.py.")
        return int(bool(changed))
    from bench.plots import draw  # noqa: PLC0415 - only where pictures are drawn

    for path, text in filled.items():
        path.write_text(text, encoding="utf-8")
    for path in draw(measured, PICTURES):
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())

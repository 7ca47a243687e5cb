"""Both languages have the same pages, with the same headings, code and pictures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
NOT_YET_IN_CHINESE: frozenset[str] = frozenset()
"""Pages that are in English alone."""

ENGLISH = sorted(path.relative_to(DOCS / "en").as_posix() for path in (DOCS / "en").rglob("*.md"))
pages = pytest.mark.parametrize("page", [p for p in ENGLISH if p not in NOT_YET_IN_CHINESE])

_BLOCK = re.compile(r"^( *)(`{3,}|:{3,})(.*)\n((?:.*\n)*?)\1\2 *$", re.MULTILINE)
_OWN_WORDS = ("{toctree}", "{note}", "{tip}", "{warning}", "{admonition}", "{figure}", "mermaid")
"""Blocks whose text is prose."""


def text(language: str, page: str) -> str:
    return (DOCS / language / page).read_text(encoding="utf-8")


def code(language: str, page: str) -> list[tuple[str, str]]:
    """Return the language and the lines of each block, without comments."""
    found = []
    for block in _BLOCK.finditer(text(language, page)):
        kind, lines = block[3].strip(), block[4]
        if kind.startswith(_OWN_WORDS):
            kind, lines = kind.split()[0], ""
        bare = re.sub(r"(^|\s)\s*(#|//)(?![!{]).*|/\*.*?\*/", "", lines, flags=re.MULTILINE)
        found.append((kind, re.sub(r"\s+", " ", bare).strip()))
    return found


def headings(language: str, page: str) -> list[int]:
    """Return the levels of the headings, in order."""
    prose = _BLOCK.sub("", text(language, page))
    return [len(marks) for marks in re.findall(r"^(#{1,6}) ", prose, re.MULTILINE)]


def pictures(language: str, page: str) -> list[str]:
    return re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text(language, page))


def test_both_trees_have_the_same_pages() -> None:
    chinese = {path.relative_to(DOCS / "zh").as_posix() for path in (DOCS / "zh").rglob("*.md")}
    assert len(ENGLISH) > 35
    assert set(ENGLISH) - chinese == NOT_YET_IN_CHINESE
    assert chinese <= set(ENGLISH)


@pages
def test_the_headings_have_the_same_levels(page: str) -> None:
    assert headings("zh", page) == headings("en", page)
    assert headings("en", page).count(1) == 1


@pages
def test_the_code_is_the_same(page: str) -> None:
    assert code("zh", page) == code("en", page)


@pages
def test_the_pictures_are_the_same(page: str) -> None:
    assert pictures("zh", page) == pictures("en", page)


def test_other_code_would_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "zh").mkdir()
    monkeypatch.setitem(code.__globals__, "DOCS", tmp_path)
    (tmp_path / "en/a.md").write_text("```sh\nrun it   # now\n```\n")
    for other, same in (("run it  # 现在", True), ("run that", False), ("run it --now", False)):
        (tmp_path / "zh/a.md").write_text(f"```sh\n{other}\n```\n")
        assert (code("zh", "a.md") == code("en", "a.md")) == same

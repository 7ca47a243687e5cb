"""One word for one thing: the glossary's two pages agree, and no Chinese text has another word."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

import pytest

from onecell.project import Verdict

ROOT = Path(__file__).parents[1]
PAGES = {lang: ROOT / "docs" / lang / "reference" / "glossary.md" for lang in ("en", "zh")}
CHINESE = sorted(
    chain(
        [ROOT / "README.zh.md"],
        (ROOT / "docs" / "zh").rglob("*.md"),
        (p for p in (ROOT / "src").rglob("*") if p.suffix in {".py", ".j2", ".json", ".js"}),
    )
)
"""Everything that may hold Chinese for a reader."""


def rows(lang: str) -> list[tuple[str, ...]]:
    """Return the cells of every row of the page's tables, but for headings and rules."""
    lines = PAGES[lang].read_text(encoding="utf-8").splitlines()
    cells = [
        tuple(c.strip() for c in line.strip("|").split("|")) for line in lines if line[:1] == "|"
    ]
    return [each for each in cells if each[0] not in {"Term", "术语"} and set(each[0]) != {"-"}]


def not_used() -> dict[str, str]:
    """Return a word that is not used → the term that is."""
    return {
        word.strip(): row[0] for row in rows("zh") for word in row[3].split("、") if word.strip()
    }


def test_both_pages_have_the_same_terms_in_the_same_order() -> None:
    assert len(rows("en")) > 50
    assert [(row[1], row[0]) for row in rows("en")] == [(row[0], row[1]) for row in rows("zh")]


def test_a_term_is_there_once_and_says_what_it_is() -> None:
    for lang in PAGES:
        names = [row[0] for row in rows(lang)]
        assert len(set(names)) == len(names)
        for row in rows(lang):
            assert re.search(r"[.。]$", row[2]), row
            assert len(re.findall(r"[.。] |。(?!$)", row[2])) < 3, row


def test_no_word_is_both_used_and_not() -> None:
    assert not not_used().keys() & {row[0] for row in rows("zh")}


@pytest.mark.parametrize("path", CHINESE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_chinese_text_has_the_glossarys_word(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path == PAGES["zh"]:
        text = re.sub(r"\|[^|]*\|$", "|", text, flags=re.MULTILINE)  # the column of such words
    for word, term in not_used().items():
        assert word not in text, f"{word}: the word is {term}"


def test_every_verdict_is_in_the_glossary() -> None:
    english = {row[0] for row in rows("en")}
    assert {verdict.value for verdict in Verdict} <= english

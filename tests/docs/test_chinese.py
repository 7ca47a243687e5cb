"""The Chinese pages keep in step with the English ones, and are set as Chinese is."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

DOCS = Path(__file__).parents[2] / "docs"
CHINESE = [*sorted((DOCS / "zh").rglob("*.md")), DOCS.parent / "README.zh.md"]
HAN = r"[\u3400-\u9fff]"
MARKS = "，。；：、？！（）《》“”…—"
BLOCK = re.compile(r"\s*([-+*>#|<:]|\d+[.)]\s|$)")
"""What begins a block of its own, so that no sentence goes on in it."""

pages = pytest.mark.parametrize(
    "page", CHINESE, ids=lambda page: str(page.relative_to(DOCS.parent))
)


def english(page: Path) -> Path:
    """Return the page that `page` is the Chinese of."""
    if page.name == "README.zh.md":
        return page.with_name("README.md")
    return DOCS / "en" / page.relative_to(DOCS / "zh")


def prose(page: Path) -> list[str]:
    """Return a page's lines without those of code."""
    text = re.sub(r"^---\n.*?\n---\n", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = re.sub(r"^( *)(`{3,}).*?^\1\2 *$", "", text, flags=re.DOTALL | re.MULTILINE)
    return [line for line in text.split("\n") if not line.startswith("    ")]


def sections(page: Path) -> Iterator[str]:
    """Yield the text between one heading and the next."""
    lines: list[str] = []
    for line in prose(page):
        if line.startswith("#"):
            yield "\n".join(lines)
            lines = []
        lines.append(line)
    yield "\n".join(lines)


def figures(text: str) -> set[str]:
    """Return all numbers of a text, but those in the targets of links and those of months."""
    text = re.sub(r"\]\([^)]*\)|\d+ 月", "]", text)
    found = re.findall(r"\d[\d,.]*(?:e-?\d+)?", text)
    return {figure.rstrip(".,") for figure in found}


def tables(page: Path) -> list[list[int]]:
    """Return the number of cells of every line of each table."""
    found: list[list[int]] = [[]]
    for line in prose(page):
        if line.startswith("|"):
            found[-1].append(len(re.findall(r"(?<!\\)\|", line)))
        elif found[-1]:
            found.append([])
    return found


def targets(page: Path) -> list[str]:
    """Return where the links and pictures of a page lead, a page of docs by its place in a tree."""
    found = re.findall(r"\]\(([^)\s#]+)", "\n".join(prose(page)))
    inside = [link if "://" in link else str((page.parent / link).resolve()) for link in found]
    return sorted(re.sub(rf"^{DOCS}/(en|zh)/", "", link) for link in inside)


@pages
def test_every_section_has_the_figures_of_the_english_one(page: Path) -> None:
    ours, theirs = (list(map(figures, sections(each))) for each in (page, english(page)))
    assert ours == theirs


@pages
def test_the_tables_have_the_same_rows(page: Path) -> None:
    more = 1 if page.name == "glossary.md" else 0  # the words that are not used
    assert tables(page) == [[n + more for n in each] for each in tables(english(page))]


@pages
def test_the_same_links_and_pictures(page: Path) -> None:
    other = {"README.md", "README.zh.md"}
    ours, theirs = (
        [link for link in targets(each) if Path(link).name not in other or "/examples/" in link]
        for each in (page, english(page))
    )
    assert ours == theirs


@pages
def test_links_stay_in_chinese(page: Path) -> None:
    """But for the one line that leads to the same page in English."""
    links = re.findall(r"\]\(([^)\s#]+)", "\n".join(prose(page)))
    inside = [(page.parent / link).resolve() for link in links if "://" not in link]
    left = [to for to in inside if to.is_relative_to(DOCS / "en") and to != english(page).resolve()]
    assert [to for to in left if (DOCS / "zh" / to.relative_to(DOCS / "en")).exists()] == []


@pages
def test_no_line_breaks_a_chinese_sentence(page: Path) -> None:
    """A browser shows a line's end as a space, which Chinese does not have between characters."""
    lines = prose(page)
    broken = [
        (before[-12:], after[:12])
        for before, after in itertools.pairwise(lines)
        if before.strip() and not BLOCK.match(after) and not before.startswith(("#", "|", "<"))
        and (before[-1] in MARKS or after.strip()[0] in MARKS
             or (re.match(HAN, before[-1]) and re.match(HAN, after.strip())))
    ]  # fmt: skip
    assert broken == []


@pages
def test_marks_are_chinese_and_latin_text_stands_apart(page: Path) -> None:
    text = "\n".join(prose(page))
    text = re.sub(r"`[^`\n]*`", "`", re.sub(r"\]\([^)]*\)", "]", text))
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL).replace("**", "")
    narrow = rf"{HAN}[,;!?:]|{HAN}\(|\([^()\n]*{HAN}"
    close = rf"{HAN}[A-Za-z0-9`]|[A-Za-z0-9`%]{HAN}"
    found = re.findall(rf".{{0,9}}(?:{narrow}|{close}).{{0,9}}", text)
    assert found == []


@pages
def test_no_mark_of_emphasis_is_left_in_the_text(page: Path) -> None:
    """Markdown takes `**是。**那` for text, and `**是。** 那` for what it is meant to be."""
    found = [
        child.content
        for token in MarkdownIt().enable("table").parse("\n".join(prose(page)))
        for child in token.children or []
        if child.type == "text" and re.search(r"[*`]", child.content)
    ]
    assert found == []


@pages
def test_a_chinese_link_stands_in_its_sentence_without_spaces(page: Path) -> None:
    text = "\n".join(prose(page))
    assert re.findall(rf".{{0,9}}{HAN}\s\[{HAN}.{{0,9}}", text) == []
    assert re.findall(rf"\[[^]]*{HAN}\]\([^)]*\)\s{HAN}.{{0,9}}", text) == []

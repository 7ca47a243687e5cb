"""Pages in both languages parse, and those in the repository are made of the stored table."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from onecell.verify.difference import LANGUAGES, Language, Table, to_html, to_markdown

DOCS = Path(__file__).parents[3] / "docs"
VOID = {"meta"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_in_the_repository_is_the_stored_tables(language: Language, stored: Table) -> None:
    """To renew it, see the first comment in the page."""
    page = DOCS / language / "reference" / "difference-table.md"
    assert page.read_text(encoding="utf-8") == to_markdown(stored, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_rows_of_every_markdown_table_have_as_many_cells(
    language: Language, stored: Table
) -> None:
    tables = re.findall(r"(?:^\|.*\|\n)+", to_markdown(stored, language), re.MULTILINE)
    assert len(tables) > 6
    for each in tables:
        counts = {len(re.findall(r"(?<!\\)\|", line)) for line in each.splitlines()}
        assert len(counts) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_row_is_on_the_markdown_page_and_its_link_lands(
    language: Language, stored: Table
) -> None:
    text = to_markdown(stored, language)
    for finding in stored.findings:
        assert finding.claim.get(language) in text
    linked = set(re.findall(r"\]\(#([^)]+)\)", text))
    assert linked == set(re.findall(r'<a id="([^"]+)">', text))
    assert len(linked) > 30


@pytest.mark.parametrize("language", LANGUAGES)
def test_fences_are_closed_and_hold_python(language: Language, stored: Table) -> None:
    text = to_markdown(stored, language)
    assert text.count("```") % 2 == 0
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) >= len(stored.findings)
    for block in blocks:
        compile(block, "block", "exec")


def test_the_page_has_the_originals_structure(stored: Table) -> None:
    text = to_markdown(stored)
    order = ["## torch.nn.LSTMCell", "## mindspore.nn.LSTMCell", "## Differences"]
    order += [f"| Parameters {n} |" for n in (1, 2, 3)] + ["| Inputs 1 |", "| Inputs 2, 3 |"]
    order += ["| Outputs |", "### Example 1", "### Example 2"]
    places = [text.index(each) for each in order]
    assert places == sorted(places)


def test_the_page_marks_what_the_original_gets_wrong(stored: Table) -> None:
    assert to_markdown(stored).count("✗ wrong") == 6
    assert to_markdown(stored, "zh").count("✗ 有误") == 6


def test_the_page_has_no_time_and_no_path(stored: Table) -> None:
    for language in LANGUAGES:
        assert not re.search(r"\d{4}-\d\d-\d\d|/home/|/tmp/", to_markdown(stored, language))


class Strict(HTMLParser):
    """Every element is closed where it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        assert not {"src", "href", "onclick"} & names.keys()
        assert tag != "script"
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr" and names.get("id"):
            self.ids.append(str(names["id"]))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.mark.parametrize("language", LANGUAGES)
def test_html_is_well_formed_and_has_every_row(language: Language, stored: Table) -> None:
    parser = Strict()
    parser.feed(to_html(stored, language))
    parser.close()
    assert parser.open == []
    assert sorted(parser.ids) == sorted(finding.id for finding in stored.findings)
    shown = "".join(parser.text)
    for finding in stored.findings:
        assert finding.claim.get(language).replace("`", "") in shown
        assert finding.code["torch"] in shown
    assert "SIGSEGV" in shown

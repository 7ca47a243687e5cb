"""The table of all frameworks in the pages is the one that the stored answers make."""

from __future__ import annotations

from pathlib import Path

import pytest

from onecell.language import Language
from onecell.verify.difference import LANGUAGES
from onecell.verify.difference.common.adapters import ADAPTERS
from onecell.verify.difference.common.overview import overview

DOCS = Path(__file__).parents[4] / "docs"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_has_the_table_of_the_stored_answers(language: Language) -> None:
    page = DOCS / language / "reference" / "differences.md"
    assert overview(language) in page.read_text("utf-8")


def test_it_has_a_row_a_framework_and_says_what_differs() -> None:
    head, _, *rows = overview().splitlines()
    assert len(rows) == len(ADAPTERS)
    assert {row.count("|") for row in rows} == {head.count("|")}
    flax = next(row for row in rows if row.startswith("| Flax linen"))
    assert "| c, h | apart | 1 |" in flax
    assert any("| i g f o | 1 | 0 + 1 |" in row for row in rows if "Haiku" in row)
    assert any("| i f g o | 1 | 1 + 0 |" in row for row in rows if "Keras" in row)

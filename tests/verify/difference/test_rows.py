"""Every row holds on the installed frameworks, and every known matter has a row."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import chain

import pytest

from onecell.verify.difference import LANGUAGES, SECTIONS, Json, Table, Verdict, choose_rows
from onecell.verify.difference.claims import OURS, Claim, Crash
from onecell.verify.difference.row import Row
from onecell.verify.difference.run import conclude
from onecell.verify.difference.words import PHRASES

ROWS = choose_rows()

PAGE_IS_WRONG = {
    "state-argument",
    "return-form",
    "return-type",
    "example-shapes",
    "example-1",
    "example-2",
}
PAGE_IS_RIGHT = {"input-size", "hidden-size", "bias-name", "input-name"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_the_claim_holds_on_what_is_installed(row: Row, table: Table) -> None:
    finding = table.get(row.id)
    assert finding is not None
    assert finding.verdict.holds, [(o.side, o.value, o.said) for o in finding.observations]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_changed_claim_is_reported_as_wrong(row: Row, table: Table) -> None:
    """Whichever side's claimed answer is another, the row says so and names the side."""
    finding = table.get(row.id)
    assert finding is not None
    for claim in (row.claim, row.onecell):
        assert not isinstance(claim.answers, str)
        for side in claim.answers:
            lie = Claim(claim.text, {**claim.answers, side: {"never": "answered"}})
            about_us = claim is row.onecell
            mutated = replace(row, onecell=lie) if about_us else replace(row, claim=lie)
            found = conclude(mutated, finding.observations)
            expected = Verdict.CRASHED if _crashes(claim, side) else Verdict.WRONG
            assert (found.verdict, found.wrong) == (expected, (side,))


def _crashes(claim: Claim, side: str) -> bool:
    return not isinstance(claim.answers, str) and isinstance(claim.answers[side], Crash)


def test_the_page_is_wrong_where_it_is_known_to_be(table: Table) -> None:
    judged = {f.id: f.page_verdict for f in table.findings if f.page_verdict is not None}
    assert {name for name, verdict in judged.items() if verdict is Verdict.WRONG} == PAGE_IS_WRONG
    assert {name for name, verdict in judged.items() if verdict.holds} == PAGE_IS_RIGHT


def test_every_known_matter_has_a_row() -> None:
    covered = set(chain.from_iterable(row.sources for row in ROWS))
    page = [f"page parameter {n}" for n in (1, 2, 3)] + [f"page input {n}" for n in (1, 2, 3)]
    page += ["page output", "page example 1", "page example 2", "page signature"]
    matters = [f"matter {n}" for n in range(1, 18)]
    mistakes = [f"mistake {n}" for n in range(1, 5)]
    assert covered == {*page, *matters, *mistakes, "same"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_every_row_has_both_languages(row: Row) -> None:
    texts = [row.matter, row.claim.text, row.onecell.text]
    texts += [] if row.page is None else [row.page.text]
    for text in texts:
        assert all(text.get(language).strip() for language in LANGUAGES)
    assert re.search("[\u4e00-\u9fff]", row.claim.text.zh)
    assert not re.search("[\u4e00-\u9fff]", "".join(text.en for text in texts))


def test_ids_can_be_anchors_and_sections_exist() -> None:
    for row in ROWS:
        assert re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", row.id)
        assert row.section in SECTIONS


def test_the_crash_of_torch_is_an_answer(table: Table) -> None:
    finding = table.get("one-row-crash")
    assert finding is not None
    answers = {each.side: (each.outcome.value, each.value) for each in finding.observations}
    assert answers["torch"][0] == "crashed"
    assert str(answers["torch"][1]).startswith("SIG")
    assert answers["onecell.torch"] == ("answered", "raises CellShapeError")


def test_the_pages_second_example_loses_the_state_from_the_second_step_on(table: Table) -> None:
    for name in ("example-1", "example-2"):
        finding = table.get(name)
        assert finding is not None
        lost = finding.of("mindspore")
        assert lost is not None
        assert isinstance(lost.value, list)
        distances = [each for each in lost.value if isinstance(each, float)]
        assert distances[0] == 0
        assert distances == sorted(set(distances))
        assert len(distances) == 5
        for side in ("torch", *OURS):
            kept = finding.of(side)
            assert kept is not None
            assert kept.value == [0.0] * 5


def test_english_words_in_answers_have_chinese(table: Table) -> None:
    """What is neither a name of code nor an error is in the dictionary of phrases."""
    words = set(
        chain.from_iterable(_words(o.value) for f in table.findings for o in f.observations)
    )
    code = re.compile(
        r"raises \w+|[\w.']+|\w+=\w*|cell\(.*\)|c \(N, 1\)|[xhc] float\d\d|LSTMCell\(.*\)"
        r"|.* = \w+\(.*\)"
    )
    unknown = {word for word in words if not code.fullmatch(word)} - PHRASES.keys()
    assert not unknown
    assert all(re.search("[\u4e00-\u9fff]", chinese) for chinese in PHRASES.values())


def _words(value: Json) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [*value, *chain.from_iterable(map(_words, value.values()))]
    if isinstance(value, list):
        return list(chain.from_iterable(map(_words, value)))
    return []

"""A stored table is what was written, or is refused in one line; changes are found and named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onecell.errors import TableError
from onecell.verify.difference import (
    LANGUAGES,
    Finding,
    Json,
    Observation,
    Outcome,
    Table,
    Verdict,
    changes,
    choose_rows,
    dump,
    from_json,
    load_table,
    not_compared,
    stored_table,
    to_html,
    to_json,
    to_markdown,
)
from onecell.verify.difference.changes import alike
from onecell.verify.difference.run import conclude


def test_json_round_trips(table: Table) -> None:
    assert from_json(json.loads(dump(table))) == table


def test_a_table_with_a_crash_and_a_missing_side_round_trips(table: Table) -> None:
    (row,) = choose_rows(["one-row-crash"])
    observed = [
        Observation("torch", "2.13.0", Outcome.CRASHED, "SIGSEGV"),
        Observation("mindspore", None, Outcome.MISSING, None, "is not installed"),
    ]
    changed = replace(table, findings=(conclude(row, observed),))
    assert from_json(json.loads(dump(changed))) == changed


def test_the_stored_table_is_of_the_rows_as_they_are(stored: Table) -> None:
    """Texts, programs and verdicts follow from the rows; only the answers are a record."""
    rows = choose_rows()
    assert [finding.id for finding in stored.findings] == [row.id for row in rows]
    for row, finding in zip(rows, stored.findings, strict=True):
        assert conclude(row, finding.observations) == finding


def test_nothing_has_changed_since_the_stored_releases(stored: Table, table: Table) -> None:
    assert [change.describe() for change in changes(stored, table)] == []


def test_a_stored_answer_that_is_altered_is_named(table: Table, tmp_path: Path) -> None:
    tree = to_json(table)
    row = next(each for each in tree["rows"] if each["id"] == "state-omitted")
    row["answers"][1]["value"]["cell(x)"] = [[2, 4], [2, 4]]
    path = tmp_path / "old.json"
    path.write_text(json.dumps(tree), encoding="utf-8")
    (change,) = changes(load_table(path), table)
    assert (change.row, change.side, change.kind) == ("state-omitted", "mindspore", "answer")
    assert change.describe("en") == (
        "state-omitted, mindspore: was cell(x): (2, 4), (2, 4); cell(x, None): raises TypeError, "
        "is cell(x): raises TypeError; cell(x, None): raises TypeError"
    )
    assert "抛出 TypeError" in change.describe("zh")


def _altered(table: Table, name: str, **kinds: Any) -> Table:
    findings = (replace(f, **kinds) if f.id == name else f for f in table.findings)
    return replace(table, findings=tuple(findings))


def test_a_verdict_that_is_another_is_named(table: Table) -> None:
    old = _altered(table, "gate-order", verdict=Verdict.WRONG)
    (change,) = changes(old, table)
    assert (change.row, change.kind) == ("gate-order", "verdict")


def test_rows_that_come_and_go_are_named(table: Table) -> None:
    fewer = replace(table, findings=table.findings[1:])
    assert [c.kind for c in changes(fewer, table)] == ["added"]
    assert [c.kind for c in changes(table, fewer)] == ["removed"]


def test_texts_and_messages_are_no_changes(table: Table) -> None:
    finding = table.findings[-1]
    said = tuple(replace(o, said="other words", version="9") for o in finding.observations)
    old = _altered(table, finding.id, observations=said, onecell=finding.claim)
    assert changes(old, table) == ()


def _without(finding: Finding, side: str) -> Finding:
    gone = Observation(side, None, Outcome.MISSING, None, "is not installed")
    observed = tuple(gone if o.side == side else o for o in finding.observations)
    return replace(finding, observations=observed, verdict=Verdict.NOT_RUN)


def test_what_could_not_be_run_is_not_compared_and_named(table: Table) -> None:
    new = replace(table, findings=tuple(_without(f, "mindspore") for f in table.findings))
    assert changes(table, new) == ()
    assert not_compared(table, new) == ("mindspore",)


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        (2.8e-7, 1.1e-6, True),
        (2.8e-7, 2.8e-5, False),
        (0.0, 3e-8, True),
        (0.25, 0.26, True),
        (0.25, 0.27, False),
        (0.0, 0.25, False),
        (1, 2, False),
        (1, True, False),
        ([0.0, 0.25], [0.0, 0.25, 0.3], False),
        ({"a": 0.25}, {"a": 0.26}, True),
        ({"a": 1}, {"b": 1}, False),
    ],
)
def test_numbers_are_alike_up_to_rounding(before: Json, after: Json, same: bool) -> None:
    assert alike(before, after) is same
    assert alike(after, before) is same


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_an_answer_is_like_itself(value: Json) -> None:
    assert alike(value, value)


@given(JSON)
def test_whatever_json_comes_is_a_table_or_refused(tree: Json) -> None:
    with pytest.raises(TableError):
        from_json(tree)


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Return every (container, key) of a tree."""
    keys: list[Any] = []
    if isinstance(tree, dict):
        keys = list(tree)
    elif isinstance(tree, list):
        keys = list(range(len(tree)))
    return [(tree, key) for key in keys] + [p for key in keys for p in _places(tree[key])]


@settings(max_examples=40)
@given(st.data())
def test_a_table_that_somebody_edited_is_refused_or_shown(data: st.DataObject) -> None:
    whole = stored_table()
    rows = [whole.findings[i] for i in (0, 14, 24)]
    tree = json.loads(dump(replace(whole, findings=tuple(rows))))
    container, key = data.draw(st.sampled_from(_places(tree)))
    if data.draw(st.booleans()):
        del container[key]
    else:
        container[key] = data.draw(JSON)
    try:
        table = from_json(tree)
    except TableError:  # and nothing else
        return
    for language in LANGUAGES:
        to_markdown(table, language)
        to_html(table, language)
    changes(whole, table)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"schema": NaN}',
        b'["\\ud800"]',
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"schema": "onecell.difference/0"}',
    ],
    ids=["empty", "torn", "no number", "no character", "list", "null", "no text", "deep", "old"],
)
def test_a_file_that_is_no_table_is_one_line(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "table.json"
    path.write_bytes(content)
    with pytest.raises(TableError, match=r"table\.json") as caught:
        load_table(path)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "table.json"
    path.write_bytes(b" " * 100)
    monkeypatch.setattr("onecell.verify.difference.record.LARGEST", 99)
    with pytest.raises(TableError, match="99 bytes"):
        load_table(path)

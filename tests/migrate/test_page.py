"""The page about migration shows the table that the engine works by."""

from __future__ import annotations

from pathlib import Path

import pytest

from onecell.cli.exits import MIGRATE_STATUSES, Status
from onecell.language import in_chinese
from onecell.migrate import Outcome
from onecell.migrate.rules.table.domain import SENTENCES
from onecell.migrate.rules.table.lookup import ROWS
from onecell.migrate.rules.table.page import rules_table, write_table
from onecell.migrate.source.limits import CODE_BYTES

PAGE = Path(__file__).parents[2] / "docs/en/guides/migrate.md"


@pytest.mark.parametrize(("language", "head"), [("en", "| rule |"), ("zh", "| 规则 |")])
def test_the_page_ends_with_the_table(language: str, head: str) -> None:
    page = PAGE.parents[2] / language / "reference/conversion-table.md"
    _, table = page.read_text(encoding="utf-8").split(f"\n{head}")
    assert head + table == rules_table(language), "`make format` writes it there anew"


@pytest.mark.parametrize(("language", "head"), [("en", "| rule |"), ("zh", "| 规则 |")])
def test_the_table_is_written_over_the_old_one(tmp_path: Path, language: str, head: str) -> None:
    page = tmp_path / language / "page.md"
    page.parent.mkdir()
    page.write_text(f"# Page\n\n{head} old |\n", encoding="utf-8")
    write_table(page)
    assert page.read_text(encoding="utf-8") == "# Page\n\n" + rules_table(language)


def test_what_has_to_hold_is_said_in_both_languages() -> None:
    assert None not in map(in_chinese, SENTENCES.values())
    english, chinese = rules_table("en").splitlines(), rules_table("zh").splitlines()
    assert [line.split(" | ")[:3] for line in english[1:]] == [
        line.split(" | ")[:3] for line in chinese[1:]
    ]


def test_every_row_is_a_line() -> None:
    table = rules_table()
    assert all(row.torch.path in table and row.mindspore.path in table for row in ROWS)
    assert "`torch.nn.Linear` `in_features`, `out_features`, `bias`" in table


def test_the_page_tells_every_outcome_and_status() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"| {outcome} | " in text for outcome in Outcome)
    told = {int(each.split()[0]) for each in MIGRATE_STATUSES.split("[/bold]: ")[1].split(" · ")}
    assert all(f"\n| {status} | " in text for status in told)
    assert told <= set(Status)


def test_the_page_tells_the_limit() -> None:
    assert f"More than {CODE_BYTES >> 20} MiB of code" in PAGE.read_text(encoding="utf-8")

"""The report as a person has it: opened in a real browser, on a desk, on a phone, on paper."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from browsers import CONTRASTS, ENOUGH_CONTRAST, Watched

from . import samples

KINDS = (
    *("same", "different", "overlooked", "strange", "not-finite"),
    *("alone", "large", "port", "wrong-port"),
)
WORDS = {
    "same": ("Same", "相同"),
    "different": ("Different", "不同"),
    "overlooked": ("Self-test failed", "自检未通过"),
    "strange": ("Different", "不同"),
    "not-finite": ("Different", "不同"),
    "alone": ("Same", "相同"),
    "large": ("Same", "相同"),
    "port": ("Holds", "成立"),
    "wrong-port": ("Fails", "不成立"),
}


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """A fresh page that must end without a complaint and without a request."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    context.set_default_timeout(60_000)
    watched = Watched(context.new_page())
    yield watched
    asked = [url for url in watched.requests if not url.startswith(("file:", "data:"))]
    context.close()
    assert watched.complaints == []
    assert asked == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_verdict_is_the_first_thing_that_one_sees(
    kind: str, reports: dict[str, Path], watched: Watched
) -> None:
    page = watched.open(reports[kind])
    word = page.locator("#verdict .word")
    assert word.inner_text().strip()[1:].strip() == WORDS[kind][0]
    box = word.bounding_box()
    assert box is not None
    assert 0 < box["y"] < 400


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_wider_than_the_screen(
    kind: str, width: int, reports: dict[str, Path], watched: Watched
) -> None:
    watched.page.set_viewport_size({"width": width, "height": 800})
    for fragment in ("#en", "#zh"):
        page = watched.open(reports[kind], fragment)
        page.evaluate("document.querySelectorAll('details').forEach((each) => each.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("media", ["light", "dark", "print"])
@pytest.mark.parametrize("kind", ["same", "strange", "overlooked", "wrong-port"])
def test_every_text_stands_out_from_its_background(
    kind: str, media: str, reports: dict[str, Path], watched: Watched
) -> None:
    if media == "print":
        watched.page.emulate_media(media="print", color_scheme="dark")
    else:
        watched.page.emulate_media(color_scheme="dark" if media == "dark" else "light")
    page = watched.open(reports[kind])
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 100
    assert [each for each in contrasts if each[0] < ENOUGH_CONTRAST] == []


def test_the_language_switch_changes_the_whole_page(
    reports: dict[str, Path], watched: Watched
) -> None:
    page = watched.open(reports["same"])
    assert page.evaluate("document.documentElement.lang") == "en"
    page.get_by_role("link", name="中文").click()
    assert page.evaluate("document.documentElement.lang") == "zh"
    assert page.title().startswith("相同：")
    assert "相同" in page.locator("#verdict .word").inner_text()
    assert "Same" not in page.locator("#verdict").inner_text()
    assert page.locator('[lang="en"]:not(.switch):visible').count() == 0
    assert page.locator('.plot text[lang="zh"]:visible').count() > 0
    assert page.locator(".switch[aria-current]").inner_text() == "中文"


def test_the_address_remembers_the_language_and_the_place(
    reports: dict[str, Path], watched: Watched
) -> None:
    page = watched.open(reports["same"], "#zh")
    page.get_by_role("link", name="方法与限值").click()
    page.wait_for_function("location.hash === '#zh/method'")
    page.reload()
    assert page.evaluate("document.documentElement.lang") == "zh"
    page.wait_for_function(
        "Math.abs(document.getElementById('method').getBoundingClientRect().top) < innerHeight"
    )


def test_a_chinese_browser_sees_chinese_first(browser: Browser, reports: dict[str, Path]) -> None:
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    page.goto(reports["port"].as_uri())
    assert page.evaluate("document.documentElement.lang") == "zh"
    context.close()


def test_without_scripts_the_page_is_there_in_english(
    browser: Browser, reports: dict[str, Path]
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(reports["same"].as_uri())
    assert page.locator("#verdict .word").inner_text().startswith("✓Same")
    assert page.get_by_text("相同", exact=True).first.is_hidden()
    context.close()


def test_the_table_is_filtered_by_text(reports: dict[str, Path], watched: Watched) -> None:
    page = watched.open(reports["strange"])
    assert shown(page) == ["row-0", "row-2", "row-1", "row-3"]
    page.get_by_label("Filter").fill("NUMBER-2 torch")
    assert shown(page) == ["row-2"]
    assert page.locator("#count").inner_text() == "1 / 4 rows"
    assert page.get_by_text("Parameters", exact=True).is_hidden()
    page.get_by_label("Filter").fill("nothing like it")
    assert shown(page) == []
    assert page.locator("#nothing").is_visible()
    page.get_by_label("Filter").fill("第 3 项")
    assert shown(page) == ["row-3"]


def test_the_table_is_filtered_by_verdict(reports: dict[str, Path], watched: Watched) -> None:
    page = watched.open(reports["strange"])
    page.locator(".choice[value=wrong]").uncheck()
    page.locator(".choice[value=same]").uncheck()
    assert shown(page) == ["row-1", "row-3"]


def shown(page: Page) -> list[str]:
    """Return the rows of the difference table that can be seen."""
    rows = page.locator(".differences tr.row:visible")
    return [str(row.get_attribute("id")).removeprefix("row-") for row in rows.all()]


def test_the_stored_table_is_there_in_full(reports: dict[str, Path], watched: Watched) -> None:
    page = watched.open(reports["same"])
    assert len(shown(page)) >= 20
    assert page.locator(".differences td:empty").count() == 0


def test_the_command_is_copied(reports: dict[str, Path], watched: Watched) -> None:
    watched.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = watched.open(reports["same"])
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == samples.COMMAND


def test_on_paper_all_is_open_and_black_on_white(
    reports: dict[str, Path], watched: Watched
) -> None:
    page = watched.open(reports["strange"])
    code = page.locator(".differences pre").first
    assert code.is_hidden()
    page.emulate_media(media="print", color_scheme="dark")
    assert code.is_visible()
    box = code.bounding_box()
    assert box is not None
    assert box["height"] > 10
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    page.set_viewport_size({"width": 720, "height": 1000})  # A4 within its margins
    assert page.evaluate("document.documentElement.scrollWidth") <= 720
    assert page.locator(".languages").is_hidden()
    assert page.locator("button").is_hidden()


def test_a_strange_name_is_shown_as_it_is(reports: dict[str, Path], watched: Watched) -> None:
    page = watched.open(reports["strange"])
    assert samples.STRANGE in page.locator("#cell-1-h").inner_text()
    assert page.locator("script").count() == 1
    assert "torch says <b>yes</b>" in page.locator("#row-row-0").inner_text()


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_is_built_for_those_who_hear_it(
    kind: str, reports: dict[str, Path], watched: Watched
) -> None:
    page = watched.open(reports[kind])
    levels = page.evaluate(
        "[...document.querySelectorAll('h1,h2,h3,h4')].map((h) => +h.tagName[1])"
    )
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((each) => each.id)")
    assert len(ids) == len(set(ids))
    named = page.evaluate(
        "[...document.querySelectorAll('[aria-labelledby]')].map((e) => e.getAttribute("
        "'aria-labelledby'))"
    )
    assert set(named) <= set(ids)
    assert page.locator("table:not(:has(thead th[scope=col]))").count() == 0
    page.evaluate("document.querySelectorAll('details').forEach((each) => each.open = true)")
    plots = page.locator("svg.plot").count()
    assert plots > 0
    assert page.get_by_role("img").count() == plots
    caption = page.locator("figcaption").first.inner_text()
    assert page.get_by_role("img", name=caption, exact=True).count() >= 1

"""The site as a person has it: in a real browser, on a desk, on a phone, without a server too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page

from browsers import Watched
from site_pages import Built

SHOWN = (
    "index", "start/install", "start/live", "guides/verify", "reference/api/arrays",
    "reference/difference-table", "reference/performance", "genindex",
)  # fmt: skip
LANGUAGES = ("en", "zh")


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """A page that has to stay without a complaint, and to ask nobody but this machine."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    context.set_default_timeout(60_000)
    watched = Watched(context.new_page())
    yield watched
    asked = [
        url
        for url in watched.requests
        if not url.startswith(("file:", "data:", "http://127.0.0.1:"))
    ]
    context.close()
    assert watched.complaints == []
    assert asked == []


def check_width(page: Page) -> None:
    """The page is not to be moved sideways, and no text is to be out of reach."""
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SHOWN)
def test_a_page_fits_the_screen(
    name: str, language: str, width: int, address: str, watched: Watched
) -> None:
    watched.page.set_viewport_size({"width": width, "height": 844})
    watched.page.goto(f"{address}/{language}/{name}.html")
    check_width(watched.page)
    broken = "[...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
    assert watched.page.evaluate(broken) == []
    assert watched.page.locator("a.other-language:visible").count() == 1


@pytest.mark.slow
def test_every_page_fits_a_phone(pages: dict[str, Built], address: str, watched: Watched) -> None:
    watched.page.set_viewport_size({"width": 390, "height": 844})
    for name in pages:
        watched.page.goto(f"{address}/{name}")
        check_width(watched.page)


def search(page: Page, start: str, words: str) -> list[str]:
    """Return the pages that a search finds, the best first."""
    page.goto(f"{start}/search.html?q={quote(words)}")
    page.wait_for_selector("#search-results li a, #search-results .search-summary:not(:empty)")
    page.wait_for_function(
        "!/…|\\.\\.\\./.test(document.querySelector('#search-results h2')?.textContent || '')"
    )
    links = page.locator("#search-results li > a").all()
    return [(link.get_attribute("href") or "").split("?")[0].partition("#")[0] for link in links]


@pytest.mark.parametrize(
    ("language", "words", "page"),
    [
        ("en", "frozen cells", "guides/frozen.html"),
        ("en", "migrating", "guides/migrate.html"),
        ("en", "unroll_vjp", "reference/api/arrays.html"),
        ("zh", "检查点", "guides/checkpoints.html"),
        ("zh", "源代码迁移", "guides/migrate.html"),
        ("zh", "门的顺序", "reference/difference-table.html"),
        ("zh", "int8 单元", "guides/frozen.html"),
        ("zh", "unroll_vjp", "reference/api/arrays.html"),
    ],
)
def test_a_search_finds_the_page(
    language: str, words: str, page: str, address: str, watched: Watched
) -> None:
    assert page in search(watched.page, f"{address}/{language}", words)[:5]


def test_a_search_for_what_is_nowhere_finds_nothing(address: str, watched: Watched) -> None:
    assert search(watched.page, f"{address}/zh", "紫藤萝瀑布") == []
    assert search(watched.page, f"{address}/en", "wisteria") == []


def test_a_result_leads_to_the_page(address: str, watched: Watched) -> None:
    page = watched.page
    search(page, f"{address}/zh", "检查点")
    page.locator("#search-results li > a").first.click()
    page.wait_for_selector("article h1")
    assert "检查点" in page.locator("article").inner_text()


@pytest.mark.parametrize(("language", "words"), [("en", "frozen cells"), ("zh", "检查点")])
def test_search_works_without_a_server(
    language: str, words: str, site: Path, watched: Watched
) -> None:
    assert search(watched.page, (site / language).as_uri(), words)


def test_the_first_page_chooses_the_readers_language(site: Path, browser: Browser) -> None:
    for locale, language in (("zh-CN", "zh"), ("de-DE", "en")):
        context = browser.new_context(locale=locale)
        page = context.new_page()
        page.goto((site / "index.html").as_uri())
        page.wait_for_url(f"**/{language}/index.html")
        context.close()


def test_the_way_to_the_other_language_and_back(address: str, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{address}/en/guides/frozen.html")
    page.locator("a.other-language:visible").click()
    page.wait_for_url("**/zh/guides/frozen.html")
    page.locator("a.other-language:visible").click()
    page.wait_for_url("**/en/guides/frozen.html")


def test_the_page_can_be_dark(address: str, watched: Watched) -> None:
    page = watched.page
    page.emulate_media(color_scheme="light")
    page.goto(f"{address}/en/index.html")
    brightness = (
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3)"
        ".reduce((a, b) => a + Number(b), 0)"
    )
    assert page.evaluate(brightness) > 600
    while page.evaluate("document.body.dataset.theme") != "dark":
        page.locator("button.theme-toggle:visible").click()
    assert page.evaluate(brightness) < 150
    assert {said.rpartition(" ")[0] for said in watched.complaints} <= {"Changed to dark"}
    watched.complaints.clear()

"""The site as files: every link leads somewhere, nothing comes from elsewhere."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from site_pages import Built

DOCS = Path(__file__).parents[2] / "docs"
LANGUAGES = {"en": "en", "zh": "zh-CN"}
NOTEBOOKS = ("move", "live")


def is_outside(link: str) -> bool:
    return bool(urlsplit(link).scheme)


@pytest.mark.parametrize("language", LANGUAGES)
def test_commands_of_notebooks_answer_in_the_language_of_their_pages(
    language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, str]] = []
    monkeypatch.setattr(subprocess, "Popen", lambda command, env: seen.append(env))
    runpy.run_path(str(DOCS / "build.py"))["start"](language, tmp_path)
    assert [environment["ONECELL_LANG"] for environment in seen] == [language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_of_docs_is_in_the_site(language: str, pages: dict[str, Built]) -> None:
    sources = {path.relative_to(DOCS) for path in (DOCS / language).rglob("*.md")}
    assert len(sources) > 20
    assert {path.with_suffix(".html").as_posix() for path in sources} <= pages.keys()
    assert all(
        page.language == LANGUAGES[language] for name, page in pages.items() if name[:2] == language
    )


def test_no_link_is_dead(pages: dict[str, Built]) -> None:
    places = {page.path.resolve(): page.ids for page in pages.values()}
    dead = []
    for name, page in pages.items():
        for link in page.links:
            if is_outside(link) or link in ("", "#"):
                continue
            path, _, place = link.partition("#")
            to = (page.path.parent / unquote(path)).resolve() if path else page.path.resolve()
            if not to.is_file() or (place and unquote(place) not in places.get(to, set())):
                dead.append(f"{name}: {link}")
    assert dead == []


def test_links_that_lead_out_look_like_links(pages: dict[str, Built]) -> None:
    out = {link for page in pages.values() for link in page.links if is_outside(link)}
    assert len(out) > 5
    whole = re.compile(r"https://[a-z0-9-]+(\.[a-z0-9-]+)+(/[^\s<>\"`]*)?")
    assert [link for link in out if not whole.fullmatch(link)] == []


def test_links_into_the_repository_lead_to_files(pages: dict[str, Built]) -> None:
    found = 0
    for page in pages.values():
        for link in page.links:
            if match := re.fullmatch(
                r"https://github\.com/[^/]+/[^/]+/(?:blob|tree)/main/(.+)", link
            ):
                found += 1
                assert (DOCS.parent / match[1]).exists(), link
    assert found > 5


def test_everything_that_a_page_loads_is_in_the_site(pages: dict[str, Built], site: Path) -> None:
    for page in pages.values():
        for load in page.loads:
            assert not is_outside(load), load
            assert not load.startswith("//")
            assert (page.path.parent / load.partition("?")[0]).is_file(), load
    for sheet in site.rglob("*.css"):
        urls = re.findall(r"(?:url\(|@import)\s*[\"']?([^\"')]+)", sheet.read_text("utf-8"))
        assert [url for url in urls if url.startswith(("http", "//"))] == [], sheet


def test_every_picture_says_what_it_shows(pages: dict[str, Built]) -> None:
    shown = [(name, alt) for name, page in pages.items() for alt in page.pictures.values()]
    assert len(shown) > 6
    assert [name for name, alt in shown if not alt] == []


def test_every_page_leads_to_itself_in_the_other_language(pages: dict[str, Built]) -> None:
    for name, page in pages.items():
        there = ("zh" if name[:2] == "en" else "en") + name[2:]
        to = (page.path.parent / page.other).resolve()
        assert to == pages[there].path.resolve(), name


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebooks_can_be_taken_along(name: str, language: str, pages: dict[str, Built]) -> None:
    page = pages[f"{language}/start/{name}.html"]
    (link,) = (link for link in page.links if link.endswith(".ipynb"))
    notebook = json.loads((page.path.parent / link).read_text("utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    source = (DOCS / language / "start" / f"{name}.md").read_text("utf-8")
    blocks = re.findall(r"```\{code-cell\} \w+\n(.*?)^```$", source, re.DOTALL | re.MULTILINE)
    assert cells == [re.sub(r"\A(?::\w.*\n)+\n?", "", block).rstrip("\n") for block in blocks]
    assert len(cells) > 5

"""Pages of HTML as what leads where: places, links, and what is loaded."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

LOADED = {"stylesheet", "icon", "shortcut icon", "prefetch", "preload", "modulepreload"}


@dataclass
class Built:
    """One page."""

    path: Path
    language: str = ""
    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    pictures: dict[str, str] = field(default_factory=dict)
    """Address → what stands for it."""
    other: str = ""
    """The link to the other language."""


class _Reader(HTMLParser):
    def __init__(self, built: Built) -> None:
        super().__init__()
        self.built = built

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        built = self.built
        if "id" in given:
            built.ids.add(given["id"])
        if tag == "html":
            built.language = given.get("lang", "")
        elif tag == "a" and "href" in given:
            built.links.append(given["href"])
            if "other-language" in given.get("class", ""):
                built.other = given["href"]
        elif tag == "img":
            built.pictures[given["src"]] = given.get("alt", "")
        elif (tag == "link" and given.get("rel") in LOADED) or "src" in given:
            built.loads.append(given.get("src") or given["href"])


def read(path: Path) -> Built:
    """Return what is in a page."""
    built = Built(path)
    reader = _Reader(built)
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    built.loads += built.pictures
    return built

"""Links that lead out of a language's pages: into the repository, or to the other language."""

from __future__ import annotations

import os.path
import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

LANGUAGES = {"en": "English", "zh": "中文"}
_SWITCH = re.compile(r"^\[(?:English|中文)\]\(\.\./[^)]*\)\n", re.MULTILINE)
_PLACE = re.compile(r'<a id="([^"]+)">')
_LINK = re.compile(r"(?<!!)(\[[^\]]*\])\(((?:\.\./)+[^)#\s]*)(#[^)\s]*)?\)")


def read_source(app: Sphinx, docname: str, source: list[str]) -> None:
    """Make links to files beside the pages addresses in the repository or in the other language."""
    pages = Path(app.srcdir)
    folder = (pages / docname).parent
    root = pages.parents[1]

    def lead(match: re.Match[str]) -> str:
        text, path, anchor = match[1], match[2], match[3] or ""
        place = Path(os.path.normpath(folder / path))
        if place.is_relative_to(pages):
            return match[0]
        if place.is_relative_to(pages.parent) and place.suffix == ".md":
            built = Path(os.path.relpath(place, folder)).with_suffix(".html").as_posix()
            return f"{text}({built}{anchor}){{.external}}"
        return f"{text}({_repository(app, place.relative_to(root), place.is_dir())}{anchor})"

    text = _LINK.sub(lead, _SWITCH.sub("", source[0]))  # here every page has a switch
    for name in _PLACE.findall(text):  # of HTML, which Sphinx does not read
        text = text.replace(f"](#{name})", f"](#{name}){{.external}}")
    source[0] = text


def _repository(app: Sphinx, path: Path, is_folder: bool) -> str:
    return f"{app.config.repository}/{'tree' if is_folder else 'blob'}/main/{path.as_posix()}"


def add_switch(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    """Tell the template where this page is in the other language."""
    del templatename, doctree
    here = Path(app.srcdir).name
    (there,) = (name for name in LANGUAGES if name != here)
    page = pagename
    if app.project.path2doc(f"{pagename}.md") in app.project.docnames:
        page = (
            pagename if (Path(app.srcdir).parent / there / f"{pagename}.md").exists() else "index"
        )
    up = "../" * (pagename.count("/") + 1)
    context["other_language"] = {
        "name": LANGUAGES[there],
        "code": "zh-CN" if there == "zh" else there,
        "address": f"{up}{there}/{page}.html",
    }


def setup(app: Sphinx) -> dict[str, Any]:
    """Take the repository's address from the configuration."""
    app.add_config_value("repository", "", "env")
    app.connect("source-read", read_source)
    app.connect("html-page-context", add_switch)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

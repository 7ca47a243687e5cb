"""Notebooks that are kept as Markdown, offered on their pages as .ipynb files too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jupytext
from sphinx.application import Sphinx

_FOLDER = "_notebooks"


def add_download(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    """Write the page as a notebook beside the site, and tell the template where it is."""
    del templatename
    source = Path(app.srcdir) / f"{pagename}.md"
    if doctree is None or not is_notebook(source):
        return
    target = Path(app.outdir) / _FOLDER / f"{source.stem}.ipynb"
    target.parent.mkdir(exist_ok=True)
    jupytext.write(jupytext.read(source, fmt="md:myst"), target)
    context["notebook"] = f"{'../' * pagename.count('/')}{_FOLDER}/{target.name}"


def is_notebook(source: Path) -> bool:
    """Return whether a page is a notebook as text."""
    return source.exists() and "{code-cell}" in source.read_text(encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the download to the pages."""
    app.connect("html-page-context", add_download)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

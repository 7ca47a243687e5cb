"""The README as a package index shows it: what it links to and draws lies in the repository."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_TARGET = re.compile(r"(?P<picture>!?)(?P<text>\[[^\]]*\])\((?P<target>[^)]+)\)")


def absolute(text: str, home: str) -> str:
    """Return Markdown whose links and pictures lead from anywhere to the repository at `home`."""

    def lead(match: re.Match[str]) -> str:
        target = match["target"]
        if "://" not in target and not target.startswith("#"):
            target = f"{home}/{'raw' if match['picture'] else 'blob'}/main/{target}"
        return f"{match['picture']}{match['text']}({target})"

    return _TARGET.sub(lead, text)


def dynamic_metadata(
    field: str, _settings: object, project: Mapping[str, Any]
) -> str | dict[str, str]:
    """Return `project.readme`, as scikit-build-core asks for it."""
    if field != "readme":
        raise ValueError(f"`field` must be readme, got {field!r}.")
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return {"content-type": "text/markdown", "text": absolute(text, project["urls"]["Homepage"])}

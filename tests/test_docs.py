"""The documents are true: their code runs, their links lead somewhere, both languages agree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted(p for p in ROOT.rglob("*.md") if not {".venv", "build"} & set(p.parts))


def code(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def without_comments(blocks: list[str]) -> list[str]:
    return [re.sub(r"\s*#.*", "", block) for block in blocks]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
    for link in links:
        if "://" not in link:
            assert (page.parent / link).exists(), link


def test_the_code_of_the_readme_runs() -> None:
    (block,) = code(ROOT / "README.md", "python")
    names: dict[str, object] = {}
    exec(compile(block, "README.md", "exec"), names)
    assert {"h_all", "grads"} <= names.keys()


def test_both_languages_show_the_same_code() -> None:
    english, chinese = ROOT / "README.md", ROOT / "README.zh.md"
    for language in ("python", "sh"):
        blocks = without_comments(code(english, language))
        assert blocks
        assert blocks == without_comments(code(chinese, language))

"""The Chinese of every text that the program says: one table, English template → Chinese.

`docs/zh/reference/glossary.md` has the terms. A place to be filled is `{name}`; one whose name
begins with `_` holds a text that has Chinese of its own; `{quoted}` takes names in backticks
alone. A file is a room of the program.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from onecell.chinese import (
    checkpoints,
    commands,
    errors,
    formats,
    insertion,
    layouts,
    migration,
    model_files,
    proofs,
    rules,
)

TEXTS: Final[dict[str, str]] = {
    **commands.TEXTS,
    **proofs.TEXTS,
    **errors.TEXTS,
    **checkpoints.TEXTS,
    **layouts.TEXTS,
    **formats.TEXTS,
    **model_files.TEXTS,
    **insertion.TEXTS,
    **migration.TEXTS,
    **rules.TEXTS,
}
"""English template → Chinese. Where two fit a text, the first counts."""

FOUND_BY_PATTERN: Final = (
    *(
        *proofs.TEXTS,
        *checkpoints.TEXTS,
        *layouts.TEXTS,
        *formats.TEXTS,
        *model_files.TEXTS,
        *insertion.TEXTS,
        *migration.TEXTS,
        *rules.TEXTS,
        *errors.TEXTS,
    ),
)
_PLACE: Final = re.compile(r"(?<!\{)\{(\w+)(?::[^}]*)?\}(?!\})")
_NAMES: Final = "…|(?:`[^`]*`(?:, | and )?)+"
_MORE: Final = re.compile(r" and (\d+) more$")
_LONGEST: Final = 2_000
"""A longer text is no sentence of ours, and stays."""
_DEEPEST: Final = 8
"""So many texts stand in each other: a file's name, what is wrong with it, what it holds."""


def finish(fact: str) -> str:
    """Return a list of names with its count of those left out in Chinese."""
    return _MORE.sub(r" 等另 \1 个", fact)


@lru_cache(maxsize=4096)
def find(text: str, deep: int = 0) -> str | None:
    """Return the Chinese of a filled template, or None; one final full stop is not looked at."""
    if len(text) > _LONGEST or deep > _DEEPEST:
        return None
    if (whole := _whole().get(text)) is not None:
        return whole
    for start, pattern, chinese in _patterns():
        if text.startswith(start) and (match := pattern.fullmatch(text)):
            filled = _fill(chinese, match.groupdict(), deep + 1)
            if filled is not None:
                return filled
    if text.endswith(".") and text[-2:-1] != "." and (bare := find(text[:-1], deep)) is not None:
        return f"{bare}。"
    return None


def _fill(chinese: str, facts: dict[str, str], deep: int) -> str | None:
    """Return a template filled; None where it is nothing but names and none of them is known."""
    filled = {name: finish(said) for name, said in facts.items()}
    nested = {name: find(facts[name], deep) for name in facts if f"{{_{name}}}" in chinese}
    if nested and not any(nested.values()) and not re.search(r"\w", _PLACE.sub("", chinese)):
        return None
    return chinese.format(
        **filled, **{f"_{name}": said or filled[name] for name, said in nested.items()}
    )


@lru_cache(maxsize=1)
def _whole() -> dict[str, str]:
    """Return the texts in which nothing is to be filled."""
    return {_bare(english): _bare(chinese) for english, chinese in TEXTS.items()}


def _bare(text: str) -> str:
    return text.replace("{{", "{").replace("}}", "}")


@lru_cache(maxsize=1)
def _patterns() -> list[tuple[str, re.Pattern[str], str]]:
    """Return how each template begins, what it fits, and its Chinese."""
    found = []
    for english in FOUND_BY_PATTERN:
        # Between the places stands what does not change.
        parts = _PLACE.split(english)
        fixed = [_bare(each) for each in parts[::2]]
        pattern, seen = re.escape(fixed[0]), set[str]()
        for name, after in zip(parts[1::2], fixed[1:], strict=True):
            taken = _NAMES if name == "quoted" else ".*?"
            pattern += f"(?P={name})" if name in seen else f"(?P<{name}>{taken})"
            pattern += re.escape(after)
            seen.add(name)
        if seen:
            compiled = re.compile(pattern, re.DOTALL)
            found.append((sum(map(len, fixed)), fixed[0], compiled, TEXTS[english]))
    # What has more of its own goes first: a loose template fits many a text.
    return [each[1:] for each in sorted(found, key=lambda each: each[0], reverse=True)]

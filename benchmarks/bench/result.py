"""A result as a file: sections, each measured in one go, of one machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

FORMAT: Final = 1
RESULTS: Final = Path(__file__).parents[1] / "results"


class ResultError(ValueError):
    """A result cannot be read, or may not be added to."""


def load(path: Path) -> dict[str, Any]:
    """Return a result.

    Raises:
        ResultError: it is not there, or no result of this format.
    """
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as problem:
        raise ResultError(f"`{path}` holds no result: {problem}") from problem
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ResultError(f"`{path}` is no result of format {FORMAT}; measure again.")
    return found


def begin(path: Path, machine: dict[str, Any], *, update: bool) -> dict[str, Any]:
    """Return a result to fill: what is there, where it is to be updated, else an empty one.

    Raises:
        ResultError: what is there comes from another machine or other versions.
    """
    if update and path.exists():
        found = load(path)
        changed = sorted(key for key in machine if machine[key] != found["machine"].get(key))
        if changed:
            raise ResultError(
                f"`{path}` was measured elsewhere: {', '.join(changed)} differ. Leave out --update."
            )
        return found
    return {"format": FORMAT, "machine": machine, "sections": {}}


def save(result: dict[str, Any], path: Path) -> None:
    """Write a result, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)

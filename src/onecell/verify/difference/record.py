"""A difference table as JSON, and back: how tables are stored."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

from onecell.errors import TableError
from onecell.language import Text
from onecell.verify.difference.common.adapters import ADAPTERS
from onecell.verify.difference.values import (
    SECTIONS,
    Finding,
    Json,
    Observation,
    Outcome,
    Table,
    Verdict,
)

SCHEMA: Final = "onecell.difference/1"
"""Changes when a reader of the old form would misread the new one."""

STORED: Final = Path(__file__).parent / "stored" / "torch-2.13.0-mindspore-2.10.0.json"
"""The table of the releases that onecell is developed against.

To renew it, and the pages in docs/ that are made of it:

    onecell diff torch mindspore --json --force --out STORED
    page=reference/difference-table.md
    onecell diff torch mindspore --stored --format markdown --force --out docs/en/$page
    onecell diff torch mindspore --stored --format markdown --lang zh --force --out docs/zh/$page
"""

LARGEST: Final = 16 * 2**20
"""A stored table is a few hundred kilobytes; a file of more bytes than this is none."""


def to_json(table: Table) -> dict[str, Any]:
    """Return `table` as plain dictionaries, lists, strings and finite numbers."""
    return {
        "schema": SCHEMA,
        "frameworks": list(table.frameworks),
        "versions": dict(table.versions),
        "holds": table.holds,
        **({"above": dict(table.above)} if table.above else {}),
        "rows": [_finding(each) for each in table.findings],
    }


def dump(table: Table) -> str:
    """Return `table` as the text of a JSON file."""
    return json.dumps(to_json(table), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def from_json(tree: object) -> Table:
    """Return the table that `to_json` made `tree` of.

    Raises:
        TableError: it is none, or of another schema.
    """
    if not isinstance(tree, dict) or "schema" not in tree:
        raise TableError("it is not a difference table as `onecell diff --json` writes")
    if tree["schema"] != SCHEMA:
        raise TableError(f"`schema` must be {SCHEMA!r}, got {repr(tree['schema'])[:80]}")
    try:
        first, second = map(_text, tree["frameworks"])
        found = Table(
            (first, second),
            {_text(name): _or_none(v) for name, v in tree["versions"].items()},
            tuple(_read_finding(each) for each in tree["rows"]),
            {_text(name): _text(text) for name, text in tree.get("above", {}).items()},
        )
        _check_sides(found)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise TableError(
            f"it is not a whole difference table: {type(error).__name__} {repr(str(error))[:80]}"
        ) from None
    return found


def load_table(path: str | os.PathLike[str]) -> Table:
    """Return the table in a JSON file. Nothing in it is executed.

    Raises:
        TableError: the file cannot be read, or holds no table.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise TableError(f"{path}: it has more than {LARGEST} bytes; no table has")
        tree = json.loads(content, parse_constant=_refuse)
        json.dumps(tree, ensure_ascii=False).encode()  # half a surrogate pair could not be shown
        return from_json(tree)
    except OSError as error:
        raise TableError(f"{path}: {error.strerror or error}.") from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, TableError):
            raise TableError(f"{path}: {error}.") from None
        raise TableError(f"{path}: it is not JSON ({error!s:.80}).") from None


def stored_table() -> Table:
    """Return the table that comes with onecell; runs nothing and needs no framework."""
    return load_table(STORED)


def _check_sides(table: Table) -> None:
    """Raise unless every row has both frameworks, and no side that is nobody's."""
    known = {*table.frameworks, *(f"onecell.{name}" for name in table.frameworks)}
    if not set(table.frameworks) <= set(ADAPTERS):
        raise ValueError(f"frameworks {table.frameworks}")
    for finding in table.findings:
        sides = [each.side for each in finding.observations]
        if not set(table.frameworks) <= set(sides) <= known or len(sides) != len(set(sides)):
            raise ValueError(f"sides {sides} of {finding.id}")
        if not set(finding.wrong) <= known:
            raise ValueError(f"sides {finding.wrong} of {finding.id}")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON's")


def _finding(finding: Finding) -> dict[str, Any]:
    page = finding.page
    return {
        "id": finding.id,
        "section": finding.section,
        "sources": list(finding.sources),
        "matter": _both(finding.matter),
        "claim": _both(finding.claim),
        "onecell": _both(finding.onecell),
        "verdict": finding.verdict.value,
        "wrong": list(finding.wrong),
        "page": None if page is None else _both(page),
        "page_verdict": None if finding.page_verdict is None else finding.page_verdict.value,
        "answers": [
            {
                "side": each.side,
                "version": each.version,
                "outcome": each.outcome.value,
                "value": deepcopy(each.value),
                "said": each.said,
                "code": finding.code[each.side].split("\n"),
            }
            for each in finding.observations
        ],
    }


def _read_finding(tree: Mapping[str, Any]) -> Finding:
    verdict = tree["page_verdict"]
    section = _text(tree["section"])
    if section not in SECTIONS:
        raise ValueError(f"section {section!r}")
    return Finding(
        id=_text(tree["id"]),
        section=section,
        sources=tuple(map(_text, tree["sources"])),
        matter=_read_both(tree["matter"]),
        claim=_read_both(tree["claim"]),
        onecell=_read_both(tree["onecell"]),
        code={_text(each["side"]): "\n".join(each["code"]) for each in tree["answers"]},
        observations=tuple(_read_observation(each) for each in tree["answers"]),
        verdict=Verdict(tree["verdict"]),
        wrong=tuple(map(_text, tree["wrong"])),
        page=None if tree["page"] is None else _read_both(tree["page"]),
        page_verdict=None if verdict is None else Verdict(verdict),
    )


def _read_observation(tree: Mapping[str, Any]) -> Observation:
    value: Json = tree["value"]
    return Observation(
        _text(tree["side"]),
        _or_none(tree["version"]),
        Outcome(tree["outcome"]),
        value,
        _text(tree["said"]),
    )


def _both(text: Text) -> dict[str, str]:
    return {"en": text.en, "zh": text.zh}


def _read_both(tree: Mapping[str, Any]) -> Text:
    return Text(_text(tree["en"]), _text(tree["zh"]))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text must be a string, got {type(value).__name__}")
    return value


def _or_none(value: object) -> str | None:
    return None if value is None else _text(value)

"""The cases: read from their folders."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from onecell.migrate import Outcome, Rewrite, rewrite
from onecell.migrate.rules.written import WRITTEN

FOLDER = Path(__file__).parent / "cases"


@dataclass(frozen=True)
class RewriteCase:
    """One module before and after, and how it is rewritten."""

    name: str
    rule: str
    to: Literal["torch", "mindspore"]
    target: Literal["onecell", "native"]
    back: Literal["onecell", "native"] | None
    whole_file: bool
    run: bool
    why: str
    before: str
    after: str
    findings: dict[Outcome, int] = field(hash=False)

    def __str__(self) -> str:
        return self.name


def with_written(after: str) -> str:
    """Return a result with the functions that it is given, which it only names."""
    return re.sub("^# written: (.*)\n", lambda m: WRITTEN[m[1]].lstrip("\n"), after, flags=re.M)


def read_case(folder: Path) -> RewriteCase:
    head = tomllib.loads((folder / "case.toml").read_text())
    return RewriteCase(
        folder.name,
        head["rule"],
        head["to"],
        head["target"],
        head.get("back"),
        head.get("whole_file", False),
        head["run"],
        head.get("why", ""),
        (folder / "before.py").read_text(),
        with_written((folder / "after.py").read_text()),
        {Outcome(name): count for name, count in head.get("findings", {}).items()},
    )


@cache
def rewritten(case: RewriteCase) -> Rewrite:
    return rewrite(case.before, to=case.to, target=case.target, whole_file=case.whole_file)


CASES = [read_case(folder) for folder in sorted(FOLDER.iterdir()) if folder.is_dir()]

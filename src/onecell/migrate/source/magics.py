"""IPython's own lines in a notebook's cell, set aside so that what is left is Python.

A line such as `%matplotlib inline`, `!pip install x`, `files = !ls` or `thing?` stands where a
statement stands. Each is replaced by a name that nothing else has, and put back afterwards.
"""

from __future__ import annotations

import io
import re
import tokenize
from dataclasses import dataclass
from typing import Final

from onecell.errors import SourceError

_LINE_MAGIC: Final = re.compile(r"(?P<before>\s*)(?:[%!]|\?{1,2}\S|[,;/](?=[A-Za-z_]))")
_ASSIGNED: Final = re.compile(r"(?P<before>\s*[\w.\[\], *]+=\s*)[%!](?![=])")
_HELP: Final = re.compile(r"(?P<before>\s*)[%\w.*\[\]'\"]+\?{1,2}\s*$")
_PYTHON_CELL_MAGICS: Final = frozenset({"time", "timeit", "capture", "prun", "python", "python3"})


@dataclass(frozen=True, slots=True)
class Masked:
    """A cell's Python, and the lines that were set aside."""

    text: str
    aside: tuple[tuple[str, str], ...]
    """(the line that stands in, the line of the cell)."""

    def restore(self, text: str) -> str:
        """Return rewritten text with the lines of the cell put back.

        Raises:
            SourceError: a line that stands in for another is no longer there exactly once.
        """
        for mask, line in self.aside:
            before, found, after = text.partition(mask)
            if not found or mask in after:
                raise SourceError(f"the line {line.strip()!r} would not have survived")
            text = before + line + after
        return text


def mask(text: str, mark: str) -> Masked | None:
    """Return a cell with IPython's own lines set aside; None if the cell is not Python at all.

    Args:
        text: the cell, with line feeds at the ends of lines.
        mark: a name that is nowhere in the notebook.
    """
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    aside: list[tuple[str, str]] = []
    out: list[str] = []
    start = 0
    first = next((n for n, line in enumerate(lines) if line.strip()), 0)
    if lines and lines[first].startswith("%%"):
        if lines[first][2:].split(maxsplit=1)[:1] not in [[name] for name in _PYTHON_CELL_MAGICS]:
            return None
        start = first + 1
    for number, line in enumerate(lines):
        body = line.rstrip("\n")
        if number < start:
            before: str | None = ""
        elif aside and out[-1].rstrip("\n") == aside[-1][0] and aside[-1][1].endswith("\\"):
            stand_in = aside[-1][0]
            before = stand_in[: len(stand_in) - len(stand_in.lstrip())]
        else:
            before = _stands_alone(body)
            if before is not None and not _at_statement("".join(out)):
                before = None
        if before is None:
            out.append(line)
            continue
        stand_in = f"{before}{mark}_{len(aside)}_"
        aside.append((stand_in, body))
        out.append(stand_in + line[len(body) :])
    return Masked("".join(out), tuple(aside))


def _stands_alone(line: str) -> str | None:
    """Return what stays of a line that is IPython's own; None if it is not one."""
    for form in (_LINE_MAGIC, _ASSIGNED, _HELP):
        found = form.match(line)
        if found:
            return found["before"]
    return None


def _at_statement(before: str) -> bool:
    """Return whether a new statement begins after this text: nothing is open."""
    try:
        for _ in tokenize.generate_tokens(io.StringIO(before).readline):
            pass
    except tokenize.TokenError:
        return False
    except (SyntaxError, IndentationError):
        return True
    return True

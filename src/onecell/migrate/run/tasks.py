"""One file as it goes to a child process and comes back, and the engine on its text."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from onecell.errors import SourceError
from onecell.migrate.rewriting.rewrite import Framework, Target, rewrite
from onecell.migrate.rules.assumptions import Outside
from onecell.migrate.rules.findings import Finding, Outcome, Rewrite
from onecell.migrate.run.files import MARK
from onecell.migrate.run.results import LEFT


@dataclass(frozen=True, slots=True)
class Task:
    """One file to rewrite, as it goes to a child process."""

    data: bytes
    name: str
    to: Framework
    target: Target
    whole_file: bool
    outside: Outside | None = None

    @property
    def is_notebook(self) -> bool:
        """Whether the name says that it is a notebook."""
        return self.name.endswith(".ipynb")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a child process made of a `Task`."""

    rewrite: Rewrite
    after: bytes
    """The new content; equal to the old one where nothing changes."""
    cells: tuple[tuple[int, int], ...] = ()


def rewrite_text(text: str, task: Task) -> Rewrite:
    """Call the engine on text that compiles.

    Raises:
        SourceError: LibCST refuses the text or does not give it back as it was, or the engine
            breaks down.
    """
    import libcst  # noqa: PLC0415 - a tool library

    try:
        done = rewrite(
            text,
            to=task.to,
            target=task.target,
            whole_file=task.whole_file,
            filename=task.name,
            outside=task.outside,
        )
    except libcst.ParserSyntaxError as error:
        raise SourceError(
            f"LibCST does not parse it: line {error.raw_line}: {error.message}"
        ) from None
    except RecursionError:
        raise SourceError("nested too deeply") from None
    except MemoryError:
        raise SourceError("not enough memory to parse it") from None
    earlier = _marked_before(done)
    if not earlier:
        return done
    findings = sorted((*done.findings, *earlier), key=lambda found: (found.line, found.column))
    return replace(done, findings=tuple(findings))


_REFUSED: Final = ("cell: ", "cell_call: ", "wrap: ", "partial: ", "functional_cell: ")
"""What the comment of a refused use says first: its rule."""


def _marked_before(done: Rewrite) -> list[Finding]:
    """Return a finding for each comment of an earlier run that the engine does not repeat.

    What is left to do by hand may no longer name the other framework: `loss.backward()`, say.
    """
    lines = done.before.split("\n")
    start = f"# {MARK.decode()}: "
    marks = [n for n, line in enumerate(lines, 1) if line.lstrip().startswith(start)]
    left = [found.line for found in done.findings if found.outcome in LEFT]
    return [
        Finding(
            rule="mark",
            outcome=Outcome.REFUSED
            if lines[line - 1].lstrip().removeprefix(start).startswith(_REFUSED)
            else Outcome.MARKED,
            line=line,
            column=lines[line - 1].index("#"),
            message=f"Marked by an earlier run: {lines[line - 1].lstrip().removeprefix(start)}",
        )
        for line, stop in pairwise([*marks, len(lines) + 1])
        if not any(line < each < stop for each in left)
    ]

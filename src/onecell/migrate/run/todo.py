"""The list of what is left to do by hand: a Markdown file beside the result."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import Final
from urllib.parse import quote

from onecell.checkpoint.atomic import check_output, write_whole
from onecell.migrate.rewriting.comments import run_of
from onecell.migrate.rules.findings import Finding
from onecell.migrate.run.files import MARK
from onecell.migrate.run.results import FileOutcome, FileResult, Migration
from onecell.text import plain, short

NAME: Final = "TODO.onecell.md"
_TITLE: Final = "# Left to do by hand\n"
_START: Final = f"# {MARK.decode()}: "
_LEFT_AS_IT_IS: Final = "Left as it is: "

Named = Callable[[FileResult], Path]
"""The place of a file, seen from the folder of the list."""
_Entry = tuple[str, str, int]
"""What is left; of a notebook "cell 3, "; the line."""


def told(found: Finding) -> str:
    """Return in one line what is left of a use and what to do about it, without its rule."""
    said = found.message.removeprefix(_LEFT_AS_IT_IS)
    return f"{said.removesuffix('.')}; {found.by_hand}" if found.by_hand else said


def check_todo(folder: Path, *, force: bool) -> None:
    """Raise `OutputExistsError` if there is a file by the list's name that no run has written."""
    if not _is_ours(folder / NAME) and folder.is_dir():
        check_output(folder / NAME, force=force)


def write_todo(migration: Migration, folder: Path, named: Named) -> Path | None:
    """Write the list of what is left into `folder`, whole or not at all.

    Returns:
        Where it is; None if nothing is left, and then a list of an earlier run is gone.

    Raises:
        OSError: the folder or the disk refuses.
    """
    path = folder / NAME
    text = todo_list(migration, named)
    if text is None:
        if _is_ours(path):
            with suppress(FileNotFoundError):
                path.unlink()
        return None
    write_whole(path, [text.encode(errors="replace")], force=True)
    return path


def todo_list(migration: Migration, named: Named) -> str | None:
    """Return what is left as Markdown, what there is most of first; None if nothing is."""
    files = [(each, list(_entries(each))) for each in migration.results]
    files = [(each, entries) for each, entries in files if entries]
    if not files:
        return None
    kinds = Counter(text for _, entries in files for text, *_ in entries)
    count = sum(kinds.values())
    head = (
        f"`onecell migrate --to {migration.to}` left {count} place{'s' * (count != 1)} in"
        f" {len(files)} file{'s' * (len(files) != 1)}. What is marked has its reason above it in"
        f" the source, `{_START}…`: mend it and delete the comment. The next run writes this list"
        " anew, and removes it once nothing is left.\n"
    )
    lines = [_TITLE, head, "| times | what, and what to do |", "|---:|---|"]
    lines += [f"| {times} | {_cell(text)} |" for text, times in kinds.most_common()]
    for result, entries in files:
        name = named(result).as_posix()
        lines += [f"\n## {plain(name)}\n"]
        for text, places in groupby(entries, key=lambda entry: entry[0]):
            where = ", ".join(_link(name, cell, line) for _, cell, line in places)
            lines.append(f"- [ ] {where}: {_cell(text)}" if where else f"- [ ] {_cell(text)}")
    return "\n".join(lines) + "\n"


def _entries(result: FileResult) -> Iterator[_Entry]:
    """Yield what is left in a file as it comes out, in order."""
    if result.outcome is FileOutcome.FAILED:
        yield f"could not be migrated: {plain(result.error)}", "", 0
        return
    if result.path.suffix == ".ipynb":  # its lines are those of the cells as they were
        for found in result.left:
            cell, line = result.cell_line(found)
            yield f"{found.rule}: {told(found)}", f"cell {cell}, ", line
    elif result.rewrite is not None:
        advice = {f"{f.rule}: {f.message.removeprefix(_LEFT_AS_IT_IS)}": f for f in result.left}
        lines = result.rewrite.after.split("\n")
        for number, text in enumerate(lines, 1):
            if (comment := text.lstrip()).startswith(_START):
                said, times = run_of(comment.removeprefix(_START))
                found_here = advice.get(f"{said}.")
                at = number + 1
                while lines[at - 1 : at] and lines[at - 1].lstrip().startswith("#"):
                    at += 1
                what = said if found_here is None else f"{found_here.rule}: {told(found_here)}"
                yield from ((what, "", at + below) for below in range(times))
    if not result.left:
        for remain in result.remains:
            for in_cell, at in remain.places:
                where = "" if in_cell is None else f"cell {in_cell}, "
                yield f"still `{short(remain.name)}`", where, at


def _link(name: str, cell: str, line: int) -> str:
    if not line:
        return ""
    anchor = "" if cell else f"#L{line}"
    return f"[{cell}line {line}]({quote(name)}{anchor})"


def _cell(text: str) -> str:
    return plain(text).replace("|", "\\|")


def _is_ours(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_TITLE)) == _TITLE.encode()
    except OSError:
        return False


def common_folder(migration: Migration) -> Path:
    """Return the folder that all files of a migration are below."""
    homes = [each.root or each.path.parent for each in migration.results]
    return Path(os.path.commonpath([home.absolute() for home in homes])) if homes else Path()

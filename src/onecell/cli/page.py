"""The page that a port ends with: one beside every proof."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from rich.console import Console

from onecell.checkpoint.atomic import check_output
from onecell.errors import MissingExtraError
from onecell.language import Language, say, translated
from onecell.text import plain
from onecell.verify import Proof

SUFFIX: Final = ".report.html"


def page_of(proof: Path) -> Path:
    """Return where the page about the proof in the file `proof` goes."""
    return proof.with_name(proof.name.removesuffix(".proof.json") + SUFFIX)


def check_page(proof: Path, *, force: bool) -> None:
    """Raise before anything is computed if the page about `proof` cannot be written."""
    if proof.parent.is_dir():
        check_output(page_of(proof), force=force)


def write_pages(
    proofs: Iterable[Proof],
    command: str,
    console: Console,
    *,
    language: Language | None = None,
    force: bool = False,
) -> None:
    """Write a page beside every proof, and print where; without the extra, say so and go on.

    Args:
        proofs: of the checkpoints of one call.
        command: what repeats it.
        console: where the paths are printed.
        language: in which the pages open; None for that of the reader's browser.
        force: replace pages that are there.
    """
    from onecell.verify.difference import stored_table  # noqa: PLC0415
    from onecell.verify.report import write_report  # noqa: PLC0415

    table = stored_table()
    for proof in proofs:
        path = page_of(proof.report)
        try:
            write_report(
                path,
                proof,
                difference=table,
                command=command,
                language=language,
                force=force,
            )
        except MissingExtraError as error:
            sys.stderr.write(f"onecell: {plain(translated(str(error)))}\n")
            return
        console.print(say("Page: {path}", path=plain(str(path))), soft_wrap=True, markup=False)


def say_command(verb: str, words: Iterable[object], options: Mapping[str, object]) -> str:
    """Return a command line; options that are None, False or empty are left out."""
    said = ["onecell", verb, *map(str, words)]
    for name, value in options.items():
        if value is True:
            said.append(name)
        elif isinstance(value, list):
            said += [word for each in value for word in (name, str(each))]
        elif value is not None and value is not False:
            said += [name, str(value)]
    return shlex.join(said)

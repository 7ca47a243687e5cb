"""Write the report: a single file that needs no network and asks for none."""

from __future__ import annotations

import base64
import hashlib
import os
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from onecell.checkpoint.atomic import write_whole
from onecell.errors import MissingExtraError
from onecell.language import Language, Text
from onecell.verify.comparing.comparison import Comparison
from onecell.verify.comparing.whole_files import Comparisons
from onecell.verify.difference import SECTIONS, Observation, Table
from onecell.verify.difference.words import TITLES, VERDICTS, lines
from onecell.verify.port import Proof
from onecell.verify.record import version

if TYPE_CHECKING:
    from onecell.verify.report.page import Page

TEMPLATES: Final = Path(__file__).with_name("templates")
EXTRA: Final = "report"


def write_report(
    path: str | os.PathLike[str],
    subject: Comparison | Comparisons | Proof,
    *,
    difference: Table | None = None,
    command: str | None = None,
    created: datetime | None = None,
    language: Language | None = None,
    force: bool = False,
) -> None:
    """Write the page about `subject` to `path`, whole or not at all.

    Args:
        path: the file, usually NAME.html.
        subject: a comparison of two cells or of two files, or the proof of a port.
        difference: the difference table to show with it.
        command: what repeats it, as typed in a shell; None for what `subject` itself says.
        created: when it was found; None for now.
        language: in which the page opens, "en" or "zh"; None for that of the reader's browser.
        force: replace a file that is there.

    Raises:
        MissingExtraError: Jinja2 or matplotlib is not installed.
        OutputExistsError: something is at `path` and `force` is not set.
        OSError: the folder or the disk refuses.
    """
    text = render_report(
        subject, difference=difference, command=command, created=created, language=language
    )
    write_whole(path, [text.encode(errors="backslashreplace")], force=force)


def render_report(
    subject: Comparison | Comparisons | Proof,
    *,
    difference: Table | None = None,
    command: str | None = None,
    created: datetime | None = None,
    language: Language | None = None,
) -> str:
    """Return the page about `subject` as HTML; arguments and errors as `write_report`.

    The same arguments give the same bytes.
    """
    moment = (created or datetime.now(UTC)).astimezone(UTC)
    try:
        return _fill(_page(subject, command, f"{moment:%Y-%m-%d %H:%M} UTC"), difference, language)
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library not in {"jinja2", "matplotlib", "markupsafe"}:
            raise
        raise MissingExtraError(library, EXTRA, "the report") from error


def _page(subject: Comparison | Comparisons | Proof, command: str | None, created: str) -> Page:
    if isinstance(subject, Comparison):
        from onecell.verify.report.from_comparison import page_of_comparison  # noqa: PLC0415

        return page_of_comparison(subject, command or subject.command, created)
    if isinstance(subject, Comparisons):
        from onecell.verify.report.from_comparison import page_of_files  # noqa: PLC0415

        return page_of_files(subject, command or subject.command, created)
    from onecell.verify.report.from_proof import page_of_proof  # noqa: PLC0415

    target = subject.target
    words = ("onecell", "port", str(subject.source.path), "--to", target.dialect)
    again = shlex.join([*words, "--out", str(target.path.parent)])
    return page_of_proof(subject, command or again, created)


def _fill(page: Page, difference: Table | None, language: Language | None) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415
    from markupsafe import Markup, escape  # noqa: PLC0415

    def both(en: str, zh: str) -> Markup:
        if en == zh:
            return escape(en)
        return Markup('<span lang="en">{}</span><span lang="zh">{}</span>').format(en, zh)

    def say(text: Text) -> Markup:
        return both(text.en, text.zh)

    def coded(text: str) -> Markup:
        parts = text.split("`")
        code = Markup("<code>{}</code>")
        return Markup().join(
            code.format(part) if place % 2 else escape(part) for place, part in enumerate(parts)
        )

    def prose(text: Text) -> Markup:
        return both(coded(text.en), coded(text.zh))

    def answer(observation: Observation | None) -> Markup:
        if observation is None:
            return Markup("–")
        pairs = zip(lines(observation, "en"), lines(observation, "zh"), strict=True)
        return Markup("<br>").join(both(en, zh) for en, zh in pairs)

    # The two are put into the page as they are: their hashes stand in its security policy.
    style = Markup((TEMPLATES / "report.css").read_text("utf-8"))  # noqa: S704
    script = Markup((TEMPLATES / "report.js").read_text("utf-8"))  # noqa: S704
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "both": both,
        "say": say,
        "prose": prose,
        "answer": answer,
        "Markup": Markup,
    }
    return environment.get_template("report.html.j2").render(
        page=page,
        language=language,
        difference=difference,
        sections=SECTIONS,
        verdicts=VERDICTS,
        titles=TITLES,
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        version=version("onecell"),
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

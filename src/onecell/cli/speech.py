"""Which language a command speaks, and whether its streams can show it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.text import Text

from onecell.cli.options import choose
from onecell.errors import ArgumentError
from onecell.language import LANGUAGES, VARIABLE, Language, locale_language, speak, spoken

_SAMPLE: Final = "中文，；"


class Lines(Console):
    """A console on which Chinese goes on to the terminal's edge, as it breaks anywhere."""

    def print(self, *objects: Any, **options: Any) -> None:  # noqa: ANN401
        """Print as rich does, words of Chinese not kept together."""
        if spoken() == "zh" and all(isinstance(each, (str, Text)) for each in objects):
            options.setdefault("soft_wrap", True)
        super().print(*objects, **options)


def begin(environment: Mapping[str, str]) -> None:
    """Speak what ONECELL_LANG or else the locale asks for, if the output can show it.

    Raises:
        ArgumentError: ONECELL_LANG is neither "en" nor "zh".
    """
    speak("en")
    given = environment.get(VARIABLE)
    if given and given not in LANGUAGES:
        raise ArgumentError(f"`{VARIABLE}` must be {' or '.join(LANGUAGES)}, got {given!r}.")
    wanted = _language(given) if given else locale_language(environment)
    speak(wanted if _can_show(wanted) else "en")


def page_language(option: str | None) -> Language | None:
    """Return the language in which a page opens; None, the reader's, where nobody chose one."""
    return spoken() if option or os.environ.get(VARIABLE) or spoken() == "zh" else None


def _language(name: str) -> Language:
    return "zh" if name == "zh" else "en"


def _encoding() -> str:
    return getattr(sys.stdout, "encoding", None) or "ascii"


def _can_show(language: Language) -> bool:
    try:
        if language == "zh":
            _SAMPLE.encode(_encoding())
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _choose_language(name: str | None) -> str | None:
    if name is not None:
        wanted = _language(choose(name, LANGUAGES))
        if _can_show(wanted):
            speak(wanted)
        else:
            sys.stderr.write(
                f"onecell: the output's encoding, {_encoding()}, has no Chinese; what "
                "follows is English.\n"
            )
    return name


def _complete_language(incomplete: str) -> list[str]:
    return [name for name in LANGUAGES if name.startswith(incomplete)]


Lang = Annotated[
    str | None,
    typer.Option(
        "--lang",
        metavar="LANGUAGE",
        is_eager=True,
        callback=_choose_language,
        autocompletion=_complete_language,
        help=r"Speak en or zh.  \[default: ONECELL_LANG, else the locale's]",
        show_default=False,
    ),
]

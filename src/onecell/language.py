"""What is said to people, in one of two languages: English stands in the code, Chinese in a table.

A text in the code is an English template; `say` fills it. What other rooms have filled already, an
error's text or a note, is turned around at the end by `translated`, which knows it by its template.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, Literal

from onecell.text import LONGEST_NAME, MOST_NAMES
from onecell.text import listed as listed_in_english

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")

VARIABLE: Final = "ONECELL_LANG"
_LOCALE: Final = ("LC_ALL", "LC_MESSAGES", "LANG")
"""The first of these that is set is the locale's, as POSIX has it."""

_spoken: ContextVar[Language] = ContextVar("onecell_language", default="en")


@dataclass(frozen=True, slots=True)
class Text:
    """The same words in the two languages."""

    en: str
    zh: str

    def get(self, language: Language) -> str:
        """Return the words in `language`."""
        return self.zh if language == "zh" else self.en


def speak(language: Language) -> None:
    """Say what follows in `language`."""
    _spoken.set(language)


def spoken() -> Language:
    """Return the language in which things are said now; English unless a command line spoke."""
    return _spoken.get()


def locale_language(environment: Mapping[str, str]) -> Language:
    """Return the language that the locale asks for: "zh" for zh_CN.UTF-8 and the like."""
    name = next((environment[each] for each in _LOCALE if environment.get(each)), "")
    return "zh" if re.match(r"zh\b|zh_", name, re.IGNORECASE) else "en"


def say(template: str, /, **facts: object) -> str:
    """Return `template`, a text of the table, filled with `facts` in the language that is spoken.

    Raises:
        KeyError: Chinese is spoken and the table lacks the text, or a fact is missing.
    """
    if spoken() == "en":
        return template.format(**facts)
    from onecell.chinese import TEXTS, finish  # noqa: PLC0415 - who speaks English does without

    filled = {name: finish(fact) if isinstance(fact, str) else fact for name, fact in facts.items()}
    return TEXTS[template].format(**filled)


def translated(text: str) -> str:
    """Return a finished English text in the language that is spoken, if its template is known."""
    return text if spoken() == "en" else in_chinese(text) or text


def in_chinese(text: str) -> str | None:
    """Return a finished English text in Chinese; None where no template of it is known."""
    from onecell.chinese import find  # noqa: PLC0415

    return find(text)


def counted(number: int, what: str) -> str:
    """Return "1 cell", "3 cells" or "3 个单元"; `what` is the English singular."""
    if spoken() == "en":
        return f"{number} {what}{'' if number == 1 else 's'}"
    return say(f"{{number}} {what}", number=number)


def listed(names: Iterable[object], most: int = MOST_NAMES, longest: int = LONGEST_NAME) -> str:
    """Return names as `text.listed` does, the count of those left out in the spoken language."""
    said = listed_in_english(names, most, longest)
    if spoken() == "en":
        return said
    from onecell.chinese import finish  # noqa: PLC0415

    return finish(said)


def verdict(word: str) -> str:
    """Return a verdict's word; in Chinese with the English one, by which a script finds it."""
    return word if spoken() == "en" else f"{say(word)}（{word}）"


def joined(clauses: Iterable[str]) -> str:
    """Return clauses as one: with semicolons, as wide as the language's."""
    return ("; " if spoken() == "en" else "；").join(clauses)

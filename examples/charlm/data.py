"""The text: the Zen of Python, which every Python carries in its module `this`."""

from __future__ import annotations

import codecs
import contextlib
import io


def load_text() -> str:
    """Return the poem, which `this` keeps in ROT13 and prints when it is imported."""
    with contextlib.redirect_stdout(io.StringIO()):
        import this  # noqa: PLC0415
    return codecs.decode(this.s, "rot13") + "\n"


class Vocabulary:
    """The characters of a text, each with its number."""

    def __init__(self, text: str) -> None:
        self.characters = sorted(set(text))
        self.numbers = {character: number for number, character in enumerate(self.characters)}

    def __len__(self) -> int:
        return len(self.characters)

    def encode(self, text: str) -> list[int]:
        """Return the number of every character of `text`."""
        return [self.numbers[character] for character in text]

    def decode(self, numbers: list[int]) -> str:
        """Return the text that `numbers` stand for."""
        return "".join(self.characters[number] for number in numbers)

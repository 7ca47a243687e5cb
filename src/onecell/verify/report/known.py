"""What the rest of `verify` says in English only, in both languages.

A sentence that `onecell.chinese` does not know stays in English: better than none.
"""

from __future__ import annotations

from onecell.language import Text, in_chinese


def known(text: str) -> Text:
    """Return `text` with its Chinese, where it is one of the sentences that are known."""
    return Text(text, in_chinese(text) or text)

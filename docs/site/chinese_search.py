"""Search in Chinese text, which has no spaces: every two neighbouring characters are a word.

A dictionary would have to cut a query in the browser as it cut the text; browsers have dictionaries
of their own. Pairs need none, and find whatever stands in the text: what a browser takes for words
need only be there, in any order. One character alone is found too.
"""

from __future__ import annotations

import re
from typing import Any

import snowballstemmer
from sphinx.application import Sphinx
from sphinx.search import SearchLanguage

_RUN = r"[\u3400-\u9fff]+"


class SearchChinese(SearchLanguage):
    """Chinese by pairs of characters; words of Latin letters as in English."""

    lang = "zh"
    language_name = "English"  # of the stemmer, which is English's
    js_stemmer_rawcode = "english-stemmer.js"
    js_splitter_code = r"""
const CHINESE = /^[\u3400-\u9fff]{2,}$/u;
const WORDS = /[\u3400-\u9fff]+|(?:(?![\u3400-\u9fff])[\p{Letter}\p{Number}_])+/gu;
const cutter = Intl.Segmenter && new Intl.Segmenter("zh", {granularity: "word"});
const cut = (run) => cutter ? Array.from(cutter.segment(run), (each) => each.segment) : [run];
const pairs = (word) => Array.from(word.slice(1), (second, k) => word[k] + second);
function splitQuery(query) {
  return (query.match(WORDS) || []).flatMap((run) => CHINESE.test(run) ? cut(run) : [run])
    .flatMap((word) => CHINESE.test(word) ? pairs(word) : [word]);
}
"""

    def __init__(self, options: dict[str, str]) -> None:
        super().__init__(options)
        self._stemmer = snowballstemmer.stemmer("english")
        self._words = re.compile(rf"{_RUN}|[^\W\u3400-\u9fff]+")

    def split(self, input: str) -> list[str]:  # noqa: A002 - the base's name
        """Return the words of a text: pairs of characters, single ones, and Latin words."""
        found = []
        for word in self._words.findall(input):
            if re.match(_RUN, word):
                found += [*word, *(word[k : k + 2] for k in range(len(word) - 1))]
            else:
                found.append(word)
        return found

    def stem(self, word: str) -> str:
        """Return what the browser makes of the word too."""
        stemmed: str = self._stemmer.stemWord(word.lower())
        return stemmed


def setup(app: Sphinx) -> dict[str, Any]:
    """Have Sphinx use it for Chinese."""
    app.add_search_language(SearchChinese)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

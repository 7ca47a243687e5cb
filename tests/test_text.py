"""Names that came from outside: printable, one line, never cut without a word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onecell.text import LONGEST_NAME, listed, plain, short


def test_plain_is_one_printable_line() -> None:
    assert plain("a\nb\x00c\x1b") == "a b\\x00c\\x1b"


@given(st.text(max_size=300), st.integers(min_value=3, max_value=80))
def test_a_short_name_is_printable_and_no_longer_than_asked(name: str, longest: int) -> None:
    found = short(name, longest)
    assert len(found) <= longest
    assert found.isprintable()


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=LONGEST_NAME))
def test_a_name_that_fits_is_whole(name: str) -> None:
    assert short(name) == name


def test_a_long_name_keeps_its_ends() -> None:
    assert short("model." + "x" * 1000 + ".weight_ih", 21) == "model.xxxx….weight_ih"


def test_a_long_name_costs_what_is_shown_of_it() -> None:
    assert short("\x1b" * 10_000_000, 20).endswith("\\x1b")


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, ""),
        (1, "0"),
        (2, "0, 1"),
        (3, "0, 1, 2"),
        (4, "0, 1 and 2 more"),
        (12, "0, 1 and 10 more"),
    ],
)
def test_a_list_says_how_many_more_there_are(count: int, said: str) -> None:
    assert listed(range(count), most=2) == said

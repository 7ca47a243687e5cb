"""One file: what the engine does not touch comes back with its bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from migrate.sources import MOVED, USE, write
from onecell.errors import SourceError
from onecell.migrate import FileOutcome, Outcome, migrate_file
from onecell.migrate.run.jobs import migrate_data
from onecell.migrate.run.tasks import Answer, Task
from onecell.migrate.source.text import Text, decode


def moved(data: bytes, name: str = "model.py") -> Answer:
    """Rewrite for MindSpore, in this process."""
    return migrate_data(Task(data, name, "mindspore", "onecell", whole_file=False))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=repr)
def test_line_ends_are_kept(end: str) -> None:
    after = moved(USE.replace("\n", end).encode()).after
    assert after == moved(USE.encode()).after.replace(b"\n", end.encode())
    assert MOVED.encode() in after


def test_mixed_line_ends_are_kept_line_by_line() -> None:
    tail = b"a = 1\r\nb = 2\rd = 3\n\r\n"
    after = moved(USE.replace("\n", "\r\n", 1).encode() + tail).after
    assert after.endswith(b"\n" + tail)
    assert MOVED.encode() in after


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param("x = 1", id="no final newline"),
        pytest.param("if cell:\n\tx = 1\n\ty = 2\n", id="tabs"),
        pytest.param("x = 1  \t \n   \n\t\n", id="trailing whitespace"),
        pytest.param("x = 1\n\f\n\n\fdef f():\n    \f\n    return 1\n", id="form feeds"),
        pytest.param("x = '''a\r\nb\n'''\n", id="line ends in a string"),
        pytest.param("x = (1,\n# a comment\n      2 )   # another\n\n\n\n", id="comments"),
        pytest.param("x = 1 ; y = 2;\nz = \\\n  3\n", id="semicolons and backslashes"),
        pytest.param("x = 1  # \\\n", id="a backslash at the end of a comment"),
        pytest.param("x = 1\n# one\n# two \\\r\n\n", id="and before blank lines"),
        pytest.param("x = '#' \\\n\n", id="and of a line that goes on"),
        pytest.param("x = 1\n\n   \n# end", id="a loose end"),
        pytest.param("if cell:\n  y = 1\n    # a\n  # b\n", id="comments that come nearer"),
        pytest.param("x = '''\n\n  \n# '''", id="a string that looks like comments"),
        pytest.param("名前 = 'é\u2028\x85\x0b\x1c'\n", id="what other rules call line ends"),
    ],
)
def test_untouched_code_keeps_its_bytes(tail: str) -> None:
    after = moved(USE.encode() + tail.encode()).after
    assert after != USE.encode() + tail.encode()
    assert after.endswith(b"\n" + tail.encode())


@pytest.mark.parametrize(
    ("head", "letter"),
    [
        (b"\xef\xbb\xbf", "é".encode()),
        (b"# -*- coding: latin-1 -*-\n", b"\xe9"),
        (b"#!/usr/bin/python\r\n# vim: set fileencoding=cp1252 :\r\n", b"\x80"),
        (b"\xef\xbb\xbf# coding: utf-8\n", "é".encode()),
        (b"# coding: euc-jp\n", b"\xa4\xa2"),
    ],
    ids=["bom", "latin-1", "cp1252 in line 2", "bom and cookie", "euc-jp"],
)
def test_the_encoding_is_kept(head: bytes, letter: bytes) -> None:
    after = moved(head + b"name = '" + letter + b"'\n" + USE.encode()).after
    assert after.startswith(head)
    assert b"name = '" + letter + b"'\n" in after
    assert MOVED.encode() in after


def test_a_form_feed_before_a_changed_line_stays() -> None:
    after = moved(b"import torch\n\ffrom torch.nn import LSTMCell\ncell = LSTMCell(3, 4)\n").after
    assert b"\n\f" + MOVED.encode() in after


def test_a_form_feed_in_what_grows_is_not_lost_in_silence() -> None:
    with pytest.raises(SourceError, match="line 1 has a form feed, which would be lost"):
        Text.of("\fa\nb\n").encode("x\ny\nz\n")


def test_text_that_the_encoding_lacks_is_refused() -> None:
    with pytest.raises(SourceError, match=r"'→', which its encoding iso-8859-1 lacks"):
        decode(b"# coding: latin-1\n").encode("# →\n")


LINES = st.lists(
    st.tuples(
        st.text(st.sampled_from("ab \t\f'"), max_size=4), st.sampled_from(["\n", "\r\n", "\r"])
    ),
    max_size=8,
)


@given(LINES, st.booleans(), st.booleans())
def test_text_comes_back_as_it_was(lines: list[tuple[str, str]], bom: bool, whole: bool) -> None:
    original = "".join(body + end for body, end in lines) + "" * whole + "b" * (not whole)
    data = b"\xef\xbb\xbf" * bom + original.encode()
    source = decode(data)
    assert "\r" not in source.text
    assert source.encode(source.text) == data


@example([("b", "\r"), ("a", "\n")], [("b", "\n"), ("a", "\r"), ("b", "\n")], "")
@given(LINES, LINES, st.sampled_from(["new\n", "new\nnewer\n", ""]))
def test_lines_around_a_change_keep_their_bytes(
    before: list[tuple[str, str]], after: list[tuple[str, str]], new: str
) -> None:
    head, tail = ("".join(body + end for body, end in lines) for lines in (before, after))
    original = f"{head}OLD\n{tail}"
    source = Text.of(original)
    got = source.restore(source.text.replace("OLD\n", new))
    assert got.startswith(head)
    assert got.endswith(tail)


def test_no_use_is_no_finding(tmp_path: Path) -> None:
    result = migrate_file(write(tmp_path / "a.py", "import torch\n"), to="mindspore")
    assert (result.outcome, result.findings) == (FileOutcome.SAME, ())


def test_what_only_mentions_the_cell_is_untouched() -> None:
    source = b'"""torch.nn.LSTMCell(3, 4)"""\n# LSTMCell(3, 4)\nname = "torch.nn.LSTMCell"\n'
    assert moved(source) == Answer(moved(source).rewrite, source)
    assert not moved(source).rewrite.findings


def test_a_name_that_shadows_the_framework_is_not_the_framework() -> None:
    source = b"torch = fake()\ncell = torch.nn.LSTMCell(3, 4)\n"
    assert moved(source).after == source


def test_a_second_run_changes_nothing() -> None:
    once = moved(USE.encode()).after
    assert moved(once).after == once


def test_a_result_tells_where(tmp_path: Path) -> None:
    path = write(tmp_path / "a.py", USE)
    result = migrate_file(path, to="mindspore")
    assert result.outcome is FileOutcome.CHANGED
    assert (result.path, result.before) == (path, USE.encode())
    assert {each.outcome for each in result.findings} == {Outcome.CONVERTED}
    assert f"{path}:4" in [result.place(each) for each in result.findings]


def test_reading_writes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.py", USE)
    migrate_file(path, to="mindspore")
    assert path.read_text() == USE
    assert list(tmp_path.iterdir()) == [path]


def test_what_an_earlier_run_left_is_still_left() -> None:
    note = "# TODO(onecell): `backward` has no counterpart"
    source = f"from onecell.mindspore import LSTMCell\n\nif x:\n    {note}\n    loss.backward()\n"
    done = moved(source.encode())
    assert done.after == source.encode()
    (found,) = [each for each in done.rewrite.findings if each.outcome is Outcome.MARKED]
    assert (found.rule, found.line, found.column) == ("mark", 4, 4)
    assert found.message == "Marked by an earlier run: `backward` has no counterpart"


def test_what_is_left_is_told_once() -> None:
    once = moved(f"{USE}loss = torch.fft.fft(h)\n".encode())
    twice = moved(once.after)
    for done in (once, twice):
        assert [f.outcome for f in done.rewrite.findings].count(Outcome.MARKED) == 1

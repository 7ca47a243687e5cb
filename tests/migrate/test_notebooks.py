"""Notebooks: cells are one module, and the file around them keeps its bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from migrate.sources import MOVED, USE, as_file, notebook, sources, write
from onecell.errors import SourceError
from onecell.migrate import FileOutcome, migrate_file
from onecell.migrate.run.jobs import migrate_data
from onecell.migrate.run.tasks import Answer, Task
from onecell.migrate.source.magics import mask
from onecell.migrate.source.spans import Span, array_items, object_members

IMPORT, REST = USE.split("\n\n")


def moved(content: str | bytes | dict[str, Any]) -> Answer:
    """Rewrite a notebook for MindSpore, in this process."""
    text = as_file(content) if isinstance(content, dict) else content
    data = text.encode() if isinstance(text, str) else text
    return migrate_data(Task(data, "a.ipynb", "mindspore", "onecell", whole_file=False))


def lines(text: str) -> list[str]:
    """Return a cell's source as Jupyter writes it."""
    return text.splitlines(keepends=True)


def test_a_name_imported_in_one_cell_is_known_in_the_next() -> None:
    first, second = sources(moved(notebook(IMPORT, REST)).after)
    assert MOVED in first
    assert "torch.zeros" in REST
    assert "torch" not in second


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"], ids=["", "bom"])
@pytest.mark.parametrize("end", ["\n", ""], ids=["final newline", "none"])
@pytest.mark.parametrize("indent", [None, 1, 4, "\t"], ids=repr)
@pytest.mark.parametrize("ascii_only", [True, False], ids=["escaped", "plain"])
def test_the_form_of_the_json_is_kept(
    ascii_only: bool, indent: int | str | None, end: str, bom: bytes
) -> None:
    content = notebook(lines(IMPORT + "\n# 中 é\n"), lines(REST), metadata={"b": 1, "a": "ü"})
    form = {"indent": indent, "ensure_ascii": ascii_only}
    before = json.dumps(content, **form) + end  # type: ignore[arg-type]
    done = moved(bom + before.encode())
    for cell, new in zip(content["cells"], sources(done.after.removeprefix(bom)), strict=True):
        cell["source"] = lines(new)
    want = json.dumps(content, **form) + end  # type: ignore[arg-type]
    assert done.after == bom + want.encode()
    assert MOVED.encode() in done.after


def test_a_source_that_is_one_string_stays_one() -> None:
    after = json.loads(moved(notebook(IMPORT, lines(REST))).after)
    assert [type(cell["source"]) for cell in after["cells"]] == [str, list]


def test_odd_spelling_elsewhere_is_kept() -> None:
    odd = r'{"x":1e5,  "nbformat_minor" :5,"metadata":{"\u0061":"\/"},"nbformat": 4,"cells":['
    cells = [json.dumps({"cell_type": "code", "source": text}) for text in (IMPORT, REST)]
    raw = '{"cell_type":"raw","source":"torch.nn.LSTMCell(3, 4)"}'
    text = f"{odd}{cells[0]} ,{raw}\n\n,{cells[1]}] }}\r\n"
    after = moved(text).after.decode()
    assert after.startswith(odd)
    assert f" ,{raw}\n\n," in after
    assert after.endswith("] }\r\n")


def test_lines_of_a_changed_cell_keep_their_spelling() -> None:
    text = as_file(notebook(["# \u00e9 PLACE\n", *lines(IMPORT)], REST))
    text = text.replace("PLACE", r"\u0041\/")
    assert r"é \u0041\/" in moved(text).after.decode()


@pytest.mark.parametrize(
    "line",
    [
        "%matplotlib inline",
        "!pip install torch",
        "    !ls {cell}",
        "files = !ls",
        "t = %timeit -o cell",
        "cell?",
        "torch.nn??",
        "?cell",
        "!pip install a \\\n    b",
        "%time h, c = cell(x)",
        "    %cd ..",
    ],
)
def test_lines_of_ipython_are_left_alone(line: str) -> None:
    before = f"if True:\n    pass\n{line}\n" if line.startswith(" ") else f"{line}\n"
    first, second, third = sources(moved(notebook(before + IMPORT, REST, before)).after)
    assert first.startswith(before)
    assert MOVED in first
    assert second != REST
    assert third == before


def test_a_magic_for_python_covers_a_cell_that_is_rewritten() -> None:
    first, second = sources(moved(notebook(f"%%capture out\n{IMPORT}", REST)).after)
    assert first.startswith("%%capture out\n")
    assert MOVED in first
    assert second != REST


def test_a_cell_in_another_language_is_left_alone() -> None:
    shell = "%%bash\npython -c 'from torch.nn import LSTMCell'\n"
    first, second, _ = sources(moved(notebook(shell, IMPORT, REST)).after)
    assert first == shell
    assert MOVED in second


def test_what_looks_like_a_magic_in_an_expression_is_none() -> None:
    text = 'x = """\n%time\n!ls\n"""\ny = (7\n% 3)\n'
    found = mask(text + "!ls\n", "mark")
    assert found is not None
    assert found.text == text + "mark_0_\n"
    assert found.restore(found.text) == text + "!ls\n"


def test_await_and_future_imports_are_fine_in_cells() -> None:
    cells = ("x = 1\n", "from __future__ import annotations\n", "await x\n", IMPORT, REST)
    assert MOVED in sources(moved(notebook(*cells)).after)[3]


def test_a_broken_cell_that_names_no_framework_is_left_alone() -> None:
    first, second, _ = sources(moved(notebook("x = = 1", IMPORT, REST)).after)
    assert first == "x = = 1"
    assert MOVED in second


def test_nothing_is_rewritten_around_a_broken_cell_that_may_matter() -> None:
    with pytest.raises(SourceError, match=r"code cell 2 is not Python 3.*: line 1: invalid syntax"):
        moved(notebook(IMPORT, "torch = = 1", REST))


def test_findings_name_the_cell_and_its_line(tmp_path: Path) -> None:
    content = notebook("# nothing\n", "%%bash\nls", IMPORT, f"\n{REST}")
    content["cells"].insert(0, {"cell_type": "markdown", "metadata": {}, "source": "# Title"})
    path = write(tmp_path / "a.ipynb", as_file(content))
    result = migrate_file(path, to="mindspore")
    assert result.outcome is FileOutcome.CHANGED
    places = {result.place(each) for each in result.findings}
    assert f"{path}:cell 4:2" in places


def test_notebooks_in_other_languages_are_untouched() -> None:
    text = as_file(notebook(USE, metadata={"kernelspec": {"name": "ir", "language": "R"}}))
    assert moved(text).after == text.encode()


def test_a_second_run_changes_nothing() -> None:
    once = moved(notebook("%cd x\n" + IMPORT, lines(REST))).after
    assert moved(once).after == once


LINES = [
    IMPORT,
    *REST.splitlines(),
    "# torch, and no code \\",
    "%matplotlib inline",
    "!ls torch \\\n   -l",
    "cell?",
    "",
    "   ",
    "\x0c",
    "x = torch.frobnicate(3)",
    "if True:\n    torch.cuda.empty_cache()",
    "text = '''\n%time\n''' + \\\n    'y\u2028'",
    "h;",
]
ASIDE = [
    "",
    "%%bash\ntorch \\",
    "%%time",
    "%%javascript\nx = '",
    "x = 'unfinished",
    "x = 1 \\",
    "y = (",
]


@st.composite
def cells(draw: st.DrawFn) -> list[str | list[str]]:
    """Draw a notebook that uses the cell, however its sources end and are cut into lines."""
    free = st.lists(st.sampled_from(LINES), max_size=4).map("\n".join)
    texts = [*draw(st.lists(free | st.sampled_from(ASIDE), max_size=3)), f"{IMPORT}\n{REST}"]
    texts.insert(draw(st.integers(0, len(texts))), draw(free))
    found: list[str | list[str]] = []
    for text in texts:
        tail = draw(st.sampled_from(["", "\n", "\n\n", "\n  ", "\n \n\n", "\n# end"]))
        whole = (text if text in ASIDE else text + tail).replace(
            "\n", draw(st.sampled_from(["\n", "\r\n"]))
        )
        at = draw(st.integers(0, len(whole)))
        forms: list[str | list[str]] = [whole, lines(whole), [whole[:at], whole[at:]], [whole]]
        found.append(draw(st.sampled_from(forms)))
    return found


@given(cells(), st.sampled_from([None, 1]))
@example(["", f"{IMPORT}\n{REST}", "if True:\n    torch.cuda.empty_cache()"], None)
def test_however_cells_end_the_rest_is_kept(
    drawn: list[str | list[str]], indent: int | None
) -> None:
    before = notebook(*drawn)
    done = moved(json.dumps(before, indent=indent))
    after = json.loads(done.after)
    assert MOVED in "".join(sources(done.after))
    assert moved(done.after).after == done.after
    for old, new in zip(before["cells"], after["cells"], strict=True):
        was, now = "".join(old["source"]), "".join(new["source"])
        assert type(old["source"]) is type(new["source"])
        assert {**old, "source": ""} == {**new, "source": ""}
        if "torch" not in was.replace(IMPORT, "torch"):
            assert now == was
        assert "\r\n" in was or "\r" not in now
        assert now.endswith(was[len(was.rstrip()) :]) or not now.strip()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "line 1 has the end where"),
        ("", "line 1 has the end where `{`"),
        ("[]", r"line 1 has '\[' where `{`"),
        ('{"cells": [],\n "nbformat": 4,}', "line 2 has '}' where `\"`"),
        ('{"cells": [}, "nbformat": 4}', "not JSON: line 1: Expecting value"),
        ('{"worksheets": [], "nbformat": 3}', "not a notebook of format 4"),
        ('{"cells": [], "cells": [], "nbformat": 4}', "has a key twice"),
        ('{"cells": 3, "nbformat": 4}', r"line 1 has '3' where `\[`"),
        ('{"nbformat": 4, "cells": [{"cell_type": "code", "source": 3}]}', "is not text"),
        ("[" * 100_000, "where `{`"),
        ('{"metadata": ' + "[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_notebook_is_refused(text: str, why: str) -> None:
    with pytest.raises(SourceError, match=why):
        moved(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=3), JSON, max_size=4), st.sampled_from([None, 0, 2]))
def test_spans_are_where_the_values_are(content: dict[str, Any], indent: int | None) -> None:
    text = json.dumps(content, indent=indent)
    found = object_members(text, Span(0, len(text)))
    assert {key: json.loads(text[slice(*span)]) for key, span in found} == content
    for key, span in found:
        if isinstance(content[key], list):
            items = [json.loads(text[slice(*item)]) for item in array_items(text, span)]
            assert items == content[key]

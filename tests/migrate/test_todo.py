"""The list of what is left: where it is, what it says, and that it goes when nothing is left."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from migrate.sources import USE, as_file, notebook, write
from onecell.errors import OutputExistsError
from onecell.migrate import migrate_paths, write_in_place, write_tree
from onecell.migrate.run.todo import NAME

LEFT = (
    USE
    + "a = torch.fft.fft(h)\nb = torch.fft.fft(c)\n\n\ndef last(x):\n    return torch.equal(x, h)\n"
)


def test_each_entry_leads_to_the_statement_in_the_result(tmp_path: Path) -> None:
    write(tmp_path / "in/a b/model.py", LEFT)
    write(tmp_path / "in/n.ipynb", as_file(notebook("import math", LEFT)))
    write(tmp_path / "in/plain.py", "x = 1\n")
    done = write_tree(migrate_paths([tmp_path / "in"], to="mindspore"), tmp_path / "out")
    assert done.todo == tmp_path / "out" / NAME
    text = done.todo.read_text()
    assert "left 6 places in 2 files" in text
    assert "plain.py" not in text
    assert re.search(
        r"^\| 4 \| unknown: `torch\.fft\.fft` is not in the table; ", text, re.MULTILINE
    )
    lines = (tmp_path / "out/a b/model.py").read_text().split("\n")
    found = re.findall(r"\[line (\d+)\]\(a%20b/model\.py#L(\d+)\)", text)
    assert [lines[int(shown) - 1].strip() for shown, anchor in found if shown == anchor] == [
        "a = torch.fft.fft(h)",
        "b = torch.fft.fft(c)",
        "return torch.equal(x, h)",
    ]
    at = LEFT.split("\n").index("a = torch.fft.fft(h)") + 1
    assert f"[cell 2, line {at}](n.ipynb), [cell 2, line {at + 1}](n.ipynb): unknown: " in text


def test_in_place_the_list_is_above_all_files_and_goes_with_the_last_mark(tmp_path: Path) -> None:
    path = write(tmp_path / "src/model.py", LEFT)
    done = write_in_place(migrate_paths([path.parent], to="mindspore"))
    assert done.todo == path.parent / NAME
    first = done.todo.read_text()
    again = write_in_place(migrate_paths([path.parent], to="mindspore"))
    assert again.todo is not None
    assert again.todo.read_text().count("- [ ]") == first.count("- [ ]") == 2
    path.write_text("x = 1\n")
    assert write_in_place(migrate_paths([path.parent], to="mindspore")).todo is None
    assert [each.name for each in path.parent.iterdir()] == ["model.py"]


def test_what_is_left_without_a_mark_is_listed_too(tmp_path: Path) -> None:
    write(tmp_path / "in/apart.py", "import torch as t\n\nx = t.load('x.pt')\n")
    write(tmp_path / "in/bad.py", "import torch; LSTMCell = = 1\n")
    done = write_tree(migrate_paths([tmp_path / "in"], to="mindspore"), tmp_path / "out")
    assert done.todo is not None
    text = done.todo.read_text()
    assert "- [ ] [line 3](apart.py#L3): still `torch.load`" in text
    assert "- [ ] could not be migrated: not Python 3" in text


@pytest.mark.parametrize("where", ["in", "out"])
def test_a_file_of_somebody_by_that_name_is_kept(where: str, tmp_path: Path) -> None:
    path = write(tmp_path / "in/model.py", LEFT)
    own = write(tmp_path / where / NAME, "mine\n")
    done = migrate_paths([path.parent], to="mindspore")
    with pytest.raises(OutputExistsError):
        write_in_place(done) if where == "in" else write_tree(done, tmp_path / "out")
    assert (own.read_text(), path.read_text()) == ("mine\n", LEFT)
    assert [each.name for each in own.parent.iterdir() if each != path] == [NAME]


def test_nothing_left_is_no_list(tmp_path: Path) -> None:
    path = write(tmp_path / "in/model.py", USE)
    done = write_tree(migrate_paths([path.parent], to="mindspore"), tmp_path / "out")
    assert done.todo is None
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["model.py"]


def test_names_are_no_markdown(tmp_path: Path) -> None:
    write(tmp_path / "in/a](b)|c.py", LEFT)
    done = write_tree(migrate_paths([tmp_path / "in"], to="mindspore"), tmp_path / "out")
    assert done.todo is not None
    assert "(a%5D%28b%29%7Cc.py#L" in done.todo.read_text()

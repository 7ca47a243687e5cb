"""The installed sources of this environment as a corpus: nothing breaks, and little is touched.

They are read where pip put them and never copied. A sample runs always; all of them, slowly.
"""

from __future__ import annotations

import ast
import random
import sysconfig
from collections.abc import Iterator
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from onecell.migrate import FileOutcome, FileResult, Finding, Framework, Migration, Outcome, Rewrite
from onecell.migrate.run.files import mentions_cell, mentions_framework
from onecell.migrate.run.folders import walk
from onecell.migrate.run.migration import migrate_paths
from onecell.migrate.run.pool import Pool
from onecell.migrate.source.text import decode

SITE: Final = Path(sysconfig.get_path("purelib"))
PACKAGES: Final = ("torch", "mindspore", "sklearn", "scipy", "numpy", "onnx", "jax", "sympy")
SAMPLE: Final = 150
"""So many files besides those that name the cell."""


@cache
def corpus() -> tuple[Path, ...]:
    """Return every source file of the packages."""
    roots = [SITE / name for name in PACKAGES if (SITE / name).is_dir()]
    assert {SITE / "torch", SITE / "mindspore", SITE / "sklearn"} <= set(roots)
    return tuple(each.path for each in walk(roots).found)


@cache
def naming() -> tuple[Path, ...]:
    """Return those that may use the cell."""
    return tuple(path for path in corpus() if mentions_cell(path.read_bytes()))


def sample() -> list[Path]:
    """Return the files of the normal run: the same at every run with the same packages."""
    chosen = random.Random(4).sample(corpus(), SAMPLE)  # noqa: S311 - no secret
    small = [path for path in naming() if path.stat().st_size < 60_000]
    return list(dict.fromkeys([*small, *chosen]))


def check(done: Migration, before: dict[Path, bytes]) -> None:
    """Assert what holds of any source."""
    for each in done.failed:  # only what the interpreter itself refuses: files for later versions
        try:
            compile(before[each.path], str(each.path), "exec")
        except SyntaxError:
            continue
        raise AssertionError(f"{each.path}: {each.error}")
    for result in done.results:
        assert result.path.read_bytes() == before[result.path]
        if result in done.failed:
            continue
        if not mentions_framework(before[result.path]):
            assert result.outcome is FileOutcome.SAME
        if not result.findings:
            assert result.outcome is FileOutcome.SAME, result.path
        if result.outcome is FileOutcome.CHANGED:
            compile(result.after, result.path, "exec", dont_inherit=True)
            assert list(strays(result)) == [], result.path


def strays(result: FileResult) -> Iterator[int]:
    """Yield the lines that are gone although no import, and no statement with a use, has them."""
    assert result.rewrite is not None
    before, after = result.rewrite.before, result.rewrite.after
    used = {found.line for found in result.findings}
    allowed: set[int] = set()
    for node in ast.walk(ast.parse(before)):
        if isinstance(node, ast.stmt | ast.excepthandler | ast.match_case):
            lines = own_lines(node)
            if isinstance(node, ast.Import | ast.ImportFrom) or used & set(lines):
                allowed |= set(lines)
    # A block that is empty then goes as well, and comments over what goes.
    for node in reversed(list(ast.walk(ast.parse(before)))):
        if isinstance(node, ast.If | ast.Try) and all(
            set(own_lines(s)) <= allowed for s in node.body
        ):
            handlers = getattr(node, "handlers", ())
            last = max(each.end_lineno or 0 for each in (node.body[-1], *handlers))
            allowed |= {*own_lines(node), *range(node.body[-1].lineno, last + 1)}
    old, new = before.split("\n"), after.split("\n")
    for line in range(len(old) - 1, 0, -1):
        if line + 1 in allowed and old[line - 1].lstrip().startswith("#"):
            allowed.add(line)
    # What computes a loss moves into a function as it is, but for its indentation.
    steps = any(found.rule == "training_step" for found in result.findings)
    moved = {line.strip() for line in new} if steps else set()
    for what, start, stop, _, _ in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what != "equal":
            gone = (line for line in range(start + 1, stop + 1) if line not in allowed)
            yield from (line for line in gone if old[line - 1].strip() not in moved)


def own_lines(node: ast.stmt | ast.excepthandler | ast.match_case) -> range:
    """Return the lines of a statement without those of the statements in it."""
    if isinstance(node, ast.match_case):
        return range(node.pattern.lineno, node.body[0].lineno)
    decorated = [each.lineno for each in getattr(node, "decorator_list", ())]
    body = getattr(node, "body", None)
    stop = body[0].lineno if body else (node.end_lineno or node.lineno) + 1
    return range(min([node.lineno, *decorated]), max(stop, node.lineno + 1))


def test_a_stray_change_would_be_seen() -> None:
    before = "import torch\nx = 1\ny = f(\n  2)\n# note\n"
    found = Finding("cell", Outcome.CONVERTED, 4, 0, "")
    for after, lines in (
        (before.replace("2", "3").replace("torch", "mindspore"), []),
        (before.replace("1", "3"), [2]),
        (before.replace("note", "lost"), [5]),
    ):
        done = Rewrite(before, after, (found,))
        assert list(strays(FileResult(SITE, SITE, None, FileOutcome.CHANGED, done))) == lines


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(2) as shared:
        yield shared


@pytest.mark.parametrize("to", ["torch", "mindspore"])
def test_a_sample_is_migrated_without_harm(to: Framework, pool: Pool) -> None:
    paths = sample()
    before = {path: path.read_bytes() for path in paths}
    done = migrate_paths(paths, to=to, project=False, pool=pool)
    check(done, before)


def test_files_without_a_use_are_untouched(pool: Pool) -> None:
    paths = [path for path in sample() if path not in naming()]
    done = migrate_paths(paths, to="mindspore", project=False, pool=pool)
    assert {each.outcome for each in done.results} == {FileOutcome.SAME}
    assert len(paths) > SAMPLE // 2


@pytest.mark.parametrize("to", ["torch", "mindspore"])
def test_migrating_again_changes_nothing(to: Framework, pool: Pool, tmp_path: Path) -> None:
    paths = [path for path in naming() if path.stat().st_size < 60_000]
    once = migrate_paths(paths, to=to, project=False, pool=pool)
    again = []
    for number, result in enumerate(once.changed):
        again.append(tmp_path / f"{number}.py")
        again[-1].write_bytes(result.after)
    twice = migrate_paths(again, to=to, project=False, pool=pool)
    assert twice.failed == ()
    assert [each.path for each in twice.changed] == []


def test_uses_in_the_corpus_are_seen(pool: Pool) -> None:
    """A check that nothing is harmed would also pass where nothing is found."""
    users = [path for path in naming() if "benchmark" in path.parts or "testing" in path.parts]
    done = migrate_paths(users, to="mindspore", project=False, pool=pool)
    assert sum(done.count(outcome) for outcome in Outcome) > 0


def test_texts_come_back_byte_for_byte() -> None:
    for path in sample():
        data = path.read_bytes()
        source = decode(data)
        assert source.encode(source.text) == data, path


@pytest.mark.slow
@pytest.mark.parametrize("to", ["torch", "mindspore"])
def test_everything_is_migrated_without_harm(to: Framework) -> None:
    paths = corpus()
    before = {path: path.read_bytes() for path in paths}
    check(migrate_paths(paths, to=to, project=False), before)

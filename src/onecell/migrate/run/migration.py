"""Migrate what is below some paths: read, rewrite in child processes, and report; write nothing."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from onecell.dialect import get_front_end
from onecell.errors import ArgumentError, MissingExtraError, SourceError
from onecell.migrate.meaning.survey import Survey
from onecell.migrate.rewriting.rewrite import Framework, Target
from onecell.migrate.rules.assumptions import Outside
from onecell.migrate.rules.findings import Outcome
from onecell.migrate.rules.table.scan import other_framework
from onecell.migrate.rules.taken import outside_of
from onecell.migrate.run.asking import Asking, failed
from onecell.migrate.run.files import MARK, mentions_cell, read_source
from onecell.migrate.run.folders import Found, check_paths, walk
from onecell.migrate.run.pool import Pool
from onecell.migrate.run.project import Given, belonging, by_stars, edges
from onecell.migrate.run.results import FileOutcome, FileResult, Migration

if TYPE_CHECKING:
    from onecell.migrate.run.settle import Asked
    from onecell.migrate.run.testimony import Testimony

Progress = Callable[[int, int], None]
"""Called with how many files are done, and how many there are to do so far."""
Name = str | PathLike[str]


def migrate_paths(
    paths: Sequence[Name],
    *,
    to: Framework,
    target: Target = "onecell",
    exclude: Sequence[str] = (),
    apart: Name | None = None,
    project: bool = True,
    jobs: int | None = None,
    pool: Pool | None = None,
    progress: Progress | None = None,
) -> Migration:
    """Rewrite the Python files and notebooks at and below `paths`, in memory.

    `folders.walk` says which files these are. Whatever is wrong with one of them, it becomes a
    FAILED result and the others are migrated. No framework is imported and no code is run.

    Args:
        paths: files and folders.
        to: the framework to write for.
        target: as in `rewrite`.
        exclude: patterns as in .gitignore of what to leave out of folders.
        apart: a folder to leave out as well: where the results are to go.
        project: take the files as one project, in which those that name the other framework and
            import a file that uses the cell, or are imported by one, are rewritten as well.
        jobs: how many child processes at most; None for one each processor.
        pool: child processes to use instead of new ones.
        progress: called as files are done, in this thread.

    Raises:
        ArgumentError: `to`, `target` or a pattern is impossible.
        SourceError: there is nothing at a path.
        MissingExtraError: LibCST or pathspec is not installed.
    """
    get_front_end(to)
    if target not in {"onecell", "native"}:
        raise ArgumentError(f"`target` must be onecell or native, got {target!r}.")
    for library in ("libcst", "pathspec"):
        if importlib.util.find_spec(library) is None:
            raise MissingExtraError(library, "migrate", "rewriting source")
    places = [Path(path) for path in paths]
    check_paths(places)
    walked = walk(places, exclude, apart=None if apart is None else Path(apart))
    with ExitStack() as stack:
        pool = pool or stack.enter_context(Pool(jobs))
        run = _Run(to, target, pool, progress, walked.found)
        run.survey(together=project)
        run.rewrite_uses()
        if project and to == "torch":
            run.rewrite_all()
        if project and len(walked.found) > 1:
            run.rewrite_neighbours()
            run.settle_assumptions()
            run.follow_links()
        run.look_over()
    return Migration(
        to,
        target,
        tuple(run.results[each.path] for each in walked.found),
        tuple(walked.skipped),
        renamed=run.renamed(),
    )


def migrate_file(path: Name, *, to: Framework, target: Target = "onecell") -> FileResult:
    """Rewrite the Python file or notebook at `path` for the framework `to`, in memory.

    `target` and errors are as in `migrate_paths`.
    """
    return migrate_paths([path], to=to, target=target).results[0]


@dataclass(slots=True)
class _Run:
    """One migration while it lasts."""

    to: Framework
    target: Target
    pool: Pool
    progress: Progress | None
    found: list[Found]
    results: dict[Path, FileResult] = field(default_factory=dict)
    seeds: set[Path] = field(default_factory=set)
    """Files that use the cell in the other framework's spelling, or are marked as unfinished."""
    speaks: set[Path] = field(default_factory=set)
    """Files that name the other framework."""
    joined: set[Path] = field(default_factory=set)
    """Files that are rewritten because of others."""
    outside: Outside | None = None
    """What the files show together; None where each is taken by itself."""
    given: dict[Path, Given] = field(default_factory=dict)
    """What a file has of the other framework by the star of another file."""
    _surveys: dict[Path, Survey] = field(default_factory=dict)
    _graph: dict[Path, frozenset[Path]] | None = None

    @property
    def asking(self) -> Asking:
        """What child processes are asked about one file."""
        return Asking(self.pool, self.to, self.target)

    def survey(self, *, together: bool) -> None:
        """Look what classes there are, before any file is rewritten."""
        if not together or len(self.found) < 2:
            return
        seen = self.pool.map(self.asking.classes, self.found)
        self._surveys = {found.path: survey for found, survey in seen}
        self.outside = replace(outside_of(self._surveys.values(), self.to), whole=True)
        if any(survey.star for survey in self._surveys.values()):
            places = {_place(path): survey for path, survey in self._surveys.items()}
            given = by_stars(places, self._imported(), other_framework(self.to))
            self.given = {p: given[_place(p)] for p in self._surveys if _place(p) in given}
            self.speaks |= self.given.keys()
            if not any(s.star and p.suffix == ".ipynb" for p, s in self._surveys.items()):
                # Whoever had something of the framework by a star imports that itself now.
                self.outside = replace(self.outside, taken=self.outside.taken - {"*"})

    def renamed(self) -> dict[str, str]:
        """Return the attributes of modules that are called anew in what was rewritten."""
        said = [f for each in self.results.values() for f in each.findings if f.rule == "reserved"]
        made = [f.message.split("`", 4) for f in said if f.outcome is not Outcome.MARKED]
        return {old: new for _, old, _, new, _ in made}

    def rewrite_uses(self) -> None:
        """Rewrite every file that uses the cell itself."""
        for done, (_, result) in enumerate(self.pool.map(self._first_look, self.found), 1):
            self.results[result.path] = result
            self._report(done, len(self.found))

    def rewrite_all(self) -> None:
        """Rewrite every file of a program that has no cell of either framework's.

        In MindSpore most write the cell themselves, of its operators.
        """
        if any(result.rewrite and result.rewrite.findings for result in self.results.values()):
            return
        todo = [found for found in self.found if found.path in self.speaks]
        self.seeds |= {found.path for found in todo}
        again = partial(self._rewrite, whole_file=True)
        for _, result in self.pool.map(again, todo):
            self.results[result.path] = result

    def rewrite_neighbours(self) -> None:
        """Rewrite the files that have to change along with those."""
        reading = self._reading()
        if not self.seeds or self.speaks | reading <= self.seeds:
            return
        by_place = {_place(each.path): each for each in self.found}
        talking = self.speaks | reading
        seeds, speaks = ({path.resolve() for path in group} for group in (self.seeds, talking))
        joined = belonging(seeds, speaks, self._imported()) - seeds
        self.joined = {by_place[place].path for place in joined}
        todo = [by_place[place] for place in sorted(joined)]
        again = partial(self._rewrite, whole_file=True)
        total = len(self.found) + len(todo)
        for done, (_, result) in enumerate(self.pool.map(again, todo), len(self.found) + 1):
            self.results[result.path] = result
            self._report(done, total)

    def settle_assumptions(self) -> None:
        """Decide what files take for granted where the other files show it."""
        if not any(f.assumes for result in self.results.values() for f in result.findings):
            return
        from onecell.migrate.run.settle import settle, without  # noqa: PLC0415

        by_place = {_place(each.path): each for each in self.found}
        rewrites = {
            place: done
            for place, found in by_place.items()
            if (done := self.results[found.path].rewrite) is not None
        }
        verdicts = settle(rewrites, self._imported(), partial(self._ask, by_place))
        for place, verdict in verdicts.items():
            found = by_place[place]
            result = self.results[found.path]
            if verdict.outside is not None:
                whole = found.path in self.joined
                result = self._rewrite(found, whole_file=whole, outside=verdict.outside)
            if result.rewrite is not None:
                result = replace(result, rewrite=without(result.rewrite, verdict.holds))
            self.results[found.path] = result

    def follow_links(self) -> None:
        """Give each link to a file of the project what that file has become."""
        by_place = {_place(each.path): each for each in self.found}
        for found in self.found:
            done = self.results[by_place[_place(found.path)].path]
            if done.path != found.path and done.outcome is not FileOutcome.FAILED:
                self.results[found.path] = replace(
                    done, path=found.path, relative=found.relative, root=found.root
                )

    def _reading(self) -> set[Path]:
        """Return the files that may have to change, whether or not they name torch.

        They name what is called anew, or work on tensors that others give them.
        """
        names = self.outside.renamed if self.outside is not None else {}
        named = self.to == "mindspore"
        return {
            path
            for path, seen in self._surveys.items()
            if seen.read & names.keys() or (named and (seen.names_files or seen.calls_tensors))
        }

    def look_over(self) -> None:
        """See what of the source framework is left in every file as it comes out.

        A file that was named itself has to be Python even where it names no framework.
        """
        places = [found.relative for found in self.found]
        local = frozenset(name for place in places for name in (*place.parts[:-1], place.stem))
        source = other_framework(self.to)

        look = partial(self._look, source, local)
        for _, result in self.pool.map(look, self.found):
            self.results[result.path] = result

    def _look(self, source: str, local: frozenset[str], found: Found) -> FileResult:
        return self.asking.remains(found, self.results[found.path], source, local)

    def _ask(
        self, by_place: Mapping[Path, Found], asked: Mapping[Path, Asked]
    ) -> dict[Path, Testimony]:
        def ask(place: Path) -> Testimony | None:
            return self.asking.testimony(by_place[place], asked[place], self.outside)

        answers = self.pool.map(ask, list(asked))
        return {place: answer for place, answer in answers if answer is not None}

    def _imported(self) -> dict[Path, frozenset[Path]]:
        """Return which of the files each of them imports, by their absolute paths."""
        if self._graph is None:
            homes = (e.root.resolve() if e.root else e.path.resolve().parent for e in self.found)
            roots = list(dict.fromkeys(homes))
            read = {
                _place(found.path): imported
                for found, imported in self.pool.map(self.asking.imports, self.found)
            }
            self._graph = edges(read, roots)
        return self._graph

    def _first_look(self, found: Found) -> FileResult:
        try:
            data = read_source(found.path)
        except SourceError as error:
            return failed(found, error)
        if other_framework(self.to).encode() in data:
            self.speaks.add(found.path)
        given = self.given.get(found.path)
        if not mentions_cell(data if given is None else given.written_out(data)):
            return FileResult(found.path, found.relative, found.root, FileOutcome.SAME)
        result = self._rewrite(found, data=data, whole_file=False)
        if MARK in data or any(each.outcome is not Outcome.ALREADY for each in result.findings):
            self.seeds.add(found.path)
        return result

    def _rewrite(
        self,
        found: Found,
        *,
        whole_file: bool,
        data: bytes | None = None,
        outside: Outside | None = None,
    ) -> FileResult:
        known = self._of(outside)
        return self.asking.rewritten(
            found,
            whole_file=whole_file,
            data=data,
            outside=known,
            given=self.given.get(found.path),
        )

    def _of(self, shown: Outside | None) -> Outside | None:
        """Return what is known from outside, with what has been shown about one file."""
        base = self.outside
        if base is None or shown is None:
            return shown or base
        return replace(
            base, carrying=shown.carrying, returning=shown.returning, keepers=shown.keepers
        )

    def _report(self, done: int, total: int) -> None:
        if self.progress:
            self.progress(done, total)


def _place(path: Path) -> Path:
    """Return where a file really is; of links that go round, some name of theirs."""
    return Path(os.path.realpath(path))

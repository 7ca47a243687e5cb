"""Ask child processes about one file of a run; whatever is wrong with it becomes an answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from onecell.errors import SourceError
from onecell.migrate.meaning.survey import Survey
from onecell.migrate.rewriting.rewrite import Framework, Target
from onecell.migrate.rules.assumptions import Outside
from onecell.migrate.run import project
from onecell.migrate.run.files import MARK, read_source
from onecell.migrate.run.folders import SUFFIXES as FOLDER_SUFFIXES
from onecell.migrate.run.folders import Found
from onecell.migrate.run.jobs import migrate_data, testify
from onecell.migrate.run.pool import Pool
from onecell.migrate.run.project import Given, Import
from onecell.migrate.run.remains import Look, find_remains, may_remain
from onecell.migrate.run.results import FileOutcome, FileResult
from onecell.migrate.run.tasks import Answer, Task
from onecell.migrate.run.testimony import Question
from onecell.migrate.source.limits import time_limit

if TYPE_CHECKING:
    from onecell.migrate.run.settle import Asked
    from onecell.migrate.run.testimony import Testimony


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked about one file, and of which child processes."""

    pool: Pool
    to: Framework
    target: Target

    def classes(self, found: Found) -> Survey:
        """Return what a file says of its classes; nothing if it cannot be told."""
        try:
            data = read_source(found.path)
            return self.pool.ask(project.classes, (data, found.path.name), time_limit(len(data)))
        except SourceError:
            return Survey()

    def imports(self, found: Found) -> tuple[Import, ...]:
        """Return what a file imports; nothing if it cannot be told."""
        try:
            data = read_source(found.path)
            if b"import" not in data:
                return ()
            return self.pool.ask(project.imports, (data, found.path.name), time_limit(len(data)))
        except SourceError:
            return ()

    def rewritten(
        self,
        found: Found,
        *,
        whole_file: bool,
        data: bytes | None = None,
        outside: Outside | None = None,
        given: Given | None = None,
    ) -> FileResult:
        """Return what becomes of one file; a FAILED result where nothing does."""
        try:
            data = read_source(found.path) if data is None else data
            whole_file = whole_file or MARK in data
            full = data if given is None else given.written_out(data)
            task = Task(full, found.path.name, self.to, self.target, whole_file, outside)
            answer: Answer = self.pool.ask(migrate_data, task, time_limit(len(data)))
        except SourceError as error:
            return failed(found, error)
        if given is not None:
            back = given.placed_back(answer.rewrite.findings)
            answer = replace(answer, rewrite=replace(answer.rewrite, findings=back))
        if answer.after == full:
            return FileResult(
                found.path,
                found.relative,
                found.root,
                FileOutcome.SAME,
                answer.rewrite,
                cells=answer.cells,
            )
        return FileResult(
            found.path,
            found.relative,
            found.root,
            FileOutcome.CHANGED,
            answer.rewrite,
            before=data,
            after=answer.after,
            cells=answer.cells,
        )

    def testimony(self, found: Found, asked: Asked, outside: Outside | None) -> Testimony | None:
        """Return what a file shows of what others take for granted; None if it cannot be told."""
        try:
            data = read_source(found.path)
            task = Task(data, found.path.name, self.to, self.target, True, outside)
            question = Question(task, asked.given, asked.returned)
            return self.pool.ask(testify, question, time_limit(len(data)))
        except SourceError:
            return None

    def remains(
        self, found: Found, result: FileResult, source: str, local: frozenset[str]
    ) -> FileResult:
        """Return the result with what is left of the source framework in the file it gives."""
        if result.outcome is FileOutcome.FAILED:
            return result
        changed = result.outcome is FileOutcome.CHANGED
        try:
            data = result.after if changed else read_source(found.path)
            if not may_remain(data, source) and (found.root is not None or result.rewrite):
                return result
            asked = Look(data, found.path.name, source, local)
            remains = self.pool.ask(find_remains, asked, time_limit(len(data)))
        except SourceError as error:
            return failed(found, error)
        return replace(result, remains=remains)


def failed(found: Found, error: SourceError) -> FileResult:
    """Return the result of a file that cannot be rewritten."""
    said = str(error)
    if found.root is None and found.path.suffix not in FOLDER_SUFFIXES:
        from onecell.checkpoint.files import SUFFIXES  # noqa: PLC0415 - NumPy, for an error alone

        if found.path.suffix in SUFFIXES:
            said = f"a checkpoint, not source; `onecell port` takes it ({said})"
    return FileResult(found.path, found.relative, found.root, FileOutcome.FAILED, error=said)

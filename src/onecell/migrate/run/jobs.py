"""What a child process is asked to do with a file; LibCST loads on a use."""

from __future__ import annotations

from onecell.errors import SourceError
from onecell.migrate.run.notebooks import migrate_notebook
from onecell.migrate.run.tasks import Answer, Task, rewrite_text
from onecell.migrate.run.testimony import Question, Testimony
from onecell.migrate.source.limits import check_compiles, check_size
from onecell.migrate.source.text import decode


def migrate_data(task: Task) -> Answer:
    """Rewrite the content of one file.

    This parses, so it can take long or end the process: `pool.Pool` calls it elsewhere.

    Raises:
        SourceError: the file is not what this Python compiles, LibCST does not give it back as it
            was, the engine broke down, or what it made does not compile.
    """
    if task.is_notebook:
        return migrate_notebook(task)
    check_size(task.data)
    check_compiles(task.data, task.name)
    source = decode(task.data)
    done = rewrite_text(source.text, task)
    if not done.changed:
        return Answer(done, task.data)
    after = source.encode(done.after)
    try:
        check_compiles(after, task.name)
    except SourceError as error:
        raise SourceError(f"a mistake in onecell: what it made of this is {error}") from None
    return Answer(done, after)


def testify(question: Question) -> Testimony:
    """Answer a question about a file; this parses, as `migrate_data` does."""
    from onecell.migrate.run.witness import answered  # noqa: PLC0415 - LibCST loads on a use

    return answered(question)

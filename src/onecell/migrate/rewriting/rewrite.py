"""Rewrite one module: text in, text and findings out."""

from __future__ import annotations

from typing import Literal

from onecell.errors import ArgumentError
from onecell.migrate.meaning.survey import CHECKPOINTS, surveyed
from onecell.migrate.rules.assumptions import Outside
from onecell.migrate.rules.findings import Finding, Outcome, Rewrite
from onecell.migrate.rules.table.scan import find_uses, other_framework

Framework = Literal["torch", "mindspore"]
Target = Literal["onecell", "native"]


def rewrite(
    source: str,
    *,
    to: Framework,
    target: Target = "onecell",
    whole_file: bool = False,
    filename: str = "<string>",
    outside: Outside | None = None,
) -> Rewrite:
    """Write a module that uses the other framework's `LSTMCell` in the spelling of `to`.

    A pure function: no file is read or written, and no framework is imported.

    A module is rewritten when it uses the other framework's cell. A module without such a use comes
    back as it is, with no findings, unless `whole_file` says that it belongs to one that has: a
    training script that imports the model's module, say. Then everything in it that names the
    other framework is rewritten or marked.

    Args:
        source: text that `compile()` accepts.
        to: the framework to write for; the source is in the other one.
        target: "onecell" for onecell's cell for that framework, which takes what callers of the
            other wrote wherever that is sensible; "native" for the framework's own cell.
        whole_file: rewrite the module even if it does not use the cell itself.
        filename: named in errors.
        outside: what the other files of a project have shown about this one.

    Returns:
        The text before and after, and one finding for each use. Text outside the uses is the same
        to the byte. A second rewrite of the result changes nothing.

    Raises:
        ArgumentError: `to` or `target` is none of the names above.
        SourceError: there is something to do, but LibCST does not give the source back as it was.
    """
    for name, value, choices in (
        ("to", to, ("torch", "mindspore")),
        ("target", target, ("onecell", "native")),
    ):
        if value not in choices:
            raise ArgumentError(f"`{name}` must be one of {', '.join(choices)}, got {value!r}.")
    other = other_framework(to)
    uses = find_uses(source, to)
    if not uses.cell and not (whole_file and (other in source or _is_meant(source, to, outside))):
        found = [
            Finding("cell", Outcome.ALREADY, line, column, f"It is {to}'s cell.")
            for line, column in uses.already
        ]
        return Rewrite(source, source, tuple(found))
    from onecell.migrate.rewriting.transform import transform  # noqa: PLC0415 - LibCST loads on a use

    return transform(source, to, target, uses, outside)


def _is_meant(source: str, to: str, outside: Outside | None) -> bool:
    """Whether a file of a project may have to change without naming the other framework."""
    if outside is None:
        return False
    if any(name in source for name in outside.renamed):
        return True
    named = any(f"{end}{quote}" in source for end in CHECKPOINTS for quote in "\"'")
    return to == "mindspore" and (named or surveyed(source).calls_tensors)

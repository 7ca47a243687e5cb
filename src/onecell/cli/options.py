"""Options that more than one verb has, their values, and how a shell completes them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Annotated

import typer

from onecell.dialect import DIALECTS, FRONT_ENDS
from onecell.language import say
from onecell.migrate.rewriting.rewrite import Framework, Target
from onecell.text import short

FRAMEWORKS = " or ".join(FRONT_ENDS)
EVERY_FRAMEWORK = ", ".join(DIALECTS)
TARGETS: tuple[Target, ...] = ("onecell", "native")


def choose(name: str, names: Iterable[str]) -> str:
    """Return `name`, or raise the usage error of a value that is none of `names`."""
    every = list(names)
    if name in every:
        return name
    like = difflib.get_close_matches(name, every, n=1)
    hint = say(" Did you mean {name}?", name=like[0]) if like else ""
    got = repr(short(name))
    if len(every) == 2:
        said = say("must be {one} or {other}, got {got}.", one=every[0], other=every[1], got=got)
    else:
        said = say("must be one of {names}, got {got}.", names=", ".join(every), got=got)
    raise typer.BadParameter(said + hint)


def check_framework(name: str | None) -> str | None:
    """Return `name`, or raise the usage error of an option that names no front end's framework."""
    return None if name is None else choose(name, FRONT_ENDS)


def check_dialect(name: str | None) -> str | None:
    """Return `name`, or raise the usage error of an option that names no framework at all."""
    return None if name is None else choose(name, DIALECTS)


def check_dialects(names: str | None) -> str | None:
    """Return `names`, or raise the usage error of a list of one or two that has no framework."""
    for name in () if names is None else names.split(",", 1):
        check_dialect(name.strip() or None)
    return names


def check_target(name: str) -> str:
    """Return `name`, or raise the usage error of an option that does not say whose cell to use."""
    return choose(name, TARGETS)


def check_format(name: str | None) -> str | None:
    """Return `name`, or raise the usage error of an option that names no file format."""
    return None if name is None else choose(name, formats())


def formats() -> tuple[str, ...]:
    """Return the names of the file formats that a framework with a front end reads."""
    from onecell.checkpoint.files import PORTED  # noqa: PLC0415 - migrate does without

    return tuple(dict.fromkeys(PORTED.values()))


def check_sides(names: str | None) -> str | None:
    """Return `names`, or raise the usage error of a comma-separated list with what is no side."""
    from onecell.verify.sides import SIDES  # noqa: PLC0415 - migrate does without

    for name in () if names is None else names.split(","):
        choose(name.strip(), SIDES)
    return names


def complete_framework(incomplete: str) -> list[str]:
    """Return the frameworks with a front end that a shell may go on with."""
    return [name for name in FRONT_ENDS if name.startswith(incomplete)]


def complete_dialect(incomplete: str) -> list[str]:
    """Return all frameworks that a shell may go on with."""
    return [name for name in DIALECTS if name.startswith(incomplete)]


def complete_target(incomplete: str) -> list[str]:
    """Return the values of --target that a shell may go on with."""
    return [name for name in TARGETS if name.startswith(incomplete)]


def complete_format(incomplete: str) -> list[str]:
    """Return the file formats that a shell may go on with."""
    return [name for name in formats() if name.startswith(incomplete)]


def complete_sides(incomplete: str) -> list[str]:
    """Return the lists of sides that a shell may go on with: what is there, and one more."""
    from onecell.verify.sides import SIDES  # noqa: PLC0415 - migrate does without

    *done, last = incomplete.split(",")
    left = (name for name in SIDES if name not in done and name.startswith(last))
    return [",".join([*done, name]) for name in left]


def as_framework(name: str) -> Framework:
    """Return a name that `check_framework` has passed, as the type that the migrator asks for."""
    return "torch" if name == "torch" else "mindspore"


def as_target(name: str) -> Target:
    """Return a name that `check_target` has passed, as the type that the migrator asks for."""
    return "onecell" if name == "onecell" else "native"


From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="FRAMEWORK",
        callback=check_framework,
        autocompletion=complete_framework,
        help=f"Framework that wrote the input, where the file does not tell: {FRAMEWORKS}.",
    ),
]

FromAny = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="FRAMEWORK",
        callback=check_dialect,
        autocompletion=complete_dialect,
        help=f"Framework that wrote the input, where the file does not tell: {EVERY_FRAMEWORK}.",
    ),
]

ForgetBias = Annotated[
    float | None,
    typer.Option(
        "--forget-bias",
        metavar="X",
        help="What the cell of TensorFlow adds to its forget gate when it runs, which no file "
        r"tells.  \[default: 1]",
    ),
]

Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document instead of text for people.")
]

Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print no text for people; the exit status tells.")
]

Force = Annotated[bool, typer.Option("--force", help="Replace files that are there.")]

Exclude = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="GLOB",
        help="Leave out of folders what this matches, as a line of .gitignore would; may be "
        "repeated.",
    ),
]

Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="PATTERN",
        help="Take only the tensors and cells whose name, or the name of a module above, matches "
        "this glob; may be repeated.",
    ),
]

Drop = Annotated[
    list[str] | None,
    typer.Option("--drop", metavar="PATTERN", help="Leave out what this matches; may be repeated."),
]

"""The command `onecell`: its verbs, one file each, and what they share."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Final

import typer

VERBS: Final = ("port", "convert", "migrate", "verify", "diff", "info")
"""Each is a function in the file of its name."""


def make_app(verbs: Sequence[str] = VERBS) -> typer.Typer:
    """Return the command line with some of its verbs; what the others need is not loaded."""
    app = typer.Typer(
        help="One LSTM cell for every framework: port checkpoints, and prove that nothing changed.",
        epilog="[bold]Start here[/bold]: onecell port model.pt --to mindspore --out ported",
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for name in verbs:
        module = import_module(f"onecell.cli.{name}")
        verb = getattr(module, name)
        # One line a paragraph: the terminal's width decides where lines break, not the docstring's.
        paragraphs = inspect.cleandoc(verb.__doc__ or "").split("\n\n")
        described = "\n\n".join(" ".join(each.split()) for each in paragraphs)
        app.command(help=described, epilog=module.EXAMPLES)(verb)
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        from onecell import __version__  # noqa: PLC0415

        typer.echo(f"onecell {__version__}")
        raise typer.Exit


def _root(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    pass

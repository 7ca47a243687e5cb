"""The command `onecell`: its verbs, one file each, and what they share."""

from __future__ import annotations

import inspect
from typing import Annotated

import typer

from onecell.cli.convert import EXAMPLES as CONVERT_EXAMPLES
from onecell.cli.convert import convert
from onecell.cli.diff import EXAMPLES as DIFF_EXAMPLES
from onecell.cli.diff import diff
from onecell.cli.info import EXAMPLES as INFO_EXAMPLES
from onecell.cli.info import info
from onecell.cli.migrate import EXAMPLES as MIGRATE_EXAMPLES
from onecell.cli.migrate import migrate
from onecell.cli.port import EXAMPLES as PORT_EXAMPLES
from onecell.cli.port import port
from onecell.cli.verify import EXAMPLES as VERIFY_EXAMPLES
from onecell.cli.verify import verify

app = typer.Typer(
    help="One LSTM cell for every framework: port checkpoints, and prove that nothing changed.",
    epilog="[bold]Start here[/bold]: onecell port model.pt --to mindspore --out ported",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for verb, examples in (
    (port, PORT_EXAMPLES),
    (convert, CONVERT_EXAMPLES),
    (migrate, MIGRATE_EXAMPLES),
    (verify, VERIFY_EXAMPLES),
    (diff, DIFF_EXAMPLES),
    (info, INFO_EXAMPLES),
):
    # One line a paragraph: the terminal's width decides where lines break, not the docstring's.
    paragraphs = inspect.cleandoc(verb.__doc__ or "").split("\n\n")
    described = "\n\n".join(" ".join(each.split()) for each in paragraphs)
    app.command(help=described, epilog=examples)(verb)


def _print_version(wanted: bool) -> None:
    if wanted:
        from onecell import __version__  # noqa: PLC0415

        typer.echo(f"onecell {__version__}")
        raise typer.Exit


@app.callback()
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

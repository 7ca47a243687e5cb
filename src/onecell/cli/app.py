"""The command `onecell`: its verbs, one file each, and what they share."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from onecell.cli.speech import Lang

VERBS: Final = ("port", "convert", "migrate", "verify", "diff", "info")
"""Each is a function in the file of its name."""


class _Verb(TyperCommand):
    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - typer carries a copy of click
        return _readable(super().get_params(ctx))


class _Verbs(TyperGroup):
    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401
        return _readable(super().get_params(ctx))


def _readable(params: list[Any]) -> list[Any]:
    """Have the help show what a value is, and no types of Python: `<bool>`, `<list[Path]>`."""
    for param in params:
        if param.param_type_name == "argument" or param.is_flag:
            param.display_type_rich = _no_type
    return params


def _no_type(**_: object) -> None:
    return None


def make_app(verbs: Sequence[str] = VERBS) -> typer.Typer:
    """Return the command line with some of its verbs; what the others need is not loaded."""
    app = typer.Typer(
        cls=_Verbs,
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
        app.command(cls=_Verb, help=described, epilog=module.EXAMPLES)(verb)
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
            "--version",
            "-V",
            callback=_print_version,
            is_eager=True,
            help="Show the version and exit.",
        ),
    ] = False,
    _lang: Lang = None,
) -> None:
    pass

"""The directive `command-line`: what `onecell VERB --help` says, laid out as a page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import typer.main
from docutils import nodes
from rich.text import Text
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from onecell.cli.app import VERBS, make_app


class CommandLine(SphinxDirective):
    """Every verb under a heading of its own, or with an argument that one alone."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        self.env.note_reread()  # the page changes with the command, not with its file
        verbs = self.arguments or VERBS
        made: list[nodes.Node] = []
        for verb in verbs:
            section = nodes.section(ids=[verb], names=[verb])
            section += nodes.title("", "", nodes.literal("", f"onecell {verb}"))
            section += self._said("\n".join(verb_text(verb)))
            self.state.document.note_explicit_target(section)
            made.append(section)
        return made

    def _said(self, text: str) -> list[nodes.Node]:
        return self.parse_text_to_nodes(text)


def verb_text(verb: str) -> Iterator[str]:
    """Yield Markdown lines of everything that a verb's help says."""
    command = typer.main.get_command(make_app([verb]))
    only = getattr(command, "commands", {}).get(verb, command)
    with only.make_context(verb, [], resilient_parsing=True) as context:
        usage = " ".join(only.collect_usage_pieces(context))
        params = [p for p in only.get_params(context) if not getattr(p, "hidden", False)]
    yield from _block("text", f"onecell {verb} {usage}")
    yield from (_plain(only.help), "")
    for kind in ("argument", "option"):
        yield from _list(p for p in params if p.param_type_name == kind)
    examples, *more = re.split(r"\n\n(?=\[bold\])", only.epilog or "")
    lines = [line.strip() for line in _plain(examples).splitlines()[1:]]
    yield from _block("sh", "\n".join(line for line in lines if line))
    for each in more:
        yield from _epilog(_plain(each))


def _list(params: Iterable[Any]) -> Iterator[str]:
    for param in params:
        names = ", ".join(f"`{name}`" for name in (*param.opts, *param.secondary_opts))
        value = "" if param.param_type_name == "argument" or param.is_flag else _value(param)
        yield f"{names.upper() if param.param_type_name == 'argument' else names}{value}"
        yield f": {_plain(param.help or '')}{_default(param)}"
        yield ""


def _value(param: Any) -> str:  # noqa: ANN401 - typer carries a copy of click
    return f" `{param.metavar or param.type.name.upper()}`"


def _default(param: Any) -> str:  # noqa: ANN401
    default = param.default
    shown = default not in (None, False, [], ()) and param.param_type_name == "option"
    return f" [{default}]" if shown and not callable(default) else ""


def _epilog(text: str) -> Iterator[str]:
    """Yield `Exit status: 0 this · 1 that` as a list."""
    head, _, rest = text.partition(": ")
    yield from (f"**{head}**", "")
    for each in rest.split(" · "):
        yield f"- {each.strip()}"
    yield ""


def _block(language: str, text: str) -> Iterator[str]:
    yield from (f"```{language}", text, "```", "")


def _plain(marked: str | None) -> str:
    return Text.from_markup(marked or "").plain.strip()


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directive."""
    app.add_directive("command-line", CommandLine)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

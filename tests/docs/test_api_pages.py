"""The reference of the API has every public name and method, with what its docstring says."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer.main

from onecell import errors
from onecell.cli.app import VERBS, make_app

PACKAGES = (
    "onecell", "onecell.checkpoint", "onecell.migrate", "onecell.mindspore",
    "onecell.mindspore.data", "onecell.mindspore.distributions", "onecell.project",
    "onecell.torch", "onecell.verify",
)  # fmt: skip
SPECIAL = ("__call__", "__getitem__", "__iter__", "__len__")


class Entries(HTMLParser):
    """Names of the API and what a page says of each: its signature, and what is below it."""

    def __init__(self) -> None:
        super().__init__()
        self.said: dict[str, list[str]] = {}
        self.signature: str | None = None
        self.within: list[list[str]] = []  # a list of names for each <dd>
        self.waiting: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "dt" and "sig" in (given.get("class") or "").split() and given.get("id"):
            self.signature = str(given["id"])
            self.said[self.signature] = ["", ""]
            self.waiting = [self.signature]
        elif tag == "dd" and self.signature:  # a parameter on a line of its own
            self.within.append([])
        elif tag == "dd":
            self.within.append(self.waiting)
            self.waiting = []

    def handle_endtag(self, tag: str) -> None:
        if tag == "dt":
            self.signature = None
        elif tag == "dd":
            self.within.pop()

    def handle_data(self, data: str) -> None:
        if self.signature:
            self.said[self.signature][0] += data
        for names in self.within:
            for name in names:
                self.said[name][1] += data


@pytest.fixture(scope="module", params=["en", "zh"])
def said(request: pytest.FixtureRequest, site: Path) -> dict[str, list[str]]:
    entries = Entries()
    for page in sorted((site / request.param / "reference" / "api").glob("*.html")):
        entries.feed(page.read_text("utf-8"))
    return entries.said


def ours(package: str) -> Iterator[tuple[str, Any]]:
    """Yield the public names of a package, and the methods and properties of its classes."""
    module = import_module(package)
    for name in module.__all__:
        found = getattr(module, name)
        yield f"{package}.{name}", found
        if not inspect.isclass(found):
            continue
        bases = [base for base in found.__mro__ if base.__module__.startswith("onecell")]
        for base in reversed(bases):  # what a class says itself comes last, and is what counts
            for method, raw in vars(base).items():
                public = not method.startswith("_") or method in SPECIAL
                if public and (callable(getattr(found, method)) or isinstance(raw, property)):
                    yield f"{package}.{name}.{method}", raw


def plain(text: str) -> str:
    """Return a text without what Markdown and a line's length put into it."""
    return re.sub(r"\s+", " ", re.sub(r"[`*\\]", "", text)).strip()


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_and_method_is_on_a_page(
    package: str, said: dict[str, list[str]]
) -> None:
    every = dict(ours(package))
    # The names of types alone, which are written out wherever one stands.
    every = {n: o for n, o in every.items() if not repr(o).startswith("typing.Literal")}
    assert every
    missing = every.keys() - said.keys()
    assert [n for n in missing if getattr(every[n], "__module__", "") != "onecell.errors"] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_the_page_says_what_the_docstring_says(package: str, said: dict[str, list[str]]) -> None:
    for name, found in dict(ours(package)).items():
        target = found.__func__ if isinstance(found, classmethod | staticmethod) else found
        text = inspect.getdoc(target)
        if name not in said or not text or not (callable(target) or isinstance(target, property)):
            continue
        shown = plain(said[name][1])
        assert plain(text.split("\n\n")[0])[:60] in shown, name
        for error in re.findall(r"^ {4}(\w+(?:, \w+)*Error): ", text, re.MULTILINE):
            assert all(each in shown for each in error.split(", ")), f"{name}: {error}"


@pytest.mark.parametrize("package", PACKAGES)
def test_signatures_have_every_parameter(package: str, said: dict[str, list[str]]) -> None:
    for name, found in dict(ours(package)).items():
        target = found.__func__ if isinstance(found, classmethod | staticmethod) else found
        if not inspect.isroutine(target) or name not in said:
            continue
        parameters = [p for p in inspect.signature(target).parameters if p not in ("self", "cls")]
        missing = [p for p in parameters if not re.search(rf"\b{p}\b", said[name][0])]
        assert missing == [], name


def test_a_compiled_method_has_its_types(said: dict[str, list[str]]) -> None:
    signature = plain(said["onecell.Stream.step"][0])
    assert re.search(
        r"x: np\.ndarray, out: np\.ndarray \| None = None, rows: Any = None", signature
    )
    assert "→ np.ndarray" in signature


def test_every_error_is_on_its_page(said: dict[str, list[str]]) -> None:
    kinds = [each for each in vars(errors).values() if inspect.isclass(each)]
    assert len(kinds) > 12
    for kind in kinds:
        assert plain(kind.__doc__ or "") in plain(said[f"onecell.errors.{kind.__name__}"][1])


def test_the_plug_in_of_pytest_is_told(said: dict[str, list[str]]) -> None:
    assert "onecell.pytest_plugin.assert_same_cell" in said


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("verb", VERBS)
def test_every_option_of_every_verb_is_told(verb: str, language: str, site: Path) -> None:
    page = (site / language / "reference/api/command.html").read_text("utf-8")
    start = page.index(f'id="{verb}"')
    section = page[start : page.find("<section", start)]
    command = typer.main.get_command(make_app([verb]))
    only = getattr(command, "commands", {}).get(verb, command)
    options = [opt for param in only.params for opt in param.opts if opt.startswith("--")]
    assert options
    assert [option for option in options if f">{option}<" not in section] == []

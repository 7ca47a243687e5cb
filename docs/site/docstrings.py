"""What autodoc cannot know by itself about our docstrings and the compiled classes."""

from __future__ import annotations

import ast
import functools
import re
import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.ext.napoleon import Config
from sphinx.ext.napoleon.docstring import GoogleDocstring
from sphinx.pycode import ModuleAnalyzer

from onecell import errors

_SEVERAL = re.compile(r"(\s*)((?:\w+, )+\w+): (.*)")
_GOOGLE = Config(napoleon_use_rtype=False)
_FENCE = re.compile(r"(\s*)```(\w*)")


def process_docstring(
    app: Sphinx, what: str, name: str, found: object, options: object, lines: list[str]
) -> None:
    """Make Google's sections fields, each of several errors in one line a field of its own."""
    if what == "data":
        lines[:] = _written_below(name.rpartition(".")[2], found)
    lines[:] = _without_fences(lines)
    if what in ("attribute", "data", "property"):
        return  # plain sentences, whose colons mean nothing
    lines[:] = [each for line in lines for each in _apart(line)]
    made = GoogleDocstring(lines, _GOOGLE, app, what, name, found, options)  # type: ignore[arg-type]
    lines[:] = made.lines()


def _written_below(name: str, value: object) -> list[str]:
    """Return the text below a value where it is defined: another module than it is public in."""
    for place, module in sorted(sys.modules.items()):
        if place.startswith("onecell.") and vars(module).get(name) is value:
            texts = ModuleAnalyzer.for_module(place).find_attr_docs()
            if ("", name) in texts:
                return texts["", name]
    raise ValueError(f"{name} has no text below it")


def _apart(line: str) -> list[str]:
    """Return `A, B: when.` as `A: when.` and `B: when.`; any other line as it is."""
    match = _SEVERAL.fullmatch(line)
    if match is None:
        return [line]
    names = match[2].split(", ")
    if not all(name.endswith("Error") for name in names):
        return [line]
    return [f"{match[1]}{name}: {match[3]}" for name in names]


def _without_fences(lines: list[str]) -> list[str]:
    """Return Markdown's fenced code as reStructuredText's."""
    after, inside = [], False
    for line in lines:
        fence = _FENCE.fullmatch(line)
        if fence is None:
            after.append(f"    {line}" if inside else line)
            continue
        inside = not inside
        after += ["", f"{fence[1]}.. code-block:: {fence[2] or 'text'}", ""] if inside else [""]
    return after


def process_signature(
    app: Sphinx, what: str, name: str, found: object, options: object, signature: str, result: str
) -> tuple[str, str | None] | None:
    """Give a compiled method the types that the kernel's stub has for it, a protocol none."""
    del app, options, name, result
    if what == "class" and signature == "(*args, **kwargs)":  # of a protocol, which nobody makes
        return "", None
    home = getattr(found, "__objclass__", None)
    if what != "method" or home is None or home.__module__ != "onecell._kernel":
        return None
    return stub_signatures()[f"{home.__name__}.{found.__name__}"]  # type: ignore[attr-defined]


@functools.cache
def stub_signatures() -> dict[str, tuple[str, str | None]]:
    """Return `Class.method` → its parameters and its result, as `_kernel.pyi` has them."""
    stub = Path(errors.__file__).with_name("_kernel.pyi")
    signatures = {}
    for kind in ast.parse(stub.read_text("utf-8")).body:
        for method in getattr(kind, "body", ()):
            if isinstance(kind, ast.ClassDef) and isinstance(method, ast.FunctionDef):
                del method.args.args[:1]
                result = ast.unparse(method.returns) if method.returns else None
                parameters = f"({ast.unparse(method.args)})"
                signatures[f"{kind.name}.{method.name}"] = parameters, result
    return signatures


def setup(app: Sphinx) -> dict[str, Any]:
    """Listen to autodoc."""
    app.connect("autodoc-process-docstring", process_docstring)
    app.connect("autodoc-process-signature", process_signature)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

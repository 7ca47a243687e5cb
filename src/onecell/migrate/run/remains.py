"""What of a framework is left in a file: what it imports, and every use of what is imported.

A port is done only where nothing is left, whatever the rewriting touched. So this reads the files
as they come out, with `ast` and by names alone: a name that an import, or a plain assignment of
one, binds anywhere in a module counts as bound in all of it.
"""

from __future__ import annotations

import ast
import re
import warnings
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from onecell.errors import SourceError
from onecell.migrate.run.notebooks import parts_of
from onecell.migrate.run.results import Kind, Remain
from onecell.migrate.source.limits import check_compiles, check_size

BUILT_ON: Final[Mapping[str, frozenset[str]]] = {
    "torch": frozenset(
        [
            *("accelerate", "apex", "bitsandbytes", "botorch", "captum", "deepspeed", "e3nn"),
            *("fairscale", "fairseq", "fastai", "functorch", "gpytorch", "ignite", "kornia"),
            *("lightning", "lightning_fabric", "lightning_utilities", "monai", "peft", "pyro"),
            *("pytorch_lightning", "pytorch_forecasting", "pytorch_metric_learning", "skorch"),
            *("segmentation_models_pytorch", "stable_baselines3", "timm", "triton", "xformers"),
        ]
    ),
    "mindspore": frozenset(
        [
            *("mindaudio", "mindchemistry", "mindcv", "mindearth", "mindelec", "mindflow"),
            *(
                "mindformers",
                "mindnlp",
                "mindocr",
                "mindone",
                "mindpet",
                "mindquantum",
                "mindsponge",
            ),
            *("mindspore_gl", "mindspore_gs", "mindspore_lite", "mindspore_serving", "mindyolo"),
        ]
    ),
}
"""Framework → packages that run on nothing else. Those called `torch...` need no mention."""


@dataclass(frozen=True, slots=True)
class Look:
    """One file to look over, as it goes to a child process."""

    data: bytes
    name: str
    framework: str
    local: frozenset[str]
    """Names of the project's own modules and folders: `torchy.py` is no package of torch's."""


def may_remain(data: bytes, framework: str) -> bool:
    """Return whether anything of `framework` may be in a file; where not, nothing is."""
    words = (framework, *BUILT_ON[framework])
    return any(word.encode() in data for word in words)


def belongs_to(path: str, framework: str, local: frozenset[str] = frozenset()) -> bool:
    """Return whether an import path is the framework's, or of a package that runs on it alone."""
    top, _, rest = path.partition(".")
    if top == "onecell":
        return rest.partition(".")[0] == framework
    if top == framework:
        return True
    return top not in local and (
        top in BUILT_ON[framework] or re.fullmatch(rf"(py)?{framework}_?\w+", top) is not None
    )


def find_remains(look: Look) -> tuple[Remain, ...]:
    """Return what of the framework is left in one file, in the order of its lines.

    This parses, so `pool.Pool` calls it elsewhere.

    Raises:
        SourceError: the file is not what this Python compiles, or no notebook.
    """
    starts: tuple[tuple[int, int], ...] = ()
    code: bytes | str = look.data
    if look.name.endswith(".ipynb"):
        code, starts = parts_of(look.data)
    check_size(code)
    check_compiles(code, look.name, fragment=bool(starts))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            nodes = list(ast.walk(ast.parse(code)))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise SourceError(f"cannot be looked over: {error}") from None
    found: dict[tuple[str, Kind], list[tuple[int | None, int]]] = {}
    for path, kind, line in sorted(set(_names(nodes)), key=lambda each: (each[2], *each)):
        if belongs_to(path, look.framework, look.local):
            found.setdefault((path, kind), []).append(_place(starts, line))
    return tuple(Remain(path, kind, tuple(places)) for (path, kind), places in found.items())


def _place(starts: tuple[tuple[int, int], ...], line: int) -> tuple[int | None, int]:
    at = bisect_right(starts, line, key=lambda cell: cell[0]) - 1
    return (None, line) if at < 0 else (starts[at][1], line - starts[at][0] + 1)


def _names(nodes: list[ast.AST]) -> Iterator[tuple[str, Kind, int]]:
    """Yield every import path that a module imports or uses, and its line."""
    bound = _bound(nodes)
    inner: set[int] = set()
    for node in nodes:
        match node:
            case ast.Import(names=names):
                yield from ((alias.name, "import", node.lineno) for alias in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield from ((_of(module, each.name), "import", node.lineno) for each in names)
            case ast.Call(args=[ast.Constant(value=str(path)), *_]) if _imports(node.func):
                yield path, "import", node.lineno
            case ast.Attribute() | ast.Name(ctx=ast.Load()) if id(node) not in inner:
                chain = list(_chain(node))
                inner.update(map(id, chain))
                if path := _path(chain, bound):
                    yield path, "use", node.lineno


def _bound(nodes: list[ast.AST]) -> dict[str, str]:
    """Return name → the import path that it may stand for."""
    bound: dict[str, str] = {}
    for node in nodes:
        match node:
            case ast.Import(names=names):
                for alias in names:
                    head = alias.name if alias.asname else alias.name.partition(".")[0]
                    bound[alias.asname or head] = head
            case ast.ImportFrom(module=str(module), names=names, level=0):
                bound |= {each.asname or each.name: _of(module, each.name) for each in names}
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as value):
                match value:
                    case ast.Call(func=function, args=[ast.Constant(value=str(path)), *_]) if (
                        _imports(function)
                    ):
                        bound.setdefault(name, path)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                if path := _path(list(_chain(value)), bound):
                    bound.setdefault(name, path)
    return bound


def _imports(function: ast.expr) -> bool:
    """Whether a call imports what its first argument names: `import_module`, `importorskip`."""
    match function:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return "import" in name or name == "find_spec"
    return False


def _of(module: str, name: str) -> str:
    return module if name == "*" else f"{module}.{name}"


def _chain(node: ast.AST) -> Iterator[ast.AST]:
    """Yield `a.b.c`, `a.b` and `a`."""
    yield node
    while isinstance(node, ast.Attribute):
        node = node.value
        yield node


def _path(chain: list[ast.AST], bound: Mapping[str, str]) -> str:
    """Return the import path that a chain of attributes stands for; "" if it is none."""
    *attributes, root = chain
    if not isinstance(root, ast.Name) or root.id not in bound:
        return ""
    names = [each.attr for each in reversed(attributes) if isinstance(each, ast.Attribute)]
    return ".".join([bound[root.id], *names])

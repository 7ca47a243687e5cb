"""From a probe's function to the program that a reader sees and a side runs: the same text.

A probe is a function whose last statement returns the answer. Its program is the function's body
as it stands, below the imports that it needs; the answer is printed. The parameters name what
differs between the sides:

    LSTMCell     the class under test
    tensor       makes a tensor of the framework from an array, or with dtype= of another type
    framework    the framework's module

The program of onecell's side is the framework's with the import of LSTMCell changed.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Final

from onecell.dialect import get_dialect
from onecell.errors import ArgumentError

Probe = Callable[..., object]

_TENSOR: Final = {
    "torch": "from torch import tensor",
    "mindspore": "from mindspore import Tensor as tensor",
}


@cache
def program(probe: Probe, side: str) -> str:
    """Return the program of `probe` for one side.

    Raises:
        ArgumentError: the function does not end in its only `return`, or asks for a parameter
            that there is not.
    """
    function, text = _function(probe)
    header = "\n".join(_imports(probe, function, side))
    return "\n\n".join(part for part in (header, text) if part)


def body(probe: Probe) -> str:
    """Return the body of `probe` with its answer printed, without any import above it."""
    return _function(probe)[1]


def _function(probe: Probe) -> tuple[ast.FunctionDef, str]:
    source = textwrap.dedent(inspect.getsource(probe))
    (function,) = ast.parse(source).body
    if not isinstance(function, ast.FunctionDef):
        raise ArgumentError("`probe` must be a plain function.")
    if ast.get_docstring(function) is not None:
        function.body = function.body[1:]
    *_, last = function.body
    returns = [n for n in _own_nodes(function) if isinstance(n, ast.Return)]
    if not isinstance(last, ast.Return) or last.value is None or len(returns) != 1:
        raise ArgumentError(f"`{probe.__name__}` must have one return, with a value, at its end.")
    lines = source.splitlines()
    above = textwrap.dedent("\n".join(lines[function.body[0].lineno - 1 : last.lineno - 1]))
    first, *rest = (ast.get_source_segment(source, last.value) or "").split("\n")
    indent = " " * last.col_offset
    printed = "\n".join([f"print({first}", *(line.removeprefix(indent) for line in rest)]) + ")"
    return function, "\n".join(filter(None, (above, printed)))


def _own_nodes(function: ast.FunctionDef) -> list[ast.AST]:
    """Return the nodes of `function` without those of functions inside it."""
    found: list[ast.AST] = []
    todo: list[ast.AST] = list(function.body)
    while todo:
        node = todo.pop()
        found.append(node)
        if not isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            todo.extend(ast.iter_child_nodes(node))
    return found


def _imports(probe: Probe, function: ast.FunctionDef, side: str) -> list[str]:
    """Return the import lines: NumPy, the parameters' meanings, and what the module lends."""
    framework = side.removeprefix("onecell.")
    path = get_dialect(framework).onecell if side != framework else get_dialect(framework).cell
    module, name = path.rsplit(".", 1)
    meanings = {
        "framework": f"import {framework} as framework",
        "tensor": _TENSOR[framework],
        "LSTMCell": f"from {module} import {name}",
    }
    wanted = [argument.arg for argument in function.args.args]
    if unknown := set(wanted) - set(meanings):
        raise ArgumentError(f"`{probe.__name__}` asks for {sorted(unknown)}; see `programs`.")
    nodes = [node for statement in function.body for node in ast.walk(statement)]
    names = [node for node in nodes if isinstance(node, ast.Name)]
    own = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    used = {node.id for node in names} - own
    plain, lent = _lent(sys.modules[probe.__module__])
    lines = [plain[name] for name in sorted(used & plain.keys())]
    lines += [line for name, line in meanings.items() if name in wanted]
    modules = sorted({lent[name] for name in used & lent.keys()})
    for each in modules:
        taken = sorted(name for name in used & lent.keys() if lent[name] == each)
        lines.append(f"from {each} import {', '.join(taken)}")
    return lines


@cache
def _lent(module: ModuleType) -> tuple[dict[str, str], dict[str, str]]:
    """Return what a module imports: name → its import line; name → the module it is from."""
    plain: dict[str, str] = {}
    lent: dict[str, str] = {}
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.Import):
            for each in node.names:
                plain[each.asname or each.name] = f"import {ast.unparse(each)}"
        elif isinstance(node, ast.ImportFrom):
            lent |= {each.name: node.module or "" for each in node.names}
    return plain, lent

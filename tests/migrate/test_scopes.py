"""What a name may stand for, found in one walk: held against LibCST's provider, and against Python.

LibCST overlooks what `case X() as v` binds, and reads a dictionary comprehension's key before its
loop; wherever it finds a binding, we find the same ones.
"""

from __future__ import annotations

import random
from pathlib import Path

import libcst as cst
import pytest
from libcst.metadata import BuiltinAssignment, MetadataWrapper, ScopeProvider

from migrate.test_corpus import corpus
from onecell.migrate.meaning.scope_walk import scopes_of

FILES = 40


def ours(module: cst.Module) -> dict[cst.CSTNode, set[cst.CSTNode]]:
    """Return every read and the nodes that may have bound it."""
    return {node: {one.node for one in found} for node, found in scopes_of(module)[1].items()}


def libcsts(module: cst.Module) -> dict[cst.CSTNode, set[cst.CSTNode]]:
    """Return the same as LibCST sees it."""
    wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
    found: dict[cst.CSTNode, set[cst.CSTNode]] = {}
    for scope in set(wrapper.resolve(ScopeProvider).values()):
        for access in scope.accesses if scope is not None else ():
            nodes = found.setdefault(access.node, set())
            for one in access.referents:
                if not isinstance(one, BuiltinAssignment):
                    nodes.add(one.node)  # type: ignore[attr-defined]  # all others have one
    return found


def small_files() -> list[Path]:
    paths = [path for path in corpus() if path.suffix == ".py" and path.stat().st_size < 30_000]
    return random.Random(11).sample(paths, FILES)  # noqa: S311 - no secret


@pytest.mark.parametrize("path", small_files(), ids=str)
def test_reads_see_what_libcst_says_they_see(path: Path) -> None:
    module = cst.parse_module(path.read_bytes())
    mine = ours(module)
    for node, bound in libcsts(module).items():
        # `import a.b` is filed under `a.b` there, and under the whole of what is read here.
        if isinstance(node, cst.Name) and bound:
            assert mine[node] == bound, node.value


def bound_by(source: str, name: str) -> list[str]:
    """Return the kinds of what the last read of `name` may see."""
    reads = [
        (node, found)
        for node, found in ours(cst.parse_module(source)).items()
        if isinstance(node, cst.Name) and node.value == name
    ]
    return sorted(type(node).__name__ for node in reads[-1][1])


@pytest.mark.parametrize(
    ("source", "name", "kinds"),
    [
        ("match x:\n    case dict() as v:\n        print(v)\n", "v", ["Name"]),
        ("match x:\n    case [first, *rest]:\n        print(rest)\n", "rest", ["Name"]),
        ("pairs = {key: 1 for key in x}\n", "key", ["Name"]),
        ("def f():\n    import a\n    def g():\n        return a\n", "a", ["Import"]),
        ("import a\nclass C:\n    a = 1\n    def f(self):\n        return a\n", "a", ["Import"]),
        ("import a\ndef f(a):\n    return a\n", "a", ["Param"]),
        ("import a\ndef f():\n    global a\n    a = 1\nprint(a)\n", "a", ["Import", "Name"]),
        ("if (n := x) > 1:\n    print(n)\n", "n", ["Name"]),
        ("print(len(x))\n", "len", []),
        ("try:\n    pass\nexcept E as e:\n    print(e)\n", "e", ["Name"]),
    ],
)
def test_a_read_sees_what_python_would(source: str, name: str, kinds: list[str]) -> None:
    assert bound_by(source, name) == kinds

"""Where each node begins, and the text that LibCST gives back: one walk for both.

LibCST's own provider splits every token at line ends and keeps the end of every node as well; that
costs as much as parsing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

import libcst as cst
from libcst._nodes.internal import CodegenState

_EMPTY = cst.Module([])


@dataclass
class Positions:
    """Line and column of the nodes of one module."""

    code: str
    """The module as LibCST writes it."""
    _starts: dict[cst.CSTNode, int]
    """By how many tokens each node has before it."""
    _offsets: list[int]
    """How many characters so many tokens are."""
    _lines: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self._lines = [0]
        for line in self.code.split("\n")[:-1]:
            self._lines.append(self._lines[-1] + len(line) + 1)

    def start(self, node: cst.CSTNode) -> tuple[int, int]:
        """Return the line, from 1, and the column, from 0, at which a node begins."""
        at = self._offsets[self._starts[node]]
        line = bisect_right(self._lines, at)
        return line, at - self._lines[line - 1]

    @cached_property
    def has_inner_comments(self) -> bool:
        """Whether any comment of the module stands inside of a statement's parentheses."""
        return any(
            type(node) is cst.ParenthesizedWhitespace and "#" in _EMPTY.code_for_node(node)
            for node in self._starts
        )


def positions_of(module: cst.Module) -> Positions:
    """Return where every node of `module` begins, less its white space and parentheses."""
    state = _State(default_indent=module.default_indent, default_newline=module.default_newline)
    module._codegen(state)
    offsets = [0, *accumulate(map(len, state.tokens))]
    return Positions("".join(state.tokens), state.starts, offsets)


class _State(CodegenState):
    """Write a module, and note how many tokens were written when each node began."""

    def __init__(self, default_indent: str, default_newline: str) -> None:
        super().__init__(default_indent, default_newline)
        self.starts: dict[cst.CSTNode, int] = {}

    def before_codegen(self, node: cst.CSTNode) -> None:
        self.starts[node] = len(self.tokens)

    @contextmanager
    def record_syntactic_position(
        self,
        node: cst.CSTNode,
        *,
        start_node: cst.CSTNode | None = None,
        end_node: cst.CSTNode | None = None,
    ) -> Iterator[None]:
        del end_node
        self.starts[node] = len(self.tokens)
        yield
        if start_node is not None:
            self.starts[node] = self.starts[start_node]

"""Where each node begins, and the text that LibCST gives back: one walk for both.

LibCST's own provider splits every token at line ends and keeps the end of every node as well; that
costs as much as parsing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import libcst as cst
from libcst._nodes.internal import CodegenState


@dataclass(slots=True)
class Positions:
    """Line and column of the nodes of one module."""

    code: str
    """The module as LibCST writes it."""
    _starts: dict[cst.CSTNode, int]
    _lines: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self._lines = [0]
        for line in self.code.split("\n")[:-1]:
            self._lines.append(self._lines[-1] + len(line) + 1)

    def start(self, node: cst.CSTNode) -> tuple[int, int]:
        """Return the line, from 1, and the column, from 0, at which a node begins."""
        at = self._starts[node]
        line = bisect_right(self._lines, at)
        return line, at - self._lines[line - 1]


def positions_of(module: cst.Module) -> Positions:
    """Return where every node of `module` begins, less its white space and parentheses."""
    state = _State(default_indent=module.default_indent, default_newline=module.default_newline)
    module._codegen(state)
    return Positions("".join(state.tokens), state.starts)


class _State(CodegenState):
    """Write a module, and note how much was written when each node began."""

    def __init__(self, default_indent: str, default_newline: str) -> None:
        super().__init__(default_indent, default_newline)
        self.written = 0
        self.starts: dict[cst.CSTNode, int] = {}

    def add_indent_tokens(self) -> None:
        self.tokens.extend(self.indent_tokens)
        self.written += sum(map(len, self.indent_tokens))

    def add_token(self, value: str) -> None:
        self.tokens.append(value)
        self.written += len(value)

    def before_codegen(self, node: cst.CSTNode) -> None:
        self.starts[node] = self.written

    @contextmanager
    def record_syntactic_position(
        self,
        node: cst.CSTNode,
        *,
        start_node: cst.CSTNode | None = None,
        end_node: cst.CSTNode | None = None,
    ) -> Iterator[None]:
        del end_node
        self.starts[node] = self.written
        yield
        if start_node is not None:
            self.starts[node] = self.starts[start_node]

"""Visit a tree, and build anew only what stands over a change.

LibCST's own visitor builds every node again, white space and all, and that takes longer than all
the rules together. Here what does not change stays the same object.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import libcst as cst

from onecell.migrate.meaning.syntax import is_part, parts_of

_Way = tuple[str | None, str | None]


class Rebuilder:
    """Derive from this, with methods `visit_X(node)` and `leave_X(node, updated)` for nodes `X`.

    A `visit_X` that returns False keeps what is below; a `leave_X` returns what takes the place of
    the node, whose parts `updated` has as they are now.
    """

    _ways: Final[dict[tuple[type, type], _Way]] = {}

    def passes(self, node: cst.CSTNode) -> bool:
        """Whether a node is left as it is, without a look."""
        del node
        return False

    def left(self, node: cst.CSTNode, built: cst.CSTNode) -> cst.CSTNode:
        """Return what takes the place of any node, once `leave_X` has built that."""
        del node
        return built

    def rebuilt(self, node: cst.CSTNode) -> cst.CSTNode:
        """Return what becomes of `node`: itself where nothing below it changes."""
        if self.passes(node):
            return node
        visit, leave = self._way(type(node))
        updated = node
        if visit is None or getattr(self, visit)(node) is not False:
            changes: dict[str, Any] = {}
            for name in parts_of(type(node)):
                value = getattr(node, name)
                if is_part(type(value)):
                    new = self.rebuilt(value)
                elif type(value) in (list, tuple) and value:
                    new = self._all(value)
                else:
                    continue
                if new is not value:
                    changes[name] = new
            if changes:
                updated = node.with_changes(**changes)
        if leave is not None:
            build: Callable[[cst.CSTNode, cst.CSTNode], cst.CSTNode] = getattr(self, leave)
            updated = build(node, updated)
        return self.left(node, updated)

    def _all(self, nodes: Any) -> Any:  # noqa: ANN401 - a sequence of nodes, of any kind
        """Return what becomes of `nodes`: the same sequence where none of them changes."""
        new = [self.rebuilt(node) if is_part(type(node)) else node for node in nodes]
        return new if any(a is not b for a, b in zip(new, nodes, strict=True)) else nodes

    @classmethod
    def _way(cls, kind: type) -> _Way:
        """Return the names of the methods for a class of nodes."""
        found = cls._ways.get((cls, kind))
        if found is None:
            visit, leave = f"visit_{kind.__name__}", f"leave_{kind.__name__}"
            found = (
                visit if hasattr(cls, visit) else None,
                leave if hasattr(cls, leave) else None,
            )
            cls._ways[cls, kind] = found
        return found

"""What a row of the table is: one thing under both frameworks' signatures."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

SAME: Final = "SAME"
"""Stands for a default that means the same in both, though it is not spelled the same."""


@dataclass(frozen=True)
class Signature:
    """One framework's import path and arguments, parsed from the way a person writes them."""

    text: str
    """`torch.stack(tensors, dim=0)`; without parentheses for a name that is no function."""

    @property
    def path(self) -> str:
        """The import path."""
        return self.text.partition("(")[0]

    @property
    def is_callable(self) -> bool:
        """Whether arguments are written down."""
        return "(" in self.text

    @cached_property
    def _arguments(self) -> ast.arguments:
        body = self.text.partition("(")[2] or ")"
        module = ast.parse(f"def f({body}: ...")
        function = module.body[0]
        assert isinstance(function, ast.FunctionDef)  # noqa: S101 - as written above
        return function.args

    @cached_property
    def positional(self) -> tuple[str, ...]:
        """Names of the arguments that may be given by position, in order."""
        return tuple(argument.arg for argument in self._arguments.args)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of all arguments."""
        return (*self.positional, *(argument.arg for argument in self._arguments.kwonlyargs))

    @cached_property
    def rest(self) -> str | None:
        """Name of `*rest`, if there is one."""
        return self._arguments.vararg.arg if self._arguments.vararg else None

    @cached_property
    def defaults(self) -> Mapping[str, str]:
        """Source of each default."""
        plain = self._arguments.args[len(self._arguments.args) - len(self._arguments.defaults) :]
        found = dict(zip(plain, self._arguments.defaults, strict=True))
        named = zip(self._arguments.kwonlyargs, self._arguments.kw_defaults, strict=True)
        found |= {argument: value for argument, value in named if value is not None}
        return {argument.arg: ast.unparse(value) for argument, value in found.items()}


@dataclass(frozen=True)
class Row:
    """One thing that both frameworks have. Arguments that share a name are the same argument."""

    rule: str
    """Name of the rule, as findings and cases call it."""
    torch: Signature
    mindspore: Signature
    pairs: Mapping[str, str] = field(default_factory=dict)
    """torch's argument name → MindSpore's, where they differ."""
    fixed: Mapping[str, str] = field(default_factory=dict)
    """Argument of one side only → the value under which both sides agree. Written out on the way
    there; any other value is marked on the way back."""
    dropped: frozenset[str] = frozenset()
    """Arguments of one side only that change no number, such as torch's `device`."""
    gives: str = ""
    """Kind of what a call returns: "tensor", "module", …; see `kinds`."""
    shape: str = ""
    """How the arguments are reshaped, beyond names; see `reshape`."""
    one_way: str = ""
    """The only framework that this row leads to, where the way back is another row's."""

    def side(self, framework: str) -> Signature:
        """Return the signature in `framework`."""
        return self.torch if framework == "torch" else self.mindspore

    def is_interchangeable(self, source: str) -> bool:
        """Whether the thing itself may be handed on: every call by position means the same."""
        old = self.side(source)
        new = self.mindspore if source == "torch" else self.torch
        if not (old.is_callable and new.is_callable) or self.shape == "cell":
            return True
        names = self.names(source)
        places = zip(old.positional, new.positional, strict=False)
        return (
            not self.shape
            and all(names.get(one) == other for one, other in places)
            and all(
                names.get(name) is None or new.defaults.get(names[name]) == default
                for name, default in old.defaults.items()
            )
            and all(new.defaults.get(name, value) == value for name, value in self.fixed.items())
        )

    def names(self, source: str) -> dict[str, str]:
        """Return what the other side calls each argument that both sides have."""
        pairs = self.pairs if source == "torch" else {b: a for a, b in self.pairs.items()}
        other = self.mindspore if source == "torch" else self.torch
        taken = set(pairs.values())
        same = {n: n for n in self.side(source).names if n in other.names and n not in taken}
        return {**same, **pairs}


def row(  # noqa: D103
    rule: str,
    torch: str,
    mindspore: str,
    *,
    pairs: Mapping[str, str] | None = None,
    fixed: Mapping[str, str] | None = None,
    dropped: tuple[str, ...] = (),
    gives: str = "",
    shape: str = "",
    one_way: str = "",
) -> Row:
    return Row(
        rule,
        Signature(torch),
        Signature(mindspore),
        pairs or {},
        fixed or {},
        frozenset(dropped),
        gives,
        shape,
        one_way,
    )

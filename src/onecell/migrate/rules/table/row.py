"""What a row of the table is: one thing under both frameworks' signatures."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

from onecell.migrate.rules.table.domain import SENTENCES, Domain, Tensor

SAME: Final = "SAME"
"""Stands for a default that means the same in both, though it is not spelled the same."""


Proof = Literal["drawn", "random", "run", "file", "named"]
"""How tests prove a row. drawn: both sides are called with what is drawn from the domain. random:
the same, but of random numbers shape and element type are compared. run: a case of its rule is run.
file: what one side saves is loaded by it, there and back. named: there is nothing to call, and both
names stand for one thing."""


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
        return tuple(argument.arg for argument in self._placed)

    @property
    def _placed(self) -> list[ast.arg]:
        return [*self._arguments.posonlyargs, *self._arguments.args]

    @property
    def only_positional(self) -> frozenset[str]:
        """Names of the arguments that may be given by position only."""
        return frozenset(argument.arg for argument in self._arguments.posonlyargs)

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
        plain = self._placed[len(self._placed) - len(self._arguments.defaults) :]
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
    domain: Mapping[str, Domain] = field(default_factory=dict)
    """torch's argument → what it may be. The proof is drawn from it."""
    given: tuple[Tensor, ...] = ()
    """What an instance of a layer is called with; parameters of an optimizer."""
    holds: tuple[str, ...] = ()
    """Features of what comes in with which the sides differ in silence; see `SENTENCES`. A call is
    converted on the assumption that they do not come."""
    raises: tuple[str, ...] = ()
    """Features with which the other side raises an error where this one computes."""
    proof: Proof = "drawn"
    error: float = 0.0
    """How far MindSpore's own rounding may be off, where it is more than float32's."""
    needs: Mapping[str, str] = field(default_factory=dict)
    """torch's argument → the one without which it does not mean the same in MindSpore."""

    @property
    def assumed(self) -> tuple[str, ...]:
        """What has to hold for a call, in words."""
        return tuple(SENTENCES[feature] for feature in self.holds)

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
    domain: Mapping[str, Domain] | None = None,
    given: tuple[Tensor, ...] = (),
    holds: tuple[str, ...] = (),
    raises: tuple[str, ...] = (),
    proof: Proof = "drawn",
    needs: Mapping[str, str] | None = None,
    error: float = 0.0,
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
        domain or {},
        given,
        holds,
        raises,
        proof,
        error,
        needs or {},
    )

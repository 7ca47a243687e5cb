"""What a row of the way back is: a thing of MindSpore's, and the expression torch has for it.

An operator is made first and called later, `ops.Concat(1)((a, b))`; a function is called at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from onecell.migrate.meaning.kinds import OPERATOR
from onecell.migrate.rules.table.domain import Domain, Tensor
from onecell.migrate.rules.table.row import Signature


@dataclass(frozen=True)
class Operator:
    """One operator or function of MindSpore's under one choice of its settings."""

    path: str
    """Its import path."""
    made: Signature
    """What an operator is made with; nothing for a function."""
    called: Signature
    """What it is called with."""
    torch: str
    """The same in torch, of the arguments of both, by their names."""
    when: Mapping[str, str]
    """Argument → the value with which alone the expression holds."""
    is_made: bool
    gives: str
    """Kind of what a call returns; see `kinds`."""
    domain: Mapping[str, Domain]
    """Argument → what it may be. The proof is drawn from it."""
    holds: tuple[str, ...] = ()
    """Features of what comes in with which the sides differ in silence; see `SENTENCES`."""
    raises: tuple[str, ...] = ()
    """Features with which one side raises an error where the other computes."""
    supposed: tuple[str, ...] = ()
    """What has to hold besides, in words."""
    proof: str = "drawn"
    """drawn: both sides are called; random: of random numbers only shape and type are compared;
    run: a case of it is run."""

    @property
    def is_name(self) -> bool:
        """Whether the expression is a function of torch's, called with the same arguments."""
        head, bracket, rest = self.torch.partition("(")
        given = rest.removesuffix(")")
        return bool(bracket) and given == ", ".join(self.called.positional) and " " not in head

    @property
    def kind(self) -> str:
        """Kind of what is named by the path, once it is called."""
        return f"{OPERATOR}{self.gives}" if self.is_made else self.gives


def operator(
    made: str,
    called: str,
    torch: str,
    *,
    when: Mapping[str, str] | None = None,
    gives: str = "tensor",
    holds: tuple[str, ...] = (),
    raises: tuple[str, ...] = (),
    supposed: tuple[str, ...] = (),
    proof: str = "drawn",
    home: str = "mindspore.ops",
    **domain: Domain,
) -> Operator:
    """Return the row of an operator: `Concat(axis=0)`, called with `xs`."""
    signature = Signature(f"{home}.{made}")
    return Operator(
        signature.path, signature, Signature(f"called({called})"), torch, when or {}, True, gives,
        domain, holds, raises, supposed, proof,
    )  # fmt: skip


def function(
    called: str,
    torch: str,
    *,
    when: Mapping[str, str] | None = None,
    gives: str = "tensor",
    holds: tuple[str, ...] = (),
    raises: tuple[str, ...] = (),
    supposed: tuple[str, ...] = (),
    proof: str = "drawn",
    home: str = "mindspore.ops",
    **domain: Domain,
) -> Operator:
    """Return the row of a function: `expand_dims(x, axis)`."""
    signature = Signature(f"{home}.{called}")
    return Operator(
        signature.path, Signature("made()"), signature, torch, when or {}, False, gives,
        domain, holds, raises, supposed, proof,
    )  # fmt: skip


FLOAT32: Final = ("float32",)
ANYTHING: Final = Tensor("*s", FLOAT32)

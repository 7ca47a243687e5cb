"""What a rewritten training step takes for granted: said with the use, since no line shows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Basis = Literal["given", "returned", "kept", "unused"]


@dataclass(frozen=True, slots=True, order=True)
class Assumption:
    """One thing that the file does not show."""

    basis: Basis
    """given: a value comes from whoever calls; returned: another file's function gives it, or
    another file holds it; kept: what is called may hold a value of its own; unused: a parameter
    may be without a gradient."""
    name: str
    """As the step writes it, or the import path."""
    called: str = ""
    """How the function is called from outside that takes it as a parameter, a class for its
    `__init__`; empty where it comes another way."""
    index: int = -1
    """The parameter's position in such a call, -1 where that is not sure."""
    parameter: str = ""
    path: str = ""
    """The import path that it comes from; empty where it comes another way."""


@dataclass(frozen=True, slots=True)
class Outside:
    """What the other files of a project have shown about one file."""

    carrying: frozenset[tuple[str, str]] = frozenset()
    """(how a function is called, its parameter) that another file gives a module's output."""
    returning: frozenset[str] = frozenset()
    """Import paths of what gives a module's output."""
    keepers: frozenset[str] = field(default=frozenset())
    """Attributes, `Class.name`, in which other files keep a module's output."""
    modules: frozenset[str] = field(default=frozenset())
    """Names of the project's classes that are modules."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Attribute of the project's modules that the other framework's have → what it becomes."""
    others: frozenset[str] = field(default=frozenset())
    """Of these, what classes that are no modules have too."""
    layers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Attribute of an object of the project → import paths of what makes it, see `Survey`."""
    taken: frozenset[str] = field(default=frozenset())
    """Names that some file of the project takes out of another, `*` for all of them."""
    whole: bool = False
    """Whether this is what all files of a project show, so that nobody else takes anything."""


_SAID: Final[dict[Basis, tuple[str, str]]] = {
    "given": (
        "{} carries no gradient from before the step",
        "{} carry no gradient from before the step",
    ),
    "returned": (
        "what comes from {} carries no gradient from before the step",
        "what comes from {} carries no gradient from before the step",
    ),
    "kept": (
        "{} uses nothing that it kept from before the step without `detach`",
        "{} use nothing that they kept from before the step without `detach`",
    ),
    "unused": (
        "each parameter of {} gets a gradient in every step",
        "each parameter of {} gets a gradient in every step",
    ),
}


def said(assumptions: Iterable[Assumption], to: str) -> str:
    """Return the sentence that a use gets for what it takes for granted; at least one thing."""
    groups: dict[Basis, set[str]] = {}
    for each in assumptions:
        groups.setdefault(each.basis, set()).add(each.name)
    parts = []
    for basis, (one, several) in _SAID.items():
        if names := [f"`{name}`" for name in sorted(groups.get(basis, ()))]:
            text = ", ".join(names[:-1]) + (" and " if names[:-1] else "") + names[-1]
            parts.append((one if len(names) == 1 else several).format(text))
    return f"Rewritten for {to}; exact if {', and if '.join(parts)}."

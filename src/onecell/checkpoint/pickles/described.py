"""What stands for the values of a pickle: inert descriptions, none of which does anything."""

from __future__ import annotations

from dataclasses import dataclass

from onecell.text import short


@dataclass(frozen=True, slots=True)
class Global:
    """A name that a pickle may mention. Only a name."""

    name: str


@dataclass(slots=True)
class Pairs:
    """A dictionary as the list of its items, in the order in which they were set.

    Not a dict, so that no hash of a stranger's choosing is ever computed.
    """

    items: list[tuple[object, object]]
    attributes: bool = False
    """Whether the items are attributes, which are set as the state of an object."""
    program: bool = False
    """Whether it is an object of a class that the file itself defines."""

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True)
class Storage:
    """Where the elements of a tensor lie: the content of a persistent id."""

    kind: str
    """The storage class, "torch.FloatStorage"."""
    key: str
    count: int
    """Elements of `kind`; bytes where `kind` is untyped."""


@dataclass(frozen=True, slots=True)
class TensorPlan:
    """A tensor that is still to be cut out of its storage; sizes as the file has them."""

    storage: Storage
    offset: object
    size: object
    stride: object
    dtype: str | None = None
    """The element type where the storage does not tell it: "torch.uint16"."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A tensor of a kind that has no array, and why."""

    reason: str


def say(value: object) -> str:
    """Say in a few words what came, whatever it is and however much of it there is."""
    if isinstance(value, Global):
        return value.name
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    if isinstance(value, str):
        return f"`{short(value)}`"
    if isinstance(value, tuple) and len(value) <= 64 and all(type(n) is int for n in value):
        return short(str(value), 200)
    size = f" of {len(value)}" if isinstance(value, list | tuple | bytes | Pairs) else ""
    return f"a {'dictionary' if isinstance(value, Pairs) else type(value).__name__}{size}"

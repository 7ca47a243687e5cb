"""XML as a tree of elements, within a budget and without entities."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from onecell.checkpoint.limits import Budget
from onecell.errors import CheckpointError, UnsafeCheckpointError
from onecell.text import short

_DEEPEST: Final = 96
_ELEMENT: Final = 500
_CHARACTER: Final = 4


@dataclass(slots=True)
class Element:
    """One element, and what is in it."""

    tag: str
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list)
    text: str = ""
    """What stands in it before its first child."""
    start: int = 0
    """The byte of the document at which it begins."""
    weight: int = 0
    """What it was charged, with all in it."""

    def get(self, name: str) -> str:
        """Return an attribute, "" where there is none."""
        return self.attributes.get(name, "")

    def all(self, *path: str) -> Iterator[Element]:
        """Yield the elements that lie there, each tag of `path` below the one before."""
        for child in self.children:
            if child.tag == path[0]:
                if path[1:]:
                    yield from child.all(*path[1:])
                else:
                    yield child


def read_xml(
    content: bytes, budget: Budget, root: Callable[[Element], None], kept: Callable[[Element], bool]
) -> Element:
    """Return the tree of a document.

    Args:
        content: all of it.
        budget: what it may weigh.
        root: called with the outermost element as soon as its attributes are known.
        kept: whether an element that is complete is wanted.

    Raises:
        UnsafeCheckpointError: it declares a document type, or weighs more than it may.
        CheckpointError: it is no XML, or nested too deep.
    """
    above: list[Element] = []
    found: list[Element] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        if len(above) >= _DEEPEST:
            raise CheckpointError(f"its XML is nested deeper than {_DEEPEST}.")
        size = sum(len(name) + len(text) for name, text in attributes.items())
        weight = _ELEMENT + _ELEMENT // 4 * len(attributes) + _CHARACTER * size
        budget.take(weight, "an element", tag)
        element = Element(tag, attributes, start=parser.CurrentByteIndex, weight=weight)
        if not above:
            root(element)
            found.append(element)
        above.append(element)

    def end(_: str) -> None:
        element = above.pop()
        if above and kept(element):
            above[-1].children.append(element)
            above[-1].weight += element.weight
        elif above:
            budget.give(element.weight)

    def text(data: str) -> None:
        element = above[-1]
        if not element.children and not data.isspace():
            budget.take(_CHARACTER * len(data), "a text")
            element.weight += _CHARACTER * len(data)
            element.text += data

    def doctype(*_: object) -> None:
        raise UnsafeCheckpointError("its XML declares a document type, which no model does.")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(content, True)  # all at once: this is the end
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise CheckpointError(f"it is no XML: {short(error, 200)}.") from None
    return found[0]

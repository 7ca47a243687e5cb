"""A figure as SVG that is at home inside the page.

What matplotlib writes is a document of its own: styled inline, with identifiers that would clash
with the next figure's. Here it becomes an element of the page: colours are classes, text is text in
both languages, identifiers carry the figure's name, and no `style` attribute is left, so that the
page's security policy can refuse them all.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Final
from xml.etree import ElementTree as Xml

import matplotlib as mpl
from matplotlib.figure import Figure

from onecell.verify.difference import Text
from onecell.verify.report import style

_SVG: Final = "http://www.w3.org/2000/svg"
_LINK: Final = "{http://www.w3.org/1999/xlink}href"
_KEPT: Final = frozenset(
    (
        *("fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-dashoffset"),
        *("stroke-linecap", "stroke-linejoin", "opacity", "fill-opacity", "stroke-opacity"),
        *("text-anchor", "font-size", "font-weight"),
    )
)
"""Of a style, what a page without `style` attributes can say as attributes."""
_FONT: Final = re.compile(r"(?P<size>[\d.]+px)")
_URL: Final = re.compile(r"url\(#([^)]+)\)")


def to_svg(figure: Figure, name: str, words: Mapping[str, Text]) -> str:
    """Return `figure` as one `svg` element, an image named by the element `<name>-caption`.

    Args:
        figure: drawn in the colours and with the settings of `style`.
        name: unique in the page, of letters, digits and hyphens; identifiers begin with it.
        words: texts in the figure → the same in both languages; any other text stays as it is.
    """
    buffer = io.StringIO()
    with mpl.rc_context(style.RC):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    root = Xml.fromstring(text[text.index("<svg") :])  # noqa: S314 - what was just drawn
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in {f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"}:
                parent.remove(child)
    used = _used(root)
    for element in root.iter():
        _settle(element, name, used)
    _translate(root, words)
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.attrib |= {"role": "img", "class": "plot", "aria-labelledby": f"{name}-caption"}
    Xml.register_namespace("", _SVG)
    return Xml.tostring(root, encoding="unicode")


def _used(root: Xml.Element) -> set[str]:
    """Return the identifiers that something refers to."""
    found = set()
    for element in root.iter():
        for key, value in element.attrib.items():
            if key == _LINK and value.startswith("#"):
                found.add(value[1:])
            found.update(_URL.findall(value))
    return found


def _settle(element: Xml.Element, name: str, used: set[str]) -> None:
    """Turn styles into classes and attributes, and make identifiers the figure's own."""
    _unstyle(element)
    identifier = element.attrib.pop("id", None)
    if identifier in used:
        element.set("id", f"{name}-{identifier}")
    link = element.attrib.pop(_LINK, None)
    if link is not None:
        element.set("href", f"#{name}-{link[1:]}" if link.startswith("#") else link)
    for key, value in list(element.attrib.items()):
        if key != "href":
            element.set(key, _URL.sub(rf"url(#{name}-\1)", value))


def _unstyle(element: Xml.Element) -> None:
    """Turn a `style` attribute into attributes, and the colours that have a role into classes."""
    for declaration in element.attrib.pop("style", "").split(";"):
        key, _, value = (part.strip() for part in declaration.partition(":"))
        if key == "font" and (font := _FONT.match(value)):
            element.set("font-size", font["size"])
        elif key in _KEPT:
            element.set(key, value)
    classes = []
    for key in ("fill", "stroke"):
        if (role := style.ROLES.get(element.get(key, ""))) is not None:
            classes.append(f"{key}-{role}")
            del element.attrib[key]
    if element.tag == f"{{{_SVG}}}text" and not classes:
        classes.append("fill-ink")
    if element.tag == f"{{{_SVG}}}image":
        classes.append("pixels")
        element.set("preserveAspectRatio", "none")
    if classes:
        element.set("class", " ".join(classes))


def _translate(root: Xml.Element, words: Mapping[str, Text]) -> None:
    """Put every known text there twice, once in each language."""
    for parent in list(root.iter()):
        for place, child in reversed(list(enumerate(parent))):
            if child.tag != f"{{{_SVG}}}text" or (child.text or "") not in words:
                continue
            said = words[child.text or ""]
            other = Xml.Element(child.tag, dict(child.attrib))
            child.text, other.text = said.en, said.zh
            child.set("lang", "en")
            other.set("lang", "zh")
            other.tail = child.tail
            parent.insert(place + 1, other)

"""A difference table as one HTML page, without scripts and without anything from elsewhere."""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from onecell.dialect import get_dialect
from onecell.language import Language, Text
from onecell.verify.difference.values import SECTIONS, Finding, Observation, Outcome, Table, Verdict
from onecell.verify.difference.words import (
    PAGE,
    TITLES,
    count,
    describe_page,
    describe_verdict,
    describe_versions,
    lines,
)

_TITLE: Final = Text("{0} and {1}: what differs", "{0} 与 {1} 的差异")
_HEADS: Final = (Text("Matter", "事项"), Text("Difference", "差异"))
_CODE: Final = Text("the programs", "程序")
_ABOVE: Final = Text(
    "What stands above each program: the first, and then that of a framework",
    "每个程序之前的部分：先是共用部分，然后是该框架的部分",
)

_STYLE: Final = """
:root { color-scheme: light dark; --bad: light-dark(#b3261e, #ff8a80); }
body { font: 15px/1.5 system-ui, sans-serif; margin: 1.5rem auto; max-width: 80rem;
  overflow-wrap: anywhere; padding: 0 1rem; }
h1 { font-size: 1.6rem; }
table { border-collapse: collapse; table-layout: fixed; width: 100%; }
th, td { border-bottom: 1px solid #8886; padding: .5rem .6rem; text-align: left;
  vertical-align: top; }
th:nth-child(1) { width: 15%; } th:nth-child(4) { width: 26%; }
p { margin: 0 0 .3rem; }
code, pre, .answer { font-family: ui-monospace, monospace; font-size: .85em; }
pre { margin: .4rem 0; white-space: pre-wrap; }
summary, .said, .side { font-size: .85em; opacity: .75; }
.said::before { content: "“"; } .said::after { content: "”"; }
summary { cursor: pointer; }
.verdict, .matter { font-weight: 600; }
.differs .verdict { color: light-dark(#8a5a00, #e8b64c); }
.same .verdict { color: light-dark(#176b2c, #6fcf86); }
.wrong .verdict, .crashed .verdict, .ends { color: var(--bad); }
.page-wrong { border-left: 3px solid var(--bad); padding-left: .5rem; }
@media (max-width: 46rem) {
  table, tbody, tr, td { display: block; } thead { display: none; }
  td { border: 0; padding: .25rem 0; } tr { border-bottom: 2px solid #8888; padding: .6rem 0; }
  td + td::before { content: attr(data-head); display: block; font-size: 12px; opacity: .75; }
}
@media print { details { display: none; } tr { break-inside: avoid; } }
"""


def to_html(table: Table, language: Language = "en") -> str:
    """Return a whole page: well-formed, self-contained, readable in light, dark and print."""
    page = Element("html", {"lang": "zh-CN" if language == "zh" else "en"})
    head = SubElement(page, "head")
    SubElement(head, "meta", {"charset": "utf-8"})
    SubElement(head, "meta", {"name": "viewport", "content": "width=device-width"})
    title = _TITLE.get(language).format(*(get_dialect(name).cell for name in table.frameworks))
    SubElement(head, "title").text = title
    SubElement(head, "style").text = _STYLE
    body = SubElement(page, "body")
    SubElement(body, "h1").text = title
    SubElement(body, "p").text = describe_versions(table, language)
    SubElement(body, "p").text = count(table, language)
    for section, heading in SECTIONS.items():
        found = [each for each in table.findings if each.section == section]
        if found:
            SubElement(body, "h2").text = heading.get(language)
            body.append(_table(found, table, language))
    if table.above:
        SubElement(body, "h2").text = _ABOVE.get(language)
        for name, text in table.above.items():
            _folded(body, TITLES.get(name, "asking"), text)
    for element in page.iter():
        if element.tag in {"head", "body", "h1", "h2", "p", "table", "tr", "td", "thead"}:
            element.tail = "\n"
    return "<!DOCTYPE html>\n" + tostring(page, encoding="unicode", method="html") + "\n"


def _table(findings: list[Finding], table: Table, language: Language) -> Element:
    made = Element("table")
    matter, difference = (head.get(language) for head in _HEADS)
    ours = any(each.onecell.get(language) for each in findings)
    heads = [matter, *(TITLES[name] for name in table.frameworks), difference]
    heads += ["onecell"] if ours else []
    row = SubElement(SubElement(made, "thead"), "tr")
    for head in heads:
        SubElement(row, "th", {"scope": "col"}).text = head
    body = SubElement(made, "tbody")
    for finding in findings:
        style = finding.verdict.value.replace(" ", "-")
        row = SubElement(body, "tr", {"id": finding.id, "class": style})
        cells = [SubElement(row, "td", {"data-head": head}) for head in heads]
        _paragraph(cells[0], finding.matter.get(language), "matter")
        _programs(cells[0], finding, table, language)
        for cell, name in zip(cells[1:3], table.frameworks, strict=True):
            _answer(cell, finding.of(name), language)
        SubElement(cells[3], "p", {"class": "verdict"}).text = describe_verdict(finding, language)
        _paragraph(cells[3], finding.claim.get(language))
        _original(cells[3], finding, language)
        if ours:
            _paragraph(cells[4], finding.onecell.get(language))
            _ours(cells[4], finding, table, language)
    return made


def _paragraph(cell: Element, text: str, style: str = "") -> None:
    """Add a paragraph; what stands between backticks is code."""
    made = SubElement(cell, "p", {"class": style} if style else {})
    made.text, *parts = text.split("`")
    for code, after in zip(parts[::2], parts[1::2], strict=True):
        inside = SubElement(made, "code")
        inside.text, inside.tail = code, after


def _answer(cell: Element, observation: Observation | None, language: Language) -> None:
    if observation is None:
        return
    ends = observation.outcome in {Outcome.CRASHED, Outcome.TIMED_OUT}
    for line in lines(observation, language):
        SubElement(cell, "p", {"class": "answer ends" if ends else "answer"}).text = line
    if observation.said:
        SubElement(cell, "p", {"class": "said"}).text = observation.said


def _ours(cell: Element, finding: Finding, table: Table, language: Language) -> None:
    """Write onecell's answers, once where they are the same under both signatures."""
    asked = [finding.of(f"onecell.{name}") for name in table.frameworks]
    told = [each for each in asked if each is not None]
    if len(told) == 2 and (told[0].outcome, told[0].value) == (told[1].outcome, told[1].value):
        _answer(cell, told[0], language)
        return
    for each in told:
        SubElement(cell, "p", {"class": "side"}).text = each.side
        _answer(cell, each, language)


def _original(cell: Element, finding: Finding, language: Language) -> None:
    if finding.page is None:
        return
    wrong = finding.page_verdict is Verdict.WRONG
    said, judged = finding.page.get(language), describe_page(finding, language)
    text = f"{PAGE.get(language)}: {said} ({judged})"
    if language == "zh":
        text = f"{PAGE.get(language)}：{said}（{judged}）"
    _paragraph(cell, text, "page-wrong" if wrong else "page")


def _programs(cell: Element, finding: Finding, table: Table, language: Language) -> None:
    if table.above:
        _folded(cell, _CODE.get(language), next(iter(finding.code.values()), ""))
        return
    details = SubElement(cell, "details")
    SubElement(details, "summary").text = _CODE.get(language)
    for name in table.frameworks:
        SubElement(details, "p").text = TITLES[name]
        SubElement(SubElement(details, "pre"), "code").text = finding.code[name]


def _folded(where: Element, title: str, program: str) -> None:
    details = SubElement(where, "details")
    SubElement(details, "summary").text = title
    SubElement(SubElement(details, "pre"), "code").text = program

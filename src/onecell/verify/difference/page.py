"""The page of MindSpore's documentation, corrected: a difference table as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from onecell.dialect import get_dialect
from onecell.language import Language, Text
from onecell.verify.difference.values import SECTIONS, Finding, Json, Table, Verdict
from onecell.verify.difference.words import (
    TITLES,
    count,
    describe_page,
    describe_verdict,
    describe_versions,
    lines,
)

PAGE_SECTIONS: Final = ("parameters", "inputs", "outputs")
"""The sections of the page's own table."""

_TITLE: Final = Text(
    "torch.nn.LSTMCell and mindspore.nn.LSTMCell: the differences, executed",
    "torch.nn.LSTMCell 与 mindspore.nn.LSTMCell：实际运行得到的差异",
)
_OTHER: Final = Text(
    "[中文](../../zh/reference/difference-table.md)",
    "[English](../../en/reference/difference-table.md)",
)
_INTRO: Final = Text(
    "MindSpore's documentation compares the two cells in a table written by hand. This is that "
    "table as a program: each row is a question that is put to both frameworks, and to onecell "
    "under the signature of each. What stands here was answered by {versions}; "
    "`onecell diff torch mindspore` asks what is installed where you are. What onecell does "
    "otherwise on purpose is in [differences.md](differences.md).",
    "MindSpore 的文档用一张手写的表格比较这两个单元。这里把那张表格变成了程序："
    "每一行都是一个问题，分别由两个框架以及 onecell 的两个前端来回答。"
    "本页的回答来自 {versions}；`onecell diff torch mindspore` 会询问你的环境中安装的版本。"
    "onecell 自己的不同之处见[有意为之的不同](differences.md)。",
)
_MADE: Final = Text(
    "<!-- Made by `onecell diff torch mindspore --stored --format markdown`; not to be edited. -->",
    "<!-- 由 `onecell diff torch mindspore --stored --format markdown --lang zh` 生成，"
    "请勿手工编辑。 -->",
)
_TABLE: Final = Text("Differences", "差异对比")
_VERDICTS: Final = Text(
    "Of what the original page says, {right} statements are right and {wrong} are wrong, marked ✗. "
    "{more} more rows are about what it does not mention.",
    "原页面的说法中，{right} 条正确，{wrong} 条有误（以 ✗ 标出）。另有 {more} 行是它没有提到的。",
)
_HEADS: Final = {
    "page": (
        Text("Category", "分类"),
        Text("Item", "子类"),
        Text("PyTorch", "PyTorch"),
        Text("MindSpore", "MindSpore"),
        Text("Difference", "差异"),
        Text("The original page", "原页面"),
        Text("onecell", "onecell"),
    ),
    "more": (
        Text("Matter", "事项"),
        Text("PyTorch", "PyTorch"),
        Text("MindSpore", "MindSpore"),
        Text("Difference", "差异"),
        Text("onecell", "onecell"),
    ),
}
_PAIR: Final = Text("{} and {}: the differences, executed", "{} 与 {}：实际运行得到的差异")
_ABOVE: Final = Text(
    "A program is the first text, then that of the framework, then the question's own lines.",
    "一个程序由共用部分、该框架的部分和问题本身的几行依次组成。",
)
_MORE: Final = Text("What else differs, and what does not", "其他差异与相同之处")
_CODE: Final = Text("The programs", "程序")
_CODE_INTRO: Final = Text(
    "Each answer above was printed by one of these programs. For onecell the import of `LSTMCell` "
    "is `from onecell.torch` or `from onecell.mindspore`.",
    "上面的每个回答都由下列程序之一打印得到。对于 onecell，`LSTMCell` 改为从 `onecell.torch` 或 "
    "`onecell.mindspore` 导入。",
)
_STEPS: Final = Text(
    "Largest distance of h from the definition in float64, step by step, on equal weights:",
    "权重相等时，每一步的 h 与 float64 定义的最大差距：",
)
_ANSWER: Final = Text("Answer", "回答")
_STEP: Final = Text("Step", "步")


def to_markdown(table: Table, language: Language = "en") -> str:
    """Return the page: that of MindSpore in its order, or that of any other two frameworks."""
    page = _of_pair if table.above else _page
    return "\n".join(page(table, language)).rstrip() + "\n"


def _page(table: Table, language: Language) -> Iterator[str]:
    yield f"# {_TITLE.get(language)}\n"
    yield f"{_OTHER.get(language)}\n"
    yield f"{_MADE.get(language)}\n"
    yield _INTRO.get(language).format(versions=describe_versions(table, language)) + "\n"
    yield from _signatures(table)
    yield f"## {_TABLE.get(language)}\n"
    yield _count(table.findings, language) + "\n"
    heads = [head.get(language) for head in _HEADS["page"]]
    yield from _rows(
        heads, (_page_row(each, table, language) for each in _of(table, PAGE_SECTIONS))
    )
    for finding in _of(table, ("examples",)):
        yield from _example(finding, table, language)
    others = [name for name in SECTIONS if name not in {*PAGE_SECTIONS, "examples"}]
    yield f"## {_MORE.get(language)}\n"
    heads = [head.get(language) for head in _HEADS["more"]]
    for section in others:
        found = list(_of(table, (section,)))
        if found:
            yield f"### {SECTIONS[section].get(language)}\n"
            yield from _rows(heads, (_more_row(each, table, language) for each in found))
    yield f"## {_CODE.get(language)}\n"
    yield _CODE_INTRO.get(language) + "\n"
    for finding in _of(table, [name for name in SECTIONS if name != "examples"]):
        yield from _programs(finding, table, language)


def _of_pair(table: Table, language: Language) -> Iterator[str]:
    """Yield the page of two frameworks that the common matters were put to."""
    cells = [get_dialect(name).cell for name in table.frameworks]
    yield f"# {_PAIR.get(language).format(*cells)}\n"
    yield f"{describe_versions(table, language)}\n"
    yield f"{count(table, language)}\n"
    heads = [head.get(language) for head in _HEADS["more"][:4]]
    heads[1:3] = [TITLES[name] for name in table.frameworks]
    for section, heading in SECTIONS.items():
        if found := list(_of(table, (section,))):
            yield f"## {heading.get(language)}\n"
            yield from _rows(heads, (_row(f, table, language, page=False)[:4] for f in found))
    yield f"## {_CODE.get(language)}\n"
    yield f"{_ABOVE.get(language)}\n"
    for name, text in table.above.items():
        yield f"```python\n# {TITLES.get(name, 'asking')}\n{text}\n```\n"
    for finding in table.findings:
        yield from _programs(finding, table, language)


def _signatures(table: Table) -> Iterator[str]:
    """Yield each framework's signature as it answered it."""
    finding = table.get("signature")
    for framework in table.frameworks:
        asked = None if finding is None else finding.of(framework)
        if asked is None or not isinstance(asked.value, dict):
            continue
        constructor, call = (_spelled(asked.value.get(part)) for part in ("constructor", "call"))
        yield f"## {framework}.nn.LSTMCell\n"
        yield f"```text\n{framework}.nn.LSTMCell({constructor})({call}) -> (h', c')\n```\n"


def _spelled(names: Json) -> str:
    return ", ".join(map(str, names)) if isinstance(names, list) else ""


def _count(findings: Sequence[Finding], language: Language) -> str:
    judged = [each.page_verdict for each in findings if each.page_verdict is not None]
    wrong = sum(each is Verdict.WRONG for each in judged)
    right = sum(each.holds for each in judged)
    more = len(findings) - len(judged)
    return _VERDICTS.get(language).format(right=right, wrong=wrong, more=more)


def _page_row(finding: Finding, table: Table, language: Language) -> list[str]:
    category = f"{SECTIONS[finding.section].get(language)} {_numbers(finding)}".rstrip()
    return [category, *_row(finding, table, language, page=True)]


def _numbers(finding: Finding) -> str:
    """Return which rows of the original's table this one is, such as "2, 3"."""
    words = [source.split() for source in finding.sources]
    return ", ".join(each[2] for each in words if len(each) == 3 and each[0] == "page")


def _more_row(finding: Finding, table: Table, language: Language) -> list[str]:
    return _row(finding, table, language, page=False)


def _row(finding: Finding, table: Table, language: Language, *, page: bool) -> list[str]:
    cells = [f"[{finding.matter.get(language)}](#{finding.id})"]
    if finding.section == "examples":
        cells = [finding.matter.get(language)]
    for framework in table.frameworks:
        asked = finding.of(framework)
        cells.append("" if asked is None else "<br>".join(lines(asked, language)))
    cells.append(f"**{describe_verdict(finding, language)}**<br>{finding.claim.get(language)}")
    if page:
        cells.append(_original(finding, language))
    return [*cells, finding.onecell.get(language)]


def _original(finding: Finding, language: Language) -> str:
    """Return what the original page says, marked; empty where it is silent."""
    if finding.page is None:
        return "—"
    mark = "✗" if finding.page_verdict is Verdict.WRONG else "✓"
    apart = "：" if language == "zh" else ": "
    return f"{mark} {describe_page(finding, language)}{apart}{finding.page.get(language)}"


def _example(finding: Finding, table: Table, language: Language) -> Iterator[str]:
    """Yield a code example: what it shows, both programs, and the numbers of every step."""
    matter = finding.matter.get(language)
    yield f"### {matter[:1].upper()}{matter[1:]}\n"
    yield f"**{describe_verdict(finding, language)}** — {finding.claim.get(language)}\n"
    if finding.page is not None:
        head = _HEADS["page"][5].get(language)
        yield f"{head}{'：' if language == 'zh' else ': '}{_original(finding, language)}\n"
    yield f"onecell{'：' if language == 'zh' else ': '}{finding.onecell.get(language)}\n"
    yield from _answers(finding, language)
    yield from _programs(finding, table, language, folded=False)


def _answers(finding: Finding, language: Language) -> Iterator[str]:
    """Yield what each side answered; a number a step in columns."""
    values = {each.side: each.value for each in finding.observations}
    numbers = {
        side: [number for number in value if isinstance(number, float)]
        for side, value in values.items()
        if isinstance(value, list)
    }
    if numbers == values:
        yield _STEPS.get(language) + "\n"
        length = max(map(len, numbers.values()))
        heads = [_STEP.get(language), *map(str, range(1, length + 1))]
        yield from _rows(heads, ([TITLES[s], *(f"{v:.2f}" for v in n)] for s, n in numbers.items()))
        return
    heads = ["", _ANSWER.get(language)]
    answers = ([TITLES[o.side], "<br>".join(lines(o, language))] for o in finding.observations)
    yield from _rows(heads, answers)


def _programs(
    finding: Finding, table: Table, language: Language, *, folded: bool = True
) -> Iterator[str]:
    """Yield the programs of both frameworks; one, where they differ by their imports alone."""
    programs = [finding.code[framework].splitlines() for framework in table.frameworks]
    merged = _merge(*programs)
    if folded:
        yield f'<a id="{finding.id}"></a>\n'
        colon = "：" if language == "zh" else ": "
        yield f"**`{finding.id}`**{colon}{finding.matter.get(language)}\n"
    for framework, program in zip(table.frameworks, programs, strict=True):
        body = program if merged is None else merged
        title = f"# {TITLES[framework]}\n" if merged is None else ""
        yield f"```python\n{title}{chr(10).join(body)}\n```\n"
        if merged is not None:
            return


def _merge(first: Sequence[str], second: Sequence[str]) -> list[str] | None:
    """Return one program with both imports, where nothing else differs; else None."""
    if len(first) != len(second):
        return None
    merged = []
    for a, b in zip(first, second, strict=True):
        if a != b and not (
            a.startswith(("from ", "import ")) and b.startswith(("from ", "import "))
        ):
            return None
        merged.append(a if a == b else f"{a}  # {b}")
    return merged


def _of(table: Table, sections: Iterable[str]) -> Iterator[Finding]:
    for section in sections:
        yield from (each for each in table.findings if each.section == section)


def _rows(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield _cells(heads)
    yield _cells(["---"] * len(heads))
    for row in rows:
        yield _cells(row)
    yield ""


def _cells(cells: Iterable[str]) -> str:
    return "| " + " | ".join(_escape(cell) for cell in cells) + " |"


def _escape(text: str) -> str:
    """Return `text` so that it stays in its cell."""
    return " ".join(text.splitlines()).replace("|", "\\|")

"""A comparison of two cells as a page."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from onecell.verify.comparing import comparison as found
from onecell.verify.comparing.comparison import Comparison
from onecell.verify.comparing.whole_files import Comparisons
from onecell.verify.difference import Text
from onecell.verify.quantities.cases import GRADIENT_STEPS
from onecell.verify.report import heat
from onecell.verify.report.known import known
from onecell.verify.report.measured import (
    columns_of,
    make_columns,
    make_groups,
    make_limits,
    make_plots,
)
from onecell.verify.report.page import Cell, Fact, Mutant, Page, Party, Tone, Verdict
from onecell.verify.report.plots import Plot
from onecell.verify.report.shared import (
    MAPS,
    environment_facts,
    file_facts,
    idle_facts,
    largest_excess,
    left_out_facts,
    method_facts,
    note_facts,
    optimizer_fact,
    size_facts,
    with_remarks,
)
from onecell.verify.report.texts import number, same

MOST_DRAWN: Final = 4
"""So many cells have plots. All have their tables."""

_WORDS: Final = {
    "same bits": Text("Same", "相同"),
    "same": Text("Same", "相同"),
    "unproved": Text("Not proved", "未证明"),
    "different": Text("Different", "不同"),
    "self-test failed": Text("Self-test failed", "自检未通过"),
}

_TONES: Final[dict[found.Verdict, Tone]] = {
    "same bits": "good",
    "same": "good",
    "unproved": "doubt",
    "different": "bad",
    "self-test failed": "doubt",
}

_NO_MAPS: Final = Text(
    "There is nothing to draw: one of the two shows its behaviour only, not its weights.",
    "没有可画的权重：其中一方只能观察到行为，看不到权重。",
)


def page_of_comparison(comparison: Comparison, command: str, created: str) -> Page:
    """Return everything that a page says about `comparison`.

    Args:
        comparison: what was found.
        command: what repeats it, as typed in a shell or in Python.
        created: when it was found, as the page prints it.
    """
    title = f"{comparison.a.given} · {comparison.b.given}"
    return Page(
        title=same(title),
        verdict=_verdict(comparison),
        highlights=_highlights(comparison),
        findings=(*_findings(comparison), *note_facts(comparison.remarks.notes)),
        parties=(_party(comparison.a), _party(comparison.b)),
        cells=(_cell(comparison),),
        left_out=left_out_facts(comparison.left_out),
        method=(
            Fact(Text("Reference", "参考实现"), known(comparison.reference)),
            Fact(
                Text("Element type of the computation", "计算所用数据类型"),
                same(comparison.computed),
            ),
            Fact(Text("Seed of the inputs", "输入的随机种子"), same(str(comparison.seed))),
            Fact(Text("Rows of the batch, N", "批大小 N"), same(str(comparison.rows))),
            Fact(
                Text("Steps: rollout, gradients", "步数：连续运行、梯度"),
                same(f"{comparison.steps}, {GRADIENT_STEPS}"),
            ),
            optimizer_fact(),
            *method_facts(),
        ),
        limits=make_limits(comparison.quantities),
        environment=environment_facts(comparison.environment, comparison.seconds),
        command=command,
        created=created,
    )


def page_of_files(found: Comparisons, command: str, created: str) -> Page:
    """Return everything that a page says about two files, all cells that both hold in one page.

    Args:
        found: what was found.
        command: what repeats it, as typed in a shell.
        created: when it was found, as the page prints it.
    """
    first = found.cells[0]
    page = page_of_comparison(first, command, created)
    if found.whole is not None:
        return page
    same_ = sum(each.holds for each in found.cells)
    every = len(found.cells)
    missing = [
        Fact(same(name), Text(f"only in {label}", f"只在 {label} 中"))
        for label, names in (("A", found.only_a), ("B", found.only_b))
        for name in names
    ]
    missing += [Fact(same(name), known(str(error))) for name, error in found.refused.items()]
    count = Text(
        f"{same_} of the {every} cells that both hold "
        f"{'is the same' if same_ == 1 else 'are the same'}; {len(missing)} more in one of them "
        "only, or not comparable.",
        f"双方共有的 {every} 个单元中，{same_} 个相同；"
        f"另有 {len(missing)} 个只在一方，或无法比较。",
    )
    return replace(
        page,
        verdict=Verdict(
            _TONES[found.verdict],
            _WORDS[found.verdict],
            with_remarks(_untrained(count, first), found.remarks),
        ),
        highlights=(
            Fact(Text("cells are the same", "个单元相同"), same(f"{same_} / {every}")),
            Fact(
                Text("largest error, in units of its limit", "最大误差（以限值为单位）"),
                same(number(max(largest_excess(each.quantities) for each in found.cells))),
            ),
        ),
        findings=(
            *missing,
            *note_facts(found.remarks.notes),
            *(
                Fact(same(each.a.cell), finding.value)
                for each in found.cells
                for finding in _findings(each)
                if not each.holds or each.remarks.idle
            ),
        ),
        cells=tuple(
            _cell(each, f"cell-{number_}", drawn=number_ <= MOST_DRAWN)
            for number_, each in enumerate(found.cells, 1)
        ),
        left_out=left_out_facts({n: w for each in found.cells for n, w in each.left_out.items()}),
        environment=environment_facts(first.environment, found.seconds),
    )


def _verdict(comparison: Comparison) -> Verdict:
    word = _WORDS[comparison.verdict]
    every = len(comparison.quantities)
    wrong = sum(not quantity.holds for quantity in comparison.quantities)
    match comparison.verdict:
        case "same bits":
            sentence = Text(
                f"The two are the same cell: they hold the same bits, and all {every} quantities "
                "that were computed are within their limits.",
                f"二者是同一个单元：权重逐比特相同，计算的 {every} 个量全部在限值之内。",
            )
        case "same" | "unproved":
            same_ = "The two are the same cell", "二者是同一个单元"
            if not comparison.holds:
                same_ = "Nothing differs", "没有发现差异"
            sentence = Text(
                f"{same_[0]}: all {every} quantities that were computed are within their limits.",
                f"{same_[1]}：计算的 {every} 个量全部在限值之内。",
            )
        case "different":
            sentence = Text(
                f"The two are not the same cell: {wrong} of {every} quantities are beyond their "
                f"limits{_because(comparison, 'en')}.",
                f"二者不是同一个单元：{every} 个量中有 {wrong} 个超出限值"
                f"{_because(comparison, 'zh')}。",
            )
        case _:
            lost = sum(not each.holds for each in comparison.self_test)
            sentence = Text(
                "All quantities are within their limits, but the check cannot be relied on here: "
                f"it does not see or cannot name {lost} of {len(comparison.self_test)} wrong ports "
                "that were made on purpose.",
                f"所有量都在限值之内，但这次检查不可信：{len(comparison.self_test)} 个故意制造的"
                f"错误移植中，有 {lost} 个未被发现或未能指明。",
            )
    sentence = _untrained(sentence, comparison)
    return Verdict(_TONES[comparison.verdict], word, with_remarks(sentence, comparison.remarks))


def _untrained(sentence: Text, comparison: Comparison) -> Text:
    """Return a verdict's sentence, and that training took no part where it took none."""
    if not comparison.inference:
        return sentence
    return Text(f"{sentence.en} Training was not compared.", f"{sentence.zh}未比较训练。")


def _because(comparison: Comparison, lang: found.Lang) -> str:
    if not comparison.diagnosis.explained:
        return ""
    return ("; " if lang == "en" else "；") + comparison.diagnosis.text(lang)


def _highlights(comparison: Comparison) -> tuple[Fact, ...]:
    every = len(comparison.quantities)
    within = sum(quantity.holds for quantity in comparison.quantities)
    facts = [
        Fact(Text("quantities within their limits", "个量在限值之内"), same(f"{within} / {every}")),
        Fact(
            Text("largest error, in units of its limit", "最大误差（以限值为单位）"),
            same(number(largest_excess(comparison.quantities))),
        ),
    ]
    if comparison.self_test:
        caught = sum(each.holds for each in comparison.self_test)
        facts.append(
            Fact(
                Text("wrong ports caught and named", "个错误移植被发现并指明"),
                same(f"{caught} / {len(comparison.self_test)}"),
            )
        )
    return tuple(facts)


def _findings(comparison: Comparison) -> tuple[Fact, ...]:
    facts = []
    if comparison.first is not None:
        first = comparison.first
        facts.append(
            Fact(
                Text("First divergence", "最早出现差异之处"),
                Text(first.text("en"), first.text("zh")),
            )
        )
    diagnosis = comparison.diagnosis
    if diagnosis.method != "none needed":
        facts += [
            Fact(Text("Diagnosis", "诊断"), Text(each.text("en"), each.text("zh")))
            for each in diagnosis.findings
        ]
        searched = Text(
            f"{diagnosis.searched} layouts searched in {diagnosis.seconds:.1f} s"
            + ("; they explain the whole difference." if diagnosis.explained else "."),
            f"搜索了 {diagnosis.searched} 种布局，用时 {diagnosis.seconds:.1f} 秒"
            + ("；足以解释全部差异。" if diagnosis.explained else "。"),
        )
        facts.append(Fact(Text("Search", "搜索"), searched))
    return (*facts, *idle_facts(comparison.quantities))


def _party(party: found.Party) -> Party:
    facts = [Fact(Text("Given as", "给定为"), same(party.given), code=True)]
    if party.framework is not None:
        facts.append(Fact(Text("Framework", "框架"), same(party.framework)))
    if party.file is not None:
        facts += file_facts(party.file)
    bias = {
        2: Text("two", "两个"),
        1: Text("one", "一个"),
        0: Text("none", "无"),
        None: Text("cannot be told", "无法判断"),
    }[party.biases]
    facts += size_facts(party.input_size, party.hidden_size, party.stored)
    facts.append(Fact(Text("Biases", "偏置"), bias))
    facts += _support(party)
    right = Text(" · taken to be right", " · 视为正确的一方") if party.label == "a" else same("")
    letter = party.label.upper()
    return Party(
        heading=Text(f"{letter}{right.en}", f"{letter}{right.zh}"),
        name=party.cell,
        facts=tuple(facts),
        cells=party.cells,
        notes=tuple(known(note) for note in party.notes),
    )


def _support(party: found.Party) -> Iterator[Fact]:
    """Yield what computed for a file, where that is a framework in a process of its own or none."""
    for version in filter(None, party.computed_by.values()):
        said = Text(f"{version}, in a process of its own", f"{version}，在自己的进程中")
        yield Fact(Text("Computed by", "计算者"), said)
    if party.alone:
        why = known(party.alone)
        said = Text(f"the kernel alone: {why.en}", f"只有内核：{why.zh}")
        yield Fact(Text("Computed by", "计算者"), said)


def _cell(comparison: Comparison, id_: str = "cell-1", *, drawn: bool = True) -> Cell:
    a, b = comparison.a, comparison.b
    columns = columns_of(comparison.quantities)
    maps: tuple[Plot, ...] = ()
    note = _NO_MAPS
    if a.weights is not None and b.weights is not None:
        maps, note = heat.draw_pair(id_, a.weights, b.weights) if drawn else (), MAPS
    if not drawn:
        note = Text(f"Only {MOST_DRAWN} cells are drawn.", f"只画出 {MOST_DRAWN} 个单元。")
    return Cell(
        id=id_,
        name=a.cell if a.cell == b.cell else f"{a.cell} · {b.cell}",
        holds=comparison.verdict != "different",
        facts=tuple(size_facts(a.input_size, a.hidden_size, a.stored)),
        columns=make_columns(columns),
        groups=make_groups(comparison.quantities, columns, comparison.sampling),
        plots=make_plots(id_, comparison.quantities, columns) if drawn else (),
        maps=maps,
        maps_note=note,
        mutants=tuple(
            Mutant(
                known(each.mutant),
                each.holds,
                number(each.excess if not math.isnan(each.excess) else math.inf),
                Text(each.said, each.said_zh),
            )
            for each in comparison.self_test
        ),
    )

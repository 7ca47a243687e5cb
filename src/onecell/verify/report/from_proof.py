"""The proof of a port as a page."""

from __future__ import annotations

from typing import Final

from onecell.verify.comparing.comparison import FileFacts
from onecell.verify.difference import Text
from onecell.verify.port import Proof
from onecell.verify.proof import CellProof, Sabotage
from onecell.verify.quantities.cases import GRADIENT_STEPS, SEED
from onecell.verify.quantities.readings import Quantity
from onecell.verify.record import environment
from onecell.verify.remarks import FAMILIES
from onecell.verify.report import heat
from onecell.verify.report.carried import carried_facts
from onecell.verify.report.known import known
from onecell.verify.report.measured import (
    columns_of,
    make_columns,
    make_groups,
    make_limits,
    make_plots,
)
from onecell.verify.report.page import Cell, Fact, Mutant, Page, Party, Verdict
from onecell.verify.report.shared import (
    MAPS,
    environment_facts,
    file_facts,
    idle_facts,
    largest_excess,
    left_out_facts,
    method_facts,
    optimizer_fact,
    size_facts,
    with_remarks,
)
from onecell.verify.report.texts import number, same

MOST_DRAWN: Final = 4
"""So many cells have plots: those that fail before those that hold. All have their tables."""


def page_of_proof(proof: Proof, command: str, created: str) -> Page:
    """Return everything that a page says about a port.

    Args:
        proof: what was found.
        command: what repeats it, as typed in a shell.
        created: when it was found, as the page prints it.
    """
    full = sorted((c for c in proof.cells if c.quantities), key=lambda cell: cell.holds)
    drawn = {id(cell) for cell in full[:MOST_DRAWN]}
    quantities = _quantities(proof)
    return Page(
        title=same(f"{proof.source.path.name} → {proof.target.path.name}"),
        verdict=_verdict(proof),
        highlights=_highlights(proof, quantities),
        findings=_findings(proof),
        parties=(
            _party(Text("A · the file that was read", "A · 读入的文件"), proof.source, proof),
            _party(Text("B · the file that was written", "B · 写出的文件"), proof.target, proof),
        ),
        cells=tuple(
            _cell(f"cell-{number_}", cell, drawn=id(cell) in drawn)
            for number_, cell in enumerate(proof.cells, 1)
        ),
        left_out=left_out_facts(proof.left_out),
        method=(
            Fact(
                Text("Reference", "参考实现"),
                Text(
                    "float64, on the weights of the file that was read",
                    "float64，取自读入的文件的权重",
                ),
            ),
            Fact(Text("Seed of the inputs", "输入的随机种子"), same(str(SEED))),
            Fact(Text("Steps of the gradients", "梯度的步数"), same(str(GRADIENT_STEPS))),
            optimizer_fact(),
            *method_facts(),
        ),
        limits=next((make_limits(c.quantities) for c in proof.cells if c.quantities), ()),
        environment=environment_facts(environment(), proof.seconds),
        command=command,
        created=created,
        extra=carried_facts(proof),
    )


def _quantities(proof: Proof) -> list[Quantity]:
    return [quantity for cell in proof.cells for quantity in cell.quantities]


def _verdict(proof: Proof) -> Verdict:
    every, failing = len(proof.cells), sum(not cell.holds for cell in proof.cells)
    if proof.holds:
        said = with_remarks(_what_holds(proof), proof.remarks)
        if proof.unproved:
            return Verdict("doubt", Text("Not proved", "未证明"), said)
        return Verdict("good", Text("Holds", "成立"), said)
    if proof.not_finite:
        sentence = Text(
            f"{failing} of {every} LSTM cells {'holds' if failing == 1 else 'hold'} numbers that "
            "are not finite, of which nothing can be proved. No checkpoint was written.",
            f"{every} 个 LSTM 单元中有 {failing} 个含有非有限的数，无法证明。没有写出检查点。",
        )
    elif failing:
        sentence = Text(
            f"The port is wrong, or cannot be shown to be right: {failing} of {every} LSTM "
            f"{'cell fails' if failing == 1 else 'cells fail'}. No checkpoint was written.",
            f"移植有误，或无法证明其正确：{every} 个 LSTM 单元中有 {failing} 个未通过。"
            "没有写出检查点。",
        )
    else:
        sentence = Text(
            "The cells compute the same, but the file as a whole is not what it was to be. "
            "No checkpoint was written.",
            "各单元计算相同，但整个文件与应写出的内容不符。没有写出检查点。",
        )
    return Verdict("bad", Text("Fails", "不成立"), sentence)


def _what_holds(proof: Proof) -> Text:
    """Return exactly what was proved, and what was only copied."""
    every, kept = len(proof.cells_proved), len(proof.carried)
    if not proof.cells:
        return Text(
            f"It holds no LSTM cell, so nothing is proved; its {kept} tensors were copied bit for "
            "bit.",
            f"其中没有 LSTM 单元，因此没有证明任何内容；{kept} 个张量逐比特复制。",
        )
    cells = "1 LSTM cell computes" if every == 1 else f"{every} LSTM cells compute"
    english = (
        f"{cells} the same, proved in outputs, every gradient, training steps and rollouts: "
        f"{proof.proved} of the {proof.tensors} tensors."
    )
    chinese = (
        f"{every} 个 LSTM 单元经证明计算相同（输出、全部梯度、训练步与连续运行）："
        f"共 {proof.tensors} 个张量中的 {proof.proved} 个。"
    )
    if kept:
        others = "The other was" if kept == 1 else f"The other {kept} were"
        english += f" {others} copied bit for bit, and nothing is proved of what is done with it."
        chinese += f"其余 {kept} 个逐比特复制，未证明其用法。"
    return Text(english, chinese)


def _highlights(proof: Proof, quantities: list[Quantity]) -> tuple[Fact, ...]:
    cells = sum(cell.holds for cell in proof.cells)
    mutants = [each for cell in proof.cells for each in _telling(cell)]
    seen = sum(each.seen for each in mutants)
    return (
        Fact(Text("cells hold", "个单元通过"), same(f"{cells} / {len(proof.cells)}")),
        Fact(
            Text("largest error, in units of its limit", "最大误差（以限值为单位）"),
            same(number(largest_excess(quantities))),
        ),
        Fact(
            Text("deliberate mistakes seen", "个故意的错误被发现"), same(f"{seen} / {len(mutants)}")
        ),
    )


def _findings(proof: Proof) -> tuple[Fact, ...]:
    facts = []
    for cell in proof.cells:
        wrong = [quantity.name for quantity in cell.quantities if not quantity.holds]
        if wrong:
            names = ", ".join(wrong)
            facts.append(
                Fact(same(cell.name), Text(f"beyond the limit: {names}", f"超出限值：{names}"))
            )
        if cell.not_finite:
            facts.append(Fact(same(cell.name), known(cell.not_finite)))
        for side in cell.unable:
            said = Text(
                f"{side}, on which the result runs, does not compute in {cell.computed}",
                f"结果所用的 {side} 不支持 {cell.computed} 计算",
            )
            facts.append(Fact(same(cell.name), said))
        for side, missed in cell.faults.items():
            said = Text(
                f"beside the verdict: {side} misses its limit in {', '.join(missed)}; the result "
                "does not run on it",
                f"不影响结论：{side} 在 {', '.join(missed)} 上超出限值；结果不使用该单元",
            )
            facts.append(Fact(same(cell.name), said))
        if cell.same_bits is False:
            said = Text("the two files hold different bits", "两个文件中的权重并非逐比特相同")
            facts.append(Fact(same(cell.name), said))
        facts += [
            Fact(
                same(cell.name),
                Text(
                    f"the check does not see a deliberate mistake: {mutation}",
                    f"检查没有发现故意的错误：{known(mutation).zh}",
                ),
            )
            for mutation in cell.unseen
        ]
        if cell.unproved:
            said = Text(
                f"not proved: on this cell no quantity could fail of {', '.join(cell.unproved)}",
                "未证明（各项在此单元上不可能失败）："
                + "、".join(FAMILIES[family] for family in cell.unproved),
            )
            facts.append(Fact(same(cell.name), said))
        facts += idle_facts(cell.quantities, same(cell.name))
    if not proof.intact:
        said = Text("does not read back as it was to be", "读回的内容与应写出的不符")
        facts.append(Fact(Text("The written file", "写出的文件"), said))
    facts += [
        Fact(
            same(name), Text("reads other bits from the written file", "从写出的文件读到不同的内容")
        )
        for name, same_bits in proof.read_by.items()
        if not same_bits
    ]
    return tuple(facts)


def _party(heading: Text, file: FileFacts, proof: Proof) -> Party:
    return Party(
        heading=heading,
        name=file.path.name,
        facts=(
            Fact(Text("Path", "路径"), same(str(file.path)), code=True),
            Fact(Text("Framework", "框架"), same(file.dialect)),
            *file_facts(file),
        ),
        cells=tuple(cell.name for cell in proof.cells),
    )


def _cell(id_: str, cell: CellProof, *, drawn: bool) -> Cell:
    columns = columns_of(cell.quantities)
    widened = "" if cell.stored == cell.computed else f" → {cell.computed}"
    bits = {
        True: Text("the same in both files", "两个文件相同"),
        False: Text("different", "不同"),
        None: Text("not comparable: other layouts", "布局不同，不作逐比特比较"),
    }[cell.same_bits]
    return Cell(
        id=id_,
        name=cell.name,
        holds=cell.holds,
        facts=(
            *size_facts(cell.input_size, cell.hidden_size, cell.stored + widened),
            Fact(Text("Biases", "偏置"), Text("two", "两个") if cell.bias else Text("none", "无")),
            Fact(Text("Bits of the weights", "权重的比特"), bits),
        ),
        columns=make_columns(columns),
        groups=make_groups(cell.quantities, columns),
        plots=make_plots(id_, cell.quantities, columns) if drawn else (),
        maps=heat.draw_pair(id_, cell.source, cell.target) if drawn else (),
        maps_note=MAPS
        if drawn
        else Text(
            f"Only {MOST_DRAWN} cells are drawn, those that fail first.",
            f"只画出 {MOST_DRAWN} 个单元，未通过的优先。",
        ),
        mutants=tuple(
            Mutant(known(each.mutation), each.seen, number(each.excess), None)
            for each in _telling(cell)
        ),
    )


def _telling(cell: CellProof) -> list[Sabotage]:
    """Return the mistakes made on purpose, but for those that are none on this cell."""
    return [each for each in cell.sabotage if each.seen or each.mutation in cell.unseen]

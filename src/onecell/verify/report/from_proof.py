"""The proof of a port as a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from onecell.text import listed, short
from onecell.verify.comparing.comparison import FileFacts
from onecell.verify.difference import Text
from onecell.verify.port import Proof
from onecell.verify.proof import CellProof, Sabotage
from onecell.verify.quantities.cases import GRADIENT_STEPS, SEED
from onecell.verify.quantities.readings import Quantity
from onecell.verify.record import environment
from onecell.verify.report import heat
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
    largest_excess,
    left_out_facts,
    method_facts,
    optimizer_fact,
    size_facts,
)
from onecell.verify.report.texts import number, same

MOST_NAMES: Final = 100
"""Of the tensors of one kind, so many are named; the proof's JSON has all."""
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
                Text("Reference", "参照"),
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
        extra=_extra(proof),
    )


def _quantities(proof: Proof) -> list[Quantity]:
    return [quantity for cell in proof.cells for quantity in cell.quantities]


def _verdict(proof: Proof) -> Verdict:
    every, failing = len(proof.cells), sum(not cell.holds for cell in proof.cells)
    if proof.holds and proof.unproved:
        return Verdict("doubt", Text("Not proved", "未证明"), _what_is_unproved(proof))
    if proof.holds:
        return Verdict("good", Text("Holds", "成立"), _what_holds(proof))
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
            f"其中没有 LSTM 单元，因此没有证明任何内容；{kept} 个张量逐位复制。",
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
        chinese += f"其余 {kept} 个逐位复制，未证明其用法。"
    if lookalikes := proof.noted("other"):
        english += f" Named as a cell's, and by their shapes none: {listed(lookalikes)}."
        chinese += f"名称像单元、但形状表明不是单元：{listed(lookalikes)}。"
    if beside := proof.noted("beside"):
        english += f" Something else stands beside {listed(beside)}."
        chinese += f"{listed(beside)} 旁边还有其他张量。"
    if proof.idle:
        every = sum(len(cell.quantities) for cell in proof.cells)
        english += f" {proof.idle} of {every} quantities prove nothing; they are named below."
        chinese += f"{every} 项中有 {proof.idle} 项不构成证明，见下文。"
    return Text(english, chinese)


def _what_is_unproved(proof: Proof) -> Text:
    """Return what was proved, and what may be a cell and was not."""
    holds = _what_holds(proof)
    names = listed(proof.unproved)
    return Text(
        f"Everything was carried over bit for bit, but not everything could be proved: {names}. "
        f"{holds.en}",
        f"全部内容逐位保留，但并非全部得到证明：{names}。{holds.zh}",
    )


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
            facts.append(Fact(same(cell.name), same(cell.not_finite)))
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
            said = Text("the two files hold different bits", "两个文件中的权重并非逐位相同")
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
                f"未证明（各项在此单元上不可能失败）：{'、'.join(map(_in_chinese, cell.unproved))}",
            )
            facts.append(Fact(same(cell.name), said))
        facts += [
            Fact(
                same(cell.name),
                Text(
                    f"nothing is proved about {side} by {', '.join(names)}: what they guard is not "
                    "larger than what rounding may do",
                    f"{', '.join(names)} 对 {side} 不构成证明：所保护的大小不大于舍入误差",
                ),
            )
            for side, names in cell.idle.items()
        ]
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


def _in_chinese(family: str) -> str:
    """Return what a family of quantities is called."""
    return _FAMILIES.get(family, family)


_FAMILIES: Final = {
    "forward": "前向",
    "extreme": "远端输入的前向",
    "gradient of the inputs": "输入的梯度",
    "gradient of the parameters": "参数的梯度",
    "rollout": "连续运行",
    "sgd": "SGD 训练步",
    "adam": "Adam 训练步",
}


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
        None: Text("not comparable: other layouts", "布局不同，不作逐位比较"),
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


def _extra(proof: Proof) -> tuple[Fact, ...]:
    facts = []
    kept = [name for name in proof.carried if name not in proof.renamed]
    if kept:
        heading = Text(
            f"Carried over under their old names, bit for bit ({len(kept)})",
            f"以原名逐位保留的其他张量（{len(kept)} 个）",
        )
        facts.append(Fact(heading, _first_of(kept)))
    if proof.renamed:
        heading = Text(
            f"Carried over under new names, bit for bit ({len(proof.renamed)})",
            f"改名后逐位保留的其他张量（{len(proof.renamed)} 个）",
        )
        facts.append(Fact(heading, _first_of([f"{o} → {n}" for o, n in proof.renamed.items()])))
    if proof.reshaped:
        heading = Text(
            f"Carried over in another shape, the same numbers in order ({len(proof.reshaped)})",
            f"改变形状、数值与顺序不变的其他张量（{len(proof.reshaped)} 个）",
        )
        shapes = [f"{name} {shape}" for name, shape in proof.reshaped.items()]
        facts.append(Fact(heading, _first_of(shapes)))
    if proof.perhaps:
        heading = Text(
            "May be the weights of a Conv1d, which MindSpore keeps with one more axis",
            "可能是 Conv1d 的权重（MindSpore 中多一个轴）",
        )
        facts.append(Fact(heading, _first_of(proof.perhaps)))
    if proof.dropped:
        facts.append(
            Fact(
                Text("Left behind, not tensors", "未保留（不是张量）"),
                _first_of(proof.dropped),
            )
        )
    if proof.left:
        heading = Text(
            f"Left behind, optimizer state that no other framework reads ({len(proof.left)})",
            f"未保留：其他框架无法读取的优化器状态（{len(proof.left)} 项）",
        )
        facts.append(Fact(heading, _first_of(proof.left)))
    if proof.counters:
        heading = Text(
            f"Left behind, counters that {proof.target.dialect}'s norms do not keep "
            f"({len(proof.counters)})",
            f"未保留：{proof.target.dialect} 的归一化层不保存的计数（{len(proof.counters)} 项）",
        )
        facts.append(Fact(heading, _first_of(proof.counters)))
    if proof.unchosen:
        heading = Text(
            f"Left out, as asked ({len(proof.unchosen)})", f"按要求略去（{len(proof.unchosen)} 项）"
        )
        facts.append(Fact(heading, _first_of(proof.unchosen)))
    facts += [
        Fact(Text(f"To be known of {note.name}", f"关于 {note.name} 须知"), same(note.text))
        for note in proof.notes[:MOST_NAMES]
    ]
    if (more := len(proof.notes) - MOST_NAMES) > 0:
        facts.append(
            Fact(
                Text("To be known besides", "其他须知"),
                Text(f"{more} more notes: see the JSON", f"另有 {more} 条，见 JSON"),
            )
        )
    facts += [
        Fact(
            Text(f"{name} reads the file itself", f"{name} 自行读取该文件"),
            Text("the same bits", "逐位相同") if same_bits else Text("other bits", "内容不同"),
        )
        for name, same_bits in proof.read_by.items()
    ]
    return tuple(facts)


def _first_of(names: Sequence[str]) -> Text:
    """Return the first names, and how many more there are."""
    first, more = ", ".join(map(short, names[:MOST_NAMES])), len(names) - MOST_NAMES
    if more <= 0:
        return same(first)
    return Text(f"{first} and {more} more", f"{first} 等，另有 {more} 个")

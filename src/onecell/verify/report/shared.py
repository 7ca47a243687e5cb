"""What the page of a comparison and the page of a port both say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from onecell.checkpoint import Note
from onecell.verify.comparing.comparison import FileFacts
from onecell.verify.difference import Text
from onecell.verify.quantities.limits import MARGIN, PROVES, RESOLUTION, TANH_MARGIN
from onecell.verify.quantities.optimizers import OPTIMIZERS, STEPS
from onecell.verify.quantities.readings import Quantity
from onecell.verify.remarks import Remarks, idle_by_side
from onecell.verify.report.known import known
from onecell.verify.report.page import Fact
from onecell.verify.report.texts import bytes_of, same

MOST_NAMES: Final = 100
"""Of the tensors of one kind, so many are named; the JSON has all."""

MAPS: Final = Text(
    "Blue is below zero, orange above, and the page's own colour is zero. Rows are the four "
    "gates. Where there are more numbers than can be drawn, each block shows one of them, and of "
    "the difference the largest, so that a single wrong weight stays visible.",
    "蓝色为负，橙色为正，底色为零。各行按四个门排列。数值多于可画的格数时，每格显示其中一个；差值图中"
    "显示绝对值最大者，因此单个错误的权重也看得见。",
)


def file_facts(file: FileFacts) -> list[Fact]:
    """Return a file's format, size and checksum."""
    return [
        Fact(Text("Format", "格式"), same(f"{file.format}, {bytes_of(file.size)}")),
        Fact(same("SHA-256"), same(file.sha256), code=True),
    ]


def size_facts(input_size: int, hidden_size: int, stored: str) -> list[Fact]:
    """Return a cell's sizes and element type."""
    return [
        Fact(Text("Sizes", "尺寸"), same(f"I = {input_size}, H = {hidden_size}")),
        Fact(Text("Stored as", "存储类型"), same(stored)),
    ]


def largest_excess(quantities: Iterable[Quantity]) -> float:
    """Return the largest error of all, in units of its limit; 0 if there is none."""
    return max((r.excess for quantity in quantities for r in quantity.readings), default=0.0)


def with_remarks(sentence: Text, remarks: Remarks) -> Text:
    """Return a verdict's sentence and what it must say beside what holds."""
    return Text(
        " ".join([sentence.en, *(f"{each[0].upper()}{each[1:]}." for each in remarks.texts())]),
        "".join([sentence.zh, *(f"{each}。" for each in remarks.texts("zh"))]),
    )


def idle_facts(quantities: Sequence[Quantity], name: Text | None = None) -> list[Fact]:
    """Return which quantities prove nothing, side by side; `name` is the cell's."""
    return [
        Fact(
            name or Text("No proof", "不构成证明"),
            Text(
                f"nothing is proved about {side} by {', '.join(names)}: what they guard is not "
                "larger than what rounding may do",
                f"{', '.join(names)} 对 {side} 不构成证明：所保护的大小不大于舍入误差",
            ),
        )
        for side, names in idle_by_side(quantities).items()
    ]


def note_facts(notes: Sequence[Note], most: int = MOST_NAMES) -> list[Fact]:
    """Return what is to be known of places in a file."""
    facts = [
        Fact(Text(f"To be known of {note.name}", f"关于 {note.name} 须知"), known(note.text))
        for note in notes[:most]
    ]
    if (more := len(notes) - most) > 0:
        said = Text(f"{more} more notes: see the JSON", f"另有 {more} 条，见 JSON")
        facts.append(Fact(Text("To be known besides", "其他须知"), said))
    return facts


def left_out_facts(left_out: Mapping[str, str]) -> tuple[Fact, ...]:
    """Return what took no part, those with the same reason together."""
    names: dict[str, list[str]] = {}
    for name, why in left_out.items():
        names.setdefault(why, []).append(name)
    return tuple(Fact(same(", ".join(each)), known(why)) for why, each in names.items())


def optimizer_fact() -> Fact:
    """Return which optimizer steps were taken."""
    rates = ", ".join(f"{each.name} {each.rate:g}" for each in OPTIMIZERS.values())
    said = Text(
        f"{STEPS}, by given gradients; {rates}, times the size of the weights",
        f"{STEPS} 步，梯度为给定值；{rates}，再乘以权重的大小",
    )
    return Fact(Text("Optimizer steps, and rates", "优化器步数及学习率"), said)


def method_facts() -> Sequence[Fact]:
    """Return how a limit comes to be, in both languages."""
    return (
        Fact(
            Text("Inputs", "输入"),
            Text(
                "Random, never zero, never all alike: rows where the gates respond, rows that "
                "saturate them, and rows so small that they end in denormals. No state is zero.",
                "随机，绝不为零，也绝不全部相同：有的行让门处于灵敏区，有的行使其饱和，有的行小到"
                "出现非规格化数。状态均不为零。",
            ),
        ),
        Fact(
            Text("Limit", "限值"),
            Text(
                f"{MARGIN:g} × (eps × size + move). eps is the distance from 1 to the next number "
                "of the element type; size is what the quantity naturally has; move is measured: "
                "how far the float64 reference moves when every input and every weight moves by "
                "one eps. A side within its limit computed the exact cell, on inputs that nobody "
                "can tell from the ones given.",
                f"{MARGIN:g} ×（eps × 大小 + 位移）。eps 是该数据类型中 1 与下一个数的距离；大小是"
                "该量的自然尺度；位移由测量得到：每个输入和每个权重都移动一个 eps 时，float64 参考"
                "实现移动多少。误差在限值之内，说明所计算的正是这个单元，只是输入与给定的输入无法区分。",
            ),
        ),
        Fact(
            Text("What a limit guards", "限值所保护的大小"),
            Text(
                "The root mean square of the quantity; of an answer after training, of what "
                f"training changed. A limit of more than {PROVES:.2g} of it would let mistakes "
                "pass: such a quantity proves nothing, and is marked.",
                "该量的均方根；对训练之后的输出，则为训练所改变的部分。限值若超过它的 "
                f"{PROVES:.2g}，错误就会被放过：这样的量不构成证明，并会注明。",
            ),
        ),
        Fact(
            Text("Rollout", "连续运行"),
            Text(
                "Every step has a limit of its own. They are compared as far as that stays below "
                f"{RESOLUTION:.2g} of the quantity's size: in a chaotic cell rounding alone "
                "decides what comes later, and agreement there would prove nothing.",
                f"每一步各有限值；只比较到限值不超过该量大小的 {RESOLUTION:.2g} 为止："
                "在混沌的单元里，再往后全由舍入决定，一致也证明不了什么。",
            ),
        ),
        Fact(
            Text("MindSpore's tanh", "MindSpore 的 tanh"),
            Text(
                "On CPU it is a rational approximation, off by up to 1e-4 near |x| = 5; a side "
                f"that computes with it is allowed {TANH_MARGIN:g} times what the reference moves "
                "when it computes with it too.",
                "其 CPU 实现是有理逼近，在 |x| = 5 附近误差可达 1e-4；用它计算的计算方，限值另加"
                f"参考实现改用它计算时移动量的 {TANH_MARGIN:g} 倍。",
            ),
        ),
    )


def environment_facts(environment: Mapping[str, Any], seconds: float) -> tuple[Fact, ...]:
    """Return versions and machine, one line each, and how long it took."""
    facts = []
    for key, given in environment.items():
        value = ", ".join(map(str, given)) if isinstance(given, (list, tuple)) else given
        missing = Text("not installed", "未安装")
        said = missing if value is None else same(str(value))
        facts.append(Fact(_ENVIRONMENT.get(key, same(key)), said))
    took = Text(f"{seconds:.1f} s", f"{seconds:.1f} 秒")
    return (*facts, Fact(Text("Time taken", "用时"), took))


_ENVIRONMENT: Final = {
    "instruction_set": Text("Instruction set used", "所用指令集"),
    "instruction_sets": Text("Instruction sets available", "可用指令集"),
    "python": same("Python"),
    "numpy": same("NumPy"),
    "torch": same("PyTorch"),
    "mindspore": same("MindSpore"),
    "machine": Text("Machine", "机器"),
}

"""What became of the rest of a ported file, as the page says it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from onecell.text import short
from onecell.verify.difference import Text
from onecell.verify.port import Proof
from onecell.verify.report.page import Fact
from onecell.verify.report.shared import MOST_NAMES, note_facts
from onecell.verify.report.texts import same


def carried_facts(proof: Proof) -> tuple[Fact, ...]:
    """Return what was copied, renamed, reshaped and left behind, and what is to be known of it."""
    target = proof.target.dialect
    lists: tuple[tuple[str, str, Sequence[str]], ...] = (
        (
            "Carried over under their old names, bit for bit ({})",
            "以原名逐比特保留的其他张量（{} 个）",
            [name for name in proof.carried if name not in proof.renamed],
        ),
        (
            "Carried over under new names, bit for bit ({})",
            "改名后逐比特保留的其他张量（{} 个）",
            [f"{old} → {new}" for old, new in proof.renamed.items()],
        ),
        (
            "Carried over in another shape, the same numbers in order ({})",
            "改变形状、数值与顺序不变的其他张量（{} 个）",
            [f"{name} {shape}" for name, shape in proof.reshaped.items()],
        ),
        (
            "May be the weights of a Conv1d, which MindSpore keeps with one more axis ({})",
            "可能是 Conv1d 的权重（MindSpore 中多一个轴；{} 个）",
            proof.perhaps,
        ),
        ("Left behind, not tensors ({})", "未保留（不是张量；{} 项）", proof.dropped),
        (
            "Left behind, optimizer state that no other framework reads ({})",
            "未保留：其他框架无法读取的优化器状态（{} 项）",
            proof.left,
        ),
        (
            f"Left behind, counters that {target}'s norms do not keep ({{}})",
            f"未保留：{target} 的归一化层不保存的计数（{{}} 项）",
            proof.counters,
        ),
        ("Left out, as asked ({})", "按要求略去（{} 项）", proof.unchosen),
    )
    return (
        *(
            Fact(Text(en.format(len(names)), zh.format(len(names))), _first_of(names))
            for en, zh, names in lists
            if names
        ),
        *note_facts(proof.notes),
        *(
            Fact(
                Text(f"{name} reads the file itself", f"{name} 自行读取该文件"),
                _BITS[same_bits],
            )
            for name, same_bits in proof.read_by.items()
        ),
    )


_BITS: Final = {True: Text("the same bits", "逐比特相同"), False: Text("other bits", "内容不同")}


def _first_of(names: Sequence[str]) -> Text:
    """Return the first names, and how many more there are."""
    first, more = ", ".join(map(short, names[:MOST_NAMES])), len(names) - MOST_NAMES
    if more <= 0:
        return same(first)
    return Text(f"{first} and {more} more", f"{first} 等，另有 {more} 个")

"""The language of a page, and what a result says in English, in Chinese.

A result names its claims, quantities and settings in English; the names of contenders are those of
the pictures and stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, Literal

Language = Literal["en", "zh"]
Say = Callable[[str, str], str]
"""Of a sentence in English and in Chinese, returns the one to print."""


def english(text: str, _chinese: str) -> str:
    """Return the English one."""
    return text


def chinese(_english: str, text: str) -> str:
    """Return the Chinese one."""
    return text


SAY: Final[Mapping[Language, Say]] = {"en": english, "zh": chinese}

WORK: Final = {
    "step": ("step", "单步"),
    "unroll": ("unroll", "展开"),
    "train": ("train", "训练"),
    "loop": ("loop", "循环"),
    "stream": ("stream", "流"),
    "frozen": ("frozen", "冻结"),
    "rows": ("frozen, many rows", "冻结，多行"),
    "mindspore": ("mindspore", "MindSpore"),
    "mindspore-grad": ("mindspore-grad", "MindSpore 训练"),
    "batch": ("batch", "批"),
    "hidden": ("hidden", "隐藏单元"),
    "input": ("input", "输入"),
}
"""A kind of work, or an axis of the sweep, as a page calls it."""

_TOLD: Final = (
    (r"unroll in inference allocates its output and O\(N·H\) beside it",
     "推理中的展开，除输出外只分配 O(N·H)"),
    (r"training keeps at most (\d+) values of size H per row and step",
     r"训练时，每行每步最多保留 \1 个大小为 H 的值"),
    (r"a stream allocates nothing per step", "流每步不分配内存"),
    (r"([\d.]+) N·H beside the output at T = (\d+)", r"T = \2 时，除输出外为 \1 N·H"),
    (r"([\d.]+) at T = (\d+)", r"T = \2 时为 \1"),
    (r"the output among them", "含输出"),
    (r"(\d+) allocations in (\d+) steps", r"\1 次分配（共 \2 步）"),
    (r"no stream yet", "尚无流"),
    (r"([hc]) over (\d+) steps", r"\1，\2 步"),
    (r"gradient of (\w+)", r"对 \1 的梯度"),
    (r"(\d+) threads?", r"\1 个线程"),
    (r"(\d+) CPUs", r"\1 个 CPU"),
    (r"Python loop", "Python 循环"),
    (r"one call", "一次调用"),
    (r"the step compiled", "编译单步"),
    (r"its threads may spin", "线程可以自旋"),
    (r"input tensors set beforehand", "输入张量事先设定"),
    (r"the multiply-adds of the products", "只做乘积中的乘加"),
    (r"operands in registers", "操作数在寄存器中"),
    (r"reading the weights that each step reads", "只读取每步要读的权重"),
    (r"the recurrent ones where there are more", "多步时为循环权重"),
    (r"compiled", "编译执行"),
    (r"loop", "循环"),
    (r"step", "单步"),
    (r"batch first", "batch_first"),
    (r"inference", "推理"),
    (r"training", "训练"),
    (r"recorded", "记录梯度"),
    (r"and back", "含反向"),
    (r"as usual", "常规"),
    (r"no state", "省略状态"),
    (r"strided x", "x 不连续"),
    (r"one row", "单行"),
    (r"one layer", "一层"),
    (r"two layers", "两层"),
    (r"both ways", "双向"),
    (r"packed", "打包序列"),
    (r"autocast", "自动混合精度"),
    (r"default", "默认设置"),
    (r"(\w+) per channel", r"\1，按通道"),
    (r"gradients by parameters and x", "对参数和 x 求梯度"),
    (r"left out when this was measured", "测量时未包括"),
    (r"not timed: (.*)", r"未计时：\1"),
    (r"(\S+) is not installed", r"未安装 \1"),
)  # fmt: skip
"""What a result says → in Chinese, as patterns of a whole clause."""


def told(text: str, say: Say) -> str:
    """Return what a result says; of a list with commas, clause by clause.

    What has no Chinese here is a name, a setting or an error message, and stays.
    """
    return say(text, "，".join(map(_clause, re.split(r", (?![^()]*\))", text))))


def _clause(clause: str) -> str:
    for pattern, words in _TOLD:
        if match := re.fullmatch(pattern, clause):
            return match.expand(words)
    return clause

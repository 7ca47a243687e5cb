"""What the rest of `verify` says in English only, in both languages.

A sentence that is not known here stays in English: better than none.
"""

from __future__ import annotations

import re
from typing import Final

from onecell.verify.difference import Text
from onecell.verify.report.texts import same

_KNOWN: Final = tuple(
    (re.compile(english), chinese)
    for english, chinese in (
        (r"gates (\w) and (\w) swapped", r"门 \1 与 \2 互换"),
        (r"weight_ih enlarged", "weight_ih 被放大"),
        (r"stored transposed", "以转置形式存储"),
        (r"(bias_\w+) dropped", r"\1 被丢弃"),
        (r"(bias_\w+) doubled", r"\1 被加倍"),
        (r"h and c swapped", "h 与 c 互换"),
        (r"state not carried", "状态没有传递"),
        (r"forget bias of 1 added", "遗忘门偏置加 1"),
        (r"rounded to float16", "舍入到 float16"),
        (r"one weight off", "一个权重有偏差"),
        (r"(`\w+`) is not installed", r"未安装 \1"),
        (r"does not compute in (\w+)", r"不以 \1 计算"),
        (r"it computes in (\w+)", r"它以 \1 计算"),
        (r"the parameter is frozen", "该参数已冻结"),
        (r"a function of arrays shows no gradients", "数组函数不提供梯度"),
        (
            r"the parameters of one of the two are not known to be a cell's",
            "其中一方的参数无法确认是单元的参数",
        ),
        (r"float64 on the weights of ([ab])", r"float64，取 \1 的权重"),
        (r"what a computes", "a 的计算结果"),
        (
            r"the file does not tell its framework; its names are read as torch's",
            "文件没有说明所属框架；参数名按 torch 解读",
        ),
        (
            r"its matrices have the shapes \(I, 4H\) and \(H, 4H\)",
            "其矩阵的形状为 (I, 4H) 与 (H, 4H)",
        ),
        (
            (
                r"its parameters have a cell's names and it computes something else; compared by "
                r"what it computes"
            ),
            "其参数名与单元相同，但计算的内容不同；按其计算结果比较",
        ),
    )
)


def known(text: str) -> Text:
    """Return `text` with its Chinese, where it is one of the sentences that are known."""
    for english, chinese in _KNOWN:
        if found := english.fullmatch(text):
            return Text(text, found.expand(chinese))
    return same(text)

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
        (r"h and c swapped on the way in", "输入的 h 与 c 互换"),
        (r"h and c swapped on the way out", "输出的 h 与 c 互换"),
        (r"the state is taken as zero", "状态被当作零"),
        (r"one unit of (.') is off", r"\1 的一个隐藏单元有偏差"),
        (r"one unit of (.') is off, far out", r"极端输入下 \1 的一个隐藏单元有偏差"),
        (r"c' is clipped at 100", "c' 在 100 处被截断"),
        (r"x far out is clipped", "极端的 x 被截断"),
        (r"the gradient stops at the state", "梯度在状态处中断"),
        (r"the gradient of the last c is dropped", "最后一个 c 的梯度被丢弃"),
        (r"the gradient of (\w+) has the other sign", r"\1 的梯度符号相反"),
        (r"the gradient of (\w+) is zero", r"\1 的梯度为零"),
        (r"the gradient of (\w+) is doubled", r"\1 的梯度加倍"),
        (r"the gradient of (\w+) is off in one unit", r"\1 的梯度有一个隐藏单元有偏差"),
        (r"the state is not carried", "状态没有传递"),
        (r"h comes a step late", "h 晚一步"),
        (r"one unit of (\w) is off at the second step", r"第二步时 \1 的一个隐藏单元有偏差"),
        (r"(SGD|Adam) does nothing", r"\1 什么也不做"),
        (r"(SGD|Adam) runs backwards", r"\1 方向相反"),
        (r"(SGD|Adam) has twice its rate", r"\1 的学习率加倍"),
        (r"(SGD|Adam) misses its last step", r"\1 漏掉最后一步"),
        (r"after (SGD|Adam) the cell answers with its old weights", r"\1 之后单元仍用旧权重计算"),
        (r"after (SGD|Adam) one unit of (.') is off", r"\1 之后 \2 的一个隐藏单元有偏差"),
        (r"after (SGD|Adam) (\w+) shows what it was", r"\1 之后 \2 显示的仍是旧值"),
        (r"SGD keeps a momentum", "SGD 带有动量"),
        (r"Adam forgets its moments", "Adam 忘记了矩"),
        (r"Adam does not correct its mean", "Adam 未校正一阶矩"),
        (r"Adam adds epsilon in the other place", "Adam 的 epsilon 加在另一处"),
        (r"Adam is SGD", "Adam 实为 SGD"),
        (r"it cannot be copied, and only a copy is trained", "它无法复制，而只训练副本"),
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
        (r"(`\w+`) is computed from (.+) \((.+)\)", r"\1 由 \2 计算得到（\3）"),
        (
            (
                r"an LSTM cell perhaps, but (`\w+`) cannot be computed from (.+); remove the "
                r"parametrization before saving"
            ),
            r"可能是 LSTM 单元，但无法由 \2 计算 \1；请先移除参数化再保存",
        ),
        (
            (
                r"an LSTM cell perhaps, and not one that can be proved: (`\w+`) holds (\w+), and "
                r"the parameters of a cell hold one of (.+)"
            ),
            r"可能是 LSTM 单元，但无法证明：\1 的类型是 \2，而单元参数的类型应为 \3 之一",
        ),
        (
            (
                r"an LSTM cell perhaps, and not one that can be proved: (`\w+`) holds (\w+) but "
                r"(`\w+`) holds (\w+)\."
            ),
            r"可能是 LSTM 单元，但无法证明：\1 的类型是 \2，\3 的类型是 \4",
        ),
        (
            (
                r"no LSTM cell: (`\w+`) must have shape (.+), got (\(.*?\))\."
                r"(?: It looks transposed\.)? There are (.+)"
            ),
            r"不是 LSTM 单元：\1 的形状应为 \2，实为 \3；现有 \4",
        ),
        (
            r"no LSTM cell: (`\w+`) must have 2 dimensions, got shape (\(.*?\))\. There are (.+)",
            r"不是 LSTM 单元：\1 应有 2 维，实为 \2；现有 \3",
        ),
        (r"no LSTM cell: (.+) There are (.+)", r"不是 LSTM 单元：\1 现有 \2"),
        (
            r"an LSTM with projections \((`\w+`)\), no LSTM cell",
            r"带投影的 LSTM（\1），不是 LSTM 单元",
        ),
        (
            r"a plain RNN by its shapes \((.+)\), no LSTM cell",
            r"从形状看是普通 RNN（\1），不是 LSTM 单元",
        ),
        (r"a GRU by its shapes \((.+)\), no LSTM cell", r"从形状看是 GRU（\1），不是 LSTM 单元"),
        (
            r"half a cell: (`.+`) is missing, and there is (.+)",
            r"半个单元：缺少 \1，只有 \2",
        ),
        (
            r"something else stands there, (.+): this may not be a plain LSTM (?:cell|layer)",
            r"旁边还有 \1：这可能不是普通的 LSTM",
        ),
        (
            (
                r"`?(.+?)`?: `(\w+)` holds (\d+) of (\d+) numbers that are not finite, the "
                r"first at (\[.*\]): (.+)\."
            ),
            r"\1：\2 的 \4 个数中有 \3 个不是有限的数，第一个在 \5：\6",
        ),
        (
            (
                r"`?(.+?)`?: `(\w+)` holds numbers up to (.+), too large for sums of their "
                r"products in (\w+)\."
            ),
            r"\1：\2 的数最大为 \3，其乘积之和超出 \4 的范围",
        ),
        (
            (r"different sizes: `a` has (I = \d+, H = \d+), `b` (I = \d+, H = \d+)\."),
            r"尺寸不同：a 为 \1，b 为 \2",
        ),
    )
)


def known(text: str) -> Text:
    """Return `text` with its Chinese, where it is one of the sentences that are known."""
    for english, chinese in _KNOWN:
        if found := english.fullmatch(text):
            return Text(text, found.expand(chinese))
    return same(text)

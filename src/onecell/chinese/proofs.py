"""What a proof, a comparison and a survey of a file say in English wherever they are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TEXTS: Final[Mapping[str, str]] = {
    # Mistakes made on purpose, and their kinds.
    "gates {a} and {b} swapped": "门 {a} 与 {b} 互换",
    "gates {a} and {b} of {parameter} swapped": "{parameter} 的门 {a} 与 {b} 互换",
    "the order {a} taken for {b}": "把顺序 {a} 当作 {b}",
    "forget bias of {a} added": "遗忘门偏置加 {a}",
    "forget bias of {a} taken away": "遗忘门偏置减 {a}",
    "the halves of the bias exchanged": "偏置的两半互换",
    "the joined kernels exchanged": "合并矩阵中的两个核互换",
    "c and h taken for h and c": "把 c、h 当作 h、c",
    "weight_ih enlarged": "weight_ih 被放大",
    "weight_ih stored transposed": "weight_ih 以转置形式存储",
    "weight_hh stored transposed": "weight_hh 以转置形式存储",
    "stored transposed": "以转置形式存储",
    "bias_ih dropped": "bias_ih 被丢弃",
    "bias_hh dropped": "bias_hh 被丢弃",
    "bias_ih doubled": "bias_ih 被加倍",
    "bias_hh doubled": "bias_hh 被加倍",
    "h and c swapped": "h 与 c 互换",
    "state not carried": "状态没有传递",
    "rounded to float16": "舍入到 float16",
    "one weight off": "一个权重有偏差",
    "h and c swapped on the way in": "输入的 h 与 c 互换",
    "h and c swapped on the way out": "输出的 h 与 c 互换",
    "the state is taken as zero": "状态被当作零",
    "after {a} one unit of {b} is off": "{a} 之后 {b} 的一个隐藏单元有偏差",
    "one unit of {a} is off, far out": "远端输入下 {a} 的一个隐藏单元有偏差",
    "one unit of {a} is off at the second step": "第二步时 {a} 的一个隐藏单元有偏差",
    "one unit of {a} is off": "{a} 的一个隐藏单元有偏差",
    "c' is clipped at 100": "c' 在 100 处被截断",
    "x far out is clipped": "远端的 x 被截断",
    "the gradient stops at the state": "梯度在状态处中断",
    "the gradient of the last c is dropped": "最后一个 c 的梯度被丢弃",
    "the gradient of {a} has the other sign": "{a} 的梯度符号相反",
    "the gradient of {a} is zero": "{a} 的梯度为零",
    "the gradient of {a} is doubled": "{a} 的梯度加倍",
    "the gradient of {a} is off in one unit": "{a} 的梯度有一个隐藏单元有偏差",
    "the state is not carried": "状态没有传递",
    "h comes a step late": "h 晚一步",
    "{a} does nothing": "{a} 什么也不做",
    "{a} runs backwards": "{a} 方向相反",
    "{a} has twice its rate": "{a} 的学习率加倍",
    "{a} misses its last step": "{a} 漏掉最后一步",
    "after {a} the cell answers with its old weights": "{a} 之后单元仍用旧权重计算",
    "after {a} {b} shows what it was": "{a} 之后 {b} 显示的仍是旧值",
    "SGD keeps a momentum": "SGD 带有动量",
    "Adam forgets its moments": "Adam 忘记了矩",
    "Adam does not correct its mean": "Adam 未校正一阶矩",
    "Adam adds epsilon in the other place": "Adam 的 epsilon 加在另一处",
    "Adam is SGD": "Adam 实为 SGD",
    "gates": "门",
    "a transposition": "转置",
    "weights": "权重",
    "biases": "偏置",
    "states": "状态",
    "outputs": "输出",
    "gradients": "梯度",
    "rollouts": "连续运行",
    "training": "训练",
    # Who took no part, and why.
    "it cannot be copied, and only a copy is trained": "它无法复制，而只训练副本",
    "`{a}` is not installed": "未安装 `{a}`",
    "`{a}` is not installed, and {b} names no Python that has it": (
        "未安装 `{a}`，{b} 也没有指明装有它的 Python"
    ),
    "does not load: {error}": "无法加载：{error}",
    "does not load within {a} s": "{a} 秒内未能加载",
    "cannot be started: {error}": "无法启动：{error}",
    "{a} does not compute in {b}": "{a} 不以 {b} 计算",
    "its optimizers are not run": "不运行它的优化器",
    "only what the cells compute is compared": "只比较单元的计算结果",
    "its two biases are taken as one, their sum": "两个偏置按其和作为一个偏置计",
    "its bias is taken to be zero: it has none": "没有偏置，按零计",
    "it has one bias, and its gradient is shown as that of bias_ih": (
        "它只有一个偏置，其梯度列在 bias_ih 下"
    ),
    "it only computes forward": "它只做前向计算",
    "its gradients are NaN where a gate is far in saturation": "门深度饱和时它的梯度为 NaN",
    "{label} rests on {names}, in a process of its own, and on the kernel.": (
        "{label} 的依据：{names}（在自己的进程中）以及内核。"
    ),
    "{label} rests on the kernel alone: {framework} took no part, {why}.": (
        "{label} 的依据只有内核：{framework} 未参与，{why}。"
    ),
    "its cell is not run here": "它的单元不在这里运行",
    "does not compute in {a}": "不以 {a} 计算",
    "it computes in {a}": "它以 {a} 计算",
    "the parameter is frozen": "该参数不参与训练",
    "a frozen cell has no gradients": "冻结单元没有梯度",
    "a function of arrays shows no gradients": "数组函数不提供梯度",
    "the parameters of one of the two are not known to be a cell's": (
        "其中一方的参数无法确认是单元的参数"
    ),
    "{cell}: {side} misses its limit in {names}; the result runs on {target}.": (
        "{cell}：{side} 在 {names} 上超出限值；结果使用 {target}。"
    ),
    "{side} does not compute in {dtype}, which {count} cells would run in. What helps: {ways}.": (
        "{side} 不以 {dtype} 计算，而有 {count} 个单元要以它运行。可行的办法：{_ways}。"
    ),
    "{side} does not compute in {dtype}, which {count} cell would run in. What helps: {ways}.": (
        "{side} 不以 {dtype} 计算，而有 {count} 个单元要以它运行。可行的办法：{_ways}。"
    ),
    "--target onecell, whose cell can, or weights in float32": (
        "--target onecell（其单元可以），或使用 float32 权重"
    ),
    "--target onecell, whose cell can": "--target onecell（其单元可以）",
    "weights in float32": "使用 float32 权重",
    # What is held against what.
    "float64 on the weights of {a}": "float64 参考实现，取 {a} 的权重",
    "what a computes": "a 的计算结果",
    "{m} × ({dtype} eps {eps} × size {size} + {shift}, the reference's move under one eps) + {t} × "
    "{coarse} for its own tanh": (
        "{m} ×（{dtype} eps {eps} × 大小 {size} + {shift}，即输入移动一个 eps 时参考实现的位移）"
        "+ {t} × {coarse}（其 tanh 所致）"
    ),
    "{m} × ({dtype} eps {eps} × size {size} + {shift}, the reference's move under one eps)": (
        "{m} ×（{dtype} eps {eps} × 大小 {size} + {shift}，即输入移动一个 eps 时参考实现的位移）"
    ),
    "{m} × {dtype} eps {eps} × size {size}": "{m} × {dtype} eps {eps} × 大小 {size}",
    "the file does not tell its framework; its names are read as torch's": (
        "文件没有说明所属框架；参数名按 torch 解读"
    ),
    "its matrices have the shapes (I, 4H) and (H, 4H)": "其矩阵的形状为 (I, 4H) 与 (H, 4H)",
    "its parameters have a cell's names and it computes something else; compared by what it "
    "computes": "其参数名与单元相同，但计算的内容不同；按其计算结果比较",
    # What is to be known of a file.
    "`{a}` is computed from {b} ({c})": "`{a}` 由 {b} 计算得到（{c}）",
    "an LSTM cell perhaps, but `{a}` cannot be computed from {b}; remove the parametrization "
    "before saving": "可能是 LSTM 单元，但无法由 {b} 计算 `{a}`；请先移除参数化再保存",
    "an LSTM cell perhaps, and not one that can be proved: `{a}` holds {b}, and the parameters of "
    "a cell hold one of {c}": (
        "可能是 LSTM 单元，但无法证明：`{a}` 的类型是 {b}，而单元参数的类型应为 {c} 之一"
    ),
    "an LSTM cell perhaps, and not one that can be proved: `{a}` holds {b} but `{c}` holds {d}.": (
        "可能是 LSTM 单元，但无法证明：`{a}` 的类型是 {b}，`{c}` 的类型是 {d}"
    ),
    "an LSTM cell perhaps, and not one that can be proved: {why}": (
        "可能是 LSTM 单元，但无法证明：{_why}"
    ),
    "no LSTM cell: `{a}` must have shape {b}, got {c}. It looks transposed. There are {d}": (
        "不是 LSTM 单元：`{a}` 的形状应为 {b}，实为 {c}（似乎被转置）；现有 {d}"
    ),
    "no LSTM cell: `{a}` must have shape {b}, got {c}. There are {d}": (
        "不是 LSTM 单元：`{a}` 的形状应为 {b}，实为 {c}；现有 {d}"
    ),
    "no LSTM cell: `{a}` must have 2 dimensions, got shape {b}. There are {c}": (
        "不是 LSTM 单元：`{a}` 应有 2 维，实为 {b}；现有 {c}"
    ),
    "no LSTM cell: {a} There are {b}": "不是 LSTM 单元：{_a}现有 {b}",
    "an LSTM with projections (`{a}`), no LSTM cell": "带投影的 LSTM（`{a}`），不是 LSTM 单元",
    "a plain RNN by its shapes ({a}), no LSTM cell": "从形状看是普通 RNN（{a}），不是 LSTM 单元",
    "a GRU by its shapes ({a}), no LSTM cell": "从形状看是 GRU（{a}），不是 LSTM 单元",
    "half a cell: `{a}` is missing, and there is {b}": "半个单元：缺少 `{a}`，只有 {b}",
    "something else stands there, {a}: this may not be a plain LSTM cell": (
        "旁边还有 {a}：这可能不是普通的 LSTM"
    ),
    "something else stands there, {a}: this may not be a plain LSTM layer": (
        "旁边还有 {a}：这可能不是普通的 LSTM"
    ),
    "holds {a} NaN and {b} infinite of {c} numbers": "{c} 个数中有 {a} 个 NaN、{b} 个无穷大",
    "holds {a} NaN of {c} numbers": "{c} 个数中有 {a} 个 NaN",
    "holds {b} infinite of {c} numbers": "{c} 个数中有 {b} 个无穷大",
    "{what}; left out": "{_what}；未保留",
    "a NumPy array of {kind}": "{_kind}的 NumPy 数组",
    "a NumPy scalar of {kind}": "{_kind}的 NumPy 标量",
    "Python objects": "Python 对象",
    "elements of type {code}": "类型为 {code} 的元素",
    "dates": "日期",
    "time spans": "时间间隔",
    "raw bytes": "原始字节",
    "texts": "文本",
    "an array of {kind}": "{_kind}的数组",
    "a frozen cell, {facts}, packed for onecell.FrozenCell.load": (
        "冻结单元，{facts}，供 onecell.FrozenCell.load 读取"
    ),
    # Numbers that nothing can be proved of.
    "{a}: `{b}` holds {c} of {d} numbers that are not finite, the first at {e}: {f}.": (
        "{a}：`{b}` 的 {d} 个数中有 {c} 个不是有限的数，第一个在 {e}：{f}"
    ),
    "{a}: `{b}` holds numbers up to {c}, too large for sums of their products in {d}.": (
        "{a}：`{b}` 的数最大为 {c}，其乘积之和超出 {d} 的范围"
    ),
    # Why a tensor keeps its name.
    "the code allows more than one layer: {said}": "代码允许不止一种层：{said}",
}

"""The sentences of a diagnosis and of a verdict, in English and Chinese, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "nothing": ("nothing to explain", "没有需要解释的差异"),
    "zero signs": ("only the signs of zeros differ", "只有零的符号不同"),
    "step right": (
        "a step answers as it should; what differs comes after it",
        "单步结果正确，差异出现在之后",
    ),
    "not repeatable": (
        "the same call answers differently when repeated: it keeps something, or draws at random",
        "同样的调用重复一次，结果就不同：它内部保留了状态，或使用了随机数",
    ),
    "gradients differ": (
        "every output is right; the gradients are not",
        "所有输出都正确，但梯度不正确",
    ),
    "far inputs differ": (
        "a step on ordinary inputs answers as it should, on those far out it does not (a clip?)",
        "普通输入下单步结果正确，极端输入下不正确（是否有截断？）",
    ),
    "gates swapped": ("gates {first} and {second} are swapped", "门 {first} 与 {second} 互换"),
    "gates permuted": (
        "gates are stored in the order {order} instead of i f g o",
        "门的存储顺序是 {order}，而不是 i f g o",
    ),
    "gates swapped in": (
        "gates {first} and {second} are swapped in {parameter}, not in the rest",
        "在 {parameter} 中门 {first} 与 {second} 互换，其余没有",
    ),
    "gates permuted in": (
        "gates of {parameter} are stored in the order {order} instead of i f g o",
        "{parameter} 的门按 {order} 的顺序存储，而不是 i f g o",
    ),
    "transposed": ("{parameter} stored transposed", "{parameter} 以转置形式存储"),
    "blocks transposed": (
        "each gate's block of {parameter} stored transposed",
        "{parameter} 中每个门的方块被转置",
    ),
    "interleaved": (
        "{parameter} stored interleaved, the four gates of a unit side by side",
        "{parameter} 以交错形式存储：同一隐藏单元的四个门相邻",
    ),
    "matrices swapped": (
        "weight_ih and weight_hh are in each other's place",
        "weight_ih 与 weight_hh 互换了位置",
    ),
    "bias dropped": ("{parameter} was dropped", "{parameter} 被丢弃"),
    "biases dropped": ("both biases were dropped", "两个偏置都被丢弃"),
    "biases added": ("biases were added, where a has none", "a 没有偏置，这里却有偏置"),
    "zero biases added": (
        "biases of zero were added, where a has none: the same outputs, and more to train",
        "a 没有偏置，这里增加了全零的偏置：输出相同，但会参与训练",
    ),
    "zero biases dropped": (
        "the biases, all zero, were dropped: the same outputs, and less to train",
        "全为零的偏置被去掉：输出相同，但不再参与训练",
    ),
    "close": (
        "the numbers of {parameter} are close, not the same: off by {value:.1e} of their size",
        "{parameter} 的数值接近但不相同：最多相差其大小的 {value:.1e}",
    ),
    "scaled": (
        "every number is multiplied by {value:.7g}",
        "所有数值都乘以了 {value:.7g}",
    ),
    "bias doubled": ("{parameter} is doubled", "{parameter} 被加倍"),
    "biases doubled": ("both biases are doubled", "两个偏置都被加倍"),
    "bias replaced": (
        "{other} stands in the place of {parameter} too: it counts twice and {parameter} is lost",
        "{parameter} 的位置上也是 {other}：后者被计两次，前者丢失",
    ),
    "biases summed": (
        "the biases were summed into {parameter}: the same outputs, another rate in training",
        "两个偏置被合并到 {parameter}：输出相同，但训练时偏置的更新速率不同",
    ),
    "biases summed twice": (
        "each bias is the sum of both, so the bias counts twice",
        "每个偏置都是两者之和，偏置被计两次",
    ),
    "biases swapped": (
        "bias_ih and bias_hh are in each other's place: the same outputs",
        "bias_ih 与 bias_hh 互换了位置：输出相同",
    ),
    "gate bias offset": (
        "a constant {value:.6g} was added to the bias of gate {gate}",
        "门 {gate} 的偏置被加上常数 {value:.6g}",
    ),
    "forget bias added": (
        "a forget bias of {value:.6g} was added",
        "遗忘门偏置被加上 {value:.6g}",
    ),
    "forget bias removed": (
        "a forget bias of {value:.6g} was taken away",
        "遗忘门偏置被减去 {value:.6g}",
    ),
    "rounded": ("the numbers were rounded to {dtype}", "数值被舍入到 {dtype}"),
    "rounded in": (
        "{parameter} were rounded to {dtype}, the rest was not",
        "{parameter} 被舍入到 {dtype}，其余没有",
    ),
    "rounded by rows": (
        "the numbers were rounded to int8 by rows, off by up to {value:.1e} of the row's largest",
        "数值按行舍入到 int8，最多相差该行最大值的 {value:.1e}",
    ),
    "rounded by rows in": (
        "{parameter} were rounded to int8 by rows, off by up to {value:.1e} of the row's largest",
        "{parameter} 按行舍入到 int8，最多相差该行最大值的 {value:.1e}",
    ),
    "stored type": (
        "the numbers are stored as {dtype}, not as {other}",
        "数值以 {dtype} 存储，而不是 {other}",
    ),
    "noise": (
        "the numbers differ in the last places, by at most {value:.1e} of the largest",
        "数值仅在末几位不同，最多为最大值的 {value:.1e}",
    ),
    "one element": (
        "{parameter}{index} (gate {gate}, unit {unit}) is off by {value:.3g}",
        "{parameter}{index}（门 {gate}，隐藏单元 {unit}）相差 {value:.3g}",
    ),
    "one unit": (
        "unit {unit} alone is off, in gate {gate}",
        "只有隐藏单元 {unit} 的门 {gate} 有偏差",
    ),
    "states swapped in": ("h and c are swapped on the way in", "输入的 h 与 c 互换"),
    "states swapped out": ("h and c are swapped on the way out", "输出的 h 与 c 互换"),
    "states swapped": (
        "h and c are swapped, on the way in and out",
        "h 与 c 互换，输入和输出都是",
    ),
    "state ignored": (
        "the state is not carried: the cell answers as if it were zero",
        "状态没有传递：无论给出什么状态，都按零状态计算",
    ),
    "h ignored": ("h is not carried: taken as zero", "h 没有传递：按零计算"),
    "c ignored": ("c is not carried: taken as zero", "c 没有传递：按零计算"),
    "c not updated": ("c comes back as it went in", "返回的 c 没有更新"),
    "h not updated": ("h comes back as it went in", "返回的 h 没有更新"),
    "unexplained": (
        "no known layout explains it; largest difference in {where}",
        "没有已知的布局能解释这一差异；最大差异在 {where}",
    ),
    "first divergence": (
        "first in {quantity}: off by {error:.1e}, limit {limit:.1e}",
        "首先出现在 {quantity}：相差 {error:.1e}，限值 {limit:.1e}",
    ),
    "first divergence: no number": (
        "first in {quantity}: it is missing, or not finite",
        "首先出现在 {quantity}：缺失，或不是有限的数",
    ),
    "first divergence: step": (
        "along the rollout from step {step}",
        "连续运行时从第 {step} 步开始",
    ),
    "first divergence: parameter": (
        "in the weights first {parameter}{index}, gate {gate}: off by {difference:.3g}",
        "权重中首先是 {parameter}{index}，门 {gate}：相差 {difference:.3g}",
    ),
    "first divergence: gate": ("in gate {gate}", "在门 {gate}"),
    "not proved": ("not proved: {name}: {why}", "未证明：{name}：{why}"),
    "cannot fail": ("its {families} cannot fail here", "其{families_zh}在此不可能失败"),
    "names of a cell": ("its names are a cell's", "其名称是单元的名称"),
    "cells perhaps": (
        "with a cell's names, and perhaps one: {names}",
        "名称像单元、可能是单元：{names_zh}",
    ),
    "none by its shapes": (
        "with a cell's names, and by its shapes none: {names}",
        "名称像单元、但形状表明不是单元：{names_zh}",
    ),
    "something beside": ("with something else beside it: {names}", "旁边还有其他张量：{names_zh}"),
    "idle": (
        "{idle} of {total} quantities prove nothing",
        "{total} 项中有 {idle} 项不构成证明",
    ),
}
"""Kind of finding → its clause in English and in Chinese, to be filled with its facts."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is known to explain a difference, or that a verdict has to say."""

    kind: str
    """A key of `SENTENCES`, such as "gates swapped" or "bias dropped"."""
    facts: Mapping[str, Any]
    """What fills the sentence: gates, parameter, value."""

    def text(self, lang: str = "en") -> str:
        """Return it as a clause, "gates f and o are swapped"; `lang` is "en" or "zh"."""
        return say(self.kind, lang, **self.facts)


def say(kind: str, lang: str = "en", **facts: Any) -> str:  # noqa: ANN401
    """Return the clause called `kind`, filled with `facts`; `lang` is "en" or "zh"."""
    chosen = 1 if lang == "zh" else 0
    index = facts.get("index")
    facts["index"] = "" if index is None else "[" + ", ".join(map(str, index)) + "]"
    return SENTENCES[kind][chosen].format(**facts)


def between(lang: str) -> str:
    """Return what stands between two clauses."""
    return "；" if lang == "zh" else "; "

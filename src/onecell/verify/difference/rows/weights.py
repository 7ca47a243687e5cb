"""Rows on the parameters, their layout, their fresh values, and loading them."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np

from onecell import reference
from onecell.dialect import TORCH, Layout
from onecell.spec import PARAMETERS, Spec
from onecell.verify.difference.answers import ask, distance, draw, fill, ones, to_array
from onecell.verify.difference.claims import both, each, ours
from onecell.verify.difference.row import row
from onecell.weights import Weights

SHAPES = {"weight_ih": [16, 3], "weight_hh": [16, 4], "bias_ih": [16], "bias_hh": [16]}
NO_BIAS = {"bias_ih": None, "bias_hh": None}
UNIFORM = {"largest · √H": 1.0, "deviation · √(3H)": 1.0}


@row(
    "parameter-names",
    "weights",
    sources="same",
    matter=("names and shapes", "名称与形状"),
    claim=both(
        "weight_ih (4H, I), weight_hh (4H, H), bias_ih (4H,), bias_hh (4H,), in this order.",
        "依次为 weight_ih (4H, I)、weight_hh (4H, H)、bias_ih (4H,)、bias_hh (4H,)。",
        SHAPES,
    ),
    onecell=ours("the same", "相同", torch=SHAPES, mindspore=SHAPES),
)
def parameter_names(LSTMCell: Any) -> object:
    cell = LSTMCell(3, 4)
    return {name: list(parameter.shape) for name, parameter in cell.named_parameters()}


@parameter_names.on("mindspore")
def _(LSTMCell: Any) -> object:
    cell = LSTMCell(3, 4)
    return {parameter.name: list(parameter.shape) for parameter in cell.get_parameters()}


@row(
    "gate-order",
    "weights",
    sources="same",
    matter=("order of the gates", "门的顺序"),
    claim=both(
        "i f g o: of the 24 orders it is the one that explains the output.",
        "i f g o：24 种排列中只有它能解释输出。",
        "ifgo",
    ),
    onecell=ours("the same", "相同", torch="ifgo", mindspore="ifgo"),
)
def gate_order(LSTMCell: Any, tensor: Any) -> object:
    weights, x, h, c = draw(Spec(3, 4), rows=2)
    cell = fill(LSTMCell(3, 4), weights, tensor)
    h_next, _ = cell(tensor(x), (tensor(h), tensor(c)))
    errors = {}
    for order in permutations("ifgo"):
        dialect = replace(TORCH, layout=Layout("".join(order), gates_first=True, biases=2))
        reordered = Weights.from_dialect(weights.arrays(), dialect)
        errors[dialect.layout.gates] = distance(h_next, reference.step(reordered, x, h, c)[0])
    return min(errors, key=lambda order: errors[order])


@row(
    "without-biases",
    "weights",
    sources="same, page example 2",
    matter=("biases that were left out", "省略偏置时"),
    claim=both(
        "Without biases bias_ih and bias_hh are None.",
        "不使用偏置时，bias_ih 与 bias_hh 均为 None。",
        NO_BIAS,
    ),
    onecell=ours("the same", "相同", torch=NO_BIAS, mindspore=NO_BIAS),
)
def without_biases(LSTMCell: Any) -> object:
    cell = LSTMCell(3, 4, False)
    return {"bias_ih": cell.bias_ih, "bias_hh": cell.bias_hh}


@row(
    "initial-values",
    "weights",
    sources="same",
    matter=("initial values", "初始值"),
    claim=both(
        "Both draw all four from uniform(-1/√H, 1/√H).",
        "两者都从 uniform(-1/√H, 1/√H) 抽取全部四个参数。",
        UNIFORM,
    ),
    onecell=ours("the same", "相同", torch=UNIFORM, mindspore=UNIFORM),
)
def initial_values(LSTMCell: Any) -> object:
    cell = LSTMCell(100, 100)
    values = np.concatenate([to_array(getattr(cell, name)).ravel() for name in PARAMETERS])
    return {
        "largest · √H": round(float(np.abs(values).max()) * 100**0.5, 2),
        "deviation · √(3H)": round(float(values.std()) * 300**0.5, 1),
    }


@row(
    "checkpoint-keys",
    "weights",
    sources="matter 16",
    matter=("a checkpoint that lacks keys, or has others", "检查点缺少键或有多余的键"),
    claim=each(
        "torch's `load_state_dict` raises. MindSpore's `load_param_into_net` returns two lists of "
        "what was not loaded, and never raises.",
        "torch 的 `load_state_dict` 抛出异常。MindSpore 的 `load_param_into_net` 只返回两个列表"
        "（未加载的内容），从不抛出异常。",
        torch="raises RuntimeError",
        mindspore=[["weight_hh", "bias_ih", "bias_hh"], ["other"]],
    ),
    onecell=ours(
        "loads as each framework; `onecell convert` and `port` carry half a cell over and name it",
        "加载方式与各框架一致；`onecell convert` 与 `port` 原样保留不完整的单元并指明缺少的键",
        torch="raises RuntimeError",
        mindspore=[["weight_hh", "bias_ih", "bias_hh"], ["other"]],
    ),
)
def checkpoint_keys(LSTMCell: Any, tensor: Any) -> object:
    cell = LSTMCell(3, 4)
    found = {"weight_ih": ones(tensor, 16, 3), "other": ones(tensor, 2)}
    return ask(cell.load_state_dict, found)


@checkpoint_keys.on("mindspore")
def _(LSTMCell: Any, tensor: Any, framework: Any) -> object:
    cell = LSTMCell(3, 4)
    found = {"weight_ih": ones(tensor, 16, 3), "other": ones(tensor, 2)}
    parameters = {name: framework.Parameter(value) for name, value in found.items()}
    return [list(each) for each in framework.load_param_into_net(cell, parameters)]

"""Rows on element types and on how exact the answers are, each against float64."""

from __future__ import annotations

from typing import Any

import numpy as np

from onecell import reference
from onecell.spec import Spec
from onecell.verify.difference.answers import ask, distance, draw, dtype_of, fill
from onecell.verify.difference.claims import Between, both, each, ours
from onecell.verify.difference.row import row
from onecell.weights import Weights

AGREE = {"within 5e-6": ["h'", "c'"]}
GRADIENTS = {"within 1e-5": ["x", "h", "c", "weight_ih", "weight_hh", "bias_ih", "bias_hh"]}
ROUNDING = Between(1e-8, 6e-7)
"""A few roundings of float32 near 1."""


@row(
    "equal-weights",
    "numbers",
    sources="same, page example 1",
    matter=("one step on equal weights", "权重相等时的一步"),
    claim=both(
        "Both compute the same equations: h' and c' are within 5e-6 of float64.",
        "两者计算同一组公式：h' 与 c' 与 float64 相差不超过 5e-6。",
        AGREE,
    ),
    onecell=ours("the same", "相同", torch=AGREE, mindspore=AGREE),
)
def equal_weights(LSTMCell: Any, tensor: Any) -> object:
    weights, x, h, c = draw(Spec(10, 16), rows=3)
    cell = fill(LSTMCell(10, 16), weights, tensor)
    h_next, c_next = cell(tensor(x), (tensor(h), tensor(c)))
    h_want, c_want = reference.step(weights, x, h, c)
    found = {"h'": distance(h_next, h_want), "c'": distance(c_next, c_want)}
    return {"within 5e-6": [name for name, error in found.items() if error < 5e-6]}


@row(
    "gradients",
    "numbers",
    sources="same",
    matter=("every gradient on equal weights", "权重相等时的全部梯度"),
    claim=both(
        "The gradients of sum(h') + sum(c') by both inputs' parts and by the four parameters are "
        "within 1e-5 of float64.",
        "sum(h') + sum(c') 对输入、状态以及四个参数的梯度，与 float64 相差不超过 1e-5。",
        GRADIENTS,
    ),
    onecell=ours("the same", "相同", torch=GRADIENTS, mindspore=GRADIENTS),
)
def gradients(LSTMCell: Any, tensor: Any) -> object:
    weights, x_0, h_0, c_0 = draw(Spec(10, 16), rows=3)
    cell = fill(LSTMCell(10, 16), weights, tensor)
    x, h, c = (tensor(array, requires_grad=True) for array in (x_0, h_0, c_0))
    h_next, c_next = cell(x, (h, c))
    (h_next.sum() + c_next.sum()).backward()
    found = {"x": x.grad, "h": h.grad, "c": c.grad}
    found |= {name: parameter.grad for name, parameter in cell.named_parameters()}
    ones = np.ones((3, 16))
    want = reference.gradients(weights, x_0[None], h_0, c_0, ones[None], None, ones)
    wanted = {"x": want.x[0], "h": want.h, "c": want.c} | want.parameters()
    return {"within 1e-5": [n for n, grad in found.items() if distance(grad, wanted[n]) < 1e-5]}


@gradients.on("mindspore")
def _(LSTMCell: Any, tensor: Any, framework: Any) -> object:
    weights, x_0, h_0, c_0 = draw(Spec(10, 16), rows=3)
    cell = fill(LSTMCell(10, 16), weights, tensor)

    def loss(x: Any, h: Any, c: Any) -> Any:
        h_next, c_next = cell(x, (h, c))
        return h_next.sum() + c_next.sum()

    parameters = {name: getattr(cell, name) for name in weights.arrays()}
    differentiate = framework.grad(loss, (0, 1, 2), weights=list(parameters.values()))
    by_inputs, by_parameters = differentiate(tensor(x_0), tensor(h_0), tensor(c_0))
    found = dict(zip("xhc", by_inputs, strict=True))
    found |= dict(zip(parameters, by_parameters, strict=True))
    ones = np.ones((3, 16))
    want = reference.gradients(weights, x_0[None], h_0, c_0, ones[None], None, ones)
    wanted = {"x": want.x[0], "h": want.h, "c": want.c} | want.parameters()
    return {"within 1e-5": [n for n, grad in found.items() if distance(grad, wanted[n]) < 1e-5]}


@row(
    "element-types",
    "numbers",
    sources="matter 13",
    matter=("element types", "数据类型"),
    claim=each(
        "torch computes in all four. MindSpore computes in float32 and float16; a float64 cell is "
        "made and then cannot run, and on NumPy 2 no bfloat16 cell can be made.",
        "torch 四种类型都能计算。MindSpore 只能计算 float32 与 float16；float64 的单元可以构造"
        "却无法运行，在 NumPy 2 上 bfloat16 的单元无法构造。",
        torch={name: name for name in ("float16", "bfloat16", "float32", "float64")},
        mindspore={
            "float16": "float16",
            "bfloat16": "raises TypeError",
            "float32": "float32",
            "float64": "raises TypeError",
        },
    ),
    onecell=ours(
        "float32 and float64 on the kernel under both signatures; the others on the framework's "
        "operators",
        "两个前端 float32 与 float64 都由内核计算，其余类型由框架的算子计算",
        torch={name: name for name in ("float16", "bfloat16", "float32", "float64")},
        mindspore={
            "float16": "float16",
            "bfloat16": "raises TypeError",
            "float32": "float32",
            "float64": "float64",
        },
    ),
)
def element_types(LSTMCell: Any, tensor: Any, framework: Any) -> object:
    def result(name: str) -> str:
        dtype = getattr(framework, name)
        cell = LSTMCell(3, 4, dtype=dtype)
        x, h, c = (tensor(np.ones((2, n)), dtype=dtype) for n in (3, 4, 4))
        return dtype_of(cell(x, (h, c))[0])

    return {name: ask(result, name) for name in ("float16", "bfloat16", "float32", "float64")}


@row(
    "mixed-types",
    "numbers",
    sources="matter 14",
    matter=("a float32 cell and other types beside it", "float32 单元与其他类型混用"),
    claim=each(
        "Another type of x or h is an error in both. Another type of c: torch computes, and "
        "returns float64 for a float64 c; MindSpore takes float16 alone, and returns float32.",
        "x 或 h 为其他类型时两者都报错。c 为其他类型时：torch 照常计算，float64 的 c 得到 float64；"
        "MindSpore 只接受 float16，得到 float32。",
        torch={
            "x float16": "raises RuntimeError",
            "h float16": "raises RuntimeError",
            "c float16": "float32",
            "c float64": "float64",
        },
        mindspore={
            "x float16": "raises TypeError",
            "h float16": "raises TypeError",
            "c float16": "float32",
            "c float64": "raises TypeError",
        },
    ),
    onecell=ours(
        "as each framework",
        "与各框架一致",
        torch={
            "x float16": "raises RuntimeError",
            "h float16": "raises RuntimeError",
            "c float16": "float32",
            "c float64": "float64",
        },
        mindspore={
            "x float16": "raises TypeError",
            "h float16": "raises TypeError",
            "c float16": "float32",
            "c float64": "raises DtypeError",
        },
    ),
)
def mixed_types(LSTMCell: Any, tensor: Any) -> object:
    cell = LSTMCell(3, 4)

    def result(x: str = "float32", h: str = "float32", c: str = "float32") -> str:
        state = tensor(np.ones((2, 4), h)), tensor(np.ones((2, 4), c))
        return dtype_of(cell(tensor(np.ones((2, 3), x)), state)[1])

    return {
        "x float16": ask(result, x="float16"),
        "h float16": ask(result, h="float16"),
        "c float16": ask(result, c="float16"),
        "c float64": ask(result, c="float64"),
    }


@row(
    "accuracy",
    "numbers",
    sources="matter 15",
    matter=("largest error, fresh weights", "初始权重下的最大误差"),
    claim=each(
        "Over 50 draws torch is within a few roundings of float64; MindSpore's error is several "
        "times as large.",
        "50 次抽样中，torch 与 float64 只差几次舍入；MindSpore 的误差是其数倍。",
        torch=ROUNDING,
        mindspore=Between(7e-7, 1e-5),
    ),
    onecell=ours(
        "a few roundings, the same bits under both signatures",
        "只差几次舍入，两个前端逐比特相同",
        torch=ROUNDING,
        mindspore=ROUNDING,
    ),
)
def accuracy(LSTMCell: Any, tensor: Any) -> object:
    errors = []
    for seed in range(50):
        weights, x, h, c = draw(Spec(10, 16), rows=3, seed=seed)
        cell = fill(LSTMCell(10, 16), weights, tensor)
        h_next, c_next = cell(tensor(x), (tensor(h), tensor(c)))
        h_want, c_want = reference.step(weights, x, h, c)
        errors += [distance(h_next, h_want), distance(c_next, c_want)]
    return max(errors)


@row(
    "accuracy-wide",
    "numbers",
    sources="matter 15",
    matter=("largest error, weights from uniform(-1, 1)", "权重取自 uniform(-1, 1) 时的最大误差"),
    claim=each(
        "With wider weights torch's error stays below 2e-6; MindSpore's grows to about 1e-4.",
        "权重范围变大时，torch 的误差仍在 2e-6 以内；MindSpore 的误差增至约 1e-4。",
        torch=Between(1e-8, 2e-6),
        mindspore=Between(1e-5, 3e-4),
    ),
    onecell=ours(
        "below 2e-6, the same bits under both signatures",
        "2e-6 以内，两个前端逐比特相同",
        torch=Between(1e-8, 2e-6),
        mindspore=Between(1e-8, 2e-6),
    ),
)
def accuracy_wide(LSTMCell: Any, tensor: Any) -> object:
    errors = []
    for seed in range(50):
        weights, x, h, c = draw(Spec(10, 16), rows=3, seed=seed)
        weights = Weights(**{name: array * 4 for name, array in weights.arrays().items()})
        cell = fill(LSTMCell(10, 16), weights, tensor)
        h_next, c_next = cell(tensor(x), (tensor(h), tensor(c)))
        h_want, c_want = reference.step(weights, x, h, c)
        errors += [distance(h_next, h_want), distance(c_next, c_want)]
    return max(errors)


@row(
    "tanh",
    "numbers",
    sources="matter 15",
    matter=("tanh inside the cell, x from 4 to 6", "单元内的 tanh，x 从 4 到 6"),
    claim=each(
        "torch's tanh is exact to rounding; MindSpore's on CPU is off by up to 1e-4 near 5, which "
        "is where its cell's error comes from.",
        "torch 的 tanh 只有舍入误差；MindSpore 在 CPU 上的 tanh 在 5 附近误差可达 1e-4，"
        "其单元的误差即来源于此。",
        torch=Between(0, 2e-7),
        mindspore=Between(3e-5, 2e-4),
    ),
    onecell=ours(
        "within 2 units in the last place",
        "误差在 2 ulp 以内",
        torch=Between(0, 2e-7),
        mindspore=Between(0, 2e-7),
    ),
)
def tanh(LSTMCell: Any, tensor: Any) -> object:
    x = np.linspace(4, 6, 2001, dtype=np.float32)[:, None]
    x_to_g = np.array([[0], [0], [1], [0]], np.float32)
    open_i_and_o = np.array([40, 0, 0, 40], np.float32)
    weights = Weights(x_to_g, 0 * x_to_g, open_i_and_o, 0 * open_i_and_o)
    cell = fill(LSTMCell(1, 1), weights, tensor)
    _, c_next = cell(tensor(x), (tensor(0 * x), tensor(0 * x)))  # c' = 1 * tanh(x)
    return distance(c_next, np.tanh(x.astype(np.float64)))

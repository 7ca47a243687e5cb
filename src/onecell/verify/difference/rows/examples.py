"""Rows on the page's two examples: five steps over three rows of ones, with biases and without.

Both frameworks get the same weights, and each step's h is held against the definition in float64
with the state carried from step to step. What the page's MindSpore code leaves out stays out.
"""

from __future__ import annotations

import re
from typing import Any, Final

from onecell.language import Text
from onecell.spec import Spec
from onecell.verify.difference.answers import by_definition, distances, fill, ones, shapes
from onecell.verify.difference.claims import (
    Between,
    Claim,
    Expected,
    both,
    each,
    ours,
    says,
    unasked,
)
from onecell.verify.difference.row import row
from onecell.weights import Weights

CARRIED: Final[list[Expected]] = [0.0] * 5
"""Every step is the definition's, to two decimals."""
LOST: Final[list[Expected]] = [0.0, *[Between(0.1, 1.0)] * 4]
"""From the second step on the state is missing."""


@row(
    "example-shapes",
    "examples",
    sources="page example 1, mistake 3",
    matter=("the sizes in example 1", "示例 1 中的尺寸"),
    claim=both(
        "With these arguments h and c are both 3 rows of 16 columns.",
        "按示例中的参数，h 与 c 都是 3 行 16 列。",
        {"h": [3, 16], "c": [3, 16]},
    ),
    onecell=ours(
        "the same",
        "相同",
        torch={"h": [3, 16], "c": [3, 16]},
        mindspore={"h": [3, 16], "c": [3, 16]},
    ),
    page=Claim(
        Text("the cell state is 3 rows of 20 columns", "单元状态为 3 行 20 列"),
        {
            "torch": {"h": [3, 16], "c": [3, 20]},
            "mindspore": {"h": [3, 16], "c": [3, 20]},
        },
    ),
)
def example_shapes(LSTMCell: Any, tensor: Any) -> object:
    cell = LSTMCell(10, 16)
    x, h, c = ones(tensor, 3, 10), ones(tensor, 3, 16), ones(tensor, 3, 16)
    h_shape, c_shape = shapes(cell(x, (h, c)))
    return {"h": h_shape, "c": c_shape}


@row(
    "example-1",
    "examples",
    sources="page example 1, mistake 4",
    matter=("example 1, with biases", "示例 1，带偏置"),
    claim=each(
        "torch's code carries the state. MindSpore's passes the first h and c again at every "
        "step, so from the second step on it computes something else; how far off depends on the "
        "weights.",
        "torch 的代码会传递状态；MindSpore 的代码每一步传入的都是最初的 h 与 c，"
        "因此从第二步起得到的是不同的结果，差距大小取决于权重。",
        torch=CARRIED,
        mindspore=LOST,
    ),
    onecell=ours(
        "`unroll` carries the state: five steps in one call, in every framework the definition's",
        "`unroll` 自动传递状态：一次调用走五步，在各框架下都与定义一致",
        torch=CARRIED,
        mindspore=CARRIED,
    ),
    page=says("both APIs compute the same", "两个接口实现相同的功能", "same"),
)
def example_1(LSTMCell: Any, tensor: Any) -> object:
    weights = Weights.random(Spec(10, 16), 0)
    cell = fill(LSTMCell(10, 16), weights, tensor)
    x, h, c = ones(tensor, 5, 3, 10), ones(tensor, 3, 16), ones(tensor, 3, 16)
    want = by_definition(weights, x, h, c)
    output = []
    for step in range(5):
        h, c = cell(x[step], (h, c))
        output.append(h)
    return distances(output, want)


@example_1.on("mindspore")
def _(LSTMCell: Any, tensor: Any) -> object:
    weights = Weights.random(Spec(10, 16), 0)
    cell = fill(LSTMCell(10, 16), weights, tensor)
    x, h, c = ones(tensor, 5, 3, 10), ones(tensor, 3, 16), ones(tensor, 3, 16)
    want = by_definition(weights, x, h, c)
    output = []
    for step in range(5):
        hx = cell(x[step], (h, c))  # as on the page: h and c never change
        output.append(hx[0])
    return distances(output, want)


@example_1.on("onecell.torch", "onecell.mindspore")
def _(LSTMCell: Any, tensor: Any) -> object:
    weights = Weights.random(Spec(10, 16), 0)
    cell = fill(LSTMCell(10, 16), weights, tensor)
    x, h, c = ones(tensor, 5, 3, 10), ones(tensor, 3, 16), ones(tensor, 3, 16)
    want = by_definition(weights, x, h, c)
    output, _ = cell.unroll(x, (h, c))
    return distances(output, want)


@row(
    "example-2",
    "examples",
    sources="page example 2, mistake 4",
    matter=("example 2, without biases", "示例 2，不带偏置"),
    claim=each(
        "The same mistake without biases: MindSpore's code never carries the state.",
        "不带偏置时是同样的错误：MindSpore 的代码从不传递状态。",
        torch=CARRIED,
        mindspore=LOST,
    ),
    onecell=ours(
        "`unroll` carries the state, without biases too",
        "不带偏置时 `unroll` 同样传递状态",
        torch=CARRIED,
        mindspore=CARRIED,
    ),
    page=says("both APIs compute the same", "两个接口实现相同的功能", "same"),
)
def example_2(LSTMCell: Any, tensor: Any) -> object:
    weights = Weights.random(Spec(10, 16, bias=False), 0)
    cell = fill(LSTMCell(10, 16, bias=False), weights, tensor)
    x, h, c = ones(tensor, 5, 3, 10), ones(tensor, 3, 16), ones(tensor, 3, 16)
    want = by_definition(weights, x, h, c)
    output = []
    for step in range(5):
        h, c = cell(x[step], (h, c))
        output.append(h)
    return distances(output, want)


@example_2.on("mindspore")
def _(LSTMCell: Any, tensor: Any) -> object:
    weights = Weights.random(Spec(10, 16, bias=False), 0)
    cell = fill(LSTMCell(10, 16, has_bias=False), weights, tensor)
    x, h, c = ones(tensor, 5, 3, 10), ones(tensor, 3, 16), ones(tensor, 3, 16)
    want = by_definition(weights, x, h, c)
    output = []
    for step in range(5):
        hx = cell(x[step], (h, c))  # as on the page: h and c never change
        output.append(hx[0])
    return distances(output, want)


@example_2.on("onecell.torch", "onecell.mindspore")
def _(LSTMCell: Any, tensor: Any) -> object:
    weights = Weights.random(Spec(10, 16, bias=False), 0)
    cell = fill(LSTMCell(10, 16, bias=False), weights, tensor)
    x, h, c = ones(tensor, 5, 3, 10), ones(tensor, 3, 16), ones(tensor, 3, 16)
    want = by_definition(weights, x, h, c)
    output, _ = cell.unroll(x, (h, c))
    return distances(output, want)


@row(
    "example-docstring",
    "examples",
    sources="mistake 4",
    matter=("the example in the class's own docstring", "类自身文档字符串中的示例"),
    claim=each(
        "torch's loop feeds the new state back; the loop in MindSpore's docstring still does not.",
        "torch 的循环把新状态传入下一步；MindSpore 文档字符串中的循环至今仍未传递状态。",
        torch=["hx, cx = rnn(input[i], (hx, cx))"],
        mindspore=["hx = net(x[i], (h, c))"],
    ),
    onecell=unasked(
        "`examples/seed` has both loops with the state carried",
        "`examples/seed` 中的两个循环都传递状态",
    ),
)
def example_docstring(LSTMCell: Any) -> object:
    return re.findall(r"\w.* = \w+\(\w+\[i\], .*\)", LSTMCell.__doc__ or "")


@row(
    "example-mended",
    "examples",
    sources="mistake 4",
    matter=("the examples, mended", "改正后的示例"),
    claim=both(
        "With `h, c = cell(x[step], (h, c))` in both, every step is the definition's.",
        "两边都写成 `h, c = cell(x[step], (h, c))` 后，每一步都与定义一致。",
        CARRIED,
    ),
    onecell=ours("the same", "相同", torch=CARRIED, mindspore=CARRIED),
)
def example_mended(LSTMCell: Any, tensor: Any) -> object:
    weights = Weights.random(Spec(10, 16), 0)
    cell = fill(LSTMCell(10, 16), weights, tensor)
    x, h, c = ones(tensor, 5, 3, 10), ones(tensor, 3, 16), ones(tensor, 3, 16)
    want = by_definition(weights, x, h, c)
    output = []
    for step in range(5):
        h, c = cell(x[step], (h, c))
        output.append(h)
    return distances(output, want)

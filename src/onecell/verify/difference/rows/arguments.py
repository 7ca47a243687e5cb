"""Rows on what a call takes and what it returns."""

from __future__ import annotations

from typing import Any

from onecell.language import Text
from onecell.verify.difference.answers import ask, ones, shapes
from onecell.verify.difference.claims import Claim, both, each, ours, says
from onecell.verify.difference.row import row

STATE = [[2, 4], [2, 4]]
"""h' and c' of two rows, H = 4."""


@row(
    "input-name",
    "inputs",
    sources="page input 1, matter 7",
    matter=("`input` or `x`", "`input` 与 `x`"),
    claim=each(
        "torch calls it `input`, MindSpore `x`; by place both take it.",
        "torch 称之为 `input`，MindSpore 称之为 `x`；按位置传入则两者都可以。",
        torch={"by place": STATE, "input=": STATE, "x=": "raises TypeError"},
        mindspore={"by place": STATE, "input=": "raises TypeError", "x=": STATE},
    ),
    onecell=ours(
        "as each framework",
        "与各框架一致",
        torch={"by place": STATE, "input=": STATE, "x=": "raises TypeError"},
        mindspore={"by place": STATE, "input=": "raises TypeError", "x=": STATE},
    ),
    page=says("the same function under another name", "功能相同，名称不同", "different"),
)
def input_name(LSTMCell: Any, tensor: Any) -> object:
    cell = LSTMCell(3, 4)
    x, state = ones(tensor, 2, 3), (ones(tensor, 2, 4), ones(tensor, 2, 4))
    return {
        "by place": shapes(cell(x, state)),
        "input=": ask(lambda: shapes(cell(input=x, hx=state))),
        "x=": ask(lambda: shapes(cell(x=x, hx=state))),
    }


@row(
    "state-argument",
    "inputs",
    sources="page input 2, page input 3, mistake 1",
    matter=("`h_0` and `c_0`", "`h_0` 与 `c_0`"),
    claim=both(
        "Both take one argument `hx`, the tuple (h, c); neither takes h and c apart.",
        "两者都只接受一个参数 `hx`，即元组 (h, c)；都不接受分开传入的 h 与 c。",
        {"cell(x, (h, c))": STATE, "cell(x, h, c)": "raises TypeError"},
    ),
    onecell=ours(
        "takes the tuple, and h and c apart",
        "元组与分开传入均接受",
        torch={"cell(x, (h, c))": STATE, "cell(x, h, c)": STATE},
        mindspore={"cell(x, (h, c))": STATE, "cell(x, h, c)": STATE},
    ),
    page=says(
        "PyTorch takes `h_0` and `c_0` as two inputs, MindSpore takes one tuple `hx`",
        "PyTorch 的 `h_0` 与 `c_0` 是两个输入，MindSpore 用一个元组 `hx` 传入",
        "different",
    ),
)
def state_argument(LSTMCell: Any, tensor: Any) -> object:
    cell = LSTMCell(3, 4)
    x, h, c = ones(tensor, 2, 3), ones(tensor, 2, 4), ones(tensor, 2, 4)
    return {
        "cell(x, (h, c))": shapes(cell(x, (h, c))),
        "cell(x, h, c)": ask(lambda: shapes(cell(x, h, c))),
    }


@row(
    "state-omitted",
    "inputs",
    sources="matter 8",
    matter=("state left out", "省略状态"),
    claim=each(
        "torch starts from zeros. MindSpore raises TypeError, for None with a message about "
        "subscripts.",
        "torch 从零状态开始。MindSpore 抛出 TypeError，传入 None 时的报错与下标有关。",
        torch={"cell(x)": STATE, "cell(x, None)": STATE},
        mindspore={"cell(x)": "raises TypeError", "cell(x, None)": "raises TypeError"},
    ),
    onecell=ours(
        "zeros under both signatures",
        "两个前端均为零状态",
        torch={"cell(x)": STATE, "cell(x, None)": STATE},
        mindspore={"cell(x)": STATE, "cell(x, None)": STATE},
    ),
)
def state_omitted(LSTMCell: Any, tensor: Any) -> object:
    cell = LSTMCell(3, 4)
    x = ones(tensor, 2, 3)
    return {
        "cell(x)": ask(lambda: shapes(cell(x))),
        "cell(x, None)": ask(lambda: shapes(cell(x, None))),
    }


@row(
    "state-as-list",
    "inputs",
    sources="matter 10",
    matter=("state as a list", "以列表传入状态"),
    claim=each(
        "torch takes [h, c] as it takes (h, c); MindSpore raises TypeError.",
        "torch 接受 [h, c]，与 (h, c) 等同；MindSpore 抛出 TypeError。",
        torch=STATE,
        mindspore="raises TypeError",
    ),
    onecell=ours("accepted", "接受", torch=STATE, mindspore=STATE),
)
def state_as_list(LSTMCell: Any, tensor: Any) -> object:
    cell = LSTMCell(3, 4)
    x, h, c = ones(tensor, 2, 3), ones(tensor, 2, 4), ones(tensor, 2, 4)
    return ask(lambda: shapes(cell(x, [h, c])))


@row(
    "return-form",
    "outputs",
    sources="page output, mistake 2, same",
    matter=("what comes back", "返回值的形式"),
    claim=both(
        "Both return one tuple of two tensors, (h', c').",
        "两者都返回由两个张量组成的一个元组 (h', c')。",
        {"type": "tuple", "shapes": STATE},
    ),
    onecell=ours(
        "the same tuple",
        "相同的元组",
        torch={"type": "tuple", "shapes": STATE},
        mindspore={"type": "tuple", "shapes": STATE},
    ),
    page=says(
        "the returned values differ in form: two tensors from PyTorch, a tuple from MindSpore",
        "返回值形式不同：PyTorch 返回两个张量，MindSpore 返回元组",
        "different",
    ),
)
def return_form(LSTMCell: Any, tensor: Any) -> object:
    cell = LSTMCell(3, 4)
    returned = cell(ones(tensor, 2, 3), (ones(tensor, 2, 4), ones(tensor, 2, 4)))
    return {"type": type(returned).__name__, "shapes": shapes(returned)}


@row(
    "return-type",
    "outputs",
    sources="page signature",
    matter=("type of what comes back", "返回值的类型"),
    claim=both(
        "The type is tuple under both signatures.",
        "两种签名下返回的类型都是 tuple。",
        "tuple",
    ),
    onecell=ours("tuple", "tuple", torch="tuple", mindspore="tuple"),
    page=Claim(
        Text("both signatures end in `-> Tensor`", "两个签名都以 `-> Tensor` 结尾"),
        {"torch": "Tensor", "mindspore": "Tensor"},
    ),
)
def return_type(LSTMCell: Any, tensor: Any) -> object:
    cell = LSTMCell(3, 4)
    returned = cell(ones(tensor, 2, 3), (ones(tensor, 2, 4), ones(tensor, 2, 4)))
    return type(returned).__name__

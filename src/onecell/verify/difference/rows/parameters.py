"""Rows on the constructor's parameters."""

from __future__ import annotations

from inspect import signature
from typing import Any

import numpy as np

from onecell.verify.difference.answers import accepts, default_of, dtype_of
from onecell.verify.difference.claims import both, each, ours, says
from onecell.verify.difference.row import row

TORCH = ["input_size", "hidden_size", "bias=True", "device=None", "dtype=None"]
MINDSPORE = ["input_size", "hidden_size", "has_bias=True", "dtype=Float32"]


@row(
    "signature",
    "parameters",
    sources="page signature, matter 1, matter 2, matter 3, matter 7, matter 8",
    matter=("the signature", "签名"),
    claim=each(
        "torch's constructor also takes `device`; MindSpore's call has no default for the state.",
        "torch 的构造函数还接受 `device`；MindSpore 调用时的状态没有默认值。",
        torch={"constructor": TORCH, "call": ["input", "hx=None"]},
        mindspore={"constructor": MINDSPORE, "call": ["x", "hx"]},
    ),
    onecell=ours(
        "each framework's, with `c_0` behind the state and `bias` beside `has_bias`",
        "与各框架一致，并在状态之后增加 `c_0`，在 `has_bias` 之外增加 `bias`",
        torch={"constructor": TORCH, "call": ["input", "hx=None", "c_0=None"]},
        mindspore={
            "constructor": [*MINDSPORE[:2], "has_bias=None", "bias=None", "dtype=Float32"],
            "call": ["x", "hx=None", "c_0=None", "sequence=False"],
        },
    ),
)
def spelled(LSTMCell: Any) -> object:
    call = LSTMCell.construct if hasattr(LSTMCell, "construct") else LSTMCell.forward
    return {
        "constructor": [default_of(each) for each in signature(LSTMCell).parameters.values()],
        "call": [default_of(each) for each in list(signature(call).parameters.values())[1:]],
    }


@row(
    "input-size",
    "parameters",
    sources="page parameter 1",
    matter=("`input_size`", "`input_size`"),
    claim=both(
        "The same name, place and meaning: weight_ih is (4H, I).",
        "名称、位置与含义均相同：weight_ih 的形状为 (4H, I)。",
        [16, 3],
    ),
    onecell=ours("the same", "相同", torch=[16, 3], mindspore=[16, 3]),
    page=says("no difference", "无差异", "same"),
)
def input_size(LSTMCell: Any) -> object:
    cell = LSTMCell(input_size=3, hidden_size=4)
    return list(cell.weight_ih.shape)


@row(
    "hidden-size",
    "parameters",
    sources="page parameter 2",
    matter=("`hidden_size`", "`hidden_size`"),
    claim=both(
        "The same name, place and meaning: weight_hh is (4H, H).",
        "名称、位置与含义均相同：weight_hh 的形状为 (4H, H)。",
        [16, 4],
    ),
    onecell=ours("the same", "相同", torch=[16, 4], mindspore=[16, 4]),
    page=says("no difference", "无差异", "same"),
)
def hidden_size(LSTMCell: Any) -> object:
    cell = LSTMCell(input_size=3, hidden_size=4)
    return list(cell.weight_hh.shape)


@row(
    "bias-name",
    "parameters",
    sources="page parameter 3, matter 1",
    matter=("`bias` or `has_bias`", "`bias` 与 `has_bias`"),
    claim=each(
        "torch says `bias`, MindSpore `has_bias`; neither takes the other's name. MindSpore's "
        "docstring announces a rename to `bias` that has not happened.",
        "torch 使用 `bias`，MindSpore 使用 `has_bias`，互不接受对方的名称。"
        "MindSpore 的文档字符串预告将改名为 `bias`，但至今没有实现。",
        torch={
            "bias=False": "accepted",
            "has_bias=False": "raises TypeError",
            "rename announced": False,
        },
        mindspore={
            "bias=False": "raises TypeError",
            "has_bias=False": "accepted",
            "rename announced": True,
        },
    ),
    onecell=ours(
        "torch's signature as torch has it; MindSpore's takes both names, and refuses a "
        "contradiction",
        "torch 前端与 torch 一致；MindSpore 前端两个名称都接受，相互矛盾时报错",
        torch={
            "bias=False": "accepted",
            "has_bias=False": "raises TypeError",
            "rename announced": False,
        },
        mindspore={
            "bias=False": "accepted",
            "has_bias=False": "accepted",
            "rename announced": False,
        },
    ),
    page=says("the same function under another name", "功能相同，名称不同", "different"),
)
def bias_name(LSTMCell: Any) -> object:
    return {
        "bias=False": accepts(LSTMCell, 3, 4, bias=False),
        "has_bias=False": accepts(LSTMCell, 3, 4, has_bias=False),
        "rename announced": "renamed to `bias`" in (LSTMCell.__doc__ or ""),
    }


@row(
    "dtype-argument",
    "parameters",
    sources="matter 2",
    matter=("`dtype`", "`dtype`"),
    claim=each(
        "Both take `dtype` as a keyword. torch's fourth place is `device`; MindSpore's is `dtype` "
        "but raises an error about an old version, and None is refused.",
        "两者都接受关键字参数 `dtype`。torch 的第四个位置参数是 `device`；MindSpore 的第四个"
        "位置参数虽是 `dtype`，传入却报旧版本错误，且不接受 None。",
        torch={
            "dtype=float16": "float16",
            "dtype in fourth place": "raises TypeError",
            "dtype=None": "accepted",
        },
        mindspore={
            "dtype=float16": "float16",
            "dtype in fourth place": "raises ValueError",
            "dtype=None": "raises ValueError",
        },
    ),
    onecell=ours(
        "a keyword under both signatures; what is refused names the argument",
        "两个前端均为关键字参数；拒绝时指明参数名",
        torch={
            "dtype=float16": "float16",
            "dtype in fourth place": "raises TypeError",
            "dtype=None": "accepted",
        },
        mindspore={
            "dtype=float16": "float16",
            "dtype in fourth place": "raises TypeError",
            "dtype=None": "raises DtypeError",
        },
    ),
)
def dtype_argument(LSTMCell: Any, framework: Any) -> object:
    cell = LSTMCell(3, 4, dtype=framework.float16)
    return {
        "dtype=float16": dtype_of(cell.weight_ih),
        "dtype in fourth place": accepts(LSTMCell, 3, 4, True, framework.float16),
        "dtype=None": accepts(LSTMCell, 3, 4, dtype=None),
    }


@row(
    "device-argument",
    "parameters",
    sources="matter 3",
    matter=("`device`", "`device`"),
    claim=each(
        "torch takes a device; MindSpore has no such argument.",
        "torch 接受 `device` 参数；MindSpore 没有这一参数。",
        torch="accepted",
        mindspore="raises TypeError",
    ),
    onecell=ours(
        "as each framework", "与各框架一致", torch="accepted", mindspore="raises TypeError"
    ),
)
def device_argument(LSTMCell: Any) -> object:
    return accepts(LSTMCell, 3, 4, device="cpu")


@row(
    "argument-checks",
    "parameters",
    sources="matter 4",
    matter=("checks of the arguments", "参数检查"),
    claim=each(
        "torch takes NumPy's integers, a size of 0, and 1 for a bias; MindSpore wants a positive "
        "int and a real bool.",
        "torch 接受 NumPy 整数、0 作为尺寸以及用 1 表示 bias；"
        "MindSpore 只接受正的 int 与真正的 bool。",
        torch={"np.int64 sizes": "accepted", "1 for bias": "accepted", "hidden_size=0": "accepted"},
        mindspore={
            "np.int64 sizes": "raises TypeError",
            "1 for bias": "raises TypeError",
            "hidden_size=0": "raises ValueError",
        },
    ),
    onecell=ours(
        "as each framework",
        "与各框架一致",
        torch={"np.int64 sizes": "accepted", "1 for bias": "accepted", "hidden_size=0": "accepted"},
        mindspore={
            "np.int64 sizes": "raises TypeError",
            "1 for bias": "raises TypeError",
            "hidden_size=0": "raises ValueError",
        },
    ),
)
def argument_checks(LSTMCell: Any) -> object:
    return {
        "np.int64 sizes": accepts(LSTMCell, np.int64(3), np.int64(4)),
        "1 for bias": accepts(LSTMCell, 3, 4, 1),
        "hidden_size=0": accepts(LSTMCell, 3, 0),
    }

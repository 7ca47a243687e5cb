"""Rows on what constructing a cell does, and what else goes by its name."""

from __future__ import annotations

from typing import Any

from onecell.verify.difference.answers import writes_to_stderr
from onecell.verify.difference.claims import each, ours, unasked
from onecell.verify.difference.row import row


@row(
    "construction-log",
    "construction",
    sources="matter 5",
    matter=("constructing", "构造时的输出"),
    claim=each(
        "torch constructs in silence; MindSpore logs a warning about a change of 2021 each time.",
        "torch 构造时没有输出；MindSpore 每次构造都记录一条关于 2021 年接口变更的警告。",
        torch="silent",
        mindspore="a warning each time",
    ),
    onecell=ours("silent", "没有输出", torch="silent", mindspore="silent"),
)
def construction_log(LSTMCell: Any) -> object:
    logs = [writes_to_stderr(lambda: LSTMCell(3, 4)) for _ in range(2)]
    return "a warning each time" if all(logs) else "once" if any(logs) else "silent"


@row(
    "repr",
    "construction",
    sources="matter 6",
    matter=("what a cell shows of itself", "单元的显示形式"),
    claim=each(
        "torch shows the sizes and the bias and keeps `.bias`; MindSpore shows an empty pair of "
        "brackets and has no `.bias`.",
        "torch 显示尺寸与 bias，并有属性 `.bias`；MindSpore 只显示空括号，也没有 `.bias`。",
        torch={"repr": "LSTMCell(3, 4)", "has .bias": True},
        mindspore={"repr": "LSTMCell()", "has .bias": False},
    ),
    onecell=ours(
        "as each framework",
        "与各框架一致",
        torch={"repr": "LSTMCell(3, 4)", "has .bias": True},
        mindspore={"repr": "LSTMCell()", "has .bias": False},
    ),
)
def shown(LSTMCell: Any) -> object:
    cell = LSTMCell(3, 4)
    return {"repr": repr(cell), "has .bias": hasattr(cell, "bias")}


@row(
    "namespaces",
    "construction",
    sources="matter 17",
    matter=("the cell as a function", "函数形式的单元"),
    claim=each(
        "torch has the function `torch.lstm_cell`. MindSpore has no `mint.nn.LSTMCell`; what "
        "resembles it are `ops.LSTM` and `ops.BasicLSTMCell`.",
        "torch 有函数 `torch.lstm_cell`。MindSpore 没有 `mint.nn.LSTMCell`，相近的只有 "
        "`ops.LSTM` 与 `ops.BasicLSTMCell`。",
        torch={"torch": ["lstm_cell"]},
        mindspore={"mint.nn": [], "ops": ["BasicLSTMCell", "LSTM"]},
    ),
    onecell=unasked(
        "no function; `onecell.reference.step` is the definition, over arrays",
        "不提供函数形式；`onecell.reference.step` 是以数组写成的定义",
    ),
)
def namespaces() -> object:
    import torch

    return {"torch": [name for name in dir(torch) if name == "lstm_cell"]}


@namespaces.on("mindspore")
def _() -> object:
    from mindspore import mint, ops

    return {
        "mint.nn": [name for name in dir(mint.nn) if "LSTM" in name],
        "ops": sorted(name for name in dir(ops) if name.endswith(("LSTM", "LSTMCell"))),
    }

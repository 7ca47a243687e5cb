"""Rows on the shapes of the input and of the state."""

from __future__ import annotations

from typing import Any

from onecell.verify.difference.answers import ask, ones, shapes
from onecell.verify.difference.claims import Crash, both, each, ours
from onecell.verify.difference.row import row

STATE = [[2, 4], [2, 4]]


@row(
    "one-row",
    "states",
    sources="matter 9",
    matter=("x of shape (I,), without a batch axis", "形状为 (I,) 的 x，没有批的轴"),
    claim=each(
        "torch computes one row and returns (H,); MindSpore raises ValueError out of MatMul.",
        "torch 计算一行并返回 (H,)；MindSpore 由 MatMul 抛出 ValueError。",
        torch=[[4], [4]],
        mindspore="raises ValueError",
    ),
    onecell=ours(
        "one row, under both signatures",
        "两个前端都按一行计算",
        torch=[[4], [4]],
        mindspore=[[4], [4]],
    ),
)
def one_row(LSTMCell: Any, tensor: Any) -> object:
    cell = LSTMCell(3, 4)
    return ask(lambda: shapes(cell(ones(tensor, 3), (ones(tensor, 4), ones(tensor, 4)))))


@row(
    "wrong-shapes",
    "states",
    sources="matter 11",
    matter=("a state of the wrong shape", "形状不符的状态"),
    claim=each(
        "torch raises RuntimeError. MindSpore broadcasts in silence: a state of one row over the "
        "batch, a narrow c over H, one row of x over a batch of states.",
        "torch 抛出 RuntimeError。MindSpore 不加提示地广播：单行状态扩展到整批，"
        "单列 c 扩展到 H，单行 x 扩展到整批状态。",
        torch={
            "state (1, H), batch 2": "raises RuntimeError",
            "c (N, 1)": "raises RuntimeError",
            "x of batch 1, state of batch 2": "raises RuntimeError",
        },
        mindspore={
            "state (1, H), batch 2": STATE,
            "c (N, 1)": STATE,
            "x of batch 1, state of batch 2": STATE,
        },
    ),
    onecell=ours(
        "an error that names the argument and both shapes",
        "报错，指明参数名与两种形状",
        torch={
            "state (1, H), batch 2": "raises CellShapeError",
            "c (N, 1)": "raises CellShapeError",
            "x of batch 1, state of batch 2": "raises CellShapeError",
        },
        mindspore={
            "state (1, H), batch 2": "raises ShapeError",
            "c (N, 1)": "raises ShapeError",
            "x of batch 1, state of batch 2": "raises ShapeError",
        },
    ),
)
def wrong_shapes(LSTMCell: Any, tensor: Any) -> object:
    cell = LSTMCell(3, 4)
    x, full = ones(tensor, 2, 3), ones(tensor, 2, 4)
    one, narrow = ones(tensor, 1, 4), ones(tensor, 2, 1)
    return {
        "state (1, H), batch 2": ask(lambda: shapes(cell(x, (one, one)))),
        "c (N, 1)": ask(lambda: shapes(cell(x, (full, narrow)))),
        "x of batch 1, state of batch 2": ask(
            lambda: shapes(cell(ones(tensor, 1, 3), (full, full)))
        ),
    }


@row(
    "one-row-crash",
    "states",
    sources="matter 12",
    matter=("x of one row beside a batch of states", "单行 x 与成批状态"),
    claim=each(
        "torch ends the process (on other sizes it raises); MindSpore raises ValueError.",
        "torch 直接使进程崩溃（其他尺寸下会抛出异常）；MindSpore 抛出 ValueError。",
        torch=Crash(),
        mindspore="raises ValueError",
    ),
    onecell=ours(
        "an error that names the argument",
        "报错，指明参数名",
        torch="raises CellShapeError",
        mindspore="raises ShapeError",
    ),
)
def one_row_crash(LSTMCell: Any, tensor: Any) -> object:
    # torch takes four chunks from a list of H. At 3 rows the fourth lies where the C library keeps
    # a block's size, never an address; at 2 it may be what an earlier call left, and torch may
    # raise.
    cell = LSTMCell(3, 3)
    return ask(lambda: shapes(cell(ones(tensor, 3), (ones(tensor, 3, 3), ones(tensor, 3, 3)))))


@row(
    "one-row-wrong-shape",
    "states",
    sources="matter 12",
    matter=("x and h of one row, c of a batch", "单行 x 与 h、成批的 c"),
    claim=each(
        "torch returns a batch of H rows for one row of x; MindSpore raises ValueError.",
        "torch 对一行 x 返回 H 行结果；MindSpore 抛出 ValueError。",
        torch=[[4, 4], [4, 4]],
        mindspore="raises ValueError",
    ),
    onecell=ours(
        "an error that names the argument",
        "报错，指明参数名",
        torch="raises CellShapeError",
        mindspore="raises ShapeError",
    ),
)
def one_row_wrong_shape(LSTMCell: Any, tensor: Any) -> object:
    cell = LSTMCell(3, 4)
    return ask(lambda: shapes(cell(ones(tensor, 3), (ones(tensor, 4), ones(tensor, 4, 4)))))


@row(
    "empty-batch",
    "states",
    sources="same",
    matter=("a batch of no rows", "零行的批"),
    claim=both(
        "Both return h' and c' of no rows.", "两者都返回零行的 h' 与 c'。", [[0, 4], [0, 4]]
    ),
    onecell=ours("the same", "相同", torch=[[0, 4], [0, 4]], mindspore=[[0, 4], [0, 4]]),
)
def empty_batch(LSTMCell: Any, tensor: Any) -> object:
    cell = LSTMCell(3, 4)
    return ask(lambda: shapes(cell(ones(tensor, 0, 3), (ones(tensor, 0, 4), ones(tensor, 0, 4)))))

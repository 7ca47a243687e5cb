"""Rows: functions that go along axes: sums, extremes, orders, normalised rows."""

from __future__ import annotations

from typing import Final

from onecell.migrate.rules.table.domain import (
    ANY,
    BOOLS,
    FLOATS,
    INTEGERS,
    NUMBERS,
    Axis,
    OneOf,
    Tensor,
)
from onecell.migrate.rules.table.row import Row, row

_AXIS: Final = {"dim": "axis"}
_NEEDS: Final = {"keepdim": "dim"}


def _along(
    name: str,
    mindspore: str,
    *,
    dtypes: tuple[str, ...] = NUMBERS,
    default: str = "=None",
    rest: str = "",
    gives: str = "tensor",
    shape: str = "",
    holds: tuple[str, ...] = (),
    raises: tuple[str, ...] = (),
) -> Row:
    """Return the row of a function along an axis; MindSpore's arguments in order."""
    tensor, axis, keep = mindspore.split(", ")
    theirs = {"input": tensor, "dim": axis, "keepdim": keep}
    return row(
        name,
        f"torch.{name}(input, dim{default}, keepdim=False{rest})",
        f"mindspore.ops.{name}({tensor}, {axis}{default}, {keep}=False{rest})",
        pairs={ours: other for ours, other in theirs.items() if ours != other},
        gives=gives,
        shape=shape,
        domain={"input": Tensor("+s", dtypes), "dim": Axis("input"), "keepdim": BOOLS},
        needs=_NEEDS if default else {},
        holds=holds,
        raises=raises,
    )


REDUCTIONS: Final = (
    # MindSpore's softmax leaves rows of -Inf, and what follows them, unwritten, and its gradient is
    # wrong once it has gone along an axis of a tensor with fewer or more axes; its logarithm is
    # right in both.
    *(
        row(
            "softmax",
            f"{home}.softmax(input, dim)",
            "mindspore.ops.log_softmax(logits, axis=-1)",
            pairs={"input": "logits", "dim": "axis"},
            gives="tensor",
            shape="exponential",
            one_way="mindspore",
            domain={"input": Tensor("+s"), "dim": Axis("input")},
            holds=("nan", "plus infinite"),
        )
        for home in ("torch.nn.functional", "torch")
    ),
    row(
        "softmax",
        "torch.nn.functional.softmax(input, dim)",
        "mindspore.ops.softmax(input, axis=-1)",
        pairs=_AXIS,
        gives="tensor",
        one_way="torch",
        domain={"input": Tensor("+s"), "dim": Axis("input")},
    ),
    *(
        row(
            "log_softmax",
            f"{home}.log_softmax(input, dim)",
            "mindspore.ops.log_softmax(logits, axis=-1)",
            pairs={"input": "logits", "dim": "axis"},
            gives="tensor",
            one_way=one_way,
            domain={"input": Tensor("+s"), "dim": Axis("input")},
            holds=("nan", "plus infinite", "row of -inf"),
        )
        for home, one_way in (("torch.nn.functional", ""), ("torch", "mindspore"))
    ),
    _along("sum", "input, dim, keepdim", dtypes=ANY, rest=", *, dtype=None"),
    _along("mean", "x, axis, keep_dims", dtypes=FLOATS),
    _along("prod", "input, axis, keep_dims", dtypes=FLOATS),
    # MindSpore's is wrong but for truth values.
    _along("any", "input, axis, keep_dims", dtypes=ANY, shape="truth"),
    _along("all", "input, axis, keep_dims", dtypes=("bool",)),
    _along("argmax", "input, dim, keepdim", holds=("nan",)),
    _along("argmin", "input, axis, keepdims", shape="long", holds=("nan",)),
    _along("amax", "input, axis, keepdims", default="=SAME", holds=("nan",)),
    _along("amin", "input, axis, keepdims", default="=SAME", holds=("nan",)),
    *(
        _along(
            name,
            "input, axis, keepdims",
            default="",
            gives="extreme",
            shape="extreme",
            holds=("nan",),
        )
        for name in ("max", "min")
    ),
    row(
        "cumsum",
        "torch.cumsum(input, dim, *, dtype=None)",
        "mindspore.ops.cumsum(x, axis, dtype=None)",
        pairs={"input": "x", "dim": "axis"},
        gives="tensor",
        domain={"input": Tensor("+s", NUMBERS), "dim": Axis("input")},
        holds=("int32",),
    ),
    row(
        "argsort",
        "torch.argsort(input, dim=-1, descending=False)",
        "mindspore.ops.argsort(input, axis=-1, descending=False)",
        pairs=_AXIS,
        gives="tensor",
        shape="long",
        domain={"input": Tensor("+s", NUMBERS), "dim": Axis("input"), "descending": BOOLS},
        holds=("nan",),
    ),
    row(
        "topk",
        "torch.topk(input, k, dim=-1, largest=True, sorted=True)",
        "mindspore.ops.topk(input, k, dim=None, largest=True, sorted=True)",
        gives="pair",
        shape="ordered",
        domain={
            "input": Tensor("3 4 5", NUMBERS),
            "k": OneOf("1", "2", "3"),
            "dim": Axis("input"),
            "largest": BOOLS,
        },
        holds=("nan", "tie"),
    ),
    row(
        "sort",
        "torch.sort(input, dim=-1, descending=False)",
        "mindspore.ops.sort(input_x, axis=-1, descending=False)",
        pairs={"input": "input_x", "dim": "axis"},
        gives="pair",
        shape="ordered",
        domain={"input": Tensor("+s", NUMBERS), "dim": Axis("input"), "descending": BOOLS},
        holds=("nan",),
    ),
    row(
        "norm",
        "torch.norm(input, p=SAME, dim=None, keepdim=False)",
        "mindspore.ops.norm(A, ord=SAME, dim=None, keepdim=False)",
        pairs={"input": "A", "p": "ord"},
        gives="tensor",
        shape="order",
        domain={
            "input": Tensor("+s"),
            "p": OneOf("2", "2.0", "'fro'"),
            "dim": Axis("input"),
            "keepdim": BOOLS,
        },
        needs=_NEEDS,
        holds=("zero",),
    ),
    row(
        "nan_to_num",
        "torch.nan_to_num(input, nan=None, posinf=None, neginf=None)",
        "mindspore.ops.nan_to_num(input, nan=None, posinf=None, neginf=None)",
        gives="tensor",
        domain={
            "input": Tensor("*s"),
            "nan": OneOf("0.0", "1000", "-1.5"),
            "posinf": OneOf("3.0"),
            "neginf": OneOf("-2.0"),
        },
        raises=("float64",),
    ),
    row(
        "avg_pool2d",
        "torch.nn.functional.avg_pool2d(input, kernel_size, stride=SAME, padding=0, *,"
        " ceil_mode=False, count_include_pad=True)",
        "mindspore.ops.avg_pool2d(input_x, kernel_size=1, stride=SAME, padding=0, *,"
        " ceil_mode=False, count_include_pad=True)",
        pairs={"input": "input_x"},
        gives="tensor",
        shape="pooled",
        domain={
            "input": Tensor("a b 7 6", ("float32",), "finite"),
            "kernel_size": OneOf("2", "3"),
            "stride": OneOf("1", "2"),
            "padding": OneOf("0", "1"),
            "count_include_pad": BOOLS,
        },
    ),
    row(
        "max_pool2d",
        "torch.nn.functional.max_pool2d(input, kernel_size, stride=SAME, padding=0, dilation=1, *,"
        " ceil_mode=False)",
        "mindspore.ops.max_pool2d(x, kernel_size, stride=SAME, padding=0, dilation=1, *,"
        " ceil_mode=False)",
        pairs={"input": "x"},
        gives="tensor",
        shape="pooled",
        domain={
            "input": Tensor("a b 7 6", ("float32",), "finite"),
            "kernel_size": OneOf("2", "3"),
            "stride": OneOf("1", "2"),
            "padding": OneOf("0", "1"),
            "ceil_mode": BOOLS,
        },
    ),
    row(
        "lp_pool2d",
        "torch.nn.functional.lp_pool2d(input, norm_type, kernel_size, stride=None)",
        "mindspore.ops.lp_pool2d(x, norm_type, kernel_size, stride=None)",
        pairs={"input": "x"},
        gives="tensor",
        domain={
            "input": Tensor("a b 7 6", ("float32",), "positive"),
            "norm_type": OneOf("1", "2"),
            "kernel_size": OneOf("2", "3"),
            "stride": OneOf("1", "2"),
        },
    ),
    row(
        "dot",
        "torch.dot(input, tensor)",
        "mindspore.ops.inner(input, other)",
        pairs={"tensor": "other"},
        gives="tensor",
        one_way="mindspore",
        domain={"input": Tensor("n"), "tensor": Tensor("n")},
    ),
    row(
        "count_nonzero",
        "torch.count_nonzero(input)",
        "mindspore.ops.count_nonzero(x)",
        pairs={"input": "x"},
        gives="tensor",
        shape="long",
        domain={"input": Tensor("+s", ANY)},
        raises=("bool",),
    ),
    *(
        row(
            name,
            f"torch.{name}(input, dim=None, *, unbiased=True, keepdim=False)",
            f"mindspore.ops.{name}(input, axis=None, ddof=0, keepdims=False)",
            pairs={"dim": "axis", "keepdim": "keepdims"},
            fixed={"unbiased": "True", "ddof": "1"},
            gives="tensor",
            shape="spread",
            domain={
                "input": Tensor("4 3 5", FLOATS, "finite"),
                "dim": Axis("input"),
                "keepdim": BOOLS,
            },
            needs=_NEEDS,
        )
        for name in ("std", "var")
    ),
    row(
        "logsumexp",
        "torch.logsumexp(input, dim, keepdim=False)",
        "mindspore.ops.logsumexp(input, dim, keepdim=False)",
        gives="tensor",
        domain={"input": Tensor("+s"), "dim": Axis("input"), "keepdim": BOOLS},
        holds=("plus infinite", "row of -inf"),
    ),
    row(
        "cumprod",
        "torch.cumprod(input, dim)",
        "mindspore.ops.cumprod(input, dim)",
        gives="tensor",
        domain={"input": Tensor("+s", FLOATS, "finite"), "dim": Axis("input")},
        holds=("negative axis",),
    ),
    row(
        "bincount",
        "torch.bincount(input)",
        "mindspore.ops.bincount(input)",
        gives="tensor",
        shape="long",
        domain={"input": Tensor("6", INTEGERS, "below 5")},
    ),
)

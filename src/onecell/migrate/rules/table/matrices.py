"""Rows: functions of matrices: products of them, their diagonals and halves."""

from __future__ import annotations

from typing import Final

from onecell.migrate.rules.table.domain import ANY, FLOATS, NUMBERS, OneOf, Tensor
from onecell.migrate.rules.table.row import row

MATRICES: Final = (
    row(
        "matmul",
        "torch.matmul(input, other)",
        "mindspore.ops.matmul(input, other)",
        gives="tensor",
        domain={"input": Tensor("b n m"), "other": Tensor("m k")},
    ),
    row(
        "bmm",
        "torch.bmm(input, mat2)",
        "mindspore.ops.bmm(input_x, mat2)",
        pairs={"input": "input_x"},
        gives="tensor",
        domain={"input": Tensor("b n m"), "mat2": Tensor("b m k")},
    ),
    row(
        "mm",
        "torch.mm(input, mat2)",
        "mindspore.ops.mm(input, mat2)",
        gives="tensor",
        domain={"input": Tensor("n m"), "mat2": Tensor("m k")},
    ),
    row(
        "addmm",
        "torch.addmm(input, mat1, mat2, *, beta=1, alpha=1)",
        "mindspore.ops.addmm(input, mat1, mat2, *, beta=1, alpha=1)",
        gives="tensor",
        domain={
            "input": Tensor("n k"),
            "mat1": Tensor("n m"),
            "mat2": Tensor("m k"),
            "beta": OneOf("1", "2"),
            "alpha": OneOf("1", "3"),
        },
    ),
    row(
        "linear_function",
        "torch.nn.functional.linear(input, weight, bias=None)",
        "mindspore.ops.dense(input, weight, bias=None)",
        gives="tensor",
        domain={"input": Tensor("b n m"), "weight": Tensor("k m"), "bias": Tensor("k")},
    ),
    *(
        row(
            name,
            f"torch.{name}(input, diagonal=0)",
            f"mindspore.ops.{name}(input, diagonal=0)",
            gives="tensor",
            domain={"input": Tensor("a b", ANY), "diagonal": OneOf("0", "1", "-1")},
        )
        for name in ("triu", "tril")
    ),
    row(
        "baddbmm",
        "torch.baddbmm(input, batch1, batch2, *, beta=1, alpha=1)",
        "mindspore.ops.baddbmm(input, batch1, batch2, beta=1, alpha=1)",
        gives="tensor",
        domain={
            "input": Tensor("b n k"),
            "batch1": Tensor("b n m"),
            "batch2": Tensor("b m k"),
            "beta": OneOf("1", "2"),
            "alpha": OneOf("1", "3"),
        },
    ),
    row(
        "mv",
        "torch.mv(input, vec)",
        "mindspore.ops.mv(mat, vec)",
        pairs={"input": "mat"},
        gives="tensor",
        domain={"input": Tensor("n m"), "vec": Tensor("m")},
    ),
    row(
        "outer",
        "torch.outer(input, vec2)",
        "mindspore.ops.outer(input, vec2)",
        gives="tensor",
        domain={"input": Tensor("n"), "vec2": Tensor("m")},
    ),
    row(
        "diagonal",
        "torch.diagonal(input, offset=0, dim1=0, dim2=1)",
        "mindspore.ops.diagonal(input, offset=0, dim1=0, dim2=1)",
        gives="tensor",
        domain={
            "input": Tensor("4 3 5", NUMBERS),
            "offset": OneOf("0", "1", "-1"),
            "dim2": OneOf("1", "2"),
        },
    ),
    row(
        "diag_embed",
        "torch.diag_embed(input, offset=0)",
        "mindspore.ops.diag_embed(input, offset=0)",
        gives="tensor",
        domain={"input": Tensor("4 3", NUMBERS), "offset": OneOf("0", "1", "-1")},
    ),
    row(
        "inverse",
        "torch.inverse(input)",
        "mindspore.ops.inverse(input)",
        gives="tensor",
        domain={"input": Tensor("3 3", FLOATS, "finite")},
    ),
)

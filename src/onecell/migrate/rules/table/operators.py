"""Rows of the way back: the operators that MindSpore's programs make and call."""

from __future__ import annotations

from typing import Any, Final

from onecell.migrate.rules.table.domain import BOOLS, FLOATS, NUMBERS, Axis, OneOf, Tensor
from onecell.migrate.rules.table.operator import FLOAT32, Operator, operator


def _of_one(
    torch: str, *names: str, holds: tuple[str, ...] = (), values: str = "any"
) -> tuple[Operator, ...]:
    return tuple(
        operator(
            f"{name}()",
            "x",
            torch.format(name.lower()),
            holds=holds,
            x=Tensor("*s", FLOAT32, values),
        )
        for name in names
    )


_INFIX: Final = {
    "Add": "+",
    "Sub": "-",
    "Mul": "*",
    "RealDiv": "/",
    "Equal": "==",
    "NotEqual": "!=",
    "Greater": ">",
    "GreaterEqual": ">=",
    "Less": "<",
    "LessEqual": "<=",
}
_PAIR: Final[dict[str, Any]] = {"x": Tensor("*s", NUMBERS), "y": Tensor("~s", NUMBERS)}
_LAST: Final = ("0", "1", "-1", "-2")

ELEMENTWISE: Final = (
    *_of_one("torch.{}(x)", "Tanh", "Sigmoid", "Exp", "Sqrt", "Abs", "Neg", "Square"),
    *_of_one("torch.{}(x)", "Sign", "Sin", "Cos", "Floor", "Ceil", "Rsqrt", "Erf"),
    *_of_one("torch.{}(x)", "Log", holds=("denormal", "zero")),
    *_of_one("torch.{}(x)", "Reciprocal", values="finite"),
    *_of_one("torch.nn.functional.{}(x)", "ReLU", holds=("nan",)),
    *_of_one("torch.nn.functional.{}(x)", "Softplus", values="finite"),
    *_of_one("torch.nn.functional.gelu(x, approximate='tanh')", "GeLU", values="finite"),
    *(
        operator(
            f"{name}()",
            "x, y",
            f"x {sign} y",
            holds=("integers", "negative zero") if sign == "/" else (),
            **_PAIR,
        )
        for name, sign in _INFIX.items()
    ),
    operator(
        "Pow()", "x, y", "x ** y", x=Tensor("*s", FLOAT32, "positive"), y=OneOf("2", "0.5", "3.0")
    ),
    *(
        operator(f"{name}()", "x, y", f"torch.{name.lower()}(x, y)", holds=("nan",), **_PAIR)
        for name in ("Maximum", "Minimum")
    ),
    *(
        operator(
            f"{name}()",
            "x, y",
            f"torch.{torch}(x, y)",
            x=Tensor("*s", ("bool",)),
            y=Tensor("~s", ("bool",)),
        )
        for name, torch in (("LogicalAnd", "logical_and"), ("LogicalOr", "logical_or"))
    ),
    operator("LogicalNot()", "x", "torch.logical_not(x)", x=Tensor("*s", ("bool",))),
    operator("BiasAdd()", "x, b", "x + b", x=Tensor("a b", FLOAT32), b=Tensor("b", FLOAT32)),
    operator(
        "Select()",
        "condition, x, y",
        "torch.where(condition, x, y)",
        condition=Tensor("*s", ("bool",)),
        x=Tensor("*s", NUMBERS),
        y=Tensor("*s", NUMBERS),
    ),
    operator(
        "Softmax(axis=-1)",
        "x",
        "torch.softmax(x, axis)",
        holds=("nan", "row of -inf", "plus infinite"),
        axis=OneOf("-1", "0"),
        x=Tensor("a b", FLOAT32),
    ),
    operator(
        "LogSoftmax(axis=-1)",
        "x",
        "torch.log_softmax(x, axis)",
        holds=("nan", "row of -inf", "infinite"),
        axis=OneOf(*_LAST),
        x=Tensor("a b c", FLOAT32),
    ),
)

_A: Final = {"False": "x", "True": "x.mT"}
_B: Final = {"False": "y", "True": "y.mT"}
_PRODUCTS: Final = tuple(
    operator(
        f"{name}(transpose_a=False, transpose_b=False)",
        "x, y",
        f"torch.matmul({_A[one]}, {_B[other]})",
        when={"transpose_a": one, "transpose_b": other},
        x=Tensor(f"{batch}3 b" if one == "True" else f"{batch}b 3", FLOAT32),
        y=Tensor(f"{batch}c 3" if other == "True" else f"{batch}3 c", FLOAT32),
        transpose_a=OneOf(one),
        transpose_b=OneOf(other),
    )
    for name, batch in (("MatMul", ""), ("BatchMatMul", "n "))
    for one in ("False", "True")
    for other in ("False", "True")
)

_REDUCED: Final = {
    "ReduceSum": "torch.sum(x, axis, keepdim=keep_dims, dtype=x.dtype)",
    "ReduceMean": "torch.mean(x, axis, keepdim=keep_dims)",
    "ReduceMax": "torch.amax(x, axis, keepdim=keep_dims)",
    "ReduceMin": "torch.amin(x, axis, keepdim=keep_dims)",
}
_AXES: Final = OneOf("0", "1", "-1", "(0, 2)", "(1,)", "()")

ARRANGING: Final = (
    *_PRODUCTS,
    *(
        operator(
            f"{name}(keep_dims=False)",
            "x, axis=()",
            torch,
            keep_dims=BOOLS,
            x=Tensor("a b c", FLOAT32, "finite"),
            axis=_AXES,
        )
        for name, torch in _REDUCED.items()
    ),
    operator(
        "Concat(axis=0)",
        "xs",
        "torch.cat(xs, axis)",
        axis=OneOf("0", "1", "-1"),
        xs=Tensor("a b", NUMBERS, listed=True),
    ),
    operator(
        "Stack(axis=0)",
        "xs",
        "torch.stack(xs, axis)",
        axis=OneOf("0", "1", "-1"),
        xs=Tensor("a b", NUMBERS, listed=True),
    ),
    operator(
        "Unstack(axis=0, num=None)",
        "x",
        "torch.unbind(x, axis)",
        when={"num": "None"},
        gives="tensors",
        axis=OneOf(*_LAST),
        x=Tensor("a b c", NUMBERS),
    ),
    operator(
        "Split(axis=0, output_num=1)",
        "x",
        "torch.chunk(x, output_num, axis)",
        gives="tensors",
        axis=OneOf("0", "1", "-1"),
        output_num=OneOf("1", "2", "4"),
        x=Tensor("4 8", NUMBERS),
    ),
    operator(
        "Squeeze(axis=())",
        "x",
        "torch.squeeze(x)",
        when={"axis": "()"},
        axis=OneOf("()"),
        x=Tensor("1 b 1 2", NUMBERS),
    ),
    operator(
        "Squeeze(axis=())",
        "x",
        "torch.squeeze(x, axis)",
        axis=OneOf("0", "-1", "(0,)", "(0, 2)"),
        x=Tensor("1 b 1 1", NUMBERS),
    ),
    operator(
        "ExpandDims()",
        "x, axis",
        "torch.unsqueeze(x, axis)",
        x=Tensor("*s", NUMBERS),
        axis=Axis("x", extra=1),
    ),
    operator(
        "Reshape()",
        "x, shape",
        "torch.reshape(x, shape)",
        x=Tensor("2 3 4", NUMBERS),
        shape=OneOf("(6, 4)", "(-1,)", "(4, -1)", "(2, 3, 4)"),
    ),
    operator(
        "Transpose()",
        "x, perm",
        "torch.permute(x, perm)",
        x=Tensor("2 3 4", NUMBERS),
        perm=OneOf("(2, 0, 1)", "(0, 2, 1)", "(1, 0, 2)"),
    ),
    operator(
        "Tile()",
        "x, multiples",
        "torch.tile(x, multiples)",
        x=Tensor("2 3", NUMBERS),
        multiples=OneOf("(2, 1)", "(1, 3)", "(2, 1, 2)"),
    ),
    operator(
        "BroadcastTo(shape)",
        "x",
        "x.expand(shape)",
        shape=OneOf("(4, 3)", "(2, 4, 3)", "(-1, 3)"),
        x=Tensor("1 3", NUMBERS),
    ),
    operator(
        "ReverseV2(axis)",
        "x",
        "torch.flip(x, axis)",
        axis=OneOf("[0]", "(1,)", "[0, 1]", "[-1]"),
        x=Tensor("a b", NUMBERS),
    ),
    *(
        operator(
            "Gather()",
            "x, index, axis",
            f"x[{before}index]",
            when={"axis": axis},
            x=Tensor("4 4 4", NUMBERS),
            index=Tensor("a b", ("int64", "int32"), "below 4"),
            axis=OneOf(axis),
        )
        for axis, before in (("0", ""), ("1", ":, "), ("2", ":, :, "))
    ),
    operator(
        "Gather()",
        "x, index, axis",
        "x[(slice(None),) * (axis % x.dim()) + (index,)]",
        x=Tensor("4 4 4", NUMBERS),
        index=Tensor("a b", ("int64", "int32"), "below 4"),
        axis=OneOf("0", "-1", "2", "-2"),
    ),
    operator(
        "ReverseSequence(seq_dim, batch_dim=0)",
        "x, lengths",
        "reverse_sequence(x, lengths, seq_dim, batch_dim)",
        seq_dim=OneOf("0"),
        batch_dim=OneOf("1"),
        x=Tensor("5 3 b", FLOAT32),
        lengths=Tensor("3", ("int64", "int32"), "below 5"),
    ),
    operator(
        "CumSum()",
        "x, axis",
        "torch.cumsum(x, axis)",
        x=Tensor("a b", FLOAT32, "finite"),
        axis=OneOf("0", "1", "-1"),
    ),
    operator(
        "GatherNd()",
        "x, index",
        "x[index.unbind(-1)]",
        x=Tensor("2 2 4", NUMBERS),
        index=Tensor("a 2", ("int64", "int32"), "below 2"),
    ),
    operator(
        "GatherD()",
        "x, dim, index",
        "torch.gather(x, dim, index.long())",
        x=Tensor("3 3", NUMBERS),
        dim=OneOf("0", "1", "-1"),
        index=Tensor("3 2", ("int64", "int32"), "below 2"),
    ),
    operator(
        "OneHot(axis=-1)",
        "index, depth, on, off",
        "torch.where(torch.nn.functional.one_hot(index.long(), depth).bool(), on, off)",
        when={"axis": "-1"},
        index=Tensor("a b", ("int64", "int32"), "below 4"),
        depth=OneOf("4", "6"),
        on=Tensor("", FLOAT32, "finite", constant=True),
        off=Tensor("", FLOAT32, "finite", constant=True),
    ),
    *(
        operator(
            f"{name}(axis=-1, output_type=torch.int32)",
            "x",
            f"torch.{name.lower()}(x, axis).to(output_type)",
            holds=("nan",),
            axis=OneOf(*_LAST),
            x=Tensor("a b c", FLOAT32),
        )
        for name in ("Argmax", "Argmin")
    ),
    *(
        operator(
            f"Arg{name}WithValue(axis=0, keep_dims=False)",
            "x",
            f"tuple(torch.{name.lower()}(x, axis, keepdim=keep_dims))[::-1]",
            gives="tensors",
            holds=("nan",),
            axis=OneOf("0", "1", "-1"),
            keep_dims=BOOLS,
            x=Tensor("a b c", FLOAT32),
        )
        for name in ("Max", "Min")
    ),
    operator(
        "TopK(sorted=True)",
        "x, k",
        "(lambda v, i: (v, i.to(torch.int32)))(*torch.topk(x, k))",
        when={"sorted": "True"},
        gives="tensors",
        holds=("tie", "nan"),
        x=Tensor("a 6", FLOAT32),
        k=OneOf("1", "3", "6"),
    ),
)

_TYPES: Final = OneOf("mindspore.float32", "mindspore.int32", "mindspore.float64")

MAKING: Final = (
    operator("Cast()", "x, dtype", "x.to(dtype)", x=Tensor("*s", NUMBERS, "finite"), dtype=_TYPES),
    operator("Shape()", "x", "x.shape", gives="", x=Tensor("*s", NUMBERS)),
    operator("Rank()", "x", "x.dim()", gives="", x=Tensor("*s", NUMBERS)),
    operator("Size()", "x", "x.numel()", gives="", x=Tensor("*s", NUMBERS)),
    operator("DType()", "x", "x.dtype", gives="dtype", proof="run"),
    *(
        operator(
            f"{name}()",
            "shape, dtype",
            f"torch.{name.lower()}(shape, dtype=dtype)",
            shape=OneOf("(2, 3)", "(4,)", "5"),
            dtype=_TYPES,
        )
        for name in ("Zeros", "Ones")
    ),
    *(
        operator(f"{name}()", "x", torch, x=Tensor("*s", NUMBERS))
        for name, torch in (
            ("ZerosLike", "torch.zeros_like(x)"),
            ("OnesLike", "torch.ones_like(x)"),
        )
    ),
    operator(
        "Fill()",
        "dtype, shape, value",
        "torch.full(shape, value, dtype=dtype)",
        dtype=_TYPES,
        shape=OneOf("(2, 3)", "(4,)"),
        value=OneOf("1", "2", "0"),
    ),
    operator(
        "Eye()",
        "n, m, dtype",
        "torch.eye(n, m, dtype=dtype)",
        n=OneOf("2", "3"),
        m=OneOf("3", "4"),
        dtype=_TYPES,
    ),
    operator("Identity()", "x", "x", x=Tensor("*s", NUMBERS)),
    operator("StopGradient()", "x", "x.detach()", x=Tensor("*s", FLOATS)),
    operator("Depend()", "x, done", "(x, done)[0]", proof="run"),
    operator("Print()", "*values", "print(*values)", gives="", proof="run"),
    operator(
        "SparseSoftmaxCrossEntropyWithLogits(is_grad=False)",
        "logits, labels",
        "torch.nn.functional.cross_entropy(logits, labels.long())",
        when={"is_grad": "False"},
        logits=Tensor("a 5", FLOAT32, "finite"),
        labels=Tensor("a", ("int64", "int32"), "below 5"),
    ),
    # With labels that are no numbers of classes, MindSpore's gradient takes for granted that they
    # sum to one.
    operator(
        "SoftmaxCrossEntropyWithLogits(sparse=False, reduction='none')",
        "logits, labels",
        "torch.nn.functional.cross_entropy(logits, labels.long(), reduction=reduction)",
        when={"sparse": "True"},
        home="mindspore.nn",
        sparse=OneOf("True"),
        reduction=OneOf("'mean'", "'sum'", "'none'"),
        logits=Tensor("a 5", FLOAT32, "finite"),
        labels=Tensor("a", ("int64", "int32"), "below 5"),
    ),
)

OPERATORS: Final = (*ELEMENTWISE, *ARRANGING, *MAKING)

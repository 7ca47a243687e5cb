"""Rows: functions of each number by itself, and of pairs of numbers."""

from __future__ import annotations

from typing import Final

from onecell.migrate.rules.table.domain import ANY, FLOATS, INTEGERS, NUMBERS, OneOf, Tensor
from onecell.migrate.rules.table.row import Row, row

_HOMES: Final = {
    "torch": ("torch",),
    "functional": ("torch.nn.functional",),
    "both": ("torch", "torch.nn.functional"),
}
"""Where torch has a function; the first home is the way back."""
_FLOATS_ONLY: Final = ("integers", "bool")


def _of_one(
    *names: str,
    home: str = "torch",
    dtypes: tuple[str, ...] = ANY,
    holds: tuple[str, ...] = (),
    raises: tuple[str, ...] = (),
    called: str = "input",
    values: str = "any",
) -> tuple[Row, ...]:
    """Return the rows of functions of one tensor, which MindSpore's call `called`."""
    return tuple(
        row(
            name,
            f"{place}.{name}(input)",
            f"mindspore.ops.{name}({called})",
            pairs={"input": called} if called != "input" else {},
            gives="tensor",
            one_way="mindspore" if i else "",
            domain={"input": Tensor(dtypes=dtypes, values=values)},
            holds=holds,
            raises=raises,
        )
        for name in names
        for i, place in enumerate(_HOMES[home])
    )


def _of_two(
    *names: str,
    dtypes: tuple[str, ...] = NUMBERS,
    holds: tuple[str, ...] = (),
    raises: tuple[str, ...] = (),
) -> tuple[Row, ...]:
    """Return the rows of functions of two tensors, or of a tensor and a number."""
    return tuple(
        row(
            name,
            f"torch.{name}(input, other)",
            f"mindspore.ops.{name}(input, other)",
            gives="tensor",
            domain={
                "input": Tensor("*s", dtypes, mixed=True),
                "other": Tensor("~s", dtypes, mixed=True),
            },
            holds=holds,
            raises=raises,
        )
        for name in names
    )


ARITHMETIC: Final = (
    *(
        row(
            "relu",
            path,
            "mindspore.ops.relu(input)",
            fixed={"inplace": "False"} if "inplace" in path else {},
            gives="tensor",
            one_way=one_way,
            domain={"input": Tensor("*s", NUMBERS)},
            holds=("nan",),
        )
        for path, one_way in (
            ("torch.nn.functional.relu(input, inplace=False)", ""),
            ("torch.relu(input)", "mindspore"),
        )
    ),
    *_of_one("tanh", "sigmoid", home="both", raises=_FLOATS_ONLY),
    *_of_one("log", raises=_FLOATS_ONLY, holds=("denormal", "zero")),
    *_of_one("exp", "sin", "cos", "erf", "log1p", "rsqrt", raises=_FLOATS_ONLY),
    *_of_one("atan", "sinh", "cosh", "tan", "asinh", "expm1", "erfc", "exp2", dtypes=FLOATS),
    *_of_one("reciprocal", "trunc", dtypes=FLOATS),
    *_of_one("lgamma", dtypes=FLOATS, holds=("large float64",)),
    *_of_one("log2", "log10", dtypes=FLOATS, holds=("zero",)),
    *_of_one("asin", "acos", "atanh", "erfinv", dtypes=FLOATS, values="unit"),
    *_of_one("frac", "deg2rad", "rad2deg", dtypes=FLOATS, called="x"),
    *_of_one("sqrt", called="x"),
    *_of_one("abs", "sign", "neg", "square", "round", dtypes=NUMBERS),
    *_of_one("floor", "ceil", dtypes=NUMBERS, raises=("integers",)),
    *_of_one("isnan", "isfinite", "logical_not"),
    *_of_one("isinf", dtypes=FLOATS),
    *_of_one("silu", "tanhshrink", home="functional", dtypes=FLOATS),
    *_of_one("softsign", home="functional", dtypes=FLOATS, called="x", holds=("infinite",)),
    *_of_one("mish", home="functional", dtypes=FLOATS, called="x", holds=("beyond 40",)),
    *_of_one("hardsigmoid", home="functional", dtypes=FLOATS, holds=("nan",)),
    *_of_one("hardswish", home="functional", dtypes=FLOATS, holds=("nan", "infinite")),
    *_of_one(
        "relu6", home="functional", dtypes=FLOATS, called="x", raises=("float64",), holds=("nan",)
    ),
    row(
        "elu",
        "torch.nn.functional.elu(input, alpha=1.0, inplace=False)",
        "mindspore.ops.elu(input_x)",
        pairs={"input": "input_x"},
        fixed={"inplace": "False", "alpha": "1.0"},  # no kernel on a CPU has another
        gives="tensor",
        domain={"input": Tensor(), "alpha": OneOf("1.0")},
        holds=("nan",),
    ),
    row(
        "leaky_relu",
        "torch.nn.functional.leaky_relu(input, negative_slope=0.01, inplace=False)",
        "mindspore.ops.leaky_relu(input, alpha=0.2)",
        pairs={"negative_slope": "alpha"},
        fixed={"inplace": "False"},
        gives="tensor",
        domain={"input": Tensor(), "negative_slope": OneOf("0.1", "0.01", "0.2")},
        holds=("nan", "infinite", "zero"),
    ),
    row(
        "softplus",
        "torch.nn.functional.softplus(input, beta=1, threshold=20)",
        "mindspore.ops.softplus(input, beta=1, threshold=20)",
        gives="tensor",
        domain={"input": Tensor(), "beta": OneOf("1", "2", "0.5"), "threshold": OneOf("20", "3")},
        holds=("nan",),
    ),
    row(
        "gelu",
        "torch.nn.functional.gelu(input, *, approximate='none')",
        "mindspore.ops.gelu(input, approximate='none')",
        gives="tensor",
        domain={"input": Tensor(), "approximate": OneOf("'none'", "'tanh'")},
    ),
    row(
        "hardtanh",
        "torch.nn.functional.hardtanh(input, min_val=-1.0, max_val=1.0)",
        "mindspore.ops.hardtanh(input, min_val=-1.0, max_val=1.0)",
        gives="tensor",
        domain={"input": Tensor(), "min_val": OneOf("-0.5"), "max_val": OneOf("0.5", "2.0")},
        holds=("nan", "at a bound"),
    ),
    row(
        "glu",
        "torch.nn.functional.glu(input, dim=-1)",
        "mindspore.ops.glu(x, axis=-1)",
        pairs={"input": "x", "dim": "axis"},
        gives="tensor",
        domain={"input": Tensor("4 2 6"), "dim": OneOf("0", "1", "-1", "-3")},
    ),
    *_of_two("mul", "eq", "ne", "gt", "lt", "ge", "le"),
    *_of_two("div", holds=("negative zero",)),
    *_of_two("add", "sub", holds=("0-d mixed",)),
    *_of_two("maximum", "minimum", holds=("0-d mixed", "nan"), raises=("0-d mixed",)),
    *_of_two("logical_and", "logical_or", "logical_xor", dtypes=ANY),
    *_of_two("bitwise_and", "bitwise_or", "bitwise_xor", dtypes=INTEGERS, holds=("0-d mixed",)),
    *_of_two("atan2", "hypot", "fmax", dtypes=FLOATS, holds=("0-d mixed",)),
    row(
        "pow",
        "torch.pow(input, exponent)",
        "mindspore.ops.pow(input, exponent)",
        gives="tensor",
        domain={"input": Tensor(values="positive"), "exponent": OneOf("2", "3", "0.5", "-1")},
    ),
    row(
        "clamp",
        "torch.clamp(input, min=None, max=None)",
        "mindspore.ops.clamp(input, min=None, max=None)",
        gives="tensor",
        domain={"input": Tensor("+s"), "min": OneOf("-1", "0, 0.5", "max=1", "0.5, max=2.5")},
        holds=("nan",),
    ),
    row(
        "where",
        "torch.where(condition, input, other)",
        "mindspore.ops.where(condition, input, other)",
        gives="tensor",
        domain={
            "condition": Tensor("*s", ("bool",)),
            "input": Tensor("*s", NUMBERS, mixed=True),
            "other": Tensor("~s", NUMBERS, mixed=True),
        },
        holds=("0-d mixed",),
    ),
    row(
        "masked_fill",
        "torch.masked_fill(input, mask, value)",
        "mindspore.Tensor.masked_fill(self, mask, value)",
        pairs={"input": "self"},
        gives="tensor",
        domain={
            "input": Tensor("*s", NUMBERS),
            "mask": Tensor("~s", ("bool",)),
            "value": OneOf("0", "-1", "1"),
        },
    ),
    row(
        "addcmul",
        "torch.addcmul(input, tensor1, tensor2, *, value=1)",
        "mindspore.ops.addcmul(input, tensor1, tensor2, value=1)",
        gives="tensor",
        domain={
            "input": Tensor("+s"),
            "tensor1": Tensor("+s"),
            "tensor2": Tensor("+s"),
            "value": OneOf("1", "0.5"),
        },
    ),
)

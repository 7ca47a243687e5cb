"""Rows of the way back: functions of `mindspore.ops` and `mindspore.numpy`."""

from __future__ import annotations

from typing import Any, Final

from onecell.migrate.rules.table.domain import BOOLS, NUMBERS, Axis, OneOf, Tensor
from onecell.migrate.rules.table.operator import FLOAT32, Operator, function

_NUMPY: Final = "mindspore.numpy"
_ANY: Final = Tensor("*s", NUMBERS)
_CUBE: Final = Tensor("2 3 4", NUMBERS)
_SHAPES: Final = OneOf("(6, 4)", "(-1,)", "(4, -1)", "(2, 3, 4)")
_TYPES: Final = OneOf("mindspore.float32", "mindspore.int32", "mindspore.float64")
_INFIX: Final = {
    "equal": "==",
    "not_equal": "!=",
    "greater": ">",
    "greater_equal": ">=",
    "less": "<",
    "less_equal": "<=",
}


def _in_numpy(*rows: tuple[str, str], **domain: Any) -> tuple[Operator, ...]:  # noqa: ANN401 - of each its own
    return tuple(function(called, torch, home=_NUMPY, **domain) for called, torch in rows)


OPS: Final = (
    *(
        function(
            f"{name}(x, y)",
            f"x {sign} y",
            x=Tensor("*s", NUMBERS),
            y=Tensor("~s", NUMBERS),
        )
        for name, sign in _INFIX.items()
    ),
    function(
        "expand_dims(input_x, axis)",
        "torch.unsqueeze(input_x, axis)",
        input_x=_ANY,
        axis=Axis("input_x", extra=1),
    ),
    function(
        "cast(input, dtype)", "input.to(dtype)", input=Tensor("*s", NUMBERS, "finite"), dtype=_TYPES
    ),
    function(
        "transpose(input, input_perm)",
        "torch.permute(input, input_perm)",
        input=_CUBE,
        input_perm=OneOf("(2, 0, 1)", "(0, 2, 1)", "(1, 0, 2)"),
    ),
    function(
        "select(condition, input, other)",
        "torch.where(condition, input, other)",
        condition=Tensor("*s", ("bool",)),
        input=_ANY,
        other=_ANY,
    ),
    function(
        "fill(type, shape, value)",
        "torch.full(shape, value, dtype=type)",
        type=_TYPES,
        shape=OneOf("(2, 3)", "(4,)"),
        value=OneOf("1", "2", "0"),
    ),
    function("shape(input_x)", "input_x.shape", gives="", input_x=_ANY),
    function("rank(input_x)", "input_x.dim()", gives="", input_x=_ANY),
    function("size(input_x)", "input_x.numel()", gives="", input_x=_ANY),
    function("dtype(input_x)", "input_x.dtype", gives="dtype", proof="run"),
    function("identity(x)", "x", x=_ANY),
    function("depend(value, expr)", "(value, expr)[0]", proof="run"),
    function(
        "broadcast_to(input, shape)",
        "input.expand(shape)",
        input=Tensor("1 3", NUMBERS),
        shape=OneOf("(4, 3)", "(2, 4, 3)", "(-1, 3)"),
    ),
    function(
        "clip_by_value(x, clip_value_min, clip_value_max)",
        "torch.clamp(x, clip_value_min, clip_value_max)",
        holds=("nan", "at a bound"),
        x=Tensor("+s", FLOAT32),
        clip_value_min=OneOf("-1.0", "0.5"),
        clip_value_max=OneOf("1.0", "2.5"),
    ),
    function(
        "repeat_elements(x, rep, axis=0)",
        "torch.repeat_interleave(x, rep, axis)",
        x=_CUBE,
        rep=OneOf("1", "2", "3"),
        axis=OneOf("0", "1", "-1"),
    ),
    function(
        "repeat_interleave(input, repeats, axis=None)",
        "torch.repeat_interleave(input, repeats, axis)",
        input=_CUBE,
        repeats=OneOf("1", "2", "3"),
        axis=OneOf("0", "1", "-1"),
    ),
    *(
        function(
            "gather(input_params, input_indices, axis)",
            f"input_params[{before}input_indices]",
            when={"axis": axis},
            input_params=Tensor("4 4 4", NUMBERS),
            input_indices=Tensor("a b", ("int64", "int32"), "below 4"),
            axis=OneOf(axis),
        )
        for axis, before in (("0", ""), ("1", ":, "), ("2", ":, :, "))
    ),
    function(
        "gather(input_params, input_indices, axis)",
        "input_params[(slice(None),) * (axis % input_params.dim()) + (input_indices,)]",
        input_params=Tensor("4 4 4", NUMBERS),
        input_indices=Tensor("a b", ("int64", "int32"), "below 4"),
        axis=OneOf("0", "-1", "2", "-2"),
    ),
    function(
        "gather_nd(input_x, indices)",
        "input_x[indices.unbind(-1)]",
        input_x=Tensor("2 2 4", NUMBERS),
        indices=Tensor("a 2", ("int64", "int32"), "below 2"),
    ),
    function(
        "gather_d(x, dim, index)",
        "torch.gather(x, dim, index.long())",
        x=Tensor("3 3", NUMBERS),
        dim=OneOf("0", "1", "-1"),
        index=Tensor("3 2", ("int64", "int32"), "below 2"),
    ),
    *(
        function(
            f"reduce_{name}(x, axis=(), keep_dims=False)",
            f"torch.{torch}(x, axis, keepdim=keep_dims)",
            x=Tensor("a b c", FLOAT32, "finite"),
            axis=OneOf("0", "1", "-1", "(0, 2)", "()"),
            keep_dims=BOOLS,
        )
        for name, torch in (("sum", "sum"), ("mean", "mean"), ("max", "amax"), ("min", "amin"))
    ),
    function("multiply(input, other)", "input * other", input=_ANY, other=Tensor("~s", NUMBERS)),
    function("subtract(input, other)", "input - other", input=_ANY, other=Tensor("~s", NUMBERS)),
    function(
        "one_hot(indices, depth, on_value, off_value)",
        "torch.where(torch.nn.functional.one_hot(indices.long(), depth).bool(),"
        " on_value, off_value)",
        indices=Tensor("a b", ("int64", "int32"), "below 4"),
        depth=OneOf("4", "6"),
        on_value=Tensor("", FLOAT32, "finite", constant=True),
        off_value=Tensor("", FLOAT32, "finite", constant=True),
    ),
    function(
        "unstack(input_x, axis=0)",
        "torch.unbind(input_x, axis)",
        gives="tensors",
        input_x=_CUBE,
        axis=OneOf("0", "1", "-1"),
    ),
    function(
        "reverse(x, axis)",
        "torch.flip(x, axis)",
        x=Tensor("a b", NUMBERS),
        axis=OneOf("[0]", "(1,)", "[0, 1]"),
    ),
)

_PLAIN: Final = {"loss_scale": "1.0"}
_DECAYED: Final = (
    "no parameter is called gamma or beta, which MindSpore's optimizer does not decay",
)
_GIVEN: Final[dict[str, Any]] = {
    "params": Tensor("+s", FLOAT32, "finite", listed=True),
    "learning_rate": OneOf("1e-3", "0.1"),
}


_DECAYS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("", {}),
    (", weight_decay=weight_decay", {"weight_decay": OneOf("0.1", "0.01")}),
)


def _optimizer(
    called: str,
    torch: str,
    *supposed: str,
    when: dict[str, str],
    **domain: Any,  # noqa: ANN401 - as above
) -> tuple[Operator, ...]:
    """Return the rows of an optimizer, without and with decay."""
    return tuple(
        function(
            called,
            torch.format(decay=decay),
            when=when | ({} if decay else {"weight_decay": "0.0"}),
            gives="optimizer",
            supposed=(*supposed, *(_DECAYED if decay else ())),
            home="mindspore.nn",
            **_GIVEN,
            **domain,
            **more,
        )
        for decay, more in _DECAYS
    )


TRAINERS: Final = (
    *_optimizer(
        "Momentum(params, learning_rate, momentum, weight_decay=0.0, loss_scale=1.0,"
        " use_nesterov=False)",
        "torch.optim.SGD(params, learning_rate, momentum{decay})",
        when=_PLAIN | {"use_nesterov": "False"},  # with decay it steps otherwise
        momentum=OneOf("0.9", "0.5"),
    ),
    *_optimizer(
        "SGD(params, learning_rate=0.1, momentum=0.0, dampening=0.0, weight_decay=0.0,"
        " nesterov=False, loss_scale=1.0)",
        "torch.optim.SGD(params, learning_rate, momentum, nesterov=nesterov{decay})",
        when=_PLAIN | {"dampening": "0.0"},
        momentum=OneOf("0.9", "0.5"),
    ),
    *_optimizer(
        "Adam(params, learning_rate=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, use_locking=False,"
        " use_nesterov=False, weight_decay=0.0, loss_scale=1.0, use_amsgrad=False)",
        "plain_adam(params, learning_rate, (beta1, beta2), eps{decay})",
        when=_PLAIN | {"use_nesterov": "False", "use_amsgrad": "False"},
        beta1=OneOf("0.9", "0.8"),
        eps=OneOf("1e-8", "1e-2"),  # wherever it is added, that shows
    ),
    *_optimizer(
        "Adagrad(params, accum=0.1, learning_rate=0.001, update_slots=True, loss_scale=1.0,"
        " weight_decay=0.0)",
        "torch.optim.Adagrad(params, learning_rate, initial_accumulator_value=accum,"
        " eps=0.0{decay})",
        when=_PLAIN | {"update_slots": "True"},
        accum=OneOf("0.1", "0.5"),
    ),
)

NUMPY: Final = (
    *(
        function(
            f"{name}(shape, dtype=torch.float32)",
            f"torch.{name}(shape, dtype=dtype)",
            home=_NUMPY,
            shape=OneOf("(2, 3)", "(4,)", "5"),
            dtype=_TYPES,
        )
        for name in ("zeros", "ones")
    ),
    *_in_numpy(
        ("zeros_like(a)", "torch.zeros_like(a)"), ("ones_like(a)", "torch.ones_like(a)"), a=_ANY
    ),
    *_in_numpy(
        *((f"{name}(x)", f"torch.{name}(x)") for name in ("exp", "tanh", "sqrt", "abs", "square")),
        x=Tensor("*s", FLOAT32),
    ),
    function("log(x)", "torch.log(x)", home=_NUMPY, x=Tensor("*s", FLOAT32, "positive")),
    *(
        function(
            f"{name}(arrays, axis=0)",
            f"torch.{torch}(arrays, axis)",
            home=_NUMPY,
            arrays=Tensor("a b", NUMBERS, listed=True),
            axis=OneOf("0", "1", "-1"),
        )
        for name, torch in (("concatenate", "cat"), ("stack", "stack"))
    ),
    *_in_numpy(
        ("reshape(x, new_shape)", "torch.reshape(x, new_shape)"), x=_CUBE, new_shape=_SHAPES
    ),
    *_in_numpy(
        ("transpose(a, axes)", "torch.permute(a, axes)"),
        a=_CUBE,
        axes=OneOf("(2, 0, 1)", "(0, 2, 1)", "(1, 0, 2)"),
    ),
    *_in_numpy(
        ("expand_dims(a, axis)", "torch.unsqueeze(a, axis)"), a=_ANY, axis=Axis("a", extra=1)
    ),
    *_in_numpy(
        ("tile(a, reps)", "torch.tile(a, reps)"),
        a=Tensor("2 3", NUMBERS),
        reps=OneOf("(2, 1)", "(2, 1, 2)"),
    ),
    function(
        "split(x, indices_or_sections, axis=0)",
        "torch.chunk(x, indices_or_sections, axis)",
        home=_NUMPY,
        gives="tensors",
        x=Tensor("4 8", NUMBERS),
        indices_or_sections=OneOf("1", "2", "4"),
        axis=OneOf("0", "1", "-1"),
    ),
    function(
        "repeat(a, repeats, axis)",
        "torch.repeat_interleave(a, repeats, axis)",
        home=_NUMPY,
        a=_CUBE,
        repeats=OneOf("1", "2", "3"),
        axis=OneOf("0", "1", "-1"),
    ),
    *_in_numpy(
        ("matmul(x1, x2)", "torch.matmul(x1, x2)"),
        x1=Tensor("n a b", FLOAT32, "finite"),
        x2=Tensor("b c", FLOAT32, "finite"),
    ),
    *_in_numpy(
        ("where(condition, x, y)", "torch.where(condition, x, y)"),
        condition=Tensor("*s", ("bool",)),
        x=_ANY,
        y=_ANY,
    ),
    *(
        function(
            f"{name}(a, axis, keepdims=False)",
            f"torch.{torch}(a, axis, keepdim=keepdims)",
            home=_NUMPY,
            a=Tensor("a b c", FLOAT32, "finite"),
            axis=OneOf("0", "1", "-1"),
            keepdims=BOOLS,
        )
        for name, torch in (("sum", "sum"), ("mean", "mean"), ("max", "amax"), ("min", "amin"))
    ),
)

FUNCTIONS_BACK: Final = (*OPS, *TRAINERS, *NUMPY)

"""Rows: functions that make tensors, draw random numbers, and keep files; element types."""

from __future__ import annotations

from typing import Final

from onecell.migrate.rules.table.domain import ANY, BOOLS, FLOATS, OneOf, Tensor
from onecell.migrate.rules.table.row import Row, row

_SIZES: Final = OneOf("2, 3", "(2, 3)", "4", "1, 2, 3")
_TYPES: Final = OneOf("torch.float32", "torch.float64", "torch.int64")


def _sized(name: str, mindspore: str, dtypes: OneOf, *, shape: str = "", one_way: str = "") -> Row:
    """Return the row of a function that takes the sizes of a tensor."""
    return row(
        name,
        f"torch.{name}(*size, dtype=None, device=None, requires_grad=False)",
        f"mindspore.ops.{mindspore}",
        dropped=("device", "requires_grad"),
        gives="tensor",
        shape=shape,
        one_way=one_way,
        domain={"size": _SIZES, "dtype": dtypes},
        proof="drawn" if name in ("zeros", "ones") else "random",
    )


def _like(name: str, dtypes: tuple[str, ...], types: OneOf, *, random: bool = False) -> Row:
    """Return the row of a function that takes the sizes of another tensor."""
    return row(
        name,
        f"torch.{name}(input, *, dtype=None, device=None, requires_grad=False)",
        f"mindspore.ops.{name}(input, *, dtype=None)",
        dropped=("device", "requires_grad"),
        gives="tensor",
        domain={"input": Tensor("*s", dtypes), "dtype": types},
        proof="random" if random else "drawn",
        holds=("float64",) if name == "randn_like" else (),
    )


FUNCTIONS: Final = (
    _sized("zeros", "zeros(size, dtype=None)", _TYPES, shape="size"),
    _sized("ones", "ones(size, dtype=None)", _TYPES, shape="size"),
    # What is in it is nobody's business; zeros are as good as any.
    _sized("empty", "zeros(size, dtype=None)", _TYPES, shape="size", one_way="mindspore"),
    _sized("randn", "randn(*size, dtype=None)", OneOf("torch.float32", "torch.float64")),
    _sized("rand", "rand(*size, dtype=None)", OneOf("torch.float32", "torch.float64")),
    row(
        "full",
        "torch.full(size, fill_value, *, dtype=None, device=None, requires_grad=False)",
        "mindspore.ops.full(size, fill_value, *, dtype=None)",
        dropped=("device", "requires_grad"),
        gives="tensor",
        shape="filled",
        domain={
            "size": OneOf("(2, 3)", "(4,)"),
            "fill_value": OneOf("2", "0.5", "-1.5"),
            "dtype": OneOf("torch.float32", "torch.float64"),
        },
    ),
    _like("zeros_like", ANY, _TYPES),
    _like("ones_like", ANY, _TYPES),
    row(  # as `empty`
        "empty_like",
        "torch.empty_like(input, *, dtype=None, device=None, requires_grad=False)",
        "mindspore.ops.zeros_like(input, *, dtype=None)",
        dropped=("device", "requires_grad"),
        gives="tensor",
        one_way="mindspore",
        domain={"input": Tensor("*s", ANY), "dtype": _TYPES},
        proof="random",
    ),
    row(
        "full_like",
        "torch.full_like(input, fill_value, *, dtype=None, device=None, requires_grad=False)",
        "mindspore.ops.full_like(input, fill_value, *, dtype=None)",
        fixed={"requires_grad": "False"},
        dropped=("device",),
        gives="tensor",
        domain={
            "input": Tensor("*s"),
            "fill_value": OneOf("2", "-0.5", "float('-inf')", "float('nan')"),
            "dtype": OneOf("torch.float32", "torch.float64"),
        },
    ),
    _like("rand_like", FLOATS, OneOf("torch.float32"), random=True),
    _like("randn_like", FLOATS, OneOf("torch.float32"), random=True),
    row(
        "tensor",
        "torch.tensor(data, *, dtype=None, device=None, requires_grad=False)",
        "mindspore.tensor(input_data, dtype=None)",
        pairs={"data": "input_data"},
        dropped=("device", "requires_grad"),
        gives="tensor",
        shape="data",
        domain={
            "data": OneOf("[1, 2]", "[1.5, 2]", "2", "2.5", "True", "[[1, 2], [3, 4]]", "[]"),
            "dtype": _TYPES,
        },
    ),
    row(
        "as_tensor",
        "torch.as_tensor(data, *, dtype=None, device=None)",
        "mindspore.tensor(input_data, dtype=None)",
        pairs={"data": "input_data"},
        dropped=("device",),
        gives="tensor",
        shape="data",
        one_way="mindspore",
        domain={"data": OneOf("[1, 2]", "[1.5, 2]", "2.5", "[[1, 2], [3, 4]]"), "dtype": _TYPES},
    ),
    *(
        row(
            "typed_tensor",
            f"torch.{name}(data, /)",
            "mindspore.tensor(input_data, dtype=None)",
            pairs={"data": "input_data"},
            gives="tensor",
            shape="typed",
            one_way="mindspore",
            domain={"data": OneOf("[1, 2]", "[[1, 2], [3, 4]]", "(0, 1)", "[]")},
        )
        for name in ("LongTensor", "FloatTensor", "IntTensor", "DoubleTensor", "BoolTensor")
    ),
    row("tensor_type", "torch.Tensor", "mindspore.Tensor", gives="tensor_type", proof="named"),
    row(
        "from_numpy",
        "torch.from_numpy(ndarray)",
        "mindspore.from_numpy(array)",
        pairs={"ndarray": "array"},
        gives="tensor",
        proof="run",
    ),
    row(
        "arange",
        "torch.arange(start, end=None, step=1, *, dtype=None, device=None, requires_grad=False)",
        "mindspore.ops.arange(start=0, end=None, step=1, *, dtype=None)",
        dropped=("device", "requires_grad"),
        gives="tensor",
        domain={
            "start": OneOf("5", "2, 7", "0, 7, 2", "0.0, 1.0, 0.25", "3.0"),
            "dtype": OneOf("torch.float32", "torch.float64"),
        },
    ),
    row(
        "linspace",
        "torch.linspace(start, end, steps, *, device=None, requires_grad=False)",
        "mindspore.ops.linspace(start, end, steps)",
        dropped=("device", "requires_grad"),
        gives="tensor",
        domain={"start": OneOf("0", "-1.5"), "end": OneOf("1", "4.5"), "steps": OneOf("5", "1")},
    ),
    row(
        "eye",
        "torch.eye(n, m=None, *, dtype=None, device=None, requires_grad=False)",
        "mindspore.ops.eye(n, m=None, dtype=None)",
        dropped=("device", "requires_grad"),
        gives="tensor",
        domain={"n": OneOf("3", "2"), "m": OneOf("4", "2"), "dtype": _TYPES},
    ),
    row(
        "randint",
        "torch.randint(low, high, size, *, dtype=None, device=None)",
        "mindspore.ops.randint(low, high, size, *, dtype=None)",
        dropped=("device",),
        gives="tensor",
        shape="from_zero",
        domain={"low": OneOf("0", "2"), "high": OneOf("5"), "size": OneOf("(2, 3)", "(4,)")},
        proof="random",
    ),
    row(
        "randperm",
        "torch.randperm(n)",
        "mindspore.ops.randperm(n)",
        gives="tensor",
        domain={"n": OneOf("5", "1")},
        proof="random",
    ),
    row(
        "bernoulli",
        "torch.bernoulli(input)",
        "mindspore.ops.bernoulli(input, p=0.5)",
        gives="tensor",
        shape="probabilities",
        domain={"input": Tensor("*s", FLOATS, "unit", constant=True)},
        proof="random",
    ),
    row(
        "dropout_function",
        "torch.nn.functional.dropout(input, p=0.5, training=True, inplace=False)",
        "mindspore.ops.dropout(input, p=0.5, training=True)",
        fixed={"inplace": "False"},
        gives="tensor",
        shape="dropping",
        domain={
            "input": Tensor("*s", ("float32",)),
            "p": OneOf("0.2", "0.5", "0", "0.0"),
            "training": BOOLS,
        },
        proof="random",
    ),
    row(
        "multinomial",
        "torch.multinomial(input, num_samples, replacement=False)",
        "mindspore.ops.multinomial(input, num_samples, replacement=True)",
        gives="tensor",
        shape="long",
        domain={
            "input": Tensor("n 5", ("float32",), "positive", constant=True),
            "num_samples": OneOf("1", "3"),
            "replacement": BOOLS,
        },
        proof="random",
    ),
    row(
        "numel",
        "torch.numel(input)",
        "mindspore.ops.numel(input)",
        domain={"input": Tensor("*s", ("int64", "bool"))},
    ),
    row(
        "is_tensor",
        "torch.is_tensor(obj, /)",
        "mindspore.ops.is_tensor(obj)",
        domain={"obj": Tensor("*s", ANY)},
    ),
    row(
        "stop_gradient",
        "torch.Tensor.detach(self)",
        "mindspore.ops.stop_gradient(value)",
        shape="detach",
        one_way="torch",
        proof="run",
    ),
    row("no_grad", "torch.no_grad()", "mindspore._no_grad()", proof="run"),
    row(
        "no_grad",
        "torch.inference_mode()",
        "mindspore._no_grad()",
        one_way="mindspore",
        proof="run",
    ),
    row("seed", "torch.manual_seed(seed)", "mindspore.set_seed(seed)", proof="run"),
    row(
        "save",
        "torch.save(obj, f)",
        "mindspore.save_checkpoint(save_obj, ckpt_file_name)",
        pairs={"obj": "save_obj", "f": "ckpt_file_name"},
        shape="file",
        proof="file",
    ),
    row(
        "load",
        "torch.load(f, map_location=None, *, weights_only=True, mmap=None)",
        "mindspore.load_checkpoint(ckpt_file_name)",
        pairs={"f": "ckpt_file_name"},
        dropped=("map_location", "mmap", "weights_only"),
        shape="file",
        proof="file",
    ),
    row(
        "load_into",
        "torch.nn.Module.load_state_dict(net, parameter_dict)",
        "mindspore.load_param_into_net(net, parameter_dict, strict_load=False)",
        dropped=("strict_load",),
        shape="load_into",
        proof="file",
        one_way="torch",
    ),
)

_BOTH: Final = [
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
]
_ALIASES: Final = {
    "half": "float16",
    "float": "float32",
    "double": "float64",
    "short": "int16",
    "int": "int32",
    "long": "int64",
}

DTYPES: Final = (
    *(
        row("dtype", f"torch.{name}", f"mindspore.{name}", gives="dtype", proof="named")
        for name in _BOTH
    ),
    row("dtype", "torch.bool", "mindspore.bool_", gives="dtype", proof="named"),
    row("dtype", "torch.bool", "mindspore.bool", gives="dtype", one_way="torch", proof="named"),
    *(
        row(
            "dtype",
            f"torch.{alias}",
            f"mindspore.{name}",
            gives="dtype",
            one_way="mindspore",
            proof="named",
        )
        for alias, name in _ALIASES.items()
    ),
)

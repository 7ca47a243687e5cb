"""Rows: functions over tensors, element types, files and the random seed."""

from __future__ import annotations

from typing import Final

from onecell.migrate.rules.table.row import Row, row

_AXIS: Final = {"dim": "axis"}


def _elementwise(name: str, *torch_homes: str) -> tuple[Row, ...]:
    """Return the rows of a function of one tensor; the first of torch's homes is the way back."""
    return tuple(
        row(
            name,
            f"{home}.{name}(input)",
            f"mindspore.ops.{name}(input)",
            gives="tensor",
            one_way="mindspore" if i else "",
        )
        for i, home in enumerate(torch_homes)
    )


def _softmax(name: str, mindspore: str, pairs: dict[str, str]) -> tuple[Row, ...]:
    return tuple(
        row(
            name,
            f"{home}.{name}(input, dim)",
            mindspore,
            pairs=pairs,
            gives="tensor",
            one_way=one_way,
        )
        for home, one_way in (("torch.nn.functional", ""), ("torch", "mindspore"))
    )


FUNCTIONS: Final = (
    row(
        "stack",
        "torch.stack(tensors, dim=0)",
        "mindspore.ops.stack(tensors, axis=0)",
        pairs=_AXIS,
        gives="tensor",
    ),
    row(
        "cat",
        "torch.cat(tensors, dim=0)",
        "mindspore.ops.cat(tensors, axis=0)",
        pairs=_AXIS,
        gives="tensor",
    ),
    *(
        row(
            name,
            f"torch.{name}(*size, dtype=None, device=None)",
            f"mindspore.ops.{name}(size, dtype=None)",
            dropped=("device",),
            gives="tensor",
            shape="size",
        )
        for name in ("zeros", "ones")
    ),
    *(
        row(
            name,
            f"torch.{name}(*size, dtype=None, device=None)",
            f"mindspore.ops.{name}(*size, dtype=None)",
            dropped=("device",),
            gives="tensor",
        )
        for name in ("randn", "rand")
    ),
    row(
        "full",
        "torch.full(size, fill_value, *, dtype=None, device=None)",
        "mindspore.ops.full(size, fill_value, *, dtype=None)",
        dropped=("device",),
        gives="tensor",
        shape="filled",
    ),
    *(
        row(
            name,
            f"torch.{name}(input, *, dtype=None, device=None)",
            f"mindspore.ops.{name}(input, *, dtype=None)",
            dropped=("device",),
            gives="tensor",
        )
        for name in ("zeros_like", "ones_like")
    ),
    row(
        "tensor",
        "torch.tensor(data, *, dtype=None, device=None, requires_grad=False)",
        "mindspore.tensor(input_data, dtype=None)",
        pairs={"data": "input_data"},
        fixed={"requires_grad": "False"},
        dropped=("device",),
        gives="tensor",
    ),
    row("tensor_type", "torch.Tensor", "mindspore.Tensor", gives="tensor_type"),
    row(
        "from_numpy",
        "torch.from_numpy(ndarray)",
        "mindspore.from_numpy(array)",
        pairs={"ndarray": "array"},
        gives="tensor",
    ),
    row(
        "argmax",
        "torch.argmax(input, dim=None, keepdim=False)",
        "mindspore.ops.argmax(input, dim=None, keepdim=False)",
        gives="tensor",
    ),
    *_softmax("softmax", "mindspore.ops.softmax(input, axis=-1)", _AXIS),
    *_softmax(
        "log_softmax",
        "mindspore.ops.log_softmax(logits, axis=-1)",
        {"input": "logits", "dim": "axis"},
    ),
    *_elementwise("relu", "torch.nn.functional", "torch"),
    *_elementwise("tanh", "torch", "torch.nn.functional"),
    *_elementwise("sigmoid", "torch", "torch.nn.functional"),
    *(found for name in ("exp", "log", "abs") for found in _elementwise(name, "torch")),
    row(
        "matmul",
        "torch.matmul(input, other)",
        "mindspore.ops.matmul(input, other)",
        gives="tensor",
    ),
    row(
        "sum",
        "torch.sum(input, dim=None, keepdim=False, *, dtype=None)",
        "mindspore.ops.sum(input, dim=None, keepdim=False, *, dtype=None)",
        gives="tensor",
    ),
    row(
        "mean",
        "torch.mean(input, dim=None, keepdim=False)",
        "mindspore.ops.mean(x, axis=None, keep_dims=False)",
        pairs={"input": "x", "dim": "axis", "keepdim": "keep_dims"},
        gives="tensor",
    ),
    row(
        "unsqueeze",
        "torch.unsqueeze(input, dim)",
        "mindspore.ops.unsqueeze(input, dim)",
        gives="tensor",
    ),
    row(
        "dropout_function",
        "torch.nn.functional.dropout(input, p=0.5, training=True, inplace=False)",
        "mindspore.ops.dropout(input, p=0.5, training=True)",
        fixed={"inplace": "False"},
        gives="tensor",
    ),
    row(
        "cross_entropy",
        "torch.nn.functional.cross_entropy(input, target, weight=None, *, ignore_index=-100,"
        " reduction='mean', label_smoothing=0.0)",
        "mindspore.ops.cross_entropy(input, target, weight=None, ignore_index=-100,"
        " reduction='mean', label_smoothing=0.0)",
        gives="tensor",
    ),
    row(
        "mse_loss",
        "torch.nn.functional.mse_loss(input, target, *, reduction='mean')",
        "mindspore.ops.mse_loss(input, target, reduction='mean')",
        gives="tensor",
    ),
    row(
        "multinomial",
        "torch.multinomial(input, num_samples, replacement=False)",
        "mindspore.ops.multinomial(input, num_samples, replacement=True)",
        gives="tensor",
        shape="long",
    ),
    row(
        "stop_gradient",
        "torch.Tensor.detach(self)",
        "mindspore.ops.stop_gradient(value)",
        shape="detach",
        one_way="torch",
    ),
    row("no_grad", "torch.no_grad()", "mindspore._no_grad()"),
    row("no_grad", "torch.inference_mode()", "mindspore._no_grad()", one_way="mindspore"),
    row("seed", "torch.manual_seed(seed)", "mindspore.set_seed(seed)"),
    row(
        "save",
        "torch.save(obj, f)",
        "mindspore.save_checkpoint(save_obj, ckpt_file_name)",
        pairs={"obj": "save_obj", "f": "ckpt_file_name"},
        shape="file",
    ),
    row(
        "load",
        "torch.load(f, map_location=None, *, weights_only=True, mmap=None)",
        "mindspore.load_checkpoint(ckpt_file_name)",
        pairs={"f": "ckpt_file_name"},
        dropped=("map_location", "mmap", "weights_only"),
        shape="file",
    ),
    row(
        "load_into",
        "torch.nn.Module.load_state_dict(net, parameter_dict)",
        "mindspore.load_param_into_net(net, parameter_dict, strict_load=False)",
        dropped=("strict_load",),
        shape="load_into",
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
    *(row("dtype", f"torch.{name}", f"mindspore.{name}", gives="dtype") for name in _BOTH),
    row("dtype", "torch.bool", "mindspore.bool_", gives="dtype"),
    row("dtype", "torch.bool", "mindspore.bool", gives="dtype", one_way="torch"),
    *(
        row("dtype", f"torch.{alias}", f"mindspore.{name}", gives="dtype", one_way="mindspore")
        for alias, name in _ALIASES.items()
    ),
)

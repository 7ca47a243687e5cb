"""What comes near in the other framework, where no row leads: for the advice in a mark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CANDIDATES: Final[Mapping[str, str]] = {
    "torch.einsum": "`mindspore.ops.einsum`, which has no kernel on a CPU: use `ops.matmul`",
    "torch.nn.functional.selu": "`mindspore.ops.selu`, whose gradient is another below zero",
    "torch.nn.functional.logsigmoid": "`mindspore.ops.logsigmoid`, which is -Inf below -88",
    "torch.std": "`mindspore.ops.std(…, ddof=1)`: it divides by N unless told otherwise",
    "torch.var": "`mindspore.ops.var(…, ddof=1)`: it divides by N unless told otherwise",
    "torch.normal": "`mindspore.ops.normal(shape, mean, stddev)`",
    "torch.dot": "`(a * b).sum()`: `mindspore.ops.dot` wants two axes",
    "torch.baddbmm": "`mindspore.ops.baddbmm`; its arguments are the same",
    "torch.outer": "`mindspore.ops.outer`",
    "torch.ger": "`mindspore.ops.outer`",
    "torch.diag": "`mindspore.ops.diag` for one axis; `mindspore.ops.diagonal` for two",
    "torch.median": "`mindspore.ops.median(input, axis)`, which gives a pair",
    "torch.unique": "`mindspore.ops.unique`, which does not sort and gives a pair",
    "torch.meshgrid": "`mindspore.ops.meshgrid(…, indexing='ij')`",
    "torch.roll": "slices put together by `mindspore.ops.cat`: `roll` has no kernel on a CPU",
    "torch.enable_grad": "nothing: MindSpore differentiates the functions that it is told to",
    "torch.set_grad_enabled": "nothing: MindSpore differentiates the functions that it is told to",
    "torch.bincount": "`mindspore.ops.bincount`, which gives float32",
    "torch.Size": "a plain tuple",
    "torch.nn.init.calculate_gain": "the number itself: 5 / 3 for tanh, the square root of 2 for"
    " relu",
    "torch.nn.functional.normalize": "`x / mindspore.ops.norm(x, dim=…, keepdim=True)`",
    "torch.nn.functional.kl_div": "`mindspore.ops.kl_div`, whose `reduction` divides otherwise",
    "torch.nn.functional.embedding": "`weight[indices]`",
    "torch.nn.functional.conv1d": "`mindspore.ops.conv1d(…, pad_mode='pad')`",
    "torch.nn.functional.conv2d": "`mindspore.ops.conv2d(…, pad_mode='pad')`",
    "torch.nn.functional.max_pool2d": "`mindspore.ops.max_pool2d`, equal where the stride is given",
    "torch.nn.functional.avg_pool2d": "`mindspore.ops.avg_pool2d`, whose stride is 1 by default",
    "torch.nn.ConvTranspose1d": "`mindspore.nn.Conv1dTranspose(…, pad_mode='pad')`",
    "torch.nn.ConvTranspose2d": "`mindspore.nn.Conv2dTranspose(…, pad_mode='pad')`",
    "torch.nn.GroupNorm": "`mindspore.nn.GroupNorm`, which calls its parameters gamma and beta",
    "torch.nn.PReLU": "`mindspore.nn.PReLU`, which calls its parameter `a`",
    "torch.nn.Bilinear": "`mindspore.nn.BiDense`",
    "torch.nn.ModuleDict": "`mindspore.nn.CellDict`",
    "torch.nn.ParameterList": "`mindspore.ParameterTuple`, which cannot grow",
    "torch.nn.Dropout2d": "`mindspore.nn.Dropout2d`, in the mode that is set by `set_train`",
    "torch.nn.MultiheadAttention": "`mindspore.nn.MultiheadAttention`, with `has_bias`",
    "torch.nn.Embedding": "`mindspore.nn.Embedding`, whose `padding_idx` row is trained all the"
    " same",
    "torch.optim.Adam": "`mindspore.experimental.optim.Adam`, which puts `eps` elsewhere",
    "torch.optim.LBFGS": "none: write the step out",
    "mindspore.nn.Adam": "`torch.optim.Adam`, which puts `eps` elsewhere",
    "mindspore.nn.SGD": "`torch.optim.SGD`",
    "mindspore.ops.Concat": "`torch.cat`",
    "mindspore.ops.Stack": "`torch.stack`",
    "mindspore.ops.TopK": "`torch.topk`, whose indices are int64",
    "mindspore.ops.equal": "`torch.eq`",
    "mindspore.ops.clip_by_value": "`torch.clamp`",
    "mindspore.ops.GradOperation": "`backward` of what the function gives",
}
"""Import path → what to write, or what it differs from."""


def advice(path: str, counterpart: str | None) -> str:
    """Return what to do about a use of `path`; `counterpart` is its row's other side, if any."""
    if path in CANDIDATES:
        return f"its like is {CANDIDATES[path]}"
    return "" if counterpart is None else f"its like is `{counterpart}`, with other arguments"

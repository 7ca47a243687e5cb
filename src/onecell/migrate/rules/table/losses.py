"""Rows: losses, as functions."""

from __future__ import annotations

from typing import Final

from onecell.migrate.rules.table.domain import Domain, OneOf, Tensor
from onecell.migrate.rules.table.row import row

_REDUCTION: Final = OneOf("'mean'", "'sum'", "'none'")
_CLASSES: Final[dict[str, Domain]] = {
    "input": Tensor("n 3", ("float32",)),
    "target": Tensor("n", ("int64",), "below 3"),
    "weight": Tensor("3", ("float32",), "positive", constant=True),
    "ignore_index": OneOf("-100", "1"),
    "reduction": _REDUCTION,
}

LOSSES: Final = (
    row(
        "cross_entropy",
        "torch.nn.functional.cross_entropy(input, target, weight=None, *, ignore_index=-100,"
        " reduction='mean', label_smoothing=0.0)",
        "mindspore.ops.cross_entropy(input, target, weight=None, ignore_index=-100,"
        " reduction='mean', label_smoothing=0.0)",
        gives="tensor",
        domain={**_CLASSES, "label_smoothing": OneOf("0.0", "0.1")},
        holds=("infinite",),
    ),
    row(
        "nll_loss",
        "torch.nn.functional.nll_loss(input, target, weight=None, *, ignore_index=-100,"
        " reduction='mean')",
        "mindspore.ops.nll_loss(inputs, target, weight=None, ignore_index=-100, reduction='mean')",
        pairs={"input": "inputs"},
        gives="tensor",
        domain=_CLASSES,
        holds=("nan", "infinite"),
    ),
    *(
        row(
            name,
            f"torch.nn.functional.{name}(input, target, *, reduction='mean')",
            f"mindspore.ops.{name}(input, target, reduction='mean')",
            gives="tensor",
            domain={"input": Tensor("+s"), "target": Tensor("+s"), "reduction": _REDUCTION},
        )
        for name in ("mse_loss", "l1_loss")
    ),
    row(
        "smooth_l1_loss",
        "torch.nn.functional.smooth_l1_loss(input, target, *, reduction='mean', beta=1.0)",
        "mindspore.ops.smooth_l1_loss(input, target, beta=1.0, reduction='none')",
        gives="tensor",
        domain={
            "input": Tensor("+s"),
            "target": Tensor("+s"),
            "reduction": _REDUCTION,
            "beta": OneOf("1.0", "0.5"),
        },
    ),
    row(
        "kl_div",
        "torch.nn.functional.kl_div(input, target, *, reduction='mean')",
        "mindspore.ops.kl_div(logits, labels, reduction='mean')",
        pairs={"input": "logits", "target": "labels"},
        gives="tensor",
        domain={
            "input": Tensor("n c", ("float32",), "finite"),
            "target": Tensor("n c", ("float32",), "unit", constant=True),
            "reduction": OneOf("'mean'", "'sum'", "'none'", "'batchmean'"),
        },
    ),
    row(
        "binary_cross_entropy",
        "torch.nn.functional.binary_cross_entropy(input, target, weight=None, *, reduction='mean')",
        "mindspore.ops.binary_cross_entropy(logits, labels, weight=None, reduction='mean')",
        pairs={"input": "logits", "target": "labels"},
        gives="tensor",
        domain={
            "input": Tensor("+s", ("float32",), "unit"),
            "target": Tensor("+s", ("float32",), "unit", constant=True),
            "reduction": _REDUCTION,
        },
        holds=("one number",),
    ),
    row(
        "binary_cross_entropy_with_logits",
        "torch.nn.functional.binary_cross_entropy_with_logits(input, target, weight=None, *,"
        " reduction='mean', pos_weight=None)",
        "mindspore.ops.binary_cross_entropy_with_logits(input, target, weight=None,"
        " reduction='mean', pos_weight=None)",
        gives="tensor",
        domain={
            "input": Tensor("+s", values="finite"),
            "target": Tensor("+s", values="unit", constant=True),
            "reduction": _REDUCTION,
        },
        raises=("float64",),
    ),
)

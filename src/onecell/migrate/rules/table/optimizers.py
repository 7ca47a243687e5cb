"""Rows: optimizers."""

from __future__ import annotations

from typing import Final

from onecell.migrate.rules.table.domain import BOOLS, Domain, OneOf, Tensor
from onecell.migrate.rules.table.row import row

_SGD: Final = (
    "params, lr, momentum=0, dampening=0, weight_decay=0, nesterov=False, *, maximize=False"
)
_ADAM: Final = "params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay={}, amsgrad=False"
_COMMON: Final[dict[str, Domain]] = {
    "params": Tensor("+s", ("float32",), "finite", listed=True),
    "lr": OneOf("1e-3", "0.1"),
}
_DECAY: Final = OneOf("0", "0.01", "0.1")

OPTIMIZERS: Final = (
    row(
        "sgd",
        f"torch.optim.SGD({_SGD.replace('lr,', 'lr=1e-3,')})",
        f"mindspore.experimental.optim.SGD({_SGD})",
        gives="optimizer",
        domain={
            **_COMMON,
            "momentum": OneOf("0.9", "0.5"),
            "dampening": OneOf("0", "0.1"),
            "weight_decay": _DECAY,
            "maximize": BOOLS,
        },
    ),
    row(
        "adamw",
        f"torch.optim.AdamW({_ADAM.format('0.01')}, *, maximize=False)",
        f"mindspore.experimental.optim.AdamW({_ADAM.format('0.01')}, *, maximize=False)",
        gives="optimizer",
        domain={
            **_COMMON,
            "betas": OneOf("(0.9, 0.999)", "(0.8, 0.99)"),
            "eps": OneOf("1e-8", "1e-3"),
            "weight_decay": _DECAY,
            "amsgrad": BOOLS,
            "maximize": BOOLS,
        },
    ),
    # MindSpore's Adams put eps elsewhere and so step otherwise; its AdamW, without decay, does not.
    row(
        "adam",
        f"torch.optim.Adam({_ADAM.format('0')}, *, maximize=False)",
        f"mindspore.experimental.optim.AdamW({_ADAM.format('0.01')}, *, maximize=False)",
        fixed={"weight_decay": "0"},
        gives="optimizer",
        one_way="mindspore",
        domain={
            **_COMMON,
            "betas": OneOf("(0.9, 0.999)", "(0.8, 0.99)"),
            "eps": OneOf("1e-8", "1e-3"),
            "amsgrad": BOOLS,
        },
    ),
    row(
        "adagrad",
        "torch.optim.Adagrad(params, lr=0.01, lr_decay=0, weight_decay=0,"
        " initial_accumulator_value=0, eps=1e-10)",
        "mindspore.experimental.optim.Adagrad(params, lr=0.01, lr_decay=0, weight_decay=0,"
        " initial_accumulator_value=0, eps=1e-10)",
        gives="optimizer",
        domain={
            **_COMMON,
            "lr_decay": OneOf("0", "0.1"),
            "weight_decay": _DECAY,
            "eps": OneOf("1e-10", "1e-3"),
        },
    ),
    row(
        "rmsprop",
        "torch.optim.RMSprop(params, lr=0.01, alpha=0.99, eps=1e-8, weight_decay=0, momentum=0,"
        " centered=False)",
        "mindspore.experimental.optim.RMSprop(params, lr=0.01, alpha=0.99, eps=1e-8,"
        " weight_decay=0, momentum=0, centered=False)",
        gives="optimizer",
        domain={
            **_COMMON,
            "alpha": OneOf("0.99", "0.9"),
            "eps": OneOf("1e-8", "1e-3"),
            "weight_decay": _DECAY,
            "momentum": OneOf("0", "0.9"),
            "centered": BOOLS,
        },
    ),
    row(
        "adadelta",
        "torch.optim.Adadelta(params, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0)",
        "mindspore.experimental.optim.Adadelta(params, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0)",
        gives="optimizer",
        domain={**_COMMON, "rho": OneOf("0.9", "0.8"), "weight_decay": _DECAY},
    ),
    row(
        "adamax",
        "torch.optim.Adamax(params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0)",
        "mindspore.experimental.optim.Adamax(params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8,"
        " weight_decay=0)",
        gives="optimizer",
        domain={**_COMMON, "betas": OneOf("(0.8, 0.99)"), "weight_decay": _DECAY},
    ),
)

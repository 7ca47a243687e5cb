"""Rows: layers without parameters: activations, pools, losses."""

from __future__ import annotations

from typing import Final

from onecell.migrate.rules.table.domain import BOOLS, Domain, OneOf, Tensor
from onecell.migrate.rules.table.row import Row, row

_ANY: Final = (Tensor("*s"),)
_FLOAT32: Final = (Tensor("*s", ("float32",)),)
_REDUCTION: Final = OneOf("'mean'", "'sum'", "'none'")


def _plain(
    rule: str, name: str, given: tuple[Tensor, ...] = _ANY, holds: tuple[str, ...] = ()
) -> Row:
    """Return the row of a layer without settings."""
    return row(
        rule,
        f"torch.nn.{name}()",
        f"mindspore.nn.{name}()",
        gives="layer",
        given=given,
        holds=holds,
    )


def _loss(
    rule: str,
    name: str,
    settings: str,
    domain: dict[str, Domain],
    given: tuple[Tensor, ...],
    *,
    function: str,
    holds: tuple[str, ...],
) -> tuple[Row, ...]:
    """Return the rows of a loss, which MindSpore's function computes and its class does not."""
    torch, theirs = f"torch.nn.{name}({settings})", f"mindspore.nn.{name}({settings})"
    return (
        row(
            rule,
            torch,
            f"mindspore.ops.{function}({settings})",
            shape="loss",
            one_way="mindspore",
            gives="loss",
            domain=domain,
            given=given,
            holds=holds,
        ),
        row(
            rule,
            torch,
            theirs.replace("*, ", ""),
            gives="layer",
            one_way="torch",
            domain=domain,
            given=given,
            holds=holds,
        ),
    )


_CLASSES: Final = (Tensor("n 3", ("float32",)), Tensor("n", ("int64",), "below 3"))
_PAIR: Final = (Tensor("+s"), Tensor("+s"))

ACTIVATIONS: Final = (
    _plain("identity", "Identity"),
    row(
        "relu_layer",
        "torch.nn.ReLU(inplace=False)",
        "mindspore.nn.ReLU()",
        fixed={"inplace": "False"},
        gives="layer",
        given=_ANY,
        holds=("nan",),
    ),
    _plain("tanh_layer", "Tanh"),
    _plain("sigmoid_layer", "Sigmoid"),
    _plain("silu_layer", "SiLU"),
    _plain("mish_layer", "Mish", holds=("beyond 40",)),
    _plain("softsign_layer", "Softsign", holds=("infinite",)),
    _plain("tanhshrink_layer", "Tanhshrink"),
    *(
        row(
            f"{name.lower()}_layer",
            f"torch.nn.{name}(inplace=False)",
            f"mindspore.nn.{theirs}()",
            fixed={"inplace": "False"},
            gives="layer",
            given=_FLOAT32,
            holds=holds,
        )
        for name, theirs, holds in (
            ("Hardswish", "HSwish", ("nan", "infinite")),
            ("Hardsigmoid", "HSigmoid", ("nan",)),
        )
    ),
    row(
        "hardtanh_layer",
        "torch.nn.Hardtanh(min_val=-1.0, max_val=1.0, inplace=False)",
        "mindspore.nn.Hardtanh(min_val=-1.0, max_val=1.0)",
        fixed={"inplace": "False"},
        gives="layer",
        domain={"min_val": OneOf("-0.5"), "max_val": OneOf("0.5", "2.0")},
        given=_FLOAT32,
        holds=("nan", "at a bound"),
    ),
    _plain("relu6_layer", "ReLU6", _FLOAT32, ("nan",)),
    row(
        "leaky_relu_layer",
        "torch.nn.LeakyReLU(negative_slope=0.01, inplace=False)",
        "mindspore.nn.LeakyReLU(alpha=0.2)",
        pairs={"negative_slope": "alpha"},
        fixed={"inplace": "False"},
        gives="layer",
        domain={"negative_slope": OneOf("0.1", "0.2")},
        given=_ANY,
        holds=("nan", "infinite", "zero"),
    ),
    row(
        "elu_layer",
        "torch.nn.ELU(alpha=1.0, inplace=False)",
        "mindspore.nn.ELU()",
        fixed={"inplace": "False", "alpha": "1.0"},
        gives="layer",
        domain={"alpha": OneOf("1.0")},
        given=_ANY,
        holds=("nan",),
    ),
    row(
        "softplus_layer",
        "torch.nn.Softplus(beta=1, threshold=20)",
        "mindspore.ops.Softplus()",
        fixed={"beta": "1", "threshold": "20"},
        gives="layer",
        domain={"beta": OneOf("1"), "threshold": OneOf("20")},
        given=_ANY,
        holds=("nan",),
    ),
    row(
        "gelu_layer",
        "torch.nn.GELU()",
        "mindspore.nn.GELU(approximate=True)",
        fixed={"approximate": "False"},
        gives="layer",
        given=_ANY,
        holds=("infinite",),
    ),
    row(
        "glu_layer",
        "torch.nn.GLU(dim=-1)",
        "mindspore.nn.GLU(axis=-1)",
        pairs={"dim": "axis"},
        gives="layer",
        domain={"dim": OneOf("1", "-1", "-3")},
        given=(Tensor("4 2 6"),),
    ),
    # torch guesses the axis where none is given; the guess is not to be had in MindSpore.
    row(
        "softmax_layer",
        "torch.nn.Softmax(dim)",
        "mindspore.nn.Softmax(axis=-1)",
        pairs={"dim": "axis"},
        gives="layer",
        domain={"dim": OneOf("-1", "1", "0")},
        given=(Tensor("a b"),),
        holds=("nan", "plus infinite", "row of -inf", "several ranks"),
    ),
    row(
        "log_softmax_layer",
        "torch.nn.LogSoftmax(dim)",
        "mindspore.nn.LogSoftmax(axis=-1)",
        pairs={"dim": "axis"},
        gives="layer",
        domain={"dim": OneOf("-1", "1", "0")},
        given=(Tensor("a b"),),
        holds=("nan", "plus infinite", "row of -inf"),
    ),
    row(
        "flatten_layer",
        "torch.nn.Flatten(start_dim=1, end_dim=-1)",
        "mindspore.nn.Flatten(start_dim=1, end_dim=-1)",
        gives="layer",
        domain={"start_dim": OneOf("0", "2"), "end_dim": OneOf("2", "-1")},
        given=(Tensor("a b c"),),
    ),
    *(
        row(
            f"{kind.lower()}_pool{axes}d_layer",
            f"torch.nn.{kind}Pool{axes}d(kernel_size, stride=SAME, padding=0{more}, *,"
            " ceil_mode=False)",
            f"mindspore.nn.{kind}Pool{axes}d(kernel_size=1, stride=SAME, *, padding=0{more},"
            " ceil_mode=False)",
            gives="layer",
            shape="pooled",
            domain={
                "kernel_size": OneOf("2", "3"),
                "stride": OneOf("1", "2"),
                "padding": OneOf("0", "1") if axes == 1 else OneOf("0", "1", "(1, 0)"),
                "ceil_mode": BOOLS,
            },
            given=(Tensor("a b 7" if axes == 1 else "a b 7 6", ("float32",), "finite"),),
        )
        for kind, more in (("Max", ", dilation=1"), ("Avg", ""))
        for axes in (1, 2)
    ),
    row(
        "adaptive_avg_pool2d_layer",
        "torch.nn.AdaptiveAvgPool2d(output_size)",
        "mindspore.nn.AdaptiveAvgPool2d(output_size)",
        gives="layer",
        domain={"output_size": OneOf("1", "(2, 3)")},
        given=(Tensor("2 3 6 5", ("float32",), "finite"),),
    ),
    # MindSpore's loss classes want int32 labels; the functions take int64 as torch does.
    *_loss(
        "cross_entropy_layer",
        "CrossEntropyLoss",
        "weight=None, *, ignore_index=-100, reduction='mean', label_smoothing=0.0",
        {
            "ignore_index": OneOf("-100", "1"),
            "reduction": _REDUCTION,
            "label_smoothing": OneOf("0.0", "0.1"),
        },
        _CLASSES,
        function="cross_entropy",
        holds=("infinite",),
    ),
    *_loss(
        "nll_loss_layer",
        "NLLLoss",
        "weight=None, *, ignore_index=-100, reduction='mean'",
        {"ignore_index": OneOf("-100", "1"), "reduction": _REDUCTION},
        _CLASSES,
        function="nll_loss",
        holds=("nan", "infinite"),
    ),
    *(
        row(
            rule,
            f"torch.nn.{name}(*, reduction='mean')",
            f"mindspore.nn.{name}(reduction='mean')",
            gives="layer",
            domain={"reduction": _REDUCTION},
            given=_PAIR,
        )
        for rule, name in (("mse_loss_layer", "MSELoss"), ("l1_loss_layer", "L1Loss"))
    ),
    row(
        "smooth_l1_loss_layer",
        "torch.nn.SmoothL1Loss(*, reduction='mean', beta=1.0)",
        "mindspore.nn.SmoothL1Loss(*, beta=1.0, reduction='none')",
        gives="layer",
        domain={"reduction": _REDUCTION, "beta": OneOf("1.0", "0.5")},
        given=_PAIR,
    ),
    row(
        "bce_loss_layer",
        "torch.nn.BCELoss(weight=None, *, reduction='mean')",
        "mindspore.nn.BCELoss(weight=None, reduction='mean')",
        gives="layer",
        domain={"reduction": _REDUCTION},
        given=(
            Tensor("+s", ("float32",), "unit"),
            Tensor("+s", ("float32",), "unit", constant=True),
        ),
        holds=("one number",),
    ),
    row(
        "bce_with_logits_loss_layer",
        "torch.nn.BCEWithLogitsLoss(*, weight=None, reduction='mean', pos_weight=None)",
        "mindspore.nn.BCEWithLogitsLoss(*, reduction='mean', weight=None, pos_weight=None)",
        gives="layer",
        domain={"reduction": _REDUCTION},
        given=(
            Tensor("+s", ("float32",), "finite"),
            Tensor("+s", ("float32",), "unit", constant=True),
        ),
    ),
)

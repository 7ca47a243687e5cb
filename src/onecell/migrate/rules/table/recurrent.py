"""Rows: layers with parameters other than the cell: other recurrent ones, convolutions, norms."""

from __future__ import annotations

from typing import Final

from onecell.migrate.rules.table.domain import BOOLS, OneOf, Tensor
from onecell.migrate.rules.table.row import Row, row

_SIZES: Final = {"input_size": OneOf("3"), "hidden_size": OneOf("4", "2"), "bias": BOOLS}
_PLAIN: Final = ("float32",)
_TANH: Final = 1e-3
"""MindSpore's tanh is off by up to 1e-4 near 5, which a recurrent layer carries on."""


def _stacked(rule: str, name: str, extra: str = "") -> Row:
    """Return the row of a recurrent layer over a sequence."""
    head = "input_size, hidden_size, num_layers=1"
    tail = f"batch_first=False, dropout=0.0, bidirectional=False{extra}"
    return row(
        rule,
        f"torch.nn.{name}({head}, {'*, ' if extra else ''}bias=True, {tail})",
        f"mindspore.nn.{name}({head}, has_bias=True, {tail})",
        pairs={"bias": "has_bias"},
        gives="module",
        shape="recurrent",
        domain={
            **_SIZES,
            "num_layers": OneOf("1", "2"),
            "dropout": OneOf("0", "0.0"),
            "batch_first": BOOLS,
            "bidirectional": BOOLS,
            **({"nonlinearity": OneOf("'tanh'", "'relu'")} if extra else {}),
        },
        given=(Tensor("5 2 3", _PLAIN, "finite"),),
        error=_TANH,
    )


def _cell(rule: str, name: str, extra: str = "") -> Row:
    """Return the row of a recurrent cell that keeps one state."""
    return row(
        rule,
        f"torch.nn.{name}(input_size, hidden_size, bias=True{extra}, device=None)",
        f"mindspore.nn.{name}(input_size, hidden_size, has_bias=True{extra})",
        pairs={"bias": "has_bias"},
        dropped=("device",),
        gives="layer",
        shape="stateful",
        domain={
            **_SIZES,
            "hidden_size": OneOf("4"),
            **({"nonlinearity": OneOf("'tanh'", "'relu'")} if extra else {}),
        },
        given=(Tensor("2 3", _PLAIN, "finite"), Tensor("2 4", _PLAIN, "finite")),
        error=_TANH,
    )


def _convolution(axes: int) -> Row:
    """Return the row of a convolution, whose padding torch gives in numbers."""
    return row(
        f"conv{axes}d",
        f"torch.nn.Conv{axes}d(in_channels, out_channels, kernel_size, stride=1, padding=0,"
        " dilation=1, groups=1, bias=True, padding_mode='zeros', device=None)",
        f"mindspore.nn.Conv{axes}d(in_channels, out_channels, kernel_size, stride=1,"
        " pad_mode='same', padding=0, dilation=1, group=1, has_bias=False)",
        pairs={"groups": "group", "bias": "has_bias"},
        fixed={"padding_mode": "'zeros'", "pad_mode": "'pad'"},
        dropped=("device",),
        gives="layer",
        shape="padded",
        domain={
            "in_channels": OneOf("4"),
            "out_channels": OneOf("6", "2"),
            "kernel_size": OneOf("1", "3") if axes == 1 else OneOf("3", "(2, 3)"),
            "stride": OneOf("1", "2"),
            "padding": OneOf("0", "1") if axes == 1 else OneOf("1", "(1, 2)"),
            "dilation": OneOf("1", "2"),
            "groups": OneOf("1", "2"),
            "bias": BOOLS,
        },
        given=(Tensor("2 4 9" if axes == 1 else "2 4 9 8", _PLAIN, "finite"),),
    )


def _batch_norm(axes: int, given: str) -> Row:
    return row(
        f"batch_norm{axes}d",
        f"torch.nn.BatchNorm{axes}d(num_features, eps=1e-5, momentum=SAME, affine=True,"
        " device=None)",
        f"mindspore.nn.BatchNorm{axes}d(num_features, eps=1e-5, momentum=SAME, affine=True)",
        dropped=("device",),
        gives="layer",
        shape="complement",
        domain={
            "num_features": OneOf("4"),
            "eps": OneOf("1e-5", "1e-3"),
            "momentum": OneOf("0.1", "0.3"),
        },
        given=(Tensor(given, _PLAIN, "finite"),),
    )


NEURAL: Final = (
    _stacked("lstm", "LSTM"),
    _stacked("gru", "GRU"),
    _stacked("rnn", "RNN", ", nonlinearity='tanh'"),
    _cell("gru_cell", "GRUCell"),
    _cell("rnn_cell", "RNNCell", ", nonlinearity='tanh'"),
    _convolution(1),
    _convolution(2),
    _batch_norm(1, "5 4"),
    _batch_norm(2, "3 4 2 5"),
)

"""Rows: what pads, pools, resizes and normalises pictures and sequences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from onecell.migrate.rules.table.domain import BOOLS, Domain, OneOf, Tensor
from onecell.migrate.rules.table.row import Row, row

_PLAIN: Final = ("float32",)
_PICTURE: Final = Tensor("2 3 7 6", _PLAIN, "finite")
_SEQUENCE: Final = Tensor("2 3 8", _PLAIN, "finite")
_OF_AXES: Final = {1: _SEQUENCE, 2: _PICTURE}


def _layer(
    name: str, arguments: str, domain: Mapping[str, Domain], given: Tensor, rule: str = ""
) -> Row:
    """Return the row of a layer that both call alike."""
    return row(
        f"{rule or name.lower()}_layer",
        f"torch.nn.{name}({arguments})",
        f"mindspore.nn.{name}({arguments})",
        gives="layer",
        domain=domain,
        given=(given,),
    )


def _function(name: str, arguments: str, domain: Mapping[str, Domain]) -> Row:
    """Return the row of a function that both call alike."""
    return row(
        name,
        f"torch.nn.functional.{name}({arguments})",
        f"mindspore.ops.{name}({arguments})",
        gives="tensor",
        domain=domain,
    )


def _adaptive(kind: str, axes: int) -> tuple[Row, ...]:
    """Return the rows of a pool that is told what comes out, as layer and as function."""
    sizes = {"output_size": OneOf("1", "2", "4") if axes == 1 else OneOf("1", "(2, 3)", "(1, 1)")}
    given = _OF_AXES[axes]
    name = f"adaptive_{kind.lower()}_pool{axes}d"
    function = _function(name, "input, output_size", {"input": given, **sizes})
    if (kind, axes) == ("Avg", 2):  # its layer is among the others
        return (function,)
    return (
        function,
        _layer(f"Adaptive{kind}Pool{axes}d", "output_size", sizes, given, name),
    )


def _padding(name: str, axes: int, more: str = "") -> Row:
    sides = OneOf("1", "(1, 2)") if axes == 1 else OneOf("1", "(1, 2, 0, 3)")
    domain: dict[str, Domain] = {"padding": sides}
    if more:
        domain["value"] = OneOf("0.5", "0.0", "-1.0")
    return _layer(f"{name}{axes}d", f"padding{more}", domain, _OF_AXES[axes])


def _transposed(axes: int) -> Row:
    """Return the row of a convolution the other way, whose padding torch gives in numbers."""
    further = ", output_padding=0" if axes == 2 else ""
    return row(
        f"conv_transpose{axes}d_layer",
        f"torch.nn.ConvTranspose{axes}d(in_channels, out_channels, kernel_size, stride=1,"
        " padding=0, output_padding=0, groups=1, bias=True, dilation=1, padding_mode='zeros',"
        " device=None)",
        f"mindspore.nn.Conv{axes}dTranspose(in_channels, out_channels, kernel_size, stride=1,"
        f" pad_mode='same', padding=0{further}, dilation=1, group=1, has_bias=False)",
        pairs={"groups": "group", "bias": "has_bias"},
        fixed={
            "pad_mode": "'pad'",
            "padding_mode": "'zeros'",
            **({} if further else {"output_padding": "0"}),
        },
        dropped=("device",),
        gives="layer",
        shape="padded",
        domain={
            "in_channels": OneOf("4"),
            "out_channels": OneOf("6", "2"),
            "kernel_size": OneOf("3", "2") if axes == 1 else OneOf("3", "(2, 3)"),
            "stride": OneOf("2", "1"),
            "padding": OneOf("0", "1"),
            "bias": BOOLS,
        },
        given=(Tensor("2 4 5" if axes == 1 else "2 4 5 6", _PLAIN, "finite"),),
    )


PICTURES: Final = (
    *(each for kind in ("Avg", "Max") for axes in (1, 2) for each in _adaptive(kind, axes)),
    row(
        "avg_pool1d",
        "torch.nn.functional.avg_pool1d(input, kernel_size, stride=SAME, padding=0, *,"
        " ceil_mode=False, count_include_pad=True)",
        "mindspore.ops.avg_pool1d(input_x, kernel_size=1, stride=SAME, padding=0, *,"
        " ceil_mode=False, count_include_pad=True)",
        pairs={"input": "input_x"},
        gives="tensor",
        shape="pooled",
        domain={
            "input": _SEQUENCE,
            "kernel_size": OneOf("2", "3"),
            "stride": OneOf("1", "2"),
            "padding": OneOf("0", "1"),
            "count_include_pad": BOOLS,
        },
    ),
    *(_padding(name, axes) for name in ("ReflectionPad", "ReplicationPad") for axes in (1, 2)),
    *(_padding("ConstantPad", axes, ", value") for axes in (1, 2)),
    _padding("ZeroPad", 2),
    _transposed(1),
    _transposed(2),
    *(
        each
        for name, size, shape in (
            ("PixelShuffle", "upscale_factor", "2 8 3 5"),
            ("PixelUnshuffle", "downscale_factor", "2 3 4 6"),
        )
        for each in (
            _layer(name, size, {size: OneOf("2")}, Tensor(shape, _PLAIN)),
            _function(
                name.lower().replace("pixel", "pixel_"),
                f"input, {size}",
                {"input": Tensor(shape, _PLAIN), size: OneOf("2")},
            ),
        )
    ),
    _function(
        "unfold",
        "input, kernel_size, dilation=1, padding=0, stride=1",
        {
            "input": _PICTURE,
            "kernel_size": OneOf("2", "(3, 2)"),
            "padding": OneOf("0", "1"),
            "stride": OneOf("1", "2"),
        },
    ),
    _function(
        "affine_grid",
        "theta, size, align_corners=False",
        {
            "theta": Tensor("2 2 3", _PLAIN, "finite"),
            "size": OneOf("(2, 3, 4, 5)"),
            "align_corners": BOOLS,
        },
    ),
    _function(
        "prelu",
        "input, weight",
        {"input": Tensor("2 4 3", _PLAIN, "finite"), "weight": Tensor("4", _PLAIN, "finite")},
    ),
    row(
        "prelu_layer",
        "torch.nn.PReLU(num_parameters=1, init=0.25, device=None)",
        "mindspore.nn.PReLU(channel=1, w=0.25)",
        pairs={"num_parameters": "channel", "init": "w"},
        dropped=("device",),
        gives="layer",
        domain={"num_parameters": OneOf("1", "3"), "init": OneOf("0.25", "0.1")},
        given=(_PICTURE,),
    ),
    # Sizes alone: by factors the other kernel places the numbers elsewhere, or there is none.
    row(
        "interpolate",
        "torch.nn.functional.interpolate(input, size, *, mode='nearest')",
        "mindspore.ops.interpolate(input, size)",
        fixed={"mode": "'nearest'"},
        gives="tensor",
        domain={"input": _PICTURE, "size": OneOf("(14, 12)", "(5, 9)", "5")},
    ),
    row(
        "upsample_layer",
        "torch.nn.Upsample(size, *, mode='nearest')",
        "mindspore.nn.Upsample(size)",
        fixed={"mode": "'nearest'"},
        gives="layer",
        domain={"size": OneOf("(14, 12)", "(5, 9)", "5")},
        given=(_PICTURE,),
    ),
    # Without its two parameters MindSpore's keeps them all the same, and loads them.
    row(
        "group_norm_layer",
        "torch.nn.GroupNorm(num_groups, num_channels, eps=1e-5, affine=True, device=None)",
        "mindspore.nn.GroupNorm(num_groups, num_channels, eps=1e-5)",
        fixed={"affine": "True"},
        dropped=("device",),
        gives="layer",
        domain={
            "num_groups": OneOf("1", "2"),
            "num_channels": OneOf("4"),
            "eps": OneOf("1e-5", "1e-3"),
        },
        given=(Tensor("2 4 3 5", _PLAIN, "finite"),),
    ),
    *(
        row(
            f"dropout{axes}d",
            f"torch.nn.Dropout{axes}d(p=0.5, inplace=False)",
            f"mindspore.nn.Dropout{axes}d(p=0.5)",
            fixed={"inplace": "False"},
            gives="layer",
            shape="training",
            domain={"p": OneOf("0.2", "0.5")},
            given=(_OF_AXES[axes],),
            proof="random",
        )
        for axes in (1, 2)
    ),
)

"""Rows: the cell, the layers it lives among, and the optimizers that train them.

Every default is the framework's own. `SAME` stands for one element type, float32 unless the user
has said otherwise, which torch spells None. An argument whose meaning differs is left out of a
signature on purpose; giving it is marked.
"""

from __future__ import annotations

from typing import Final

from onecell.dialect import MINDSPORE, TORCH
from onecell.migrate.rules.table.domain import BOOLS, OneOf, Tensor
from onecell.migrate.rules.table.row import Row, row
from onecell.neighbours import EMBEDDING, LAYER_NORM, LINEAR

_DEFAULTS: Final = {"bias": "=True", "device": "=None", "dtype": "=SAME"}


def _constructor(names: dict[str, str]) -> str:
    """Return the constructor's arguments as a person writes them."""
    return ", ".join(spelled + _DEFAULTS.get(name, "") for name, spelled in names.items())


def _cell(torch: str, mindspore: str) -> Row:
    ours, theirs = dict(TORCH.constructor), dict(MINDSPORE.constructor)
    return row(
        "cell",
        f"{torch}({_constructor(ours)})",
        # By position, MindSpore's own cell refuses a fourth argument, and ours a fourth as well.
        f"{mindspore}({_constructor(theirs).replace('dtype', '*, dtype')})",
        pairs={ours[name]: spelled for name, spelled in theirs.items()},
        dropped=("device",),
        gives="cell",
        shape="cell",
        proof="run",
    )


CELL: Final = {
    "native": _cell(TORCH.cell, MINDSPORE.cell),
    "onecell": _cell(TORCH.onecell, MINDSPORE.onecell),
}
"""Target → the row that leads to it."""

LAYERS: Final = (
    row("module", "torch.nn.Module", "mindspore.nn.Cell", gives="module", proof="named"),
    row(
        "linear",
        f"{LINEAR.classes['torch']}(in_features, out_features, bias=True, device=None, dtype=SAME)",
        f"{LINEAR.classes['mindspore']}(in_channels, out_channels, weight_init=None,"
        " bias_init=None, has_bias=True, activation=None, dtype=SAME)",
        pairs={"in_features": "in_channels", "out_features": "out_channels", "bias": "has_bias"},
        fixed={"weight_init": "None", "bias_init": "None", "activation": "None"},
        dropped=("device",),
        gives="layer",
        domain={"in_features": OneOf("4"), "out_features": OneOf("3", "1"), "bias": BOOLS},
        given=(Tensor("a b 4", ("float32",)),),
    ),
    # MindSpore draws from N(0, 0.01) where torch draws from N(0, 1); and its `padding_idx` does not
    # hold back the gradient of that row, as torch's does: `families/modules/padding.py`.
    row(
        "embedding",
        f"{EMBEDDING.classes['torch']}(num_embeddings, embedding_dim, padding_idx=None, *,"
        " device=None, dtype=SAME)",
        f"{EMBEDDING.classes['mindspore']}(vocab_size, embedding_size, use_one_hot=False,"
        " embedding_table='normal', dtype=SAME, padding_idx=None)",
        pairs={"num_embeddings": "vocab_size", "embedding_dim": "embedding_size"},
        fixed={
            "use_one_hot": "False",
            "embedding_table": "mindspore.common.initializer.Normal(1.0)",
        },
        dropped=("device",),
        gives="layer",
        domain={"num_embeddings": OneOf("7"), "embedding_dim": OneOf("3", "1")},
        given=(Tensor("a b", ("int64", "int32"), "below 7"),),
    ),
    row(
        "dropout",
        "torch.nn.Dropout(p=0.5, inplace=False)",
        "mindspore.nn.Dropout(*, p=0.5, dtype=SAME)",
        fixed={"inplace": "False"},
        gives="layer",
        shape="training",
        domain={"p": OneOf("0.2", "0.5", "0.0")},
        given=(Tensor("*s", ("float32",)),),
        proof="random",
    ),
    row(
        "layer_norm",
        f"{LAYER_NORM.classes['torch']}(normalized_shape, eps=1e-5, elementwise_affine=True,"
        " bias=True, device=None, dtype=SAME)",
        f"{LAYER_NORM.classes['mindspore']}(normalized_shape, begin_norm_axis=-1,"
        " begin_params_axis=-1, gamma_init='ones', beta_init='zeros', epsilon=1e-7, dtype=SAME)",
        pairs={"eps": "epsilon"},
        fixed={
            "elementwise_affine": "True",
            "bias": "True",
            "begin_norm_axis": "-1",
            "begin_params_axis": "-1",
            "gamma_init": "'ones'",
            "beta_init": "'zeros'",
        },
        dropped=("device",),
        gives="layer",
        shape="normalized",
        domain={"normalized_shape": OneOf("4", "(4,)", "[4]"), "eps": OneOf("1e-3", "1e-5")},
        given=(Tensor("a b 4", ("float32",)),),
    ),
    row(
        "sequential",
        "torch.nn.Sequential(*args)",
        "mindspore.nn.SequentialCell(*args)",
        gives="layer",
        shape="sequence",
        proof="run",
    ),
    row(
        "module_list",
        "torch.nn.ModuleList(modules=None)",
        "mindspore.nn.CellList(cells=None)",
        pairs={"modules": "cells"},
        gives="modules",
        shape="listing",
        proof="run",
    ),
    row(
        "parameter",
        "torch.nn.Parameter(data, requires_grad=True)",
        "mindspore.Parameter(default_input, name=None, requires_grad=True,"
        " layerwise_parallel=False, parallel_optimizer=True)",
        pairs={"data": "default_input"},
        dropped=("name", "layerwise_parallel", "parallel_optimizer"),
        gives="tensor",
        proof="run",
    ),
)

"""Rows: the cell, the layers it lives among, and the optimizers that train them.

Every default is the framework's own. `SAME` stands for one element type, float32 unless the user
has said otherwise, which torch spells None. An argument whose meaning differs is left out of a
signature on purpose; giving it is marked.
"""

from __future__ import annotations

from typing import Final

from onecell.dialect import MINDSPORE, TORCH
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
    )


CELL: Final = {
    "native": _cell(TORCH.cell, MINDSPORE.cell),
    "onecell": _cell(TORCH.onecell, MINDSPORE.onecell),
}
"""Target → the row that leads to it."""

LAYERS: Final = (
    row("module", "torch.nn.Module", "mindspore.nn.Cell", gives="module"),
    row(
        "linear",
        f"{LINEAR.classes['torch']}(in_features, out_features, bias=True, device=None, dtype=SAME)",
        f"{LINEAR.classes['mindspore']}(in_channels, out_channels, weight_init=None,"
        " bias_init=None, has_bias=True, activation=None, dtype=SAME)",
        pairs={"in_features": "in_channels", "out_features": "out_channels", "bias": "has_bias"},
        fixed={"weight_init": "None", "bias_init": "None", "activation": "None"},
        dropped=("device",),
        gives="layer",
    ),
    # MindSpore draws from N(0, 0.01) where torch draws from N(0, 1); and its `padding_idx` does not
    # hold back the gradient of that row, as torch's does.
    row(
        "embedding",
        f"{EMBEDDING.classes['torch']}(num_embeddings, embedding_dim, *, device=None, dtype=SAME)",
        f"{EMBEDDING.classes['mindspore']}(vocab_size, embedding_size, use_one_hot=False,"
        " embedding_table='normal', dtype=SAME)",
        pairs={"num_embeddings": "vocab_size", "embedding_dim": "embedding_size"},
        fixed={
            "use_one_hot": "False",
            "embedding_table": "mindspore.common.initializer.Normal(1.0)",
        },
        dropped=("device",),
        gives="layer",
    ),
    row(
        "dropout",
        "torch.nn.Dropout(p=0.5, inplace=False)",
        "mindspore.nn.Dropout(*, p=0.5, dtype=SAME)",
        fixed={"inplace": "False"},
        gives="layer",
        shape="training",
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
    ),
    row(
        "sequential",
        "torch.nn.Sequential(*args)",
        "mindspore.nn.SequentialCell(*args)",
        gives="layer",
        shape="sequence",
    ),
    row(
        "module_list",
        "torch.nn.ModuleList(modules=None)",
        "mindspore.nn.CellList(cells=None)",
        pairs={"modules": "cells"},
        gives="modules",
        shape="listing",
    ),
    row("identity", "torch.nn.Identity()", "mindspore.nn.Identity()", gives="layer"),
    row(
        "relu_layer",
        "torch.nn.ReLU(inplace=False)",
        "mindspore.nn.ReLU()",
        fixed={"inplace": "False"},
        gives="layer",
    ),
    row("tanh_layer", "torch.nn.Tanh()", "mindspore.nn.Tanh()", gives="layer"),
    row("sigmoid_layer", "torch.nn.Sigmoid()", "mindspore.nn.Sigmoid()", gives="layer"),
    # torch guesses the axis where none is given; the guess is not to be had in MindSpore.
    row(
        "softmax_layer",
        "torch.nn.Softmax(dim)",
        "mindspore.nn.Softmax(axis=-1)",
        pairs={"dim": "axis"},
        gives="layer",
    ),
    row(
        "log_softmax_layer",
        "torch.nn.LogSoftmax(dim)",
        "mindspore.nn.LogSoftmax(axis=-1)",
        pairs={"dim": "axis"},
        gives="layer",
    ),
    # MindSpore's loss class wants int32 labels; its function takes int64 as torch does.
    row(
        "cross_entropy_layer",
        "torch.nn.CrossEntropyLoss(weight=None, *, ignore_index=-100, reduction='mean',"
        " label_smoothing=0.0)",
        "mindspore.ops.cross_entropy(weight=None, *, ignore_index=-100, reduction='mean',"
        " label_smoothing=0.0)",
        shape="loss",
        one_way="mindspore",
    ),
    row(
        "cross_entropy_layer",
        "torch.nn.CrossEntropyLoss(weight=None, *, ignore_index=-100, reduction='mean',"
        " label_smoothing=0.0)",
        "mindspore.nn.CrossEntropyLoss(weight=None, ignore_index=-100, reduction='mean',"
        " label_smoothing=0.0)",
        gives="layer",
        one_way="torch",
    ),
    row(
        "mse_loss_layer",
        "torch.nn.MSELoss(*, reduction='mean')",
        "mindspore.nn.MSELoss(reduction='mean')",
        gives="layer",
    ),
    row(
        "parameter",
        "torch.nn.Parameter(data, requires_grad=True)",
        "mindspore.Parameter(default_input, *, requires_grad=True)",
        pairs={"data": "default_input"},
        gives="tensor",
    ),
)

_SGD: Final = (
    "params, lr, momentum=0, dampening=0, weight_decay=0, nesterov=False, *, maximize=False"
)
_ADAM: Final = "params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay={}, amsgrad=False"

OPTIMIZERS: Final = (
    row(
        "sgd",
        f"torch.optim.SGD({_SGD.replace('lr,', 'lr=1e-3,')})",
        f"mindspore.experimental.optim.SGD({_SGD})",
        gives="optimizer",
    ),
    row(
        "adamw",
        f"torch.optim.AdamW({_ADAM.format('0.01')}, *, maximize=False)",
        f"mindspore.experimental.optim.AdamW({_ADAM.format('0.01')}, *, maximize=False)",
        gives="optimizer",
    ),
    # MindSpore's Adams put eps elsewhere and so step otherwise; its AdamW, without decay, does not.
    row(
        "adam",
        f"torch.optim.Adam({_ADAM.format('0')}, *, maximize=False)",
        f"mindspore.experimental.optim.AdamW({_ADAM.format('0.01')}, *, maximize=False)",
        fixed={"weight_decay": "0"},
        gives="optimizer",
        one_way="mindspore",
    ),
)

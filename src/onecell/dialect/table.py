"""The table: one row a framework. Where a row's facts are from stands above it.

Each row has been run against its framework, but those that say "read".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from onecell.dialect.layout import CANONICAL, Layout
from onecell.dialect.row import Dialect
from onecell.gates import PARAMETERS

_SAME_NAMES: Final = {name: name for name in PARAMETERS}
_MODULES: Final = "l{layer}{reverse}.{name}"
"""How the layers of another framework's stack are called where this one has a module for each."""

TORCH: Final = Dialect(
    name="torch",
    cell="torch.nn.LSTMCell",
    sequence="torch.nn.LSTM",
    onecell="onecell.torch.LSTMCell",
    constructor={
        "input_size": "input_size",
        "hidden_size": "hidden_size",
        "bias": "bias",
        "device": "device",
        "dtype": "dtype",
    },
    call={"x": "input", "state": "hx"},
    state="hc",
    default_state="zeros",
    parameters=_SAME_NAMES,
    layout=CANONICAL,
    projection="weight_hr",
    formats=("pt",),
    suffix=".pt",
    metadata_format="pt",
    optimizer="groups",
)

MINDSPORE: Final = Dialect(
    name="mindspore",
    cell="mindspore.nn.LSTMCell",
    sequence="mindspore.nn.LSTM",
    onecell="onecell.mindspore.LSTMCell",
    constructor={
        "input_size": "input_size",
        "hidden_size": "hidden_size",
        "bias": "has_bias",
        "dtype": "dtype",
    },
    call={"x": "x", "state": "hx"},
    state="hc",
    default_state="required",
    parameters=_SAME_NAMES,
    layout=CANONICAL,
    projection="weight_hr",
    formats=("ckpt",),
    suffix=".ckpt",
    metadata_format="ms",
    optimizer="slots",
)

# The canonical arrays under their canonical names, as `Weights.arrays()` has them.
_NUMPY: Final = Dialect(
    name="numpy",
    cell="onecell.LSTMCell",
    sequence="onecell.LSTMCell",
    state="hc",
    parameters=_SAME_NAMES,
    layout=CANONICAL,
    suffix=".npz",
)

# The forget gate's bias of 1 is put into `bias` when it is made, and is not added again.
_KERAS: Final = Dialect(
    name="keras",
    cell="keras.layers.LSTMCell",
    sequence="keras.layers.LSTM",
    state="hc",
    default_state="required",
    parameters={"weight_ih": "kernel", "weight_hh": "recurrent_kernel", "bias": "bias"},
    layout=Layout("ifgo", gates_first=False, biases=1),
    layer_form="l{layer}{reverse}.cell.{name}",
    both_forms=("forward_layer.cell.{name}", "backward_layer.cell.{name}"),
    formats=("keras", "h5"),
    suffix=".weights.h5",
    optimizer="nested",
    common=frozenset({"kernel", "bias"}),
)

# BasicLSTMCell, LSTMCell and LSTMBlockCell of TensorFlow 1: i, j, f, o; `forget_bias` is 1 unless
# the constructor is told otherwise.
_TENSORFLOW: Final = Dialect(
    name="tensorflow",
    cell="tf.compat.v1.nn.rnn_cell.LSTMCell",
    sequence="tf.compat.v1.nn.dynamic_rnn",
    state="ch",
    default_state="required",
    parameters={"weight": "kernel", "bias": "bias"},
    layout=Layout(
        "igfo", gates_first=False, biases=1, joined=True, forget_offset=1.0, always_bias=True
    ),
    layer_form="cell_{layer}{reverse}.{name}",
    formats=("tf",),
    suffix=".index",
    optimizer="nested",
    owner="lstm",
    forget_told=True,
)

# Its cells have no switch for biases.
_FLAX_LAYOUT: Final = Layout("ifgo", gates_first=False, biases=1, per_gate=True, always_bias=True)

# linen: LSTMCell and OptimizedLSTMCell alike; the layers of the hidden state have the bias.
_FLAX: Final = Dialect(
    name="flax",
    cell="flax.linen.LSTMCell",
    sequence="flax.linen.RNN",
    state="ch",
    default_state="required",
    parameters={
        "weight_ih": "i{gate}.kernel",
        "weight_hh": "h{gate}.kernel",
        "bias": "h{gate}.bias",
    },
    layout=_FLAX_LAYOUT,
    layer_form=_MODULES,
    formats=("msgpack",),
    suffix=".msgpack",
)

# `if` is a word of Python's, and an attribute cannot be called so.
_FLAX_NNX: Final = Dialect(
    name="flax-nnx",
    cell="flax.nnx.LSTMCell",
    sequence="flax.nnx.RNN",
    state="ch",
    default_state="required",
    parameters={
        "weight_ih": "i{gate}.kernel",
        "weight_ih.f": "if_.kernel",
        "weight_hh": "h{gate}.kernel",
        "bias": "h{gate}.bias",
    },
    layout=_FLAX_LAYOUT,
    layer_form=_MODULES,
)

_FLAX_NNX_OPTIMIZED: Final = Dialect(
    name="flax-nnx-optimized",
    cell="flax.nnx.OptimizedLSTMCell",
    sequence="flax.nnx.RNN",
    state="ch",
    default_state="required",
    parameters={
        "weight_ih": "dense_i.kernel",
        "weight_hh": "dense_h.kernel",
        "bias": "dense_h.bias",
    },
    layout=Layout("ifgo", gates_first=False, biases=1, always_bias=True),
    layer_form=_MODULES,
)

# Its call adds 1, a number in its source that nobody can change.
_HAIKU: Final = Dialect(
    name="haiku",
    cell="haiku.LSTM",
    sequence="haiku.dynamic_unroll",
    state="hc",
    default_state="required",
    parameters={"weight": "linear.w", "bias": "linear.b"},
    layout=Layout(
        "igfo", gates_first=False, biases=1, joined=True, forget_offset=1.0, always_bias=True
    ),
    layer_form=_MODULES,
    suffix=".npz",
    owner="lstm",
)

_EQUINOX: Final = Dialect(
    name="equinox",
    cell="equinox.nn.LSTMCell",
    sequence="jax.lax.scan",
    state="hc",
    default_state="required",
    parameters={"weight_ih": "weight_ih", "weight_hh": "weight_hh", "bias": "bias"},
    layout=Layout("ifgo", gates_first=True, biases=1),
    layer_form=_MODULES,
    formats=("eqx",),
    suffix=".eqx",
    common=frozenset({"bias"}),
)

# A cell that is made without biases keeps zeros, which it does not train.
_PADDLE: Final = Dialect(
    name="paddle",
    cell="paddle.nn.LSTMCell",
    sequence="paddle.nn.LSTM",
    state="hc",
    parameters=_SAME_NAMES,
    layout=replace(CANONICAL, always_bias=True),
    projection="weight_ho",
    formats=("pdparams",),
    suffix=".pdparams",
)

# An operator's inputs have no names of their own: these are what the operator's page calls them.
_ONNX: Final = Dialect(
    name="onnx",
    cell="ai.onnx.LSTM",
    sequence="ai.onnx.LSTM",
    state="hc",
    parameters={"weight_ih": "W", "weight_hh": "R", "bias": "B"},
    layout=Layout("iofg", gates_first=True, biases=2, halves=True, directions=True),
    layer_form=_MODULES,
    reverse_forms=("", ""),
    formats=("onnx",),
    suffix=".onnx",
    common=frozenset({"W", "B"}),
)

_OPENVINO: Final = Dialect(
    name="openvino",
    cell="openvino.opset.lstm_cell",
    sequence="openvino.opset.lstm_sequence",
    state="hc",
    default_state="required",
    parameters={"weight_ih": "W", "weight_hh": "R", "bias": "B"},
    layout=Layout("figo", gates_first=True, biases=1, directions=True, always_bias=True),
    layer_form=_MODULES,
    reverse_forms=("", ""),
    formats=("openvino",),
    suffix=".xml",
    common=frozenset({"W", "B"}),
)

_MLX: Final = Dialect(
    name="mlx",
    cell="mlx.nn.LSTM",
    sequence="mlx.nn.LSTM",
    state="hc",
    parameters={"weight_ih": "Wx", "weight_hh": "Wh", "bias": "bias"},
    layout=Layout("ifgo", gates_first=True, biases=1),
    metadata_format="mlx",
    layer_form=_MODULES,
    common=frozenset({"bias"}),
)

_TINYGRAD: Final = Dialect(
    name="tinygrad",
    cell="tinygrad.nn.LSTMCell",
    sequence="tinygrad.nn.LSTMCell",
    state="hc",
    parameters=_SAME_NAMES,
    layout=CANONICAL,
    layer_form=_MODULES,
)

# Its layers are Keras' layers, as its own exporter takes them from there.
_RTNEURAL: Final = Dialect(
    name="rtneural",
    cell="RTNeural::LSTMLayer",
    sequence="RTNeural::LSTMLayer",
    state="hc",
    parameters={"weight_ih": "kernel", "weight_hh": "recurrent_kernel", "bias": "bias"},
    layout=Layout("ifgo", gates_first=False, biases=1, always_bias=True),
    layer_form=_MODULES,
    formats=("rtneural",),
    suffix=".json",
    common=frozenset({"kernel", "bias"}),
)

# One matrix over the input and the state side by side, a row for each unit of each gate.
_NAM: Final = Dialect(
    name="nam",
    cell="nam::lstm::LSTMCell",
    sequence="nam::lstm::LSTM",
    state="hc",
    parameters={"weight": "weight", "bias": "bias"},
    layout=Layout("ifgo", gates_first=True, biases=1, joined=True, always_bias=True),
    layer_form="layers.{layer}{reverse}.{name}",
    reverse_forms=("", ""),
    formats=("nam",),
    suffix=".nam",
    owner="lstm",
)

# Of a program; in a network each gate has arrays of its own. Its page named another order: this is
# what coremltools makes of torch's, as there is no runtime but Apple's.
_COREML: Final = Dialect(
    name="coreml",
    cell="coremltools.converters.mil.Builder.lstm",
    sequence="coremltools.converters.mil.Builder.lstm",
    state="hc",
    parameters={"weight_ih": "weight_ih", "weight_hh": "weight_hh", "bias": "bias"},
    layout=Layout("ifog", gates_first=True, biases=1),
    layer_form="l{layer}{reverse}.{name}",
    common=frozenset({"bias"}),
    formats=("coreml",),
)

# Gluon's; a layer has `l` before the number of a forward layer, `r` before that of a backward one.
_MXNET: Final = Dialect(
    name="mxnet",
    cell="mxnet.gluon.rnn.LSTMCell",
    sequence="mxnet.gluon.rnn.LSTM",
    state="hc",
    parameters={
        "weight_ih": "i2h_weight",
        "weight_hh": "h2h_weight",
        "bias_ih": "i2h_bias",
        "bias_hh": "h2h_bias",
    },
    layout=CANONICAL,
    layer_form="{reverse}{layer}_{name}",
    reverse_forms=("l", "r"),
    projection="h2r_weight",
    formats=("mxnet",),
    suffix=".params",
)

# Read: crates/burn-nn/src/modules/rnn; its gates are named in words, each two layers of their own.
_BURN_GATES: Final = {"i": "input", "f": "forget", "g": "cell", "o": "output"}
_BURN_PIECES: Final = {
    "weight_ih": "input_transform.weight",
    "weight_hh": "hidden_transform.weight",
    "bias_ih": "input_transform.bias",
    "bias_hh": "hidden_transform.bias",
}
_BURN: Final = Dialect(
    name="burn",
    cell="burn::nn::Lstm",
    sequence="burn::nn::Lstm",
    state="ch",
    parameters={
        **{stem: f"{{gate}}_gate.{name}" for stem, name in _BURN_PIECES.items()},
        **{
            f"{stem}.{gate}": f"{word}_gate.{name}"
            for stem, name in _BURN_PIECES.items()
            for gate, word in _BURN_GATES.items()
        },
    },
    layout=Layout("ifgo", gates_first=False, biases=2, per_gate=True),
    layer_form=_MODULES,
    formats=("burnpack", "burn"),
    suffix=".bpk",
)

# haste_pytorch: the forget gate's bias of 1 is put into `bias` when it is made, as Keras does.
_HASTE: Final = Dialect(
    name="haste",
    cell="haste_pytorch.LSTM",
    sequence="haste_pytorch.LSTM",
    state="hc",
    parameters={"weight_ih": "kernel", "weight_hh": "recurrent_kernel", "bias": "bias"},
    layout=Layout("igfo", gates_first=False, biases=1, always_bias=True),
    layer_form=_MODULES,
    common=frozenset({"kernel", "bias"}),
    inside="torch",
    suffix=".pt",
)

DIALECTS: Final[Mapping[str, Dialect]] = {
    row.name: row
    for row in (
        TORCH,
        MINDSPORE,
        _KERAS,
        _TENSORFLOW,
        _FLAX,
        _FLAX_NNX,
        _FLAX_NNX_OPTIMIZED,
        _HAIKU,
        _EQUINOX,
        _PADDLE,
        _ONNX,
        _OPENVINO,
        _MLX,
        _TINYGRAD,
        _RTNEURAL,
        _NAM,
        _COREML,
        _MXNET,
        _BURN,
        _HASTE,
        _NUMPY,
    )
}
"""Every framework whose weights are read and written."""

FRONT_ENDS: Final[Mapping[str, Dialect]] = {
    name: row for name, row in DIALECTS.items() if row.onecell
}
"""Those of them that onecell has a front end for, and between which source code moves."""

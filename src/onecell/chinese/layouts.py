"""What another framework's layout or file cannot keep, and why an ONNX file is not read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TEXTS: Final[Mapping[str, str]] = {
    # Printed by the command line itself.
    "one": "一个",
    "ONNX (.onnx)": "ONNX（.onnx）",
    "TensorFlow's (.index, .data)": "TensorFlow 的（.index、.data）",
    "Orbax's folder": "Orbax 的文件夹",
    "OpenVINO (.xml, .bin)": "OpenVINO（.xml、.bin）",
    "not kept as it is, {loss}": "不能原样保留：{loss}",
    "no cell's, and {kind} holds nothing else": "不属于单元，而 {kind} 只保存单元",
    # What a cell loses in another layout.
    "{cell}: two biases become one, their sum, rounded to {dtype}; in training two move at twice "
    "the rate of one": (
        "{cell}：两个偏置合并为一个（两者之和，舍入到 {dtype}）；"
        "训练时两个偏置的更新速率是一个的两倍"
    ),
    "{cell}: the forget gate's bias is kept {size} {less}, which {framework} adds when it runs, "
    "rounded to {dtype}": (
        "{cell}：遗忘门的偏置存储时改变 {size}（{_less}），{framework} 运行时会加上，舍入到 {dtype}"
    ),
    "less": "减少",
    "more": "增加",
    "{cell}: it has no bias, and {framework}'s cell has: zeros": (
        "{cell}：它没有偏置，而 {framework} 的单元有：取零"
    ),
    "{path}: {loss}. To have it so, say --merge-biases.": (
        "{path}：{_loss}。若同意，请加 --merge-biases。"
    ),
    "{cell}: {dialect} has no backward direction; leave it out (--drop).": (
        "{cell}：{dialect} 没有反向；请将其舍去（--drop）。"
    ),
    "{cell}: {dialect} keeps both directions in one array, and there is no forward one of the same "
    "sizes and biases beside it.": (
        "{cell}：{dialect} 把两个方向存在一个数组里，而旁边没有尺寸和偏置相同的正向单元。"
    ),
    "{path}: it is {owner}'s, whose cell is not run here; a port is from or to {names}. Convert it "
    "first: `onecell convert`.": (
        "{path}：它属于 {owner}，这里不运行其单元；移植只在 {names} 之间进行。"
        "请先用 `onecell convert` 转换。"
    ),
    "--rename must be old=new, got {given}.": "--rename 必须写作 旧名=新名，却给了 {given}。",
    "nothing is called {name}; there is {names}.": "没有名为 {name} 的内容；现有 {names}。",
    "two tensors would have one name without {name}.": "去掉 {name} 之后会有两个同名的张量。",
    "`metadata` must be empty for .{kind}, got {names}; .safetensors, .ckpt and .npz have a place "
    "for it.": (
        "写 .{kind} 时 `metadata` 必须为空，却有 {names}；.safetensors、.ckpt 与 .npz 可以保存它。"
    ),
    "a .keras file has a model in it, which tensors alone do not tell; write .weights.h5 and load "
    "that with `model.load_weights`.": (
        ".keras 文件含有模型，只有张量写不出来；请写 .weights.h5，再用 `model.load_weights` 加载。"
    ),
    # What an ONNX file is said to hold.
    "runs backward over its sequence; the cell is the same": "沿序列反向运行；单元相同",
    "computes in 16 bits in Keras ({policy})": "在 Keras 中以 16 位计算（{policy}）",
    "begins with a state of its own, `{name}`": "以自己的状态 `{name}` 开始",
    "an LSTM perhaps, whose `{name}` a function is given": "也许是 LSTM，其 `{name}` 由函数给定",
    "an LSTM with {what}, no LSTM cell": "带 {what} 的 LSTM，不是 LSTM 单元",
    # Why an ONNX file is not read or written.
    "it is no ONNX model: it has no graph.": "它不是 ONNX 模型：没有图。",
    "its metadata says `{name}` twice.": "其元数据两次提到 `{name}`。",
    "its metadata is no text: {error}.": "其元数据不是文本：{error}。",
    "its graphs are nested deeper than {most}.": "其图的嵌套超过 {most} 层。",
    "a node has the attribute `{name}` twice.": "某个节点两次带有属性 `{name}`。",
    "the cells are {size} bytes, and an ONNX file has at most {most}.": (
        "各单元共 {size} 字节，而 ONNX 文件至多 {most} 字节。"
    ),
    "`{name}` is a layer; step form is that of a single cell.": (
        "`{name}` 是层；单步形式只用于单个单元。"
    ),
    "`{name}`: layer {one} takes {size} numbers and has H = {hidden}, and layer {other} gives "
    "{given}: they are no stack.": (
        "`{name}`：第 {one} 层接受 {size} 个数且 H = {hidden}，而第 {other} 层给出 {given} 个："
        "不能相叠。"
    ),
    "an ONNX file here has one element type, got {names}.": (
        "此处的 ONNX 文件只有一种数据类型，却有 {names}。"
    ),
    "the tensor `{name}` has numbers of another type than its.": "张量 `{name}` 的数与其类型不符。",
    "the tensor `{name}` has two contents.": "张量 `{name}` 有两份内容。",
    "the tensor `{name}` is cut off.": "张量 `{name}` 被截断。",
    "where a tensor is says `{name}` twice.": "张量的位置两次提到 `{name}`。",
    "`{name}` is to lie in {file}, and no such file is there.": (
        "`{name}` 应在 {file} 中，但没有这个文件。"
    ),
    "`{name}` is to lie in {file}, which is no path below the folder of the model.": (
        "`{name}` 应在 {file} 中，而它不是模型文件夹之下的路径。"
    ),
    "`{name}` is to lie in {file}, which leads out of the folder of the model.": (
        "`{name}` 应在 {file} 中，而它指向模型文件夹之外。"
    ),
    "`{name}` is to lie at bytes {start} to {stop} of {file}, which has {size}.": (
        "`{name}` 应在 {file} 的第 {start} 至 {stop} 字节，而该文件只有 {size} 字节。"
    ),
    "{place}, and no such file is there.": "{place}：没有这个文件。",
    "{place}, which is no path below the folder of the model.": (
        "{place}：不是模型文件夹之下的路径。"
    ),
    "{place}, which leads out of the folder of the model.": "{place}：指向模型文件夹之外。",
    "a tensor has more than {most} dimensions.": "某个张量超过 {most} 维。",
    "a tensor has more numbers than its shape, or a damaged one.": (
        "某个张量的数多于其形状，或形状已损坏。"
    ),
    "a tensor has its numbers apart; save it again with `onnx.save`.": (
        "某个张量的数分开存放；请用 `onnx.save` 重新保存。"
    ),
    "only LSTM cells can be written there, got {names} too.": (
        "那里只能写 LSTM 单元，却还有 {names}。"
    ),
    "there is no LSTM cell to be written.": "没有可写的 LSTM 单元。",
    "`{name}` is a cell and a layer at once.": "`{name}` 既是单元又是层。",
    "`{name}` has the layers {numbers} alone.": "`{name}` 只有第 {numbers} 层。",
    # Arrays that are no cell's.
    "`{name}` must have one or two directions, got shape {shape}.": (
        "`{name}` 必须有一个或两个方向，形状却是 {shape}。"
    ),
    "`{name}` must have a backward direction, got shape {shape}.": (
        "`{name}` 必须有反向的一份，形状却是 {shape}。"
    ),
    "`{name}` has one direction, of shape {shape}.": "`{name}` 只有一个方向，形状为 {shape}。",
    "`{name}` must have one shape for every gate, got {shapes}.": (
        "`{name}` 各门的形状必须相同，却有 {shapes}。"
    ),
    "`{name}` must have one element type for every gate, got {kinds}.": (
        "`{name}` 各门的数据类型必须相同，却有 {kinds}。"
    ),
    "`{name}` must have 8H elements, got {size}.": "`{name}` 必须有 8H 个元素，却有 {size} 个。",
    "`{name}` must have 4H by I+H elements with I ≥ 1 and H ≥ 1, got {shape}.": (
        "`{name}` 必须为 4H × (I+H) 个元素，且 I ≥ 1、H ≥ 1，形状却是 {shape}。"
    ),
    "a gate axis of {size} is not four equal blocks (`{name}`).": (
        "长度为 {size} 的门轴不能分成四个相等的块（`{name}`）。"
    ),
}

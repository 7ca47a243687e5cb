"""Why a file of another framework than torch and MindSpore is not read or written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TEXTS: Final[Mapping[str, str]] = {
    "Keras's HDF5 (.h5)": "Keras 的 HDF5（.h5）",
    "Keras's model (.keras)": "Keras 的模型（.keras）",
    "Flax's msgpack": "Flax 的 msgpack",
    "Core ML's (.mlmodel, .mlpackage)": "Core ML 的（.mlmodel、.mlpackage）",
    "MXNet's (.params)": "MXNet 的（.params）",
    "Burn's (.bpk)": "Burn 的（.bpk）",
    "Burn's record (.mpk)": "Burn 的记录（.mpk）",
    "Neural Amp Modeler's (.nam)": "Neural Amp Modeler 的（.nam）",
    "RTNeural's (.json)": "RTNeural 的（.json）",
    "weights of a layer {kind}": "{kind} 层的权重",
    "the configuration": "配置",
    "the weights": "权重",
    # Keras.
    "`{name}` is nested without end.": "`{name}` 的嵌套没有尽头。",
    "`{name}` is kept in another file.": "`{name}` 存放在另一个文件中。",
    "`{name}` is a link that leads elsewhere.": "`{name}` 是指向别处的链接。",
    "`{name}` is compressed or filtered; {advice}.": "`{name}` 经过压缩或过滤；{_advice}。",
    "save it again with `model.save_weights`": "请用 `model.save_weights` 重新保存",
    "HDF5 has no such name as {name}.": "HDF5 没有 {name} 这样的名称。",
    "two tensors would be called `{name}`.": "两个张量都将名为 `{name}`。",
    "its HDF5 is damaged: {error}.": "其 HDF5 已损坏：{error}。",
    "`{name}` holds {kind}, which HDF5 does not have.": "`{name}` 含有 HDF5 没有的类型 {kind}。",
    # JSON.
    "a whole number of {size} digits is none here.": "此处没有 {size} 位的整数。",
    "{what} is nested deeper than {most}.": "{_what}的嵌套超过 {most} 层。",
    "{what} is no JSON: {error}.": "{_what}不是 JSON：{error}。",
    "it is no LSTM of Neural Amp Modeler's, but {kind}.": (
        "它不是 Neural Amp Modeler 的 LSTM，而是 {kind}。"
    ),
    "it has {size} weights, and its sizes ask for {want}.": (
        "它有 {size} 个权重，而按其尺寸应有 {want} 个。"
    ),
    "its config has no {names} of at least 1.": "其配置中没有不小于 1 的 {names}。",
    "a .nam file holds one LSTM, got {names}; choose one (--only).": (
        "一个 .nam 文件只有一个 LSTM，却有 {names}；请选择其一（--only）。"
    ),
    "`{name}` must have {size} numbers, got {given}.": (
        "`{name}` 必须有 {size} 个数，却有 {given} 个。"
    ),
    "the numbers of this format are float32, and float64 would be rounded.": (
        "此格式的数为 float32，float64 会被舍入。"
    ),
    "JSON has no NaN and no infinity.": "JSON 没有 NaN，也没有无穷大。",
    "{what} must be a list of numbers.": "{_what}必须是数的列表。",
    "{what} has a number that float32 does not hold.": "{_what}中有 float32 容纳不下的数。",
    "{what} must be rows of one length.": "{_what}的各行长度必须相同。",
    "{what} must be numbers.": "{_what}必须是数。",
    "layer {number} of `{name}` has not the sizes of a stack.": (
        "`{name}` 的第 {number} 层尺寸不符，不能相叠。"
    ),
    'it is no model in RTNeural\'s JSON, {{"in_shape": …, "layers": […]}}.': (
        '它不是 RTNeural 的 JSON 模型：{{"in_shape": …, "layers": […]}}。'
    ),
    "the layer {number} has no list of weights.": "第 {number} 层没有权重的列表。",
    "its layer {number} is no object.": "其第 {number} 层不是对象。",
    "layer {number} of `{name}` does not take {size} numbers.": (
        "`{name}` 的第 {number} 层不接受 {size} 个数。"
    ),
    "a model of RTNeural's is layer after layer, forward; got {names}; choose one (--only).": (
        "RTNeural 的模型逐层向前；却有 {names}；请选择其一（--only）。"
    ),
    # msgpack.
    "it has the byte {byte}, which begins nothing.": "它含有字节 {byte}，不是任何内容的开头。",
    "it is not one map, as Flax writes it.": "它不是 Flax 所写的单个映射。",
    "`{name}` lies in pieces, more than {most} bytes of it.": (
        "`{name}` 分块存放，超过 {most} 字节。"
    ),
    "the array `{name}` is damaged.": "数组 `{name}` 已损坏。",
    "an array in it is damaged.": "其中某个数组已损坏。",
    "it is cut off at byte {place}.": "它在第 {place} 字节处被截断。",
    "it is nested deeper than {most}.": "其嵌套超过 {most} 层。",
    "it has an extension of type {kind}, which Flax does not write.": (
        "它含有 Flax 不会写出的扩展类型 {kind}。"
    ),
    "`{name}` has more than {most} bytes.": "`{name}` 超过 {most} 字节。",
    "`{name}` is a tensor, and others lie below it.": "`{name}` 是张量，其下却还有别的张量。",
    "`{name}` lies below what is a tensor itself.": "`{name}` 位于某个张量之下。",
    "`{name}` must have 1 to {most} parts between its dots, none of them empty.": (
        "`{name}` 以点分隔的部分必须为 1 到 {most} 个，且都不为空。"
    ),
    "a key is a {kind}, not text.": "某个键是 {kind}，不是文本。",
    "a text at byte {place} is none: {error}.": "第 {place} 字节处的文本无效：{error}。",
}

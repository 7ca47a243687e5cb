"""Why a program of torch's, or a tree of arrays of another framework's, is not read or written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TEXTS: Final[Mapping[str, str]] = {
    # TorchScript.
    "a state dict in JSON": "JSON 中的 state_dict",
    "TorchScript's archive": "TorchScript 归档",
    "it has the constants of a TorchScript program, but no module.": (
        "它有 TorchScript 程序的常量，却没有模块。"
    ),
    "its `{name}` holds no list of constants.": "其 `{name}` 中没有常量的列表。",
    "it asks to set the state of an object twice.": "它要求两次设置某个对象的状态。",
    "a file beside the program": "程序旁边的文件",
    "an enumeration's value": "枚举值",
    "a tensor that is sparse": "稀疏张量",
    "a tensor that is quantized": "量化的张量",
    # Equinox.
    "Equinox's (.eqx)": "Equinox 的（.eqx）",
    "told by the shapes of arrays in sequence, as the file has no names": (
        "文件中没有名称，由依次排列的数组的形状判断"
    ),
    "told by the shapes of two matrices, as the file has no names: without a bias they may be "
    "something else": "文件中没有名称，由两个矩阵的形状判断：没有偏置，也可能是别的内容",
    "`{name}` is an array of records.": "`{name}` 是记录的数组。",
    "its first line has no end within {most} bytes.": "其首行在 {most} 字节内没有结束。",
    "the line before the arrays": "数组之前的一行",
    "`{name}` must be one line of JSON, got `{line}`.": ("`{name}` 应为一行 JSON，实为 `{line}`。"),
    # Paddle.
    "Paddle's (.pdparams)": "Paddle 的（.pdparams）",
    "its table of slices is {value}.": "其切片表是 {value}。",
    "its table of slices is damaged at {name}.": "其切片表在 {name} 处损坏。",
    "the slice `{name}` is not there, or used twice.": "切片 `{name}` 不存在，或被用了两次。",
    "`{name}` has a slice twice.": "`{name}` 有一个切片出现两次。",
    "the slices of `{name}` do not make its shape {shape}.": (
        "`{name}` 的切片拼不成其形状 {shape}。"
    ),
    "`{name}` holds {kind}, which Paddle does not have.": (
        "`{name}` 含有 Paddle 没有的类型 {kind}。"
    ),
    "it is an optimizer's state of Paddle's, which only Paddle can use; give the .pdparams beside "
    "it.": "它是 Paddle 优化器的状态，只有 Paddle 能用；请传入旁边的 .pdparams。",
    "Paddle's program for inference (.pdiparams)": "Paddle 的推理程序（.pdiparams）",
    "it is a program of Paddle's without its arrays; give the .pdiparams beside it.": (
        "它是 Paddle 的程序，其中没有数组；请传入旁边的 .pdiparams。"
    ),
    "its program names `{name}`, which is not there.": "其程序提到 `{name}`，而它不存在。",
    "its program names {count} arrays, and more are there.": (
        "其程序提到 {count} 个数组，实际不止这些。"
    ),
    "its arrays have no names of their own, and no program lies beside it that names them, "
    "{name}.json or .pdmodel.": (
        "其数组没有自己的名称，旁边也没有给出名称的程序 {name}.json 或 .pdmodel。"
    ),
    "the program": "程序",
    "the program beside it is none of Paddle's.": "旁边的程序不是 Paddle 的。",
    "`{name}` is a sequence of several levels, no parameter.": "`{name}` 是多层序列，不是参数。",
    "`{name}` has no description that is known here.": "`{name}` 没有这里认识的描述。",
    "`{name}` holds a type that is not known here, {kind}.": (
        "`{name}` 含有这里不认识的类型 {kind}。"
    ),
    # Pickles of arrays.
    "a pickle of arrays": "数组的 pickle",
    "`{name}` lies in the storage `{storage}`, which is in no pickle.": (
        "`{name}` 位于存储区 `{storage}`，而它不在任何 pickle 中。"
    ),
    # torch.export.
    "torch.export's archive (.pt2)": "torch.export 的归档（.pt2）",
    "a pickled object": "pickle 化的对象",
    "a tensor of a type that NumPy does not have": "NumPy 没有的类型的张量",
    "it holds {why}; save the program with `torch.export.save`.": (
        "其中只有{_why}；请用 `torch.export.save` 保存程序。"
    ),
    "machine code that AOTInductor has made": "AOTInductor 生成的机器码",
    "none of its weights": "程序而没有权重",
    "it is a package of `torch.package`, whose objects are made by running code inside it. Load "
    "it with `torch.package.PackageImporter`, if you trust it, and save the `state_dict()` of its "
    "model with `torch.save`.": (
        "它是 `torch.package` 的包，其中的对象要运行包内的代码才能得到。若可信，请用 "
        "`torch.package.PackageImporter` 加载，再用 `torch.save` 保存其中模型的 `state_dict()`。"
    ),
    "`{name}` in it: {error}": "其中的 `{name}`：{_error}",
    "`{name}` describes no tensors.": "`{name}` 没有描述张量。",
    "`{config}` does not say what `{name}` is.": "`{config}` 没有说明 `{name}` 是什么。",
    "a tensor that is on device meta: it has no data": "位于 meta 设备、没有数据的张量",
    "a tensor that is a lazy conjugate or negative": "尚未求值的共轭或负张量",
    "tensors that torch.jit.freeze has put into the code, without names": (
        "由 torch.jit.freeze 放进代码的张量，没有名称"
    ),
}

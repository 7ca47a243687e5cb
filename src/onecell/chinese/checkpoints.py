"""Why a checkpoint is not read or not written; most of these follow the file's name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TEXTS: Final[Mapping[str, str]] = {
    # Any file.
    "it begins with {start}, which none of {formats} does.": (
        "它以 {start} 开头，{_formats} 都不是这样。"
    ),
    "it is text, and no checkpoint: it begins with `{start}`.": (
        "它是文本，不是检查点：它以 `{start}` 开头。"
    ),
    "it is a pointer of Git LFS, not the file itself, which `git lfs pull` loads.": (
        "它是 Git LFS 的指针，不是文件本身；用 `git lfs pull` 下载文件。"
    ),
    ".pt, .pth, .safetensors, .ckpt (MindSpore) and .npz": (
        ".pt、.pth、.safetensors、.ckpt（MindSpore）与 .npz"
    ),
    "it is a device or a pipe, not a file.": "它是设备或管道，不是文件。",
    "it is a folder, not a file.": "它是文件夹，不是文件。",
    "it is a folder; give the index in it, {names}.": "它是文件夹；请给出其中的索引 {names}。",
    "`{name}` is no file.": "`{name}` 不是文件。",
    "it is empty.": "它是空的。",
    "it is empty, although it is said to have {size} bytes.": "它是空的，虽然据称有 {size} 字节。",
    "cannot be read: {error}.": "无法读取：{error}。",
    "cannot be read: {error}": "无法读取：{error}",
    "it is encrypted by MindSpore ({mode}). Load it there with `dec_key` and save it without "
    "`enc_key`.": (
        "它由 MindSpore 加密（{mode}）。请在 MindSpore 中用 `dec_key` 加载，再不带 `enc_key` 保存。"
    ),
    "it holds text that is none: {error}": "其中有不是文本的文本：{error}",
    "it holds `{name}` twice.": "其中 `{name}` 出现两次。",
    "two tensors would be called `{name}` in the new checkpoint.": (
        "新检查点中会有两个名为 `{name}` 的张量。"
    ),
    "{what} must be a string, got a {kind}.": "{what} 必须是字符串，却是 {kind}。",
    "{what} must be valid Unicode text, got {text}.": (
        "{what} 必须是有效的 Unicode 文本，却是 {text}。"
    ),
    "{what} must not contain a NUL character, got {text}.": (
        "{what} 不能含有 NUL 字符，却是 {text}。"
    ),
    "`{name}` is a name of {size} bytes, and .{format} files have names of at most {longest}.": (
        "`{name}` 这一名称有 {size} 字节，而 .{format} 文件的名称至多 {longest} 字节。"
    ),
    "`{name}` holds {kind}; a checkpoint can hold {names}.": (
        "`{name}` 含有{_kind}；检查点只能保存 {names}。"
    ),
    "`{name}` must have at most {most} dimensions, got {given}.": (
        "`{name}` 至多 {most} 维，却有 {given} 维。"
    ),
    "`{name}` has {given} dimensions; at most {most} are possible.": (
        "`{name}` 有 {given} 维；至多允许 {most} 维。"
    ),
    "`{name}` has more than {most} dimensions.": "`{name}` 超过 {most} 维。",
    "`{name}` has the impossible shape {shape}.": "`{name}` 的形状 {shape} 不可能存在。",
    "`{name}` has an impossible shape.": "`{name}` 的形状不可能存在。",
    "`{name}` has shape {shape}, more than memory can address.": (
        "`{name}` 的形状为 {shape}，超出内存可寻址的范围。"
    ),
    "{whose} needs {size} bytes of memory, and a file of {file} bytes may unfold to {limit} in "
    "all. If you trust it, {advice}.": (
        "{whose} 需要 {size} 字节内存，而 {file} 字节的文件总共至多展开到 {limit} 字节。"
        "若信任此文件：{_advice}。"
    ),
    "save it again uncompressed and with every tensor contiguous (torch: `tensor.clone()`, NumPy: "
    "`np.savez`)": (
        "请不压缩、并使每个张量连续地重新保存（torch：`tensor.clone()`，NumPy：`np.savez`）"
    ),
    "keep its plain values in another file": "请把其中的普通值存到另一个文件",
    "keep in it only tensors and a few plain values, and large tables in another file": (
        "请只在其中保留张量和少量普通值，把大表存到另一个文件"
    ),
    "{whose} is cut off: {done} of {size} bytes are there.": (
        "{whose} 被截断：{size} 字节中只有 {done} 字节。"
    ),
    "{what} is damaged or cut off at byte {position}.": (
        "{what} 在第 {position} 字节处损坏或被截断。"
    ),
    "{what} is damaged: {error}.": "{what} 已损坏：{error}。",
    "it is damaged: its checksum is {checksum}, not {stored}.": (
        "它已损坏：校验和为 {checksum}，而不是 {stored}。"
    ),
    # Writing.
    "`dialect` is {row}, and only {owner} reads the format {format}; write .safetensors or .npz "
    "instead.": (
        "`dialect` 为 {row}，而只有 {owner} 读取 {format} 格式；请改写 .safetensors 或 .npz。"
    ),
    "`metadata` must be empty for .pt, got {names}; .safetensors, .ckpt and .npz have a place for "
    "it.": "写 .pt 时 `metadata` 必须为空，却有 {names}；.safetensors、.ckpt 与 .npz 可以保存它。",
    "`metadata` of a safetensors file cannot have the name `{name}`: it means something else "
    "there.": "safetensors 文件的 `metadata` 不能有名称 `{name}`：它在那里另有含义。",
    "`tensors` must not be empty: a .ckpt file of nothing is no file.": (
        "`tensors` 不能为空：没有内容的 .ckpt 不成文件。"
    ),
    "`{name}` names a tensor and metadata, which {path} cannot tell.": (
        "`{name}` 既是张量又是元数据的名称，{path} 无法区分。"
    ),
    "`{name}` holds {kind}, which MindSpore cannot load from .ckpt.": (
        "`{name}` 的类型是 {kind}，MindSpore 无法从 .ckpt 加载。"
    ),
    "`{name}` has shape (0,), which MindSpore reads as a scalar from .ckpt; write .safetensors "
    "instead, or leave it out.": (
        "`{name}` 的形状为 (0,)，MindSpore 会把 .ckpt 中的它读成标量；请改写 .safetensors，"
        "或略去它。"
    ),
    "`{name}`, the last tensor, ends in bytes that MindSpore takes for a checksum; write another "
    "tensor last.": "最后一个张量 `{name}` 的末尾会被 MindSpore 当作校验和；请让别的张量排在最后。",
    "the names and `metadata` take {size} bytes, and the header of a safetensors file may have "
    "{most}; leave the largest out.": (
        "名称与 `metadata` 占 {size} 字节，而 safetensors 文件头至多 {most} 字节；请略去最大的。"
    ),
    "no tensor can be called `{name}` in a safetensors file.": (
        "safetensors 文件中的张量不能名为 `{name}`。"
    ),
    "`{name}` holds {kind}, which safetensors does not have.": (
        "`{name}` 的类型是 {kind}，safetensors 没有这种类型。"
    ),
    # torch.distributed.checkpoint.
    "`{file}`: {why}": "`{file}`：{_why}",
    "`{name}` in `{file}`: {why}": "`{file}` 中的 `{name}`：{_why}",
    "`{name}` has the impossible size or offset {value}.": (
        "`{name}` 的大小或偏移 {value} 不可能存在。"
    ),
    "`{file}` is no index of a torch.distributed.checkpoint.": (
        "`{file}` 不是 torch.distributed.checkpoint 的索引。"
    ),
    "{what} is {node}, not what torch.distributed.checkpoint has.": (
        "{what} 是 {node}，与 torch.distributed.checkpoint 不符。"
    ),
    "`{file}` does not say where its tensors lie.": "`{file}` 没有说明张量在何处。",
    "`{file}` does not say where `{name}`{part} lies.": "`{file}` 没有说明 `{name}`{_part}在何处。",
    " at {offset}": "的 {offset} 处",
    "`{name}` has no parts.": "`{name}` 没有任何部分。",
    "the parts of `{name}` are not its size {size}.": "`{name}` 各部分合起来与其大小 {size} 不符。",
    "`{file}` has the name {name}, twice or without text.": (
        "`{file}` 中的名称 {name} 出现两次或不是文本。"
    ),
    "`{file}` has a place for {name}.": "`{file}` 中有 {name} 的位置。",
    "`{name}` is stored changed ({how}); load it in torch and save it without extensions.": (
        "`{name}` 以变换后的形式存储（{how}）；请在 torch 中加载，再不用扩展保存。"
    ),
    "`{name}` lies in {file}, and no such file is there.": (
        "`{name}` 应在 {file} 中，但没有这个文件。"
    ),
    "`{name}` has the impossible place {place}.": "`{name}` 的位置 {place} 不可能存在。",
    "`{name}` ends at byte {end} of `{file}`, which has {size}.": (
        "`{name}` 在 `{file}` 中结束于第 {end} 字节，而该文件只有 {size} 字节。"
    ),
    "parts of `{name}` overlap.": "`{name}` 中有重叠的部分。",
    "`{name}` of size {size} has a part of size {part} at {offset}.": (
        "大小为 {size} 的 `{name}` 在 {offset} 处有大小为 {part} 的部分。"
    ),
    "`{name}` of size {size} at {offset} is no tensor there.": (
        "`{name}` 在 {offset} 处应为大小 {size} 的部分，那里却不是张量。"
    ),
    "`{name}` of size {size} at {offset} is one of size {shape} there.": (
        "`{name}` 在 {offset} 处应为大小 {size} 的部分，那里的大小却是 {shape}。"
    ),
    "the parts of `{name}` overlap or differ in type.": "`{name}` 的各部分重叠，或类型不同。",
    # MindSpore.
    "it has a field {number} where MindSpore writes only values.": (
        "MindSpore 只写值的地方却有字段 {number}。"
    ),
    "a value at byte {start} has no tag.": "第 {start} 字节处的值没有标签。",
    "a value at byte {start} is damaged.": "第 {start} 字节处的值已损坏。",
    "`{name}` is a MapParameter, which has no array.": "`{name}` 是 MapParameter，没有数组。",
    "`{name}` has no tensor.": "`{name}` 没有张量。",
    "`{name}` has no type or no content.": "`{name}` 没有类型或没有内容。",
    "`{name}` holds {kind}, which NumPy does not have; save it as another type.": (
        "`{name}` 的类型是 {kind}，NumPy 没有这种类型；请存成别的类型。"
    ),
    "`{name}` holds {kind}, which NumPy does not have.": (
        "`{name}` 的类型是 {kind}，NumPy 没有这种类型。"
    ),
    "`{name}` of shape {shape} and type {kind} is {size} bytes, and {there} are there.": (
        "形状 {shape}、类型 {kind} 的 `{name}` 应有 {size} 字节，实有 {there} 字节。"
    ),
    "`{name}` of shape {shape} is {size} bytes, and {there} are there.": (
        "形状 {shape} 的 `{name}` 应有 {size} 字节，实有 {there} 字节。"
    ),
    "`{name}` of shape {shape} and type {kind} is {size} bytes, and its place in the file has "
    "{there}.": (
        "形状 {shape}、类型 {kind} 的 `{name}` 应有 {size} 字节，文件中的位置却有 {there} 字节。"
    ),
    "the slices of `{name}` differ in shape or type.": "`{name}` 各片的形状或类型不同。",
    "the text `{name}` is damaged: {error}.": "文本 `{name}` 已损坏：{error}。",
    "`{name}` is damaged: field {number} of its tensor.": (
        "`{name}` 已损坏：其张量的字段 {number}。"
    ),
    "a name at byte {start} has {size} bytes, more than {most}.": (
        "第 {start} 字节处的名称有 {size} 字节，超过 {most}。"
    ),
    "a name at byte {start} is not text: {error}.": "第 {start} 字节处的名称不是文本：{error}。",
    # NumPy.
    "it is a Keras model (.keras). Save its arrays with {code}.": (
        "它是 Keras 模型（.keras）。请用 {code} 保存其中的数组。"
    ),
    "it is a zip file, but neither torch's, which holds `data.pkl`, nor NumPy's, which holds .npy; "
    "it holds {names}.": (
        "它是 zip 文件，但既不是 torch 的（含有 `data.pkl`），也不是 NumPy 的（含有 .npy）；"
        "其中有 {names}。"
    ),
    "{shown} is not an array in NumPy's format 1.0 or 2.0.": (
        "{shown} 不是 NumPy 1.0 或 2.0 格式的数组。"
    ),
    "{shown} has a header of {size} bytes; at most {most} are read.": (
        "{shown} 的文件头有 {size} 字节；至多读取 {most} 字节。"
    ),
    "{shown} has no plain array header, but `{came}`.": (
        "{shown} 的文件头不是普通数组，而是 `{came}`。"
    ),
    "{shown} of shape {shape} and type {kind} is {size} bytes, and {there} are there.": (
        "形状 {shape}、类型 {kind} 的 {shown} 应有 {size} 字节，实有 {there} 字节。"
    ),
    "{shown} holds pickled objects, which are never read.": "{shown} 含有 pickle 对象，从不读取。",
    "{shown} has the impossible shape ({shape}).": "{shown} 的形状 ({shape}) 不可能存在。",
    "`{name}` has the unknown element type {kind}.": "`{name}` 的数据类型 {kind} 未知。",
    # safetensors.
    "its header claims {size} bytes; at most {most} are allowed.": (
        "其文件头自称 {size} 字节；至多允许 {most} 字节。"
    ),
    "its header claims {size} bytes and the file ends before.": (
        "其文件头自称 {size} 字节，而文件在此之前结束。"
    ),
    "its tensors are {size} bytes, and {there} are there.": (
        "其张量应有 {size} 字节，实有 {there} 字节。"
    ),
    "`{name}` at bytes {start} to {end} overlaps the one before.": (
        "`{name}`（第 {start} 至 {end} 字节）与前一个重叠。"
    ),
    "`{name}` at bytes {start} to {end} leaves a hole.": (
        "`{name}`（第 {start} 至 {end} 字节）之前有空洞。"
    ),
    "its header begins with {first}, not with '{{'.": "其文件头以 {first} 开头，而不是 '{{'。",
    "its header must give `{name}` dtype, shape and two data_offsets.": (
        "其文件头必须给出 `{name}` 的 dtype、shape 和两个 data_offsets。"
    ),
    "its header names `{name}` twice.": "其文件头两次提到 `{name}`。",
    "its header is not UTF-8 text: {error}.": "其文件头不是 UTF-8 文本：{error}。",
    "its header gives `{name}` a field `{field}`.": "其文件头给了 `{name}` 一个字段 `{field}`。",
    "its header has {came} at {place}, where {what} must be.": (
        "其文件头在 {place} 处是 {came}，那里应为{_what}。"
    ),
    "a list of at most {most}": "至多 {most} 项的列表",
    "a string with valid escapes": "转义有效的字符串",
    "a string": "字符串",
    "the end": "结尾",
    "an integer from 0 to 2^63": " 0 至 2^63 的整数",
    # Several files.
    "it is one part of a torch.distributed.checkpoint, which is a folder. {hint}.": (
        "它是 torch.distributed.checkpoint 的一部分，后者是文件夹。{_hint}。"
    ),
    "Give the folder, in which `.metadata` says what lies where": (
        "请给出文件夹，其中的 `.metadata` 说明各部分在何处"
    ),
    "it is shard {number} of {all} of a checkpoint, and half a model looks like a whole. Give the "
    "index, `{name}`, which {there}.": (
        "它是检查点的第 {number} 片（共 {all} 片），而半个模型看起来像一整个。"
        "请给出索引 `{name}`（{_there}）。"
    ),
    "is there": "在那里",
    "belongs to it": "与它同属",
    "it is one of {all} shards of a checkpoint, and half a model looks like a whole. Give the "
    "index, `{name}`.": (
        "它是检查点的 {all} 片之一，而半个模型看起来像一整个。请给出索引 `{name}`。"
    ),
    "its files are not of one kind: {one} and {other}.": "其各文件种类不一：{one} 与 {other}。",
    "an index of more than {most} bytes is not read.": "超过 {most} 字节的索引不读取。",
    'it is no index, {{"weight_map": {{tensor: file}}}}: it is nested more.': (
        '它不是索引 {{"weight_map": {{tensor: file}}}}：嵌套更深。'
    ),
    'it is no index, {{"weight_map": {{tensor: file}}}}.': (
        '它不是索引 {{"weight_map": {{tensor: file}}}}。'
    ),
    "it names `{name}` twice.": "它两次提到 `{name}`。",
    "`{name}` is not in `{file}`, as it says.": "`{name}` 不在 `{file}` 中，与它所说不符。",
    "`{file}` holds {names}, which it does not list there.": (
        "`{file}` 含有 {names}，而它没有列出。"
    ),
    "it is no UTF-8 text: {error}.": "它不是 UTF-8 文本：{error}。",
    "it is no index in JSON: {error}.": "它不是 JSON 索引：{error}。",
    "it says that `{name}` lies in {file}, which is no file beside it.": (
        "它说 `{name}` 在 {file} 中，而旁边没有这个文件。"
    ),
    "`{file}`, which it names, is not there.": "它提到的 `{file}` 不存在。",
    "`{file}` cannot be read: {why}.": "`{file}` 无法读取：{why}。",
    # torch.
    "it does not say its byte order.": "它没有说明字节序。",
    "it is a pickle, but neither one that `torch.save` wrote nor one of arrays. Save a dictionary "
    "of tensors with `torch.save`, one of NumPy arrays with `numpy.savez(path, **arrays)`.": (
        "它是 pickle，但既不是 `torch.save` 写出的，其中也没有数组。"
        "张量的字典请用 `torch.save` 保存，"
        "NumPy 数组的字典请用 "
        "`numpy.savez(path, **arrays)`。"
    ),
    "its protocol is {given}, not {wanted}.": "其协议为 {given}，而不是 {wanted}。",
    "it has no list of its storages.": "它没有存储区的列表。",
    "its list of storages is not what its pickle mentions.": "其存储区列表与 pickle 所提到的不符。",
    "its storages are followed by something else.": "其存储区之后还有别的内容。",
    "{what} has {count} elements, its pickle says {said}.": (
        "{what} 有 {count} 个元素，pickle 却说有 {said} 个。"
    ),
    "`{name}` has the impossible {what} {came}.": "`{name}` 的 {what} {came} 不可能存在。",
    "a {kind} storage is quantized; call `dequantize()` before saving.": (
        "{kind} 存储区是量化的；请在保存前调用 `dequantize()`。"
    ),
    "`{name}` has size {size} and stride {stride}.": "`{name}` 的大小为 {size}，步幅为 {stride}。",
    "{what} at offset {offset} reaches outside of its storage of {size} bytes.": (
        "偏移 {offset} 处的 {what} 超出其 {size} 字节的存储区。"
    ),
    "`{name}` lies in the storage `{storage}` of {want} bytes, and {there} bytes are there.": (
        "`{name}` 所在的存储区 `{storage}` 应有 {want} 字节，实有 {there} 字节。"
    ),
    "the zip file holds {count} members called `{name}`.": (
        "zip 文件中有 {count} 个名为 `{name}` 的成员。"
    ),
    "its byte order is {order}.": "其字节序为 {order}。",
    "it is not one zip file: {size} bytes lie before the last one in it. So does a part of a "
    "torch.distributed.checkpoint (.distcp), which is a folder. {hint}.": (
        "它不是单个 zip 文件：最后一个 zip 之前有 {size} 字节。torch.distributed.checkpoint 的部分"
        "（.distcp）也是如此，后者是文件夹。{_hint}。"
    ),
    "the zip file is followed by something else.": "zip 文件之后还有别的内容。",
    "the zip file holds `{name}` twice.": "zip 文件中 `{name}` 出现两次。",
    "members of the zip file overlap.": "zip 文件的成员重叠。",
    "the zip member `{name}` is encrypted.": "zip 成员 `{name}` 已加密。",
    "the zip member `{name}` is compressed by method {method}; only stored and deflated members "
    "are read.": "zip 成员 `{name}` 以方法 {method} 压缩；只读取未压缩的与 deflate 压缩的成员。",
    "the zip file has no member `{name}`.": "zip 文件中没有成员 `{name}`。",
    # Pickles, which are read and never run.
    "`{name}` is neither a tensor nor a plain value.": "`{name}` 既不是张量，也不是普通值。",
    "it unfolds to more than {most} plain values, out of {size} bytes.": (
        "它从 {size} 字节展开出超过 {most} 个普通值。"
    ),
    "`{name}` is nested deeper than {most} containers.": "`{name}` 的嵌套超过 {most} 层。",
    "`{name}` is sparse; call `to_dense()` before saving.": (
        "`{name}` 是稀疏的；请在保存前调用 `to_dense()`。"
    ),
    "`{name}` is quantized; call `dequantize()` before saving.": (
        "`{name}` 是量化的；请在保存前调用 `dequantize()`。"
    ),
    "`{name}` is on device meta: it has no data.": "`{name}` 在 meta 设备上：没有数据。",
    "`{name}` is a lazy conjugate or negative; call `resolve_conj()` before saving.": (
        "`{name}` 是惰性的共轭或取负；请在保存前调用 `resolve_conj()`。"
    ),
    "a key inside `{name}` is a {kind}, not a plain value.": (
        "`{name}` 中有一个键是 {kind}，不是普通值。"
    ),
    "it asks to call `{name}`. Nothing was run.": "它要求调用 `{name}`。没有运行任何内容。",
    "it asks to set the state of an object.": "它要求设置某个对象的状态。",
    "it carries the source code of a module. Save the model's `state_dict()` instead.": (
        "它带有模块的源代码。请改为保存模型的 `state_dict()`。"
    ),
    "the storage `{name}` is a view, as torch before 0.4 wrote it; load the file in torch and save "
    "it again.": "存储区 `{name}` 是视图，为 0.4 之前的 torch 所写；请在 torch 中加载后重新保存。",
    "its pickle is followed by something else.": "其 pickle 之后还有别的内容。",
    "its pickle is damaged: {error}.": "其 pickle 已损坏：{error}。",
    "it holds an integer of {bits} bits.": "其中有一个 {bits} 位的整数。",
    "it asks for `{name}`, which is no part of a tensor. Nothing was run. If it is a whole model, "
    "save its `state_dict()`; of anything else save the tensors, arrays of numbers and plain "
    "values.": (
        "它要求 `{name}`，而这不属于张量。没有运行任何内容。若它是整个模型，"
        "请保存其 `state_dict()`；"
        "若是别的，请保存其中的张量、数值数组和普通值。"
    ),
    "its pickle uses the instruction {name}.": "其 pickle 使用了指令 {name}。",
    "its pickle has more instructions than a file of {size} bytes may.": (
        "其 pickle 的指令多于 {size} 字节的文件所能有的。"
    ),
    # Cells.
    "`{name}` must have shape {symbols}, got {shape}. It looks transposed.": (
        "`{name}` 的形状必须是 {symbols}，却是 {shape}。似乎被转置了。"
    ),
    "`{name}` must have shape {symbols}, got {shape}.": (
        "`{name}` 的形状必须是 {symbols}，却是 {shape}。"
    ),
    "`{name}` must have 2 dimensions, got shape {shape}.": (
        "`{name}` 必须有 2 维，形状却是 {shape}。"
    ),
    "`{name}` must hold one of {names}, got {kind}.": (
        "`{name}` 的类型必须是 {names} 之一，却是 {kind}。"
    ),
    "`{name}` holds {kind} but `weight_ih` holds {first}.": (
        "`{name}` 的类型是 {kind}，而 `weight_ih` 的类型是 {first}。"
    ),
    "`{one}` is there and `{other}` is not; give both or neither.": (
        "有 `{one}` 而没有 `{other}`；请都给或都不给。"
    ),
    "half a cell: `{name}` is missing, its twin is there.": (
        "半个单元：缺少 `{name}`，而与之成对的参数在。"
    ),
    "a cell needs I ≥ 1 and H ≥ 1, got I = {inputs} and H = {hidden}.": (
        "单元需要 I ≥ 1 且 H ≥ 1，却是 I = {inputs}、H = {hidden}。"
    ),
    "a gate axis of {size} is not four equal blocks.": "大小为 {size} 的门轴不能分成四等份。",
    # A difference table in a file.
    "it is not a difference table as `onecell diff --json` writes": (
        "它不是 `onecell diff --json` 所写的差异表"
    ),
    "`schema` must be {wanted}, got {given}": "`schema` 必须是 {wanted}，却是 {given}",
    "it is not a whole difference table: {kind} {error}": "它不是完整的差异表：{kind} {error}",
    "it has more than {most} bytes; no table has": "它超过 {most} 字节；差异表没有这么大",
    "it is not JSON ({error}).": "它不是 JSON（{error}）。",
}

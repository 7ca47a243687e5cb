"""Why the migrator leaves a use, and what is to be done by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TEXTS: Final[Mapping[str, str]] = {
    # Names.
    "the name may be something else here": "此处的名称可能另有所指",
    "import it once, by one name": "请只以一个名称导入一次",
    "the cell as a function has no counterpart": "函数形式的单元没有对应",
    "make an LSTMCell and give it these weights": "请建一个 LSTMCell 并给它这些权重",
    "`{path}` is not in the table": "`{path}` 不在规则表中",
    "a tensor's name has `{new}` in its place": "张量的名称在此处为 `{new}`",
    "write `{new}` if this is a module": "若这是模块，请写 `{new}`",
    "MindSpore's needs its parentheses": "MindSpore 的写法需要括号",
    "call it": "请加括号调用",
    "calls of `{path}` elsewhere may need other arguments": (
        "别处对 `{path}` 的调用可能需要不同的参数"
    ),
    "`{path}` is imported for other files, whose calls are not seen here": (
        "`{path}` 是为其他文件导入的，那里的调用在此看不到"
    ),
    "let these import it themselves": "请让那些文件自行导入",
    "it may bring the cell": "它可能带入单元",
    "it hides what is used": "它遮住了所用的内容",
    "name what the module uses": "请写明该模块所用的名称",
    "the class has a `{new}` already": "该类已有 `{new}`",
    "rename one of them": "请给其中一个改名",
    "`{name}` is not known here": "此处不知道 `{name}` 是什么",
    "`{name}` has no exact counterpart": "`{name}` 没有精确的对应",
    "`{name}` with arguments has no exact counterpart": "带参数的 `{name}` 没有精确的对应",
    # Arguments.
    "`{parameter}` is exact only as {fixed}": "`{parameter}` 只有取 {fixed} 时才精确",
    "`{parameter}` has no exact counterpart": "`{parameter}` 没有精确的对应",
    "`{parameter}` is not given": "没有给出 `{parameter}`",
    "`**` may carry arguments that are called otherwise": "`**` 可能带有名称不同的参数",
    "`*` may carry arguments that stand elsewhere": "`*` 可能带有位置不同的参数",
    "`{argument}` means something else without `{other}`": (
        "没有 `{other}` 时 `{argument}` 的含义不同"
    ),
    "give `{other}`": "请给出 `{other}`",
    "argument {index} has no exact counterpart": "第 {index} 个参数没有精确的对应",
    "keywords have no exact counterpart": "关键字参数没有精确的对应",
    "more than one argument has no exact counterpart": "多于一个参数没有精确的对应",
    "leave it out": "请去掉它",
    "leave them out, if they are not needed": "若不需要，请去掉",
    "its arguments are not written out": "其参数没有写明",
    "its arguments are not written by position": "其参数没有按位置写明",
    "the arguments are not written out": "参数没有写明",
    "the arguments of `{name}` are not written out": "`{name}` 的参数没有写明",
    "`*` and `**` hide what is given": "`*` 与 `**` 遮住了所给的参数",
    "`{name}` takes other arguments in {framework}": "`{name}` 在 {framework} 中的参数不同",
    "`{name}` would be asked twice": "`{name}` 会被求值两次",
    "give it a name first": "请先给它一个名称",
    "give it a `dtype`": "请给出 `dtype`",
    "what `{path}` is given is not written out": "给 `{path}` 的参数没有写明",
    "`{path}` of anything but one list": "`{path}` 只对单个列表有对应",
    "write `torch.nn.ParameterList(…)`": "请写 `torch.nn.ParameterList(…)`",
    "a function in a class's body is a method": "类体中的函数会成为方法",
    "make it in `__init__`": "请在 `__init__` 中建立它",
    "`partial` of `{name}` is not in the table": "`{name}` 的 `partial` 不在规则表中",
    "`{path}` is a function in {framework}": "`{path}` 在 {framework} 中是函数",
    "`from_{framework}` is onecell's alone": "`from_{framework}` 只有 onecell 才有",
    # Cells.
    "the state is left out, and the input is computed in the call": (
        "没有给状态，且输入在调用中计算"
    ),
    "give the input a name first, or pass zeros": "请先给输入一个名称，或传入全零状态",
    "`*` or `**` hides the state, which must be a pair of tensors there": (
        "`*` 或 `**` 遮住了状态，而那里状态必须是一对张量"
    ),
    "write the arguments out, or use `--target onecell`": "请写明参数，或使用 `--target onecell`",
    "`**` may carry `bias`, `device` or `dtype`, which are called otherwise": (
        "`**` 可能带有名称不同的 `bias`、`device` 或 `dtype`"
    ),
    "MindSpore's own cell cannot run in {dtype}": "MindSpore 自带的单元不能以 {dtype} 运行",
    "use `--target onecell`, or another `dtype`": "请使用 `--target onecell`，或换一种 `dtype`",
    "a cell of {dtype} does not run in MindSpore": "{dtype} 的单元不能在 MindSpore 中运行",
    "use `--target onecell`": "请使用 `--target onecell`",
    "`construct` of something that this file does not show to be a cell": (
        "此文件没有表明 `construct` 的对象是单元"
    ),
    "if it is one, it is `forward`": "若是，则为 `forward`",
    "a call leaves its state out, which MindSpore wants": "调用没有给状态，而 MindSpore 需要状态",
    "give it zeros": "请给出全零状态",
    # Devices.
    "a device is a string in MindSpore, without `{name}`": (
        "设备在 MindSpore 中是字符串，没有 `{name}`"
    ),
    "compare the string itself, such as `CPU`": "请直接比较字符串，例如 `CPU`",
    "what a device is made for is not seen": "看不出设备的用途",
    "which device is meant depends on the machine": "所指的设备取决于机器",
    # Modules.
    "`size` of a tensor is a method in torch": "张量的 `size` 在 torch 中是方法",
    "write `numel()`": "请写 `numel()`",
    "`{name}` of a layer has no exact counterpart": "层的 `{name}` 没有精确的对应",
    "ask `weight_ih_l0` and so on": "请逐个使用 `weight_ih_l0` 等",
    "MindSpore gives a plain pair, without `{name}`": "MindSpore 给出普通的二元组，没有 `{name}`",
    "write `[{index}]`": "请写 `[{index}]`",
    "`{name}` of a module has no exact counterpart": "模块的 `{name}` 没有精确的对应",
    "MindSpore lets no buffer be set": "MindSpore 不允许给缓冲区赋值",
    "register it anew with the new numbers": "请用新的数值重新注册",
    "`{name}` of a module is not given one element type": "没有给模块的 `{name}` 一种数据类型",
    "what `to` is given may be a device or an element type": (
        "给 `to` 的可能是设备，也可能是数据类型"
    ),
    "`{name}` of something that this file does not show to be a module": (
        "此文件没有表明 `{name}` 的对象是模块"
    ),
    "if it is one, it is `{other}`": "若是，则为 `{other}`",
    "if it is one, {what}": "若是，{_what}",
    "`{name}` of something that this file does not show to be a tensor": (
        "此文件没有表明 `{name}` 的对象是张量"
    ),
    "embeddings and layer norms call their parameters otherwise in {framework}": (
        "嵌入层与层归一化的参数在 {framework} 中名称不同"
    ),
    "tell parameters apart by what holds them": "请按参数所属的层来区分",
    "what derives from `{path}` hands on arguments that {framework} calls otherwise": (
        "`{path}` 的子类传递的参数在 {framework} 中名称不同"
    ),
    "make it a module that holds one": "请改为持有一个该层的模块",
    "some layers of this project call `{name}` {said} in {framework}, and what `{code}` is, is not "
    "seen": "此项目中某些层的 `{name}` 在 {framework} 中为 {said}，而看不出 `{code}` 是什么",
    "write {said} where it is such a layer": "若是这样的层，请写 {said}",
    "`{code}` is {said} in {framework}: it may be any of several layers": (
        "`{code}` 在 {framework} 中为 {said}：它可能是几种层之一"
    ),
    "{said} in {framework}, and `{text}` is looked for in names of classes": (
        "在 {framework} 中为 {said}，而代码在类名中查找 `{text}`"
    ),
    # Initializers.
    "where `{path}` goes is not seen": "看不出 `{path}` 用在何处",
    "fill the parameter by `torch.nn.init`": "请用 `torch.nn.init` 填充参数",
    "`*` hides what an initializer is given": "`*` 遮住了给初始化器的参数",
    "which numbers an initializer draws is not written out": "没有写明初始化器抽取什么数",
    "fill the parameter by `torch.nn.init` after it is made": (
        "请在建立参数之后用 `torch.nn.init` 填充"
    ),
    "`{path}` draws other numbers than `{other}`": "`{path}` 抽取的数与 `{other}` 不同",
    "`p.set_data(initializer({name}(…), p.shape, p.dtype))`, if its distribution will do": (
        "若其分布可用：`p.set_data(initializer({name}(…), p.shape, p.dtype))`"
    ),
    "what an initializer returns is used": "用到了初始化器的返回值",
    "give the parameter its numbers on a line of its own: {code}": "请在单独一行给参数赋值：{code}",
    "the parameter is computed where it is given": "参数在传入处才计算",
    "part of a tensor gets its numbers by another name": "张量的一部分以另一名称赋值",
    "set it in the tensor itself: {code}": "请在张量本身中赋值：{code}",
    "only part of a parameter gets its numbers": "只有参数的一部分得到数值",
    "which gain is asked for is not written out": "没有写明要用的 gain",
    "write the number": "请写明数值",
    "no gain is known for {name}": "{name} 没有已知的 gain",
    # Norms, embeddings, paddings.
    "`momentum=None` averages over all steps, which MindSpore does not do": (
        "`momentum=None` 对所有步取平均，MindSpore 没有这种做法"
    ),
    "`normalized_shape` is not written out": "`normalized_shape` 没有写明",
    "`normalized_shape` has more than one axis": "`normalized_shape` 多于一个轴",
    "give MindSpore `begin_norm_axis` and `begin_params_axis`": (
        "请给 MindSpore `begin_norm_axis` 与 `begin_params_axis`"
    ),
    "`normalized_shape` is no number": "`normalized_shape` 不是数",
    "two embeddings with padding are made on one line": "一行中建立了两个带填充的嵌入层",
    "MindSpore trains the row of `padding_idx`, torch does not": (
        "MindSpore 会训练 `padding_idx` 那一行，torch 不会"
    ),
    "`padding_idx` of MindSpore counts from the first row": (
        "MindSpore 的 `padding_idx` 从第一行数起"
    ),
    "`padding` beside pad_mode {mode} is not used": "pad_mode 为 {mode} 时不使用 `padding`",
    "torch pads the same only where the stride is one": "只有步幅为 1 时 torch 的填充才相同",
    "write `torch.nn.functional.pad`": "请写 `torch.nn.functional.pad`",
    "`padding` in words has no exact counterpart": "以词语表示的 `padding` 没有精确的对应",
    "give a number": "请给出数值",
    "`padding` of these numbers has no exact counterpart": "这样的 `padding` 没有精确的对应",
    "without `stride`, torch's is the kernel's size": "没有 `stride` 时，torch 取窗口大小",
    "give `stride`": "请给出 `stride`",
    # Packed sequences.
    "what is packed, or its lengths, is not written out": "没有写明打包的内容或其长度",
    "the lengths are computed where they are given": "长度在传入处才计算",
    "torch's recurrent layers take no `seq_length`": "torch 的循环层没有 `seq_length`",
    "pack the rows with `pack_padded_sequence` and pad what comes out": (
        "请用 `pack_padded_sequence` 打包，再填充结果"
    ),
    "MindSpore pads what a layer gives with zeros": "MindSpore 以零填充层的输出",
    "what is padded does not surely come from a layer of this file": (
        "无法确定所填充的内容来自此文件中的层"
    ),
    "a pack is used for more than a recurrent layer of this file": (
        "打包的序列不只用于此文件中的循环层"
    ),
    "whether rows or steps come first is not written out": "没有写明行在前还是步在前",
    "whether rows or steps come first is computed": "行在前还是步在前由计算得出",
    # Files.
    "a whole module is a pickle of its class, and MindSpore's files hold tensors": (
        "保存整个模块等于 pickle 它的类，而 MindSpore 的文件保存张量"
    ),
    "save its `state_dict()`, and load that into one made anew": (
        "请保存其 `state_dict()`，再加载到新建的模块"
    ),
    "MindSpore writes and reads files by name alone": "MindSpore 只按文件名读写",
    "give it a file's name": "请给出文件名",
    "MindSpore's schedulers have no `{name}`": "MindSpore 的调度器没有 `{name}`",
    "save and set its `last_epoch` yourself": "请自行保存并设置 `last_epoch`",
    "what is saved is not seen to be a module": "看不出所保存的是模块",
    "save the state_dict of one model": "请保存一个模型的 state_dict",
    "`append_dict` is not written out": "`append_dict` 没有写明",
    "write its entries out": "请写明各项",
    "it fills a net, and what it returns is used": "它填充网络，而返回值又被使用",
    "write two statements": "请写成两条语句",
    "`net` and `parameter_dict` are not written out": "`net` 与 `parameter_dict` 没有写明",
    # Tensors.
    "`{name}` of a tensor has no exact counterpart": "张量的 `{name}` 没有精确的对应",
    "the tensor is not written first": "张量没有写在最前",
    "what `{path}` returns is used": "用到了 `{path}` 的返回值",
    "`new` of a tensor is given no sizes": "没有给张量的 `new` 尺寸",
    "`new` of a tensor may be given numbers or a size": "给张量的 `new` 的可能是数值，也可能是尺寸",
    "write `x.new_zeros(size)` or `x.new_tensor(data)`": (
        "请写 `x.new_zeros(size)` 或 `x.new_tensor(data)`"
    ),
    "what is copied into a view is right in MindSpore, and its gradient is not": (
        "复制到视图的内容在 MindSpore 中正确，但梯度不正确"
    ),
    "copy into the tensor itself, in its shape, and make the view anew": (
        "请按形状复制到张量本身，再重新取视图"
    ),
    "`{name}` is given no `{parameter}`": "没有给 `{name}` 参数 `{parameter}`",
    "without `dtype`, MindSpore makes integers": "没有 `dtype` 时 MindSpore 得到整数",
    "give both sides a `dtype`": "请在两侧都给出 `dtype`",
    "`{name}` changes a tensor in place, which MindSpore does not do on the CPU": (
        "`{name}` 原地修改张量，而 MindSpore 在 CPU 上不这样做"
    ),
    "torch changes `{name}` for whatever else holds it too, MindSpore does not": (
        "torch 会同时改变其他持有者看到的 `{name}`，MindSpore 不会"
    ),
    "assign to `{name}` if nothing else is to change": "若其他内容不应改变，请给 `{name}` 赋值",
    "`{name}` is a view: MindSpore's gradient does not see what is set in it": (
        "`{name}` 是视图：MindSpore 的梯度看不到对它的赋值"
    ),
    "set the item in the tensor itself": "请在张量本身中赋值",
    "what it is given is not seen": "看不出给它的是什么",
    "it shares the memory of the tensor that it is given": "它与所给的张量共用内存",
    "use `.to(dtype)`": "请使用 `.to(dtype)`",
    "`{name}` of a list makes float32 of NumPy's numbers": (
        "列表的 `{name}` 会把 NumPy 的数变成 float32"
    ),
    "`mindspore.ops.bernoulli` takes the probabilities apart from the tensor": (
        "`mindspore.ops.bernoulli` 的概率与张量分开传入"
    ),
    "`{name}` computes the same in MindSpore, but its indices are int32": (
        "`{name}` 在 MindSpore 中计算相同，但其下标为 int32"
    ),
    "`{name}` computes the same, but its indices are int32": "`{name}` 计算相同，但其下标为 int32",
    "take the pair apart here, and give the indices `.long()`": (
        "请在此拆开二元组，并对下标使用 `.long()`"
    ),
    "`{name}` of a tensor gives something else in MindSpore, and this file does not show whether "
    "`{code}` is one": (
        "张量的 `{name}` 在 MindSpore 中结果不同，而此文件没有表明 `{code}` 是否为张量"
    ),
    "`{name}` of all numbers gives a pair, torch's one number": (
        "对所有数的 `{name}` 给出二元组，torch 给出一个数"
    ),
    "write `{name}`": "请写 `{name}`",
    "whether the second argument is an axis or a tensor is not seen": (
        "看不出第二个参数是轴还是张量"
    ),
    "write `dim=` for an axis; of two tensors it is `{name}`": (
        "若是轴，请写 `dim=`；若是两个张量，则为 `{name}`"
    ),
    "`stop_gradient` of anything but one tensor has no exact counterpart": (
        "`stop_gradient` 只对单个张量有精确的对应"
    ),
    "a norm of this order is another in MindSpore": "这一阶的范数在 MindSpore 中不同",
    "write it out": "请写出算式",
    "a norm with an order is that of a matrix in MindSpore": (
        "带阶数的范数在 MindSpore 中是矩阵范数"
    ),
    "of all numbers, divided by N": "对所有数，除以 N",
    "the tensors may come as one list": "张量可能以一个列表传入",
    "write them one by one, or `*` before it": "请逐个写出，或在前面加 `*`",
    "MindSpore does not fill a tensor without axes": "MindSpore 不填充没有轴的张量",
    "use `tensor(0.0)`": "请使用 `tensor(0.0)`",
    "`{name}` divides by N - 1 in torch and by N in MindSpore": (
        "`{name}` 在 torch 中除以 N - 1，在 MindSpore 中除以 N"
    ),
    "write the division out": "请写出除法",
    "`{name}` of a tensor has other keywords in torch": "张量的 `{name}` 在 torch 中的关键字不同",
    "`{name}` along an axis gives the indices too in torch": (
        "沿轴的 `{name}` 在 torch 中同时给出下标"
    ),
    "`transpose` without its axes has no exact counterpart": "没有轴的 `transpose` 没有精确的对应",
    "`astype` of anything but an element type has no exact counterpart": (
        "`astype` 只对数据类型有精确的对应"
    ),
    "what `Variable` is given is not written out": "给 `Variable` 的参数没有写明",
    "more than one argument of `Variable` is given by position": (
        "`Variable` 有多于一个按位置的参数"
    ),
    # A training step.
    "`backward` has no counterpart: MindSpore differentiates functions": (
        "`backward` 没有对应：MindSpore 对函数求导"
    ),
    "use mindspore.value_and_grad on the function that computes the loss": (
        "请对计算损失的函数使用 mindspore.value_and_grad"
    ),
    "`zero_grad` has no counterpart: MindSpore's gradients are results, kept nowhere": (
        "`zero_grad` 没有对应：MindSpore 的梯度是返回值，不保存"
    ),
    "leave the call out": "请去掉这次调用",
    "`{name}` belongs to a training step that is written otherwise there": (
        "`{name}` 属于训练步，而训练步在那里写法不同"
    ),
    "use mindspore.value_and_grad, then call the optimizer with the gradients": (
        "请使用 mindspore.value_and_grad，再以梯度调用优化器"
    ),
    "what is differentiated is not seen": "看不出对什么求导",
    "gradients by arguments are asked for": "要求对参数（实参）求梯度",
    "no parameters are differentiated by": "没有对任何参数求导",
    "its calls are not seen here": "在此看不到对它的调用",
    "loss and gradients are not taken apart at once": "没有立即拆开损失与梯度",
    "which of what it gives is the loss is not seen": "看不出它的返回值中哪一个是损失",
    "the gradients have no name of their own": "梯度没有自己的名称",
    "the gradients do not go to an optimizer alone": "梯度不只交给优化器",
    "what the gradients go to is not seen to be an optimizer": "看不出梯度交给的是优化器",
    "the step is in another block": "优化器的更新在另一个代码块中",
    "what the optimizer returns is used": "用到了优化器的返回值",
    "the function is handed on": "该函数被传递到别处",
    "`{name}` may be computed by a module before the step": "`{name}` 可能在训练步之前由模块计算",
    "the optimizer's `step` does not follow in the same block": (
        "优化器的 `step` 没有在同一代码块中随后出现"
    ),
    "the optimizer's `zero_grad` does not come before in the same block": (
        "优化器的 `zero_grad` 没有在同一代码块中先出现"
    ),
    "only `loss.backward()` of a name, without arguments, is rewritten": (
        "只改写对名称、不带参数的 `loss.backward()`"
    ),
    "`{name}` is not computed in the same block": "`{name}` 不是在同一代码块中计算的",
    "nothing here is surely the call of a model": "此处没有可以确定是模型调用的内容",
    "something stands between `backward` and the optimizer's step": (
        "`backward` 与优化器更新之间还有别的语句"
    ),
    "the file uses `{name}`": "文件使用了 `{name}`",
    "another step stands among what computes the loss": "计算损失的语句之间有另一个训练步",
    "`{name}` stands among what computes the loss": "计算损失的语句之间有 `{name}`",
    "the model or the optimizer is made in the block of the step": (
        "模型或优化器是在训练步的代码块中建立的"
    ),
    "`{name}` may come from an earlier step": "`{name}` 可能来自先前的训练步",
    "`{name}` is never used, and the optimizer decays it there": (
        "`{name}` 从未使用，而优化器在那里会使其衰减"
    ),
    # What a use takes for granted.
    "Rewritten for {framework}; {a}.": "已改写为 {framework} 的写法，{_a}。",
    "exact if {a}": "在以下条件下精确：{_a}",
    "{a}, and if {b}": "{_a}；并且 {_b}",
    "{quoted} carries no gradient from before the step": "{quoted} 不带训练步之前的梯度",
    "{quoted} carry no gradient from before the step": "{quoted} 不带训练步之前的梯度",
    "what comes from {quoted} carries no gradient from before the step": (
        "{quoted} 的结果不带训练步之前的梯度"
    ),
    "{quoted} uses nothing that it kept from before the step without `detach`": (
        "{quoted} 不使用训练步之前保存、未经 `detach` 的内容"
    ),
    "{quoted} use nothing that they kept from before the step without `detach`": (
        "{quoted} 不使用训练步之前保存、未经 `detach` 的内容"
    ),
    "each parameter of {quoted} gets a gradient in every step": (
        "{quoted} 的每个参数在每一步都得到梯度"
    ),
    "… is a module": "……是模块",
    "… is a tensor": "……是张量",
    "`{name}` is a module": "`{name}` 是模块",
    "`{name}` is a tensor": "`{name}` 是张量",
    "… holds numbers, and is no size": "……含有数值，而不是尺寸",
    "`{name}` holds numbers, and is no size": "`{name}` 含有数值，而不是尺寸",
    "another random order of the samples will do": "样本的另一种随机次序也可接受",
    # What was done, where old and new do not say it.
    "`{name}` is `{new}`.": "`{name}` 写作 `{new}`。",
    "A module begins in the mode of its framework.": "模块以其框架的默认模式开始。",
    "A checkpoint's name.": "检查点的名称。",
    "A class's name.": "类的名称。",
    "Rewritten for {framework}.": "已改写为 {framework} 的写法。",
    "torch runs the plain code.": "torch 运行普通代码。",
    "The optimizer steps.": "优化器更新。",
    "The layer is given the lengths of its rows.": "给层各行的长度。",
    "see the same name in `{path}`": "见 `{path}` 中同名的内容",
    "no NaN comes in": ("输入中没有 NaN"),
    "nothing infinite comes in": ("输入中没有无穷大"),
    "no +Inf comes in": ("输入中没有 +Inf"),
    "no row is all -Inf": ("没有哪一行全为 -Inf"),
    "no denormal comes in (MindSpore takes it for zero)": (
        "输入中没有非规格化数（MindSpore 当作零）"
    ),
    "nothing comes in beyond 80, where results are denormal or infinite": (
        "输入的绝对值不超过 80，超过时结果为非规格化数或无穷大"
    ),
    "no number is exactly zero, where the gradients differ": ("没有恰好为零的数，那里的梯度不同"),
    "no number is exactly at a bound, where the gradients differ": (
        "没有恰好在边界上的数，那里的梯度不同"
    ),
    "no two numbers in a row are equal, which may come in another order": (
        "同一行中没有相等的数，否则顺序可能不同"
    ),
    "no integers come in": ("输入不是整数"),
    "no int32 comes in": ("输入不是 int32"),
    "no truth values come in": ("输入不是布尔值"),
    "no float64 comes in": ("输入不是 float64"),
    "nothing empty comes in": ("输入不为空"),
    "more than one number comes in": ("输入不止一个数"),
    "each tensor has an axis": ("每个张量至少有一个轴"),
    "tensors without axes have the others' element type": ("没有轴的张量与其他张量数据类型相同"),
    "every softmax of the program that is differentiated goes along the same axis of tensors with "
    "equally many axes (MindSpore's gradient is wrong otherwise)": (
        "程序中所有要求导的 softmax 都沿同一个轴，且张量的轴数相同（否则 MindSpore 的梯度有误）"
    ),
    "nothing comes in beyond 40, where MindSpore gives NaN": (
        "输入的绝对值不超过 40，更大时 MindSpore 给出 NaN"
    ),
    "where it is differentiated, no float64 comes in beyond 80 (MindSpore's gradient is that of "
    "the float32 beside it)": (
        "要求导时，输入中没有超过 80 的 float64（MindSpore 的梯度是邻近 float32 的梯度）"
    ),
    "nothing is divided by -0.0 (MindSpore takes it for 0.0)": (
        "除数中没有 -0.0（MindSpore 把它当作 0.0）"
    ),
    "where it is differentiated, the axis is not counted from the end (MindSpore's gradient of "
    "`cumprod` is else wrong in some calls of a thousand)": (
        "要求导时，轴不从末尾数起（否则 MindSpore 的 `cumprod` 的梯度每千次调用中有几次有误）"
    ),
}

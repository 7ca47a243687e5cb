"""What an error says that ends a verb, but for damaged files and sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TEXTS: Final[Mapping[str, str]] = {
    "interrupted.": "已中断。",
    "{purpose} needs `{library}`, which is not installed. Install it with: pip install {extra}": (
        "{_purpose}需要 `{library}`，但没有安装。安装：pip install {extra}"
    ),
    "the command line": "命令行",
    "this verb": "此命令",
    "the report": "报告",
    "rewriting source": "改写源代码",
    "asking {name}": "询问 {name} ",
    "the side `{name}`": "计算方 `{name}` ",
    "the side `{name}` cannot be asked: {why}.": "无法使用计算方 `{name}`：{_why}。",
    "`{name}` must name a Python to run {framework} in, got {named}.": (
        "`{name}` 必须指明运行 {framework} 的 Python，却给了 {named}。"
    ),
    "{framework} does not compute this cell: {why}.": "{framework} 不计算这个单元：{_why}。",
    "it does not answer within {limit}": "{limit} 内没有回答",
    "its process ends ({how})": "其进程终止（{how}）",
    "{path} is already there; say --force to replace it.": "{path} 已存在；要覆盖请加 --force。",
    "a library does not load: {error}": "某个库无法加载：{error}",
    "cannot write {path}: cannot write a file over a folder.": (
        "无法写 {path}：不能用文件覆盖文件夹。"
    ),
    "cannot write {path}: cannot replace what is not a file.": (
        "无法写 {path}：已有的不是文件，不能覆盖。"
    ),
    "cannot write {path}: there is no folder to write into.": "无法写 {path}：所在文件夹不存在。",
    "cannot write the file: {reason}.": "无法写文件：{reason}。",
    "cannot write {path}: {reason}.": "无法写 {path}：{reason}。",
    "there is not enough memory for this file.": "内存不足以处理此文件。",
    "a mistake in onecell itself, {kind}: {error} (--debug shows where)": (
        "onecell 自身的错误，{kind}：{error}（--debug 显示位置）"
    ),
    # Options.
    "JSON is printed by --json.": "用 --json 打印 JSON。",
    "--json and --format {form} both say what is printed; choose one.": (
        "--json 与 --format {form} 都决定打印什么；请只用一个。"
    ),
    "--diff and --json both say what is printed; choose one.": (
        "--diff 与 --json 都决定打印什么；请只用一个。"
    ),
    "{one} writes, so it does not go with {other}.": "{one} 会写文件，不能与 {other} 同用。",
    "a project needs --out DIR: a folder for what it becomes.": (
        "移植项目需要 --out DIR：存放结果的文件夹。"
    ),
    "--only and --drop choose from one checkpoint; give that one.": (
        "--only 与 --drop 从一个检查点中选取；请只给那一个。"
    ),
    "--only and --drop leave no tensor to be taken.": "--only 与 --drop 没有留下任何张量。",
    "{option} {pattern} chooses nothing of {names}.": (
        "{option} {pattern} 在 {names} 中没有选中任何内容。"
    ),
    "`--report` must name a file called *.html, got {path}.": (
        "`--report` 必须给出名为 *.html 的文件，却给了 {path}。"
    ),
    "{name} has no runtime that Python could ask. What is known of it: {known}.": (
        "{name} 没有 Python 可以询问的运行时。已知的是：{known}。"
    ),
    "`A` and `B` must be two frameworks, got {name} twice.": (
        "`A` 与 `B` 必须是两个框架，却两次给了 {name}。"
    ),
    "`--stored` runs nothing; it cannot be compared. Leave one out.": (
        "`--stored` 不运行任何程序，无法比较。请去掉其中一个。"
    ),
    "`FILE` must be about {wanted}, got {given}.": (
        "`FILE` 必须是关于 {wanted} 的，却给了 {given}。"
    ),
    "only {owner} reads {suffix} files; for {goal} name OUT {name} or leave --to out.": (
        "只有 {owner} 读取 {suffix} 文件；要给 {goal} 用，请把 OUT 命名为 {name}，或去掉 --to。"
    ),
    "`only` must name rows of the table, got {name}; there are {names}.": (
        "`only` 必须是表中的行，却给了 {name}；现有 {names}。"
    ),
    "`frameworks` must be {names}, in either order, got {given}.": (
        "`frameworks` 必须是 {names}，次序不限，却给了 {given}。"
    ),
    "`suffix` must be one of {names}, got {given}.": (
        "`suffix` 必须是 {names} 之一，却给了 {given}。"
    ),
    "`format` must be one of {names}, got {given}.": (
        "`format` 必须是 {names} 之一，却给了 {given}。"
    ),
    "`dialect` must be one of {names}, got {given}.": (
        "`dialect` 必须是 {names} 之一，却给了 {given}。"
    ),
    "`sides`: {name} computes files of {framework} alone, and what is given is of {theirs}.": (
        "`sides`：{name} 只计算 {framework} 的文件，而给出的是 {theirs} 的文件。"
    ),
    "`side` must be one of {names}, got {given}.": "`side` 必须是 {names} 之一，却给了 {given}。",
    "`{name}` must be one of {names}, got {given}.": (
        "`{name}` 必须是 {names} 之一，却给了 {given}。"
    ),
    "the suffix of OUT must be one of {names}, got {given}.": (
        "OUT 的后缀必须是 {names} 之一，却给了 {given}。"
    ),
    "`path` must end in one of {names}, got {given}; or say `format`.": (
        "`path` 必须以 {names} 之一结尾，却给了 {given}；或者写明 `format`。"
    ),
    "`sides` must name one that decides about {target}: {names}; got {given}.": (
        "`sides` 必须包含能决定 {target} 的计算方：{names}；却给了 {given}。"
    ),
    "`steps` must be at least 2, got {given}.": "`steps` 至少为 2，却给了 {given}。",
    "`sizes` must be two positive integers (I, H), got {given}.": (
        "`sizes` 必须是两个正整数 (I, H)，却给了 {given}。"
    ),
    "`exclude` must be patterns as in .gitignore: {error}": (
        "`exclude` 必须是 .gitignore 那样的模式：{error}"
    ),
    "`ONECELL_LANG` must be en or zh, got {given}.": (
        "`ONECELL_LANG` 必须是 en 或 zh，却给了 {given}。"
    ),
    # A port and a comparison.
    "there is nothing called {path}.": "没有名为 {path} 的文件或文件夹。",
    "{one} and {other} would both become {path}.": "{one} 与 {other} 都会变成 {path}。",
    "{path} is one of the files to port; choose another folder.": (
        "{path} 是要移植的文件之一；请换一个文件夹。"
    ),
    "{path} is one of the files to migrate; choose another folder.": (
        "{path} 是要迁移的文件之一；请换一个文件夹。"
    ),
    "{path}: the result would replace the file that it is made from.": (
        "{path}：结果会覆盖它所来自的文件。"
    ),
    "{path}: a {format} file of {to}'s, which is what you ask for: there is nothing to port. To "
    "have it written anew and proved all the same, as one flat dictionary of tensors, say --from "
    "{from_}; for another format of {owner}'s, --format.": (
        "{path}：这已是 {to} 的 {format} 文件，正是所要的，无事可做。"
        "若仍要重新写成一个扁平的张量字典"
        "并加以证明，请加 --from {from_}；若要 {owner} 的另一种格式，请用 --format。"
    ),
    "{path}: it holds no LSTM cell, only {names}.{why}": (
        "{path}：其中没有 LSTM 单元，只有 {names}。{_why}"
    ),
    "{path}: it holds {frozen}, whose weights no other side reads.": (
        "{path}：其中是{_frozen}，其他计算方无法读取其权重。"
    ),
    "{path}: it holds {frozen}, and no framework's weights. To move these, say "
    "FrozenCell.load(path).weights, or take the live cell that it was made from.": (
        "{path}：其中是{_frozen}，没有任何框架的权重。要移动这些权重，请用 "
        "FrozenCell.load(path).weights，或使用它所来自的原单元。"
    ),
    "{path}: the file does not tell which framework wrote it; say it, for example `--from "
    "torch` (in Python `source=`).": (
        "{path}：文件没有说明由哪个框架写出；请写明，例如 `--from torch`"
        "（在 Python 中为 `source=`）。"
    ),
    "{path}: the file itself says that it is {owner}'s ({format}), not {named}'s (--from, "
    "`source=`); leave that out.": (
        "{path}：文件自称属于 {owner}（{format}），而不是 {named}（--from，`source=`）；请去掉它。"
    ),
    "neither has a cell called {cell}; there are {names}.": (
        "双方都没有名为 {cell} 的单元；现有 {names}。"
    ),
    "neither `a` nor `b` tells its sizes; say them: sizes=(I, H).": (
        "`a` 与 `b` 都没有说明尺寸；请写明：sizes=(I, H)。"
    ),
    "different sizes: `a` has {a}, `b` {b}.": "尺寸不同：`a` 为 {a}，`b` 为 {b}。",
    "what both are held against has NaN or infinity in {name}, on finite inputs; there is nothing "
    "to compare.": "作为比较基准的 {name} 在有限的输入上出现 NaN 或无穷大；无从比较。",
    "`{label}` ({given}) holds {count} cells: {names}; say which (--cell).": (
        "`{label}`（{given}）含有 {count} 个单元：{names}；请指明哪一个（--cell）。"
    ),
    "`{label}` ({given}) has no cell {cell}; it has {names}.": (
        "`{label}`（{given}）没有单元 {cell}；现有 {names}。"
    ),
    "`{label}` ({given}): no module called {cell}; {held}.": (
        "`{label}`（{given}）：没有名为 {cell} 的模块；{_held}。"
    ),
    "it holds no modules": "其中没有模块",
    "it holds {names}": "现有 {names}",
    "`--cell` chooses one cell, got {n}: {names}. Compare one at a time.": (
        "`--cell` 只能选择一个单元，却给出了 {n} 个：{names}。请逐个比较。"
    ),
    "no cell has the same name in both: `a` holds {a}; `b` holds {b}. Say which two (--cell "
    "NAME=NAME).": (
        "没有双方同名的单元：`a` 含有 {a}；`b` 含有 {b}。请指明比较哪两个（--cell NAME=NAME）。"
    ),
    "`{path}`: importing it raises {kind}: {error}": "`{path}`：导入时抛出 {kind}：{error}",
    "`{module}` has no `{attribute}`; it has no public names.": (
        "`{module}` 没有 `{attribute}`；它没有公开的名称。"
    ),
    "`{module}` has no `{attribute}`; it has {names}.": (
        "`{module}` 没有 `{attribute}`；现有 {names}。"
    ),
    "{thing} is a class; give an instance of it.": "{thing} 是一个类；请给它的实例。",
    "an object of type {kind} cannot be called; a cell is called as cell(x, (h, c)).": (
        "{kind} 类型的对象无法调用；单元的调用形式为 cell(x, (h, c))。"
    ),
    "the parameters of this {kind} hold no numbers yet.": "这个 {kind} 的参数还没有数值。",
    "`{label}` ({given}) is no cell: cell(x, (h, c)) must return (h', c'), both (N, H); "
    "{why}.{hint}": (
        "`{label}`（{given}）不是单元：cell(x, (h, c)) 必须返回 (h', c')，形状均为 (N, H)；"
        "{_why}。{_hint}"
    ),
    " It holds cells: {names}; choose one.": "其中有单元：{names}；请选一个。",
    " This is a layer over sequences: save its state to a file and give that; every cell in the "
    "file is compared.": (
        "这是处理序列的层：请把它的状态存成文件并给出该文件，文件中的每个单元都会比较。"
    ),
    "for N, H = {sizes} it returns shapes {shapes}": "对 N, H = {sizes}，它返回的形状为 {shapes}",
    "for {dtype} it returns {said}": "对 {dtype}，它返回 {said}",
    "it writes into its argument `{name}`": "它写入了自己的参数 `{name}`",
    "it raises {kind} where gradients are taken: {error}": "求梯度时抛出 {kind}：{error}",
    "it raises {kind} where it is fed with what it returned: {error}": (
        "以它的返回值作输入时抛出 {kind}：{error}"
    ),
    "it raises {kind} in a step of {name}: {error}": "在 {name} 的一步中抛出 {kind}：{error}",
    "it raises {kind}: {error}": "它抛出 {kind}：{error}",
    # A difference table in a file.
    "{path}: {why}": "{path}：{_why}",
}

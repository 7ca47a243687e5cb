"""What `onecell convert --into` says, and why a cell is not put into a model that exists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TEXTS: Final[Mapping[str, str]] = {
    "no cell's, and the model keeps its own": "不属于单元，模型保留其自身的",
    "{path}: a copy of {model} with {cells} put into it, all else as it was": (
        "{path}：{model} 的副本，已放入 {cells}，其余原样不变"
    ),
    "is called `{own}` by its maker": "作者称之为 `{own}`",
    "is now {place} of the model": "现为模型中的 {place}",
    "goes to {place}, the only one of the model": "放入 {place}，模型中仅有这一个",
    "the state that the model begins with stays, {names}": "模型的初始状态保持不变（{names}）",
    "there is no LSTM cell to be put into the model.": "没有可放入模型的 LSTM 单元。",
    "the model has no LSTM cell, only {names}.": "模型中没有 LSTM 单元，只有 {names}。",
    "`{name}` has I = {i} and H = {h}, and `{place}` of the model I = {wide} and H = {units}.": (
        "`{name}` 的 I = {i}，H = {h}，而模型中的 `{place}` 的 I = {wide}，H = {units}。"
    ),
    "`{name}` has a bias, and `{place}` of the model no place for one.": (
        "`{name}` 有偏置，而模型中的 `{place}` 没有偏置的位置。"
    ),
    "`{name}` holds {here}, which would be rounded to the {kind} of `{place}` in the model.": (
        "`{name}` 含有 {here}，会被舍入为模型中 `{place}` 的 {kind}。"
    ),
    "`{name}` of the model has the odd shape {shape}.": "模型中的 `{name}` 形状异常：{shape}。",
    "no cell of the model is called `{owner}`; it has {has}. Say which is which: --rename "
    "'{first}={second}'.": (
        "模型中没有名为 `{owner}` 的单元；它有 {has}。请说明对应关系：--rename '{first}={second}'。"
    ),
    "`{name}` has no place in the model, which has {has}.": (
        "`{name}` 在模型中没有位置；模型有 {has}。"
    ),
    "`{first}` and `{name}` would both go to `{place}` of the model; choose one (--only).": (
        "`{first}` 与 `{name}` 都将放入模型中的 `{place}`；请选择其一（--only）。"
    ),
    "`{name}` is to go to {place}, and the model has no one cell called so; it has {has}.": (
        "`{name}` 应放入 {place}，而模型中没有唯一如此命名的单元；它有 {has}。"
    ),
    "`--into` is for files with a model in them: {can}; {model} has tensors alone, and `onecell "
    "convert` writes all of it anew.": (
        "`--into` 用于含有模型的文件：{can}；{model} 只有张量，`onecell convert` 会将其全部重写。"
    ),
    "{target}: a copy of {model} must be called *{suffix}, as that is.": (
        "{target}：{model} 的副本必须名为 *{suffix}，与其相同。"
    ),
    "`{name}` of the model would not be as it should: {why}.": (
        "模型中的 `{name}` 将与应有的不符：{_why}。"
    ),
    "two cells of the model share it": "模型中有两个单元共用它",
    "it shares its numbers": "它与别的张量共用数值",
    "`{name}` adds nothing to its forget gate, and is read so; leave --forget-bias out.": (
        "`{name}` 不给遗忘门另加任何数，也照此读取；请去掉 --forget-bias。"
    ),
    "no cell of {first} or {second} can be told what to add to its forget gate; leave "
    "--forget-bias out.": (
        "{first} 与 {second} 的单元都不能指定给遗忘门另加多少；请去掉 --forget-bias。"
    ),
    "`--form` is of a new graph, and `--into` keeps its own.": (
        "`--form` 用于新的计算图，而 `--into` 保留原有的计算图。"
    ),
    "{model} is {framework}'s, and --to says {to}; leave that out.": (
        "{model} 是 {framework} 的，而 --to 说的是 {to}；请去掉 --to。"
    ),
}

"""Every rule by name, with what it does in one line; families tell their own (`registry`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from onecell.migrate.rules.table.layers import CELL
from onecell.migrate.rules.table.lookup import MADE_TENSOR, ROWS

SYNTAX: Final[Mapping[str, str]] = {
    "cell_call": "a step of a cell: the input's name, and the pair of tensors for the state",
    "functional_cell": "the cell as a function or operator: refused, it has no counterpart",
    "star_import": "`from torch.nn import *`: refused where it may bring the cell",
    "partial": "`functools.partial` of something in the table",
    "wrap": "`LSTMCell.from_torch(cell)` and `LSTMCell.from_mindspore(cell)`",
    "skeleton": "`forward` and `construct`",
    "reserved": "an attribute whose name the other framework's modules have taken: called anew",
    "attribute": "`cell.bias` and `cell.has_bias`, `embedding.weight` and `embedding_table`",
    "optimizer_state": "`optimizer.state_dict()` and `load_state_dict`: what it gathered",
    "file_name": '`"best.pth"` and `"best.ckpt"`, wherever a checkpoint\'s name is written out',
    "class_name": '`type(m).__name__ == "Linear"` and `"Dense"`',
    "buffer": "`register_buffer`, and `self.name = …` of a buffer",
    "element_type": "`module.double()` and `p.set_dtype(…)`; `torch.FloatTensor` as a type",
    "train": "`train()`, `eval()` and `set_train()`",
    "training": "a module that asks `self.training` begins in its framework's mode",
    "training_step": "`loss.backward()`, `optimizer.step()` and `mindspore.value_and_grad`",
    "parameters": "`parameters()` and `get_parameters()`, and those with names",
    "device": "moves between devices, which MindSpore does not have",
    "size": "`x.size(i)` and `x.shape[i]`",
    "detach": "`x.detach()` and `ops.stop_gradient(x)`",
    "clone": "`x.clone()` and `x.copy()`",
    "squeeze": "`x.squeeze(dim=…)` and `x.squeeze(axis=…)`",
    "flip": "`x.flip(0)` and `x.flip((0,))`",
    "transpose": "`x.permute(1, 0, 2)` and `x.transpose(1, 0, 2)`",
    "new": "`x.new(2, 3)` and `x.new_zeros((2, 3))`",
    "new_zeros": "`x.new_zeros(2, 3)` and `x.new_zeros((2, 3))`",
    "asnumpy": "`x.asnumpy()` and `x.detach().cpu().numpy()`",
    "astype": "`x.astype(dtype)` and `x.to(dtype)`",
    "unsqueeze_method": "`x.expand_dims(0)` and `x.unsqueeze(0)`",
    "in_place": "`x.add_(y)`, `p.data.fill_(0)`; `x += y` of what something else may hold: marked",
    "data_item": "`p.data[i] = t` and `p[i] = t`",
    "rate": '`group["lr"]` and `float(group["lr"])`, for groups of an optimizer\'s parameters',
    "method": "a method that the other framework lacks: marked",
    "operator": "the way back: `ops.Concat(1)((a, b))` and `torch.cat((a, b), 1)`; an operator that"
    " is kept becomes a function; functions and optimizers that have no row of both sides",
    "unknown": "anything else of the framework that the module is leaving: marked",
}
"""Rules that are about syntax, not about one row of the table."""

RULES: Final[Mapping[str, str]] = {
    **{
        row.rule: f"`{row.torch.path}` and `{row.mindspore.path}`"
        for row in reversed((*CELL.values(), *ROWS, MADE_TENSOR))
    },
    **SYNTAX,
}
"""Name → what the rule is about."""

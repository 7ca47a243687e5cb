"""Functions that a ported file gets where MindSpore has none: saves and loads that keep nesting.

The file's form: every tensor by its keys with dots between, and a text, "plain values": the content
without its tensors, as JSON. `checkpoint.pickles.plain` makes the same of torch's files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import libcst as cst

_SAVE: Final = '''
def save_nested(content, path):
    """Save tensors and plain values, in dictionaries and lists, as a MindSpore checkpoint.

    A tensor is called by its keys, with dots between; "plain values" is the rest, as JSON.
    """
    import argparse, json, os
    import mindspore, numpy

    tensors = {}

    def is_tensor(value):
        return isinstance(value, (mindspore.Tensor, numpy.ndarray))

    def rest(value, name):
        inner = f"{name}." if name else ""
        if is_tensor(value):
            if name in tensors or not value.size:
                raise ValueError(f"`{name}` is empty, or there twice.")
            tensors[name] = mindspore.Tensor(value)
            return None
        if isinstance(value, argparse.Namespace):
            return {"": rest(vars(value), name)}
        if isinstance(value, dict):
            left = [[key, each, rest(each, f"{inner}{key}")] for key, each in value.items()]
            if not all(isinstance(key, str) and key for key in value):
                return {"": [[key, plain] for key, _, plain in left]}
            return {key: plain for key, each, plain in left if not is_tensor(each)}
        if isinstance(value, (list, tuple)):
            return [rest(each, f"{inner}{place}") for place, each in enumerate(value)]
        if isinstance(value, numpy.generic):
            return value.item()
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        raise TypeError(f"`{name}` is a {type(value).__name__}: of a model, save `state_dict()`.")

    plain = rest(content, "tensor" if is_tensor(content) else "")
    text = {"plain values": json.dumps(plain)} if plain != {} or not tensors else None
    path = path.name if hasattr(path, "write") else os.fspath(path)
    named = [{"name": name, "data": tensor} for name, tensor in tensors.items()]
    mindspore.save_checkpoint(named, f"{path}.ckpt", append_dict=text)
    os.replace(f"{path}.ckpt", path)  # under its own name: MindSpore adds an end to another
    os.chmod(path, 0o644)
'''

_LOAD: Final = '''
def load_nested(path):
    """Load what `save_nested` has saved; any other MindSpore checkpoint as one dictionary."""
    import argparse, json, os, tempfile
    import mindspore

    def made(found):
        inner = found.get("", found)
        if isinstance(inner, list):
            return dict(inner)
        return found if inner is found else argparse.Namespace(**inner)

    path = os.path.abspath(path.name if hasattr(path, "read") else path)
    os.stat(path)
    with tempfile.TemporaryDirectory() as folder:
        link = path
        if not path.endswith(".ckpt"):  # MindSpore loads no file that is called otherwise
            link = os.path.join(folder, "link.ckpt")
            os.symlink(path, link)
        tensors = mindspore.load_checkpoint(link)
    content = json.loads(tensors.pop("plain values", "{}"), object_hook=made)
    places = {}

    def find(place, prefix):
        place = vars(place) if isinstance(place, argparse.Namespace) else place
        items = list(enumerate(place) if isinstance(place, list) else place.items())
        places[prefix] = place, {str(key): key for key, _ in items}
        for key, each in items:
            if isinstance(each, (dict, list, argparse.Namespace)):
                find(each, f"{prefix}{key}.")

    if content is None:
        return mindspore.Tensor(tensors["tensor"])
    find(content, "")
    for name, value in tensors.items():
        prefix = name
        while prefix not in places:
            prefix = prefix[: prefix[:-1].rfind(".") + 1]
        place, keys = places[prefix]
        key = name[len(prefix) :]
        place[keys.get(key, key)] = value if isinstance(value, str) else mindspore.Tensor(value)
    return content
'''

_STATE: Final = '''
def optimizer_state(optimizer):
    """Return what an optimizer has gathered, and its rates."""
    own = {parameter.name for parameter in optimizer.parameters}
    state = optimizer.state_dict()
    return {
        "state": {name: value for name, value in state.items() if name not in own},
        "param_groups": [{"lr": float(group["lr"])} for group in optimizer.param_groups],
    }
'''

_RESTORE: Final = '''
def load_optimizer(optimizer, saved):
    """Give an optimizer back what `optimizer_state` has returned."""
    state = optimizer.state_dict()
    for name, value in saved["state"].items():
        state[name].set_data(value)
    for group, kept in zip(optimizer.param_groups, saved["param_groups"]):
        if "lr" in kept:  # which `--drop optimizer` leaves out
            group["lr"] = kept["lr"]
'''

_INITIALIZED: Final = '''
def initialized(layer, **fill):
    """Give a layer's parameters their first numbers; `fill` has a function for each name."""
    for name, numbers in fill.items():
        if getattr(layer, name) is not None:
            numbers(getattr(layer, name))
    return layer
'''

_REVERSE: Final = '''
def reverse_sequence(x, lengths, seq_dim, batch_dim=0):
    """Turn the first `lengths` of each row round, and leave what comes after them."""
    import torch

    rows = x.movedim((batch_dim, seq_dim), (0, 1))
    steps = torch.arange(rows.shape[1], device=x.device)
    lengths = lengths.long().reshape(-1, 1)
    index = torch.where(steps < lengths, lengths - 1 - steps, steps)
    turned = rows[torch.arange(rows.shape[0], device=x.device).reshape(-1, 1), index]
    return turned.movedim((0, 1), (batch_dim, seq_dim))
'''

_ADAM: Final = '''
def plain_adam(params, lr, betas, eps, weight_decay=0.0):
    """Return Adam with `eps` beside the root of what is gathered, before its bias is corrected."""
    import torch

    optimizer = torch.optim.Adam(params, lr, betas, eps, weight_decay)
    steps = [0]

    def correct(optimizer, args, kwargs):
        steps[0] += 1
        for group in optimizer.param_groups:
            group["eps"] = eps / (1 - group["betas"][1] ** steps[0]) ** 0.5

    optimizer.register_step_pre_hook(correct)
    return optimizer
'''

WRITTEN: Final[Mapping[str, str]] = {
    "plain_adam": _ADAM,
    "reverse_sequence": _REVERSE,
    "initialized": _INITIALIZED,
    "save_nested": _SAVE,
    "load_nested": _LOAD,
    "optimizer_state": _STATE,
    "load_optimizer": _RESTORE,
}
"""Name → the function as it is written into a file; each stands by itself."""


def is_written(function: cst.FunctionDef) -> bool:
    """Whether an earlier run has written a function."""
    text = function.get_docstring(clean=False)
    return text is not None and any(f'"""{text}"""' in each for each in WRITTEN.values())


def with_functions(module: cst.Module, names: Mapping[str, str]) -> cst.Module:
    """Return a module with functions after its first imports, less those that it has.

    Args:
        module: a rewritten module.
        names: name in `WRITTEN` → what the function is called here.
    """
    there = {line.name.value for line in module.body if isinstance(line, cst.FunctionDef)}
    new = [
        text.replace(f"def {name}(", f"def {names[name]}(")
        for name, text in WRITTEN.items()
        if name in names and names[name] not in there
    ]
    if not new:
        return module
    body: list[cst.BaseStatement] = list(module.body)
    place = next((i for i, line in enumerate(body) if not _is_head(line)), len(body))
    made = [_spaced(cst.parse_statement(text.strip("\n") + "\n")) for text in new]
    if place < len(body):
        body[place] = _spaced(body[place])
    elif not body:
        made[0] = made[0].with_changes(leading_lines=[])
    return module.with_changes(body=[*body[:place], *made, *body[place:]])


def _is_head(line: cst.CSTNode) -> bool:
    """Whether a statement is a text or imports alone, as what a file begins with is."""
    if isinstance(line, cst.Try):
        return all(_is_head(each) for each in line.body.body)
    if not isinstance(line, cst.SimpleStatementLine):
        return False
    return all(
        isinstance(each, cst.Import | cst.ImportFrom)
        or (isinstance(each, cst.Expr) and isinstance(each.value, cst.SimpleString))
        for each in line.body
    )


def _spaced(line: cst.BaseStatement) -> cst.BaseStatement:
    """Return a statement with two blank lines over it, before its comments."""
    over = list(getattr(line, "leading_lines", ()))
    while over and over[0].comment is None:
        del over[0]
    return line.with_changes(leading_lines=[*[cst.EmptyLine(indent=False)] * 2, *over])

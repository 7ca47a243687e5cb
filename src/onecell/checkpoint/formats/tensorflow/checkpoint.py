"""Read a TensorFlow checkpoint, and the variables of a SavedModel.

`rnn/basic_lstm_cell/kernel` is read as `rnn.basic_lstm_cell.kernel`. Cells of TensorFlow 1 keep one
kernel over input and state, those of Keras two; a checkpoint of these is Keras's dialect. Nothing
of a graph is run: what the cells compute with besides their variables (activations, a forget bias
that is not 1, clipping) is not in a checkpoint.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from onecell.checkpoint.content import Checkpoint
from onecell.checkpoint.formats.tensorflow.bundle import INDEX, KINDS, TEXT, Bundle
from onecell.checkpoint.formats.tensorflow.objects import GRAPH, dotted, names_of
from onecell.checkpoint.limits import Budget
from onecell.dialect import get_dialect
from onecell.dtypes import FLOAT_NAMES, dtype_name, narrow, widen
from onecell.errors import CheckpointError
from onecell.text import short

_VARIABLES: Final = "variables"
_STATE: Final = "checkpoint"
_LATEST: Final = re.compile(rb'^model_checkpoint_path: "((?:[^"\\]|\\.)*)"', re.MULTILINE)
_LONGEST_STATE: Final = 2**20
_DATA: Final = re.compile(r"(?P<stem>.+)\.data-\d{5}-of-\d{5}")
_NO_OFFSET: Final = "cudnn_compatible_lstm_cell"
"""A cell of TensorFlow 1 that adds nothing to its forget gate."""
ADDS_NOTHING: Final = (
    "adds nothing to its forget gate, where other cells of TensorFlow add 1 when they run: the "
    "bias is read 1 less, and --forget-bias is to stay 1"
)
_OLDER: Final = (
    ("weights", "biases"),  # before 1.2
    ("Linear.Matrix", "Linear.Bias"),  # before 1.0
    ("W_0", "B"),
)
"""What older versions call the kernel and the bias of an LSTM."""
_PEEPHOLES: Final = ("w_i_diag", "w_f_diag", "w_o_diag")
_PROJECTION: Final = "projection.kernel"


def locate(path: Path) -> Path:
    """Return the index of a checkpoint that is called by its prefix or its folder, else `path`.

    A folder is a SavedModel, its `variables`, or one whose `checkpoint` says which is the latest.

    Raises:
        CheckpointError: the latest one is not there, or `path` is a part of one.
    """
    if path.is_dir():
        for inner in (f"{_VARIABLES}/{_VARIABLES}{INDEX}", f"{_VARIABLES}{INDEX}"):
            if (path / inner).is_file():
                return path / inner
        return _latest(path) if (path / _STATE).is_file() else path
    if not path.exists():
        index = path.with_name(path.name + INDEX)
        return index if path.name and index.is_file() else path
    if path.name == "saved_model.pb":
        return locate(path.parent)
    if match := _DATA.fullmatch(path.name):
        raise CheckpointError(
            f"it is one part of a checkpoint of TensorFlow's. Give its index, "
            f"`{short(match['stem'] + INDEX)}`."
        )
    return path


def _latest(folder: Path) -> Path:
    """Return the index of the checkpoint that a folder's `checkpoint` names; never one elsewhere.

    An older one may have the whole path of the machine that wrote it: only its last part counts.
    """
    with (folder / _STATE).open("rb") as file:
        match = _LATEST.search(file.read(_LONGEST_STATE))
    if match is None:
        return folder
    name = match[1].decode(errors="replace").replace("\\\\", "/").rstrip("/").rpartition("/")[2]
    index = folder / f"{name}{INDEX}"
    if name in {"", ".", ".."} or "\0" in name or not index.is_file():
        raise CheckpointError(f"its `{_STATE}` names {short(repr(name))}, which is not there.")
    return index


def read(file: BinaryIO, budget: Budget) -> Checkpoint:
    """Read a checkpoint by its index.

    Errors are those of `Bundle`.
    """
    with Bundle(file, budget) as bundle:
        keys = [key for key in bundle.places if key != GRAPH]
        names = {key: key for key in keys}
        if GRAPH in bundle.places and bundle.places[GRAPH].kind == TEXT:
            names = names_of(bundle.text(GRAPH), keys, budget)
        found = Checkpoint({}, "tf", None, {})
        for key in keys:
            name = dotted(names[key])
            if name in found.tensors or name in found.left_out:
                raise CheckpointError(f"it holds `{short(name)}` twice.")
            if bundle.places[key].kind in KINDS:
                found.tensors[name] = bundle.read(key)
            else:
                found.left_out[name] = f"a tensor of {bundle.places[key].type_name}"
    tensors = _with_names_of_today(found.tensors)
    gone = dict(_no_cells(tensors))
    for name in [each for each in tensors if gone.keys() & _owners(each)]:
        del tensors[name]
        found.left_out[name] = next(gone[each] for each in _owners(name) if each in gone)
    found.remarks.update(gone)
    for owner in [name.rpartition(".")[0] for name in tensors]:
        if owner.endswith(_NO_OFFSET) and owner not in found.remarks:
            _take_offset(owner, found.remarks, tensors)
    return replace(found, tensors=tensors, dialect=_dialect(tensors))


def _with_names_of_today(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return tensors with the arrays of an LSTM, and what is below them, called as today."""
    today: dict[str, str] = {}
    for name in tensors:
        for kernel, bias in _OLDER:
            start = name.removesuffix(kernel)
            new = {name: f"{start}kernel", start + bias: f"{start}bias"}
            there = start != name and _is_lstm(start) and start + bias in tensors
            if there and tensors.keys().isdisjoint(new.values()):
                today |= new
    renamed: dict[str, np.ndarray] = {}
    for name, array in tensors.items():
        above, _, last = name.rpartition(".")
        called = today.get(name) or (f"{today[above]}.{last}" if above in today else name)
        if called in renamed:
            raise CheckpointError(f"it holds `{short(called)}` twice.")
        renamed[called] = array
    return renamed


def _is_lstm(start: str) -> bool:
    """Whether what stands before the names of arrays is a module that calls itself one."""
    return "lstm" in start.removesuffix(".").rpartition(".")[2].lower()


def _owners(name: str) -> set[str]:
    """Return the module whose kernel or bias a tensor is, or lies below."""
    above, _, last = name.rpartition(".")
    upper, _, array = above.rpartition(".")
    arrays = ("kernel", "bias")
    return ({above} if last in arrays else set()) | ({upper} if array in arrays else set())


def _no_cells(tensors: Mapping[str, np.ndarray]) -> Iterator[tuple[str, str]]:
    """Yield what has the arrays of an LSTM cell and is none, and why."""
    for name in tensors:
        owner, _, last = name.rpartition(".")
        if last != "kernel" or f"{owner}.bias" not in tensors:
            continue
        if f"{owner}.{_PROJECTION}" in tensors:
            yield owner, "an LSTM with projections, no LSTM cell"
        elif any(f"{owner}.{each}" in tensors for each in _PEEPHOLES):
            yield owner, "an LSTM with peepholes, no LSTM cell"


def _take_offset(owner: str, remarks: dict[str, str], tensors: Mapping[str, np.ndarray]) -> None:
    """Take from the bias of a cell what others add and this one does not."""
    layout = get_dialect("tensorflow").layout
    bias = tensors.get(f"{owner}.bias")
    if bias is None or bias.ndim != 1 or len(bias) % len(layout.gates):
        return
    kind = dtype_name(bias.dtype)
    if kind not in FLOAT_NAMES:
        return
    gate = bias.reshape(len(layout.gates), -1)[layout.gates.index("f")]
    with np.errstate(all="ignore"):
        gate[...] = narrow(widen(gate) - layout.forget_offset, kind)
    remarks[owner] = ADDS_NOTHING


def _dialect(tensors: Mapping[str, np.ndarray]) -> str | None:
    """Return whose cells are there: TensorFlow's or Keras's; None where there are both."""
    both = {"recurrent_kernel": "keras", "kernel": "tensorflow"}
    found = set()
    for name, array in tensors.items():
        owner, _, last = name.rpartition(".")
        if last not in both or array.ndim != 2 or array.shape[1] % 4:
            continue
        hidden = array.shape[1] // 4
        if last == "recurrent_kernel":
            found |= {"keras"} if array.shape[0] == hidden else set()
        elif _is_lstm(owner) and array.shape[0] > hidden:
            bias, other = (tensors.get(f"{owner}.{n}") for n in ("bias", "recurrent_kernel"))
            alone = other is None and bias is not None and bias.shape == (4 * hidden,)
            found |= {"tensorflow"} if alone else set()
    return next(iter(found), "tensorflow") if len(found) < 2 else None

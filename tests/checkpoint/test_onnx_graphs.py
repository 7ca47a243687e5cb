"""LSTMs of ONNX where exporters leave them: in functions, put together, quantised, named alike."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from onecell import Spec, Weights
from onecell.checkpoint import Checkpoint, find_cells, load_checkpoint
from onecell.checkpoint.formats.onnx import model as onnx_file
from onecell.checkpoint.formats.protobuf import read_fields
from onecell.checkpoint.limits import FLOOR
from onecell.errors import CheckpointError

PeakBelow = Callable[[int], AbstractContextManager[None]]
WEIGHTS = Weights.random(Spec(3, 4), 1)
TORCH = WEIGHTS.to_dialect("torch")
ARRAYS = WEIGHTS.to_dialect("onnx")


def lstm(*inputs: str, name: str = "/rnn/LSTM", output: str = "Y", **attributes: Any) -> Any:
    return helper.make_node("LSTM", inputs, [output], name=name, hidden_size=4, **attributes)


def read(
    nodes: list[Any],
    arrays: dict[str, np.ndarray],
    folder: Path,
    *,
    functions: tuple[Any, ...] = (),
    opset: int = 17,
) -> Checkpoint:
    x = helper.make_tensor_value_info("X", TensorProto.FLOAT, [5, 2, 3])
    y = helper.make_tensor_value_info("Y", TensorProto.FLOAT, [5, 1, 2, 4])
    tensors = [numpy_helper.from_array(array, key) for key, array in arrays.items()]
    graph = helper.make_graph(nodes, "g", [x], [y], tensors)
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("mine", 1)]
    made = helper.make_model(graph, opset_imports=opsets, functions=list(functions))
    (folder / "a.onnx").write_bytes(made.SerializeToString())
    return load_checkpoint(folder / "a.onnx")


def weights_in(checkpoint: Checkpoint) -> dict[str, Weights]:
    cells = find_cells(checkpoint.tensors, "onnx")
    return {cell.name: cell.weights(checkpoint.tensors, "onnx") for cell in cells}


def function(*nodes: Any, inputs: tuple[str, ...] = ("X", "W", "R"), name: str = "Mine") -> Any:
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("mine", 1)]
    return helper.make_function("mine", name, inputs, ["Y"], list(nodes), opsets)


def call(*inputs: str, name: str = "Mine", called: str = "/net", output: str = "Y") -> Any:
    return helper.make_node(name, inputs, [output], name=called, domain="mine")


def test_an_lstm_in_a_function_is_read_where_it_is_called(tmp_path: Path) -> None:
    bias = helper.make_node("Constant", [], ["b"], value=numpy_helper.from_array(ARRAYS["B"]))
    inner = function(bias, lstm("X", "W", "R", "b"))
    outer = function(call("X", "W", "R", called="/deep"), name="Outer")
    found = read(
        [call("X", "W", "R"), call("X", "W", "R", name="Outer", called="/out", output="Z")],
        {"W": ARRAYS["W"], "R": ARRAYS["R"]},
        tmp_path,
        functions=(inner, outer),
    )
    cells = weights_in(found)
    assert sorted(cells) == ["net.rnn.LSTM", "out.deep.rnn.LSTM"]
    assert all(each.same_bits(WEIGHTS) for each in cells.values())


def test_what_a_function_is_given_by_attribute_is_said(tmp_path: Path) -> None:
    node = lstm("X", "W", "R")
    reference = node.attribute.add(name="clip", ref_attr_name="clip", type=1)
    assert reference.ref_attr_name == "clip"
    found = read([call("X", "W", "R")], ARRAYS, tmp_path, functions=(function(node),))
    assert weights_in(found) == {}
    assert "whose `clip` a function is given" in found.remarks["net.rnn.LSTM"]


@pytest.mark.parametrize("kind", ["itself", "each other twice", "twice"])
def test_functions_that_call_without_end_or_are_there_twice_are_refused(
    kind: str, tmp_path: Path, peak_below: PeakBelow
) -> None:
    functions = {
        "itself": (function(call("X", "W", "R")),),
        "twice": (function(), function()),
        "each other twice": tuple(
            function(
                *[call("X", name=f"F{n + 1}", called=f"/{way}") for way in "abcdefgh"],
                name=f"F{n}",
            )
            for n in range(15)
        ),
    }[kind]
    node = call("X", "W", "R", name="F0" if "other" in kind else "Mine")
    says = {"itself": "deeper", "twice": "`Mine` twice", "each other twice": "needs|deeper"}[kind]
    with peak_below(2 * FLOOR), pytest.raises(CheckpointError, match=says):
        read([node], {}, tmp_path, functions=functions)


def test_a_function_is_looked_through_once_however_often_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at = []

    def counted(file: Any, start: int, end: int, what: str) -> Any:
        looked_at.append(start)
        return read_fields(file, start, end, what)

    monkeypatch.setattr(onnx_file, "read_fields", counted)
    others = [helper.make_node("Add", ["X", "X"], [f"z{n}"]) for n in range(300)]
    own = function(*others, lstm("X", "W", "R"))
    counts = []
    for calls in (1, 21):
        looked_at.clear()
        nodes = [call("X", "W", "R", called=f"/c{n}", output=f"Y{n}") for n in range(calls)]
        assert len(weights_in(read(nodes, ARRAYS, tmp_path, functions=(own,)))) == calls
        counts.append(len(looked_at))
    assert counts[1] < 2 * counts[0]


def test_nodes_of_one_name_are_told_by_their_outputs(tmp_path: Path) -> None:
    other = Weights.random(Spec(3, 4), 2).to_dialect("onnx")
    nodes = [lstm("X", "W", "R", "B"), lstm("X", "W2", "R2", "B2", output="/other/Y")]
    found = read(nodes, ARRAYS | {f"{k}2": a for k, a in other.items()}, tmp_path)
    cells = weights_in(found)
    assert list(cells) == ["rnn.LSTM", "other.Y"]
    assert cells["rnn.LSTM"].same_bits(WEIGHTS)


def test_a_state_that_it_begins_with_is_said(tmp_path: Path) -> None:
    state = {"h": np.ones((1, 2, 4), np.float32), "c": np.zeros((1, 2, 4), np.float32)}
    found = read([lstm("X", "W", "R", "B", "", "h", "c")], ARRAYS | state, tmp_path)
    assert found.remarks == {"rnn.LSTM": "begins with a state of its own, `h`"}
    assert weights_in(found)["rnn.LSTM"].same_bits(WEIGHTS)


@pytest.mark.filterwarnings("ignore")  # of what torch's older exporter is to be replaced by
@pytest.mark.parametrize("opset", [9, 14, 17])
@pytest.mark.parametrize("fold", [True, False])
def test_what_torch_exports_is_read(opset: int, fold: bool, tmp_path: Path) -> None:
    module = torch.nn.LSTM(3, 4, 2, bidirectional=True)
    torch.onnx.export(
        module,
        (torch.zeros(5, 2, 3),),
        tmp_path / "t.onnx",
        dynamo=False,
        opset_version=opset,
        do_constant_folding=fold,
    )
    onnx.checker.check_model(onnx.load(tmp_path / "t.onnx"))
    found = load_checkpoint(tmp_path / "t.onnx")
    cells = find_cells(found.tensors, "onnx")
    assert len(cells) == 4
    state = {name: array.numpy() for name, array in module.state_dict().items()}
    for number, cell in enumerate(cells):
        want = Weights.from_dialect(state, "torch", layer=number // 2, reverse=cell.reverse)
        assert cell.weights(found.tensors, "onnx").same_bits(want)

"""ONNX: what other tools write is read, what is written runs, and hostile files are refused."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from onecell import Spec, Weights, reference
from onecell.checkpoint import convert, find_cells, load_checkpoint, save_checkpoint
from onecell.checkpoint.contents import look_into
from onecell.checkpoint.limits import FLOOR
from onecell.errors import ArgumentError, CheckpointError, DtypeError, UnsafeCheckpointError

Tensors = dict[str, np.ndarray]
Write = Callable[[bytes, str], Path]
PeakBelow = Callable[[int], AbstractContextManager[None]]
CLOSE = 1e-6
RNG = np.random.default_rng(3)


def session(path: Path) -> Any:
    onnx.checker.check_model(onnx.load(path), full_check=True)
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def cell(bias: bool = True, **names: Any) -> Tensors:
    arrays = Weights.random(Spec(3, 4, bias), 1).to_dialect("onnx")
    return {name: names.get(name, array) for name, array in arrays.items()}


def model(arrays: Tensors, *, name: str = "/rnn/LSTM", **attributes: Any) -> Any:
    """Return a model of one LSTM as another tool would write it."""
    inputs = ["X", *(key if key in arrays else "" for key in ("W", "R", "B")), "", "", ""]
    inputs += ["P"] if "P" in arrays else []
    attributes = {"hidden_size": 4} | attributes
    node = helper.make_node("LSTM", inputs, ["Y"], name=name, **attributes)
    x = helper.make_tensor_value_info("X", TensorProto.FLOAT, [5, 2, 3])
    y = helper.make_tensor_value_info("Y", TensorProto.FLOAT, [5, 1, 2, 4])
    tensors = [numpy_helper.from_array(array, key) for key, array in arrays.items()]
    graph = helper.make_graph([node], "g", [x], [y], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


def saved(proto: Any, folder: Path) -> Path:
    path = folder / "a.onnx"
    path.write_bytes(proto.SerializeToString())
    return path


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("prefix", ["", "decoder.cell."])
def test_a_cell_is_written_as_a_step_that_onnxruntime_runs(
    bias: bool, prefix: str, tmp_path: Path
) -> None:
    weights = Weights.random(Spec(3, 4, bias), 1)
    tensors = convert(weights.to_dialect("torch", prefix=prefix), "torch", "onnx").tensors
    save_checkpoint(tmp_path / "a.onnx", tensors, dialect="onnx")
    run = session(tmp_path / "a.onnx")
    x, h, c = (RNG.standard_normal((2, k)).astype("f4") for k in (3, 4, 4))
    start = "decoder.cell/" if prefix else ""
    got = run.run(None, {f"{start}input": x, f"{start}h_0": h, f"{start}c_0": c})
    assert [each.name for each in run.get_outputs()] == [f"{start}h_1", f"{start}c_1"]
    for array, want in zip(got, reference.step(weights, x, h, c), strict=True):
        np.testing.assert_allclose(array, want, atol=CLOSE)


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("both", [False, True])
def test_a_layer_is_written_as_a_sequence_that_computes_what_torch_does(
    layers: int, both: bool, tmp_path: Path
) -> None:
    theirs = torch.nn.LSTM(3, 4, layers, bidirectional=both)
    named = {f"rnn.{name}": array.detach().numpy() for name, array in theirs.state_dict().items()}
    tensors = convert(named, "torch", "onnx").tensors
    save_checkpoint(tmp_path / "a.onnx", tensors, dialect="onnx", metadata={"who": "我"})
    x = torch.from_numpy(RNG.standard_normal((5, 2, 3)).astype("f4"))
    h, c = torch.from_numpy(RNG.standard_normal((2, layers * (1 + both), 2, 4)).astype("f4"))
    output, (h_n, c_n) = theirs(x, (h, c))
    given_by_name = {"rnn/input": x.numpy(), "rnn/h_0": h.numpy(), "rnn/c_0": c.numpy()}
    got = session(tmp_path / "a.onnx").run(["rnn/output", "rnn/h_n", "rnn/c_n"], given_by_name)
    for array, want in zip(got, (output, h_n, c_n), strict=True):
        np.testing.assert_allclose(array, want.detach().numpy(), atol=CLOSE)
    again = load_checkpoint(tmp_path / "a.onnx")
    assert (again.format, again.dialect, again.metadata) == ("onnx", "onnx", {"who": "我"})
    back = convert(again.tensors, "onnx", "torch").tensors
    assert back.keys() == named.keys()
    assert all(back[name].tobytes() == array.tobytes() for name, array in named.items())


def test_a_cell_may_be_a_sequence_and_several_may_be_in_one_file(tmp_path: Path) -> None:
    weights = [Weights.random(Spec(3, 4), 1), Weights.random(Spec(2, 5), 2)]
    tensors = weights[0].to_dialect("onnx", prefix="a.")
    tensors |= weights[1].to_dialect("onnx", prefix="b.c.")
    save_checkpoint(tmp_path / "a.onnx", tensors, dialect="onnx", form="sequence")
    feeds = {}
    for name, each in zip(("a", "b.c"), weights, strict=True):
        feeds[f"{name}/input"] = RNG.standard_normal((6, 2, each.input_size)).astype("f4")
        for state in ("h_0", "c_0"):
            feeds[f"{name}/{state}"] = RNG.standard_normal((1, 2, each.hidden_size)).astype("f4")
    run = session(tmp_path / "a.onnx")
    got = dict(zip([o.name for o in run.get_outputs()], run.run(None, feeds), strict=True))
    for name, each in zip(("a", "b.c"), weights, strict=True):
        h, c = feeds[f"{name}/h_0"][0], feeds[f"{name}/c_0"][0]
        for x in feeds[f"{name}/input"]:
            h, c = reference.step(each, x, h, c)
        np.testing.assert_allclose(got[f"{name}/h_n"][0], h, atol=CLOSE)
        np.testing.assert_allclose(got[f"{name}/output"][-1], h, atol=CLOSE)
        np.testing.assert_allclose(got[f"{name}/c_n"][0], c, atol=CLOSE)


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float64"])
def test_other_floats_keep_their_bits(kind: str, tmp_path: Path) -> None:
    tensors = Weights.random(Spec(3, 4), 1).astype(kind).to_dialect("onnx", prefix="c.")
    save_checkpoint(tmp_path / "a.onnx", tensors, dialect="onnx")
    onnx.checker.check_model(onnx.load(tmp_path / "a.onnx"), full_check=True)
    again = load_checkpoint(tmp_path / "a.onnx").tensors
    assert all(again[name].tobytes() == array.tobytes() for name, array in tensors.items())
    assert again.keys() == tensors.keys()


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"head.weight": np.ones((2, 4), "f4")}, ArgumentError, "only LSTM cells .* head.weight"),
        ({"c.W": None, "c.R": None, "c.B": None}, ArgumentError, "no LSTM cell"),
        (
            Weights.random(Spec(3, 4)).to_dialect("onnx", prefix="r.", layer=1),
            ArgumentError,
            "alone",
        ),
        (
            Weights.random(Spec(3, 4)).to_dialect("onnx", prefix="c.", layer=0),
            ArgumentError,
            "once",
        ),
        (
            Weights.random(Spec(3, 4)).astype("float64").to_dialect("onnx"),
            DtypeError,
            "one element",
        ),
        (
            {
                **Weights.random(Spec(3, 4)).to_dialect("onnx", prefix="r.", layer=0),
                **Weights.random(Spec(3, 4)).to_dialect("onnx", prefix="r.", layer=1),
            },
            ArgumentError,
            "no stack",
        ),
    ],
    ids=range(6),
)
def test_what_no_graph_of_cells_can_be_is_refused_and_nothing_written(
    change: dict[str, Any], error: type[Exception], says: str, tmp_path: Path
) -> None:
    tensors = Weights.random(Spec(3, 4)).to_dialect("onnx", prefix="c.") | change
    tensors = {name: array for name, array in tensors.items() if array is not None}
    with pytest.raises(error, match=says):
        save_checkpoint(tmp_path / "a.onnx", tensors, dialect="onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_layer_has_no_step(tmp_path: Path) -> None:
    tensors = Weights.random(Spec(3, 4)).to_dialect("onnx", prefix="c.", layer=0)
    tensors |= Weights.random(Spec(4, 4)).to_dialect("onnx", prefix="c.", layer=1)
    with pytest.raises(ArgumentError, match="step form is that of a single cell"):
        save_checkpoint(tmp_path / "a.onnx", tensors, dialect="onnx", form="step")


@pytest.mark.parametrize("bias", [True, False])
def test_what_others_write_is_read_by_the_name_of_the_node(bias: bool, tmp_path: Path) -> None:
    arrays = cell(bias)
    arrays["other"] = np.arange(6, dtype=np.int64).reshape(2, 3)
    read = load_checkpoint(saved(model(arrays), tmp_path))
    (site,) = find_cells(read.tensors, "onnx")
    assert site.name == "rnn.LSTM"
    assert site.weights(read.tensors, "onnx").same_bits(Weights.random(Spec(3, 4, bias), 1))
    assert list(read.tensors)[-1] == "other"


@pytest.mark.parametrize("way", ["constant", "identity", "inside", "typed"])
def test_weights_are_found_where_exporters_put_them(way: str, tmp_path: Path) -> None:
    proto = model(cell())
    graph = proto.graph
    if way == "constant":
        for tensor in list(graph.initializer):
            graph.node.insert(0, helper.make_node("Constant", [], [tensor.name], value=tensor))
        del graph.initializer[:]
    elif way == "identity":
        graph.initializer[0].name = "kept"
        graph.node.insert(0, helper.make_node("Identity", ["kept"], ["W"]))
    elif way == "typed":
        for tensor in graph.initializer:
            numbers = np.frombuffer(tensor.raw_data, "<f4")
            tensor.ClearField("raw_data")
            tensor.float_data.extend(numbers)
    else:
        inner = helper.make_graph(list(graph.node), "inner", [], list(graph.output))
        tensors = list(graph.initializer)
        branch = helper.make_node(
            "If", ["c"], ["Y"], "either", then_branch=inner, else_branch=inner
        )
        del graph.node[:]
        graph.node.append(branch)
        assert list(graph.initializer) == tensors
    read = load_checkpoint(saved(proto, tmp_path))
    names = [site.name for site in find_cells(read.tensors, "onnx")]
    if way == "inside":
        assert sorted(names) == ["either.else_branch.rnn.LSTM", "either.then_branch.rnn.LSTM"]
    else:
        assert names == ["rnn.LSTM"]
    for site in find_cells(read.tensors, "onnx"):
        assert site.weights(read.tensors, "onnx").same_bits(Weights.random(Spec(3, 4), 1))


@pytest.mark.parametrize(
    ("arrays", "attributes", "says"),
    [
        ({"P": np.ones((1, 12), "f4")}, {}, "peepholes"),
        ({}, {"clip": 3.0}, "`clip`"),
        ({}, {"input_forget": 1}, "`input_forget`"),
        ({}, {"activations": ["HardSigmoid", "Tanh", "Tanh"]}, "hardsigmoid"),
        ({"W": None}, {}, "W computed in the graph"),
    ],
    ids=["peepholes", "clip", "input_forget", "activations", "computed"],
)
def test_an_operator_that_is_no_plain_lstm_is_named_and_its_tensors_left_out(
    arrays: dict[str, Any], attributes: dict[str, Any], says: str, tmp_path: Path
) -> None:
    every = cell() | arrays
    proto = model(every if "W" not in arrays else cell(), **attributes)
    if "W" in arrays:
        proto.graph.initializer[0].name = "elsewhere"
    read = load_checkpoint(saved(proto, tmp_path))
    assert find_cells(read.tensors, "onnx") == []
    assert says in read.remarks["rnn.LSTM"]
    assert any(note.name == "rnn.LSTM" and says in note.text for note in look_into(read).notes)
    assert "R" in read.left_out
    assert read.tensors.keys() <= {"elsewhere"}


@pytest.mark.parametrize(
    "attributes",
    [
        {"activations": ["Sigmoid", "Tanh", "Tanh"]},
        {"input_forget": 0, "direction": "forward"},
        {"direction": "reverse"},
        {"layout": 1},
    ],
    ids=str,
)
def test_what_changes_nothing_is_no_hindrance(attributes: dict[str, Any], tmp_path: Path) -> None:
    arrays = cell() | {"P": np.zeros((1, 12), "f4")}
    read = load_checkpoint(saved(model(arrays, **attributes), tmp_path))
    assert len(find_cells(read.tensors, "onnx")) == 1
    assert ("backward" in read.remarks.get("rnn.LSTM", "")) == ("reverse" in attributes.values())


def external(folder: Path, size: int = 10**6) -> Any:
    proto = model(cell())
    onnx.save_model(
        proto, folder / "a.onnx", save_as_external_data=True, location="a.data", size_threshold=0
    )
    return onnx.load(folder / "a.onnx", load_external_data=False)


def entries(proto: Any, **values: str) -> None:
    for tensor in proto.graph.initializer:
        for entry in tensor.external_data:
            entry.value = values.get(entry.key, entry.value)


def test_external_data_is_read_out_of_the_folder_of_the_model(tmp_path: Path) -> None:
    external(tmp_path)
    read = load_checkpoint(tmp_path / "a.onnx")
    (site,) = find_cells(read.tensors, "onnx")
    assert site.weights(read.tensors, "onnx").same_bits(Weights.random(Spec(3, 4), 1))


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"location": "../secret"}, "no path below"),
        ({"location": "sub/../../secret"}, "no path below"),
        ({"location": "..\\secret"}, "no path below"),
        ({"location": "/etc/hostname"}, "no path below"),
        ({"location": "C:\\secret"}, "no path below"),
        ({"location": ""}, "no path below"),
        ({"location": "link"}, "leads out"),
        ({"location": "folder/secret"}, "leads out"),
        ({"location": "gone"}, "no such file"),
        ({"location": "."}, "no such file"),
        ({"location": "pipe"}, "no such file"),
        ({"location": "circle"}, "no such file"),
        ({"location": "n" * 260}, "no such file"),
        ({"offset": "99999999"}, "which has"),
        ({"offset": "-4"}, "no number"),
        ({"offset": "1e3"}, "no number"),
        ({"offset": "9" * 400}, "no number"),
        ({"length": "4"}, "are there"),
    ],
    ids=str,
)
def test_external_data_elsewhere_is_refused(
    values: dict[str, str], says: str, tmp_path: Path
) -> None:
    secret, inside = tmp_path / "secret", tmp_path / "model"
    secret.write_bytes(bytes(10_000))
    inside.mkdir()
    (inside / "link").symlink_to(secret)
    (inside / "folder").symlink_to(tmp_path)
    (inside / "circle").symlink_to(inside / "circle")
    os.mkfifo(inside / "pipe")
    proto = external(inside)
    entries(proto, **values)
    with pytest.raises(CheckpointError, match=says):
        load_checkpoint(saved(proto, inside))


DIMS = {
    "dims beyond content": [2**31, 2**20],
    "dims of nothing": [2**62, 0, 2**62],
    "dims that overflow": [2**62, 4],
    "negative dims": [-1, 16, 3],
    "too many dims": [1] * 40,
}


def bits_of_another_type(graph: Any) -> None:
    graph.initializer[0].ClearField("raw_data")
    graph.initializer[0].int32_data.extend([1] * 48)


def long_path_to_many(graph: Any) -> None:
    inner = helper.make_graph([], "g", [], [])
    for number in range(6000):
        inner.initializer.add(name=f"{number}", data_type=1, dims=[0])
    graph.node.add(op_type="If", name="n" * 4000).attribute.add(name="a", g=inner)


def many_that_are_sparse(graph: Any) -> None:
    for _ in range(300_000):
        graph.sparse_initializer.add()


CHANGES: dict[str, Callable[[Any], None]] = {
    "bits of another type": bits_of_another_type,
    "a long path to many": long_path_to_many,
    "many that are sparse": many_that_are_sparse,
    "a name twice": lambda graph: graph.initializer.append(graph.initializer[0]),
}


def bomb(kind: str, folder: Path) -> Any:
    """Return a small model that asks for much, or for something twice."""
    proto = model(cell())
    tensor = proto.graph.initializer[0]
    if kind in DIMS:
        tensor.dims[:] = DIMS[kind]
    elif kind == "no content":
        tensor.ClearField("raw_data")
    elif kind == "two contents":
        tensor.float_data.extend([1.0] * 48)
    elif kind in CHANGES:
        CHANGES[kind](proto.graph)
    elif kind == "many times one file":
        proto = external(folder)
        (folder / "a.data").write_bytes(bytes(2**20))
        big = proto.graph.initializer[0]
        big.dims[:] = [1, 2**18, 1]
        for entry in big.external_data:
            entry.value = {"offset": "0", "length": str(2**20)}.get(entry.key, entry.value)
        for number in range(200):
            proto.graph.initializer.append(big)
            proto.graph.initializer[-1].name = f"t{number}"
    else:
        for _ in range(20):  # deeper than this, protobuf's own reader does not go
            outer = helper.make_graph([], "g", [], [])
            outer.node.append(helper.make_node("If", ["c"], ["y"], then_branch=proto.graph))
            proto.graph.CopyFrom(outer)
    return proto


@pytest.mark.parametrize(
    ("kind", "error", "says"),
    [
        ("dims beyond content", CheckpointError, "needs .* bytes"),
        ("dims of nothing", CheckpointError, "memory can address"),
        ("dims that overflow", CheckpointError, "memory can address"),
        ("negative dims", CheckpointError, "memory can address|impossible|needs"),
        ("too many dims", CheckpointError, "more than 32 dimensions"),
        ("no content", CheckpointError, "and 0 are there"),
        ("two contents", CheckpointError, "two contents"),
        ("bits of another type", CheckpointError, "numbers of another type"),
        ("a long path to many", UnsafeCheckpointError, "needs .* bytes"),
        ("many that are sparse", UnsafeCheckpointError, "needs .* bytes"),
        ("a name twice", CheckpointError, "`W` twice"),
        ("many times one file", UnsafeCheckpointError, "needs .* bytes"),
        ("graphs in graphs", CheckpointError, "nested deeper"),
    ],
)
def test_a_model_that_lies_is_refused_within_its_budget(
    kind: str, error: type[Exception], says: str, tmp_path: Path, peak_below: PeakBelow
) -> None:
    path = saved(bomb(kind, tmp_path), tmp_path)
    with peak_below(FLOOR + 20 * 2**20), pytest.raises(error, match=says):
        load_checkpoint(path)


def test_weights_of_one_branch_hide_no_tensor_of_another(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Constant", [], [name], value=numpy_helper.from_array(array))
        for name, array in cell().items()
    ]
    nodes.append(helper.make_node("LSTM", ["X", "W", "R", "B"], ["Y"], hidden_size=4))
    others = [numpy_helper.from_array(np.ones(1, "f4"), f"t{n}") for n in range(50)]
    proto = model(cell())
    proto.graph.node.append(
        helper.make_node(
            "If",
            ["c"],
            ["y"],
            name="if",
            else_branch=helper.make_graph(nodes, "g", [], []),  # comes first
            then_branch=helper.make_graph([], "g", [], [], others),
        )
    )
    read = load_checkpoint(saved(proto, tmp_path)).tensors
    assert len(find_cells(read, "onnx")) == 2
    assert {f"if.then_branch.t{n}" for n in range(50)} <= read.keys()


def test_what_is_called_onnx_and_is_none_is_refused(write: Write) -> None:
    for content in (b"\x08\x07", b"\x08\x07\x3a\x00\x3a\x00", b"hello", b"\x08"):
        with pytest.raises(CheckpointError):
            load_checkpoint(write(content, "a.onnx"))


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_garbled_model_loads_or_is_refused(data: st.DataObject, write: Write) -> None:
    content = bytearray(model(cell()).SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        if data.draw(st.booleans()):
            content[place] = data.draw(st.integers(0, 255))
        else:
            del content[place : place + data.draw(st.integers(1, 20))]
    with contextlib.suppress(CheckpointError):
        load_checkpoint(write(bytes(content), "a.onnx"))

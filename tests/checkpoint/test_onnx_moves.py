"""ONNX: weights that the graph puts together out of constants are read as it puts them together."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from onecell import Spec, Weights
from onecell.checkpoint import find_cells, load_checkpoint
from onecell.checkpoint.formats.onnx import constants as onnx_constants
from onecell.checkpoint.formats.onnx.into import put
from onecell.checkpoint.formats.onnx.moves import MOVES, move
from onecell.checkpoint.formats.placed import InMemory
from onecell.checkpoint.limits import FLOOR, Budget
from onecell.errors import CheckpointError
from onecell.verify.plan import source_dialect

PeakBelow = Callable[[int], AbstractContextManager[None]]
CELL = Weights.random(Spec(3, 4), 1)


class Graph:
    """Nodes and tensors, put down one after the other."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.tensors: list[Any] = []

    def tensor(self, value: Any) -> str:
        name = f"t{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> list[str]:
        names = [f"n{len(self.nodes)}_{k}" for k in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names

    def save(self, folder: Path, outputs: list[str] | None = None, version: int = 17) -> Path:
        x = helper.make_tensor_value_info("X", TensorProto.FLOAT, [5, 2, 3])
        results = [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in outputs or []]
        graph = helper.make_graph(self.nodes, "g", [x], results, self.tensors)
        imports = [helper.make_opsetid("", version)]
        made = helper.make_model(graph, opset_imports=imports, ir_version=9)
        path = folder / "a.onnx"
        path.write_bytes(made.SerializeToString())
        return path


def reordered(graph: Graph, array: np.ndarray, how: str) -> str:
    """Return what makes ONNX's order of an array of torch's, as exporters write it."""
    source = graph.tensor(array)
    axis, ones = graph.tensor([0]), graph.tensor([1])
    if how == "slice":
        cut = [
            graph.node("Slice", source, graph.tensor([a]), graph.tensor([b]), axis, ones)[0]
            for a, b in ((0, 4), (12, 2**63 - 1), (4, 12))
        ]
    elif how == "split":
        i, f, g, o = graph.node("Split", source, outputs=4, axis=0)
        cut = [i, o, f, g]
    else:
        i, f, g, o = graph.node("Split", source, graph.tensor([4, 4, 4, 4]), outputs=4)
        cut = [i, o, f, g]
    return graph.node("Concat", *cut, axis=0)[0]


@pytest.mark.parametrize("how", ["slice", "split", "sizes"])
def test_the_gates_of_torch_are_read_as_the_graph_reorders_them(how: str, tmp_path: Path) -> None:
    graph = Graph()
    zero = graph.tensor([0])
    weights = [
        graph.node("Unsqueeze", reordered(graph, array, how), zero)[0]
        for array in (CELL.weight_ih, CELL.weight_hh)
    ]
    assert CELL.bias_ih is not None
    assert CELL.bias_hh is not None
    biases = [reordered(graph, each, how) for each in (CELL.bias_ih, CELL.bias_hh)]
    both = graph.node("Concat", *biases, axis=0)[0]
    bias = graph.node("Unsqueeze", both, zero)[0]
    graph.node("LSTM", "X", *weights, bias, hidden_size=4)
    read = load_checkpoint(graph.save(tmp_path))
    (site,) = find_cells(read.tensors, "onnx")
    assert site.weights(read.tensors, "onnx").same_bits(CELL)
    arrays = {array.tobytes() for array in CELL.arrays().values()}
    assert not arrays & {array.tobytes() for array in read.tensors.values()}  # not there twice


def test_what_is_used_twice_at_every_step_is_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def counted(kind: str, *rest: Any) -> np.ndarray | None:
        made.append(kind)
        return move(kind, *rest)

    monkeypatch.setattr(onnx_constants, "move", counted)
    graph = Graph()
    weight = graph.tensor(np.zeros((1, 16, 1), np.float32))
    for _ in range(8):
        (weight,) = graph.node("Concat", weight, weight, axis=2)
    recurrent = graph.tensor(np.zeros((1, 16, 4), np.float32))
    for _ in range(3):
        graph.node("LSTM", "X", weight, recurrent, hidden_size=4)
    read = load_checkpoint(graph.save(tmp_path))
    assert len(find_cells(read.tensors, "onnx")) == 3
    assert len(made) == 3 * 8  # and not 3 * (2**8 - 1)


def test_weights_of_an_input_are_still_said_to_be_computed(tmp_path: Path) -> None:
    graph = Graph()
    made = graph.node("Concat", "X", graph.tensor(CELL.weight_ih[None]), axis=1)[0]
    relu = graph.node("Relu", graph.tensor(CELL.weight_hh[None]))[0]
    turned = graph.node("Transpose", relu)[0]
    graph.node("LSTM", "X", made, turned, hidden_size=4)
    read = load_checkpoint(graph.save(tmp_path))
    assert find_cells(read.tensors, "onnx") == []
    assert "W, R computed in the graph" in next(iter(read.remarks.values()))
    assert len(read.tensors) == 2  # the constants, as others


@pytest.mark.parametrize("layer", ["", "_l0"])
def test_arrays_of_torch_that_other_operators_use_are_pointed_out_and_read_as_said(
    layer: str, tmp_path: Path
) -> None:
    graph = Graph()
    for name, array in CELL.arrays().items():
        graph.tensors.append(numpy_helper.from_array(array, f"dec.rnn.{name}{layer}"))
        graph.node("Relu", f"dec.rnn.{name}{layer}")
    path = graph.save(tmp_path)
    read = load_checkpoint(path)
    assert find_cells(read.tensors, "onnx") == []
    assert "--from torch" in read.remarks["dec.rnn"]
    assert source_dialect(read, "torch", path) == "torch"
    (site,) = find_cells(read.tensors, "torch")
    assert site.weights(read.tensors, "torch").same_bits(CELL)


def test_a_quantized_operator_is_named(tmp_path: Path) -> None:
    graph = Graph()
    graph.node("DynamicQuantizeLSTM", "X", domain="com.microsoft")
    (remark,) = load_checkpoint(graph.save(tmp_path)).remarks.values()
    assert "quantized weights" in remark


SHAPES = st.lists(st.integers(1, 3), min_size=1, max_size=3)


@settings(
    deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), kind=st.sampled_from(sorted(MOVES)), shape=SHAPES)
def test_every_move_is_what_onnxruntime_makes_of_it(
    data: st.DataObject, kind: str, shape: list[int], tmp_path: Path
) -> None:
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    attributes: dict[str, Any] = {}
    numbers: list[list[int] | np.ndarray] = []
    outputs = 1
    if kind == "Slice":
        ends = st.integers(-4, 4)
        numbers = [[data.draw(ends)], [data.draw(ends)], [axis], [data.draw(st.integers(1, 2))]]
    elif kind == "Concat":
        numbers, attributes = [array], {"axis": axis}
    elif kind == "Unsqueeze":
        numbers = [sorted(data.draw(st.sets(st.integers(0, len(shape)), min_size=1, max_size=2)))]
    elif kind == "Squeeze":
        ones = [k for k, size in enumerate(shape) if size == 1]
        numbers = [ones] if ones and shape[0] < 3 else []
    elif kind == "Transpose" and shape[0] < 3:
        attributes = {"perm": data.draw(st.permutations(range(len(shape))))}
    elif kind == "Reshape":
        numbers = [data.draw(st.sampled_from([[-1], [1, -1], [0, -1, 1]]))]
    elif kind == "Split":
        outputs, attributes = 2, {"axis": axis}
        first = data.draw(st.integers(0, shape[axis]))
        numbers = [[first, shape[axis] - first]]
    graph = Graph()
    inputs = [np.asarray(each, np.float32 if kind == "Concat" else np.int64) for each in numbers]
    names = [graph.tensor(array), *map(graph.tensor, inputs)]
    made = graph.node(kind, *names, outputs=outputs, **attributes)
    path = graph.save(tmp_path, made)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    run = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    wants = run.run(None, {"X": np.zeros((5, 2, 3), np.float32)})
    lists = {key: [v] if isinstance(v, int) else list(v) for key, v in attributes.items()}
    for place, want in enumerate(wants):
        got = move(kind, [array, *inputs], lists, place, outputs)
        assert got is not None
        assert got.shape == want.shape
        assert np.array_equal(got, want)


@pytest.mark.parametrize("kind", sorted(MOVES))
@pytest.mark.parametrize(
    ("numbers", "attributes"),
    [
        ([], {}),
        ([[99]], {}),
        ([[-99], [3], [9], [0]], {"axis": [7], "perm": [5, 5], "split": [1]}),
        ([[2**62] * 40], {"axis": [0, 1], "axes": [0, 0], "shape": [-1, -1]}),
        ([[0.5, float("nan")]], {"starts": [0], "ends": []}),
    ],
)
def test_what_cannot_be_moved_so_is_none(
    kind: str, numbers: list[Any], attributes: dict[str, list[int]]
) -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    with np.errstate(invalid="ignore"):
        got = move(kind, [array, *(np.asarray(each) for each in numbers)], attributes, 3, 2)
    assert got is None or got.size <= 2 * array.size


@pytest.mark.parametrize("kind", ["circle", "doubled", "again", "chain"])
def test_a_graph_that_unfolds_without_end_is_refused_or_left(
    kind: str, tmp_path: Path, peak_below: PeakBelow
) -> None:
    graph = Graph()
    name = graph.tensor(np.ones((1, 2**14), np.float32))
    if kind == "circle":
        graph.nodes.append(helper.make_node("Squeeze", ["a"], ["b"]))
        graph.nodes.append(helper.make_node("Squeeze", ["b"], ["a"]))
        name = "a"
    elif kind == "doubled":  # 2^14 times as much
        for _ in range(14):
            name = graph.node("Concat", name, name, axis=0)[0]
    elif kind == "again":  # nothing, used 60^15 times
        name = graph.tensor(np.empty((0, 3), np.float32))
        for _ in range(15):
            name = graph.node("Concat", *[name] * 60, axis=0)[0]
    else:
        for _ in range(5000):
            name = graph.node("Transpose", name)[0]
    graph.node("LSTM", "X", name, name, hidden_size=4)
    path = graph.save(tmp_path)
    with peak_below(FLOOR + 20 * 2**20):
        try:
            read = load_checkpoint(path)
        except CheckpointError as error:
            assert kind == "doubled"
            assert "needs" in str(error)  # noqa: PT017
        else:
            assert find_cells(read.tensors, "onnx") == []
            assert kind == "again" or "computed in the graph" in next(iter(read.remarks.values()))


@pytest.mark.slow
def test_the_model_that_silero_vad_runs_has_the_cells_of_its_torchscript() -> None:
    package: Any = pytest.importorskip("silero_vad")
    folder = Path(package.__file__).parent / "data"
    program = load_checkpoint(folder / "silero_vad.jit").tensors
    want = {
        prefix: Weights.from_dialect(program, "torch", prefix=f"{prefix}.decoder.rnn.")
        for prefix in ("_model", "_model_8k")
    }
    read = load_checkpoint(folder / "silero_vad.onnx").tensors
    sites = find_cells(read, "onnx")
    assert len(sites) == 4  # two branches of two networks
    for site in sites:
        prefix = "_model" if "then_branch" in site.prefix.split(".")[1] else "_model_8k"
        got = site.weights(read, "onnx")
        assert got.same_bits(want[prefix])


def test_weights_that_the_graph_puts_together_have_no_place_to_be_put(tmp_path: Path) -> None:
    graph = Graph()
    zero = graph.tensor([0])
    names = [
        graph.node("Unsqueeze", graph.tensor(each), zero)[0]
        for each in (CELL.weight_ih, CELL.weight_hh)
    ]
    graph.node("LSTM", "X", *names, hidden_size=4)
    path = graph.save(tmp_path)
    read = load_checkpoint(path).tensors
    names = [name for name in read if name.endswith((".W", ".R"))]
    content = InMemory(path.read_bytes(), str(path))
    with pytest.raises(CheckpointError, match="put together by the graph"):
        put(
            content,
            Budget(path.stat().st_size),
            {name: read[name] for name in names},
            tmp_path / "b.onnx",
        )

"""Cells put into a model that exists: what goes where, what does not fit, what stays as it was."""

from __future__ import annotations

import contextlib
import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from onecell import Spec, Weights, reference
from onecell.checkpoint import Checkpoint, find_cells, load_checkpoint, save_checkpoint
from onecell.checkpoint.into import Insertion, check_into, insert, save_into
from onecell.errors import ArgumentError, CheckpointError, OutputExistsError

Tensors = dict[str, np.ndarray]
OLD, NEW = (
    Weights(**{**Weights.random(Spec(3, 4), seed).arrays(), "bias_hh": np.zeros(16, np.float32)})
    for seed in (1, 2)
)


def h5(**cells: Weights) -> bytes:
    """Return a .weights.h5 of LSTM layers and a Dense one, as Keras 3 writes it."""
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for name, weights in (cells or {"lstm": OLD}).items():
            for number, array in enumerate(weights.to_dialect("keras").values()):
                file[f"layers/{name}/cell/vars/{number}"] = array
            file[f"layers/{name}"].create_group("vars").attrs["name"] = f"my_{name}"
        file["layers/dense/vars/0"] = np.arange(8, dtype=np.float32).reshape(4, 2)
        file["optimizer/vars/0"] = np.int64(7)
    return content.getvalue()


def keras(**cells: Weights) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", json.dumps({"class_name": "Sequential"}))
        archive.writestr("model.weights.h5", h5(**cells))
        archive.writestr("assets/words.txt", "some words")
    return content.getvalue()


def graph(*nodes: Any, tensors: Tensors | None = None, **cells: Weights) -> Any:
    """Return a model of LSTMs one beside the other."""
    made, arrays = [], dict(tensors or {})
    for name, weights in (cells or {"rnn": OLD}).items():
        own = {f"{name}.{k}": a for k, a in weights.to_dialect("onnx").items()}
        arrays = own | arrays
        made.append(
            helper.make_node("LSTM", ["x", *own], [f"{name}.Y"], name=f"/{name}", hidden_size=4)
        )
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [5, 2, 3])
    outs = [
        helper.make_tensor_value_info(n.output[0], TensorProto.FLOAT, [5, 1, 2, 4]) for n in made
    ]
    every = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    whole = helper.make_graph([*made, *nodes], "g", [x], outs, every)
    return helper.make_model(whole, opset_imports=[helper.make_opsetid("", 17)])


def nam(**changes: Any) -> bytes:
    weight, bias = OLD.to_dialect("nam").values()
    numbers = [*weight.ravel().tolist(), *bias.tolist(), *[0.25] * 8, *range(5)]
    config = {"input_size": 3, "hidden_size": 4, "num_layers": 1, "more": [1]}
    model = {"version": "0.5.2", "architecture": "LSTM", "config": config, "weights": numbers}
    said = {"sample_rate": 48000.0, "metadata": {"name": "我", "gear": {"a": None}}}
    return json.dumps(model | said | changes).encode()


def rtneural() -> bytes:
    arrays = [array.tolist() for array in OLD.to_dialect("rtneural").values()]
    dense = {"type": "dense", "shape": [None, 1], "weights": [[[0.1]] * 4, [1e-3]]}
    layers = [{"type": "lstm", "shape": [None, None, 4], "weights": arrays}, dense]
    return json.dumps({"in_shape": [None, None, 3], "in_gain": -3.5, "layers": layers}).encode()


MODELS: dict[str, Callable[[], bytes]] = {
    ".weights.h5": h5,
    ".keras": keras,
    ".onnx": lambda: bytes(graph().SerializeToString()),
    ".nam": nam,
    ".json": rtneural,
}


def put(
    tensors: Tensors, model: Path, target: Path, *, places: dict[str, str] | None = None
) -> Insertion:
    read = load_checkpoint(model)
    check_into(model, read.format, target)
    found = insert(tensors, "torch", read, places)
    save_into(target, model, read.format, found.tensors)
    return found


@pytest.fixture(params=list(MODELS))
def model(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"model{request.param}"
    path.write_bytes(MODELS[request.param]())
    return path


def test_a_cell_is_put_into_a_copy_and_all_else_stays(model: Path) -> None:
    before, content = load_checkpoint(model), model.read_bytes()
    target = model.with_name(f"new{''.join(model.suffixes)}")
    found = put(NEW.to_dialect("torch", prefix="a."), model, target)
    after = load_checkpoint(target)
    (site,) = find_cells(after.tensors, after.dialect or "")
    assert site.weights(after.tensors, after.dialect or "").same_bits(NEW)
    assert after.tensors.keys() == before.tensors.keys()
    for name, array in before.tensors.items():
        assert (after.tensors[name].tobytes() == array.tobytes()) == (name not in found.tensors)
    assert (after.metadata, after.aliases) == (before.metadata, before.aliases)
    assert [(a.name, b.name) for a, b in found.cells] == [("a", site.name)]
    assert "the only one of the model" in str(found.notes[0])
    assert model.read_bytes() == content


def test_the_bytes_of_an_hdf5_and_of_a_graph_change_in_the_arrays_alone(tmp_path: Path) -> None:
    for suffix in (".h5", ".onnx"):
        model = tmp_path / f"m{suffix}"
        model.write_bytes(MODELS[".weights.h5" if suffix == ".h5" else suffix]())
        put(NEW.to_dialect("torch"), model, tmp_path / f"n{suffix}")
        old, new = model.read_bytes(), (tmp_path / f"n{suffix}").read_bytes()
        dialect = "keras" if suffix == ".h5" else "onnx"
        for name, array in OLD.to_dialect(dialect).items():
            assert old.count(array.tobytes()) == 1, name
            old = old.replace(array.tobytes(), NEW.to_dialect(dialect)[name].tobytes())
        assert old == new


def test_the_other_members_of_a_keras_file_stay(tmp_path: Path) -> None:
    (tmp_path / "m.keras").write_bytes(keras())
    put(NEW.to_dialect("torch"), tmp_path / "m.keras", tmp_path / "n.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as old, zipfile.ZipFile(tmp_path / "n.keras") as new:
        for one, other in zip(old.infolist(), new.infolist(), strict=True):
            kept = ("filename", "date_time", "compress_type", "external_attr", "create_system")
            assert [getattr(one, n) for n in kept] == [getattr(other, n) for n in kept]
            assert (old.read(one) == new.read(other)) == (one.filename != "model.weights.h5")


def test_the_other_fields_of_json_stay(tmp_path: Path) -> None:
    for suffix in (".nam", ".json"):
        (tmp_path / f"m{suffix}").write_bytes(MODELS[suffix]())
        put(NEW.to_dialect("torch"), tmp_path / f"m{suffix}", tmp_path / f"n{suffix}")
    old, new = (json.loads((tmp_path / f"{n}.nam").read_bytes()) for n in "mn")
    assert old | {"weights": 0} == new | {"weights": 0}
    assert list(old) == list(new)
    assert old["weights"][-13:] == new["weights"][-13:] == [*[0.25] * 8, *range(5)]
    old, new = (json.loads((tmp_path / f"{n}.json").read_bytes()) for n in "mn")
    old["layers"][0]["weights"] = new["layers"][0]["weights"] = 0
    assert old == new


def test_the_state_that_a_nam_begins_with_is_said(tmp_path: Path) -> None:
    (tmp_path / "m.nam").write_bytes(nam())
    found = put(NEW.to_dialect("torch"), tmp_path / "m.nam", tmp_path / "n.nam")
    assert any("the state that the model begins with stays" in n.text for n in found.notes)


def run(path: Path, output: str, x: np.ndarray) -> Any:
    onnx.checker.check_model(str(path), full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run([output], {"x": x})[0]


def rolled(weights: Weights, xs: np.ndarray) -> np.ndarray:
    h, c = np.zeros((2, *xs.shape[1:2], weights.hidden_size))
    out = []
    for x in xs:
        h, c = reference.step(weights, x, h, c)
        out.append(h)
    return np.array(out)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_model_with_data_beside_it_runs_with_the_new_cell(
    elsewhere: bool, tmp_path: Path
) -> None:
    made, other = graph(a=OLD, b=OLD), tmp_path / "other"
    other.mkdir()
    onnx.save(
        made, tmp_path / "m.onnx", save_as_external_data=True, location="m.data", size_threshold=0
    )
    old = (tmp_path / "m.data").read_bytes()
    target = (other if elsewhere else tmp_path) / "n.onnx"
    put(NEW.to_dialect("torch", prefix="b."), tmp_path / "m.onnx", target)
    x = np.random.default_rng(1).standard_normal((5, 2, 3)).astype("f4")
    for name, weights in (("a", OLD), ("b", NEW)):
        got = run(target, f"{name}.Y", x)[:, 0]
        np.testing.assert_allclose(got, rolled(weights, x), atol=1e-6)
    assert (tmp_path / "m.data").read_bytes() == old
    assert sorted(p.name for p in other.iterdir()) == (["m.data", "n.onnx"] if elsewhere else [])


def test_data_beside_the_copy_replaces_nothing_unasked(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "m.data").write_bytes(b"mine")
    onnx.save(
        graph(),
        tmp_path / "m.onnx",
        save_as_external_data=True,
        location="m.data",
        size_threshold=0,
    )
    with pytest.raises(OutputExistsError):
        put(NEW.to_dialect("torch"), tmp_path / "m.onnx", other / "n.onnx")
    assert [p.name for p in other.iterdir()] == ["m.data"]
    assert (other / "m.data").read_bytes() == b"mine"


def test_numbers_that_lie_as_varints_become_bytes(tmp_path: Path) -> None:
    half = NEW.astype("float16")
    made = graph()
    for tensor in made.graph.initializer:
        array = OLD.to_dialect("onnx")[tensor.name[-1]].astype(np.float16)
        bits = array.view(np.uint16).ravel().tolist()
        tensor.CopyFrom(
            TensorProto(
                name=tensor.name,
                data_type=TensorProto.FLOAT16,
                dims=array.shape,
                int32_data=bits,
                doc_string="kept",
            )
        )
    (tmp_path / "m.onnx").write_bytes(made.SerializeToString())
    put(half.to_dialect("torch"), tmp_path / "m.onnx", tmp_path / "n.onnx")
    after = onnx.load(tmp_path / "n.onnx")
    for tensor in after.graph.initializer:
        want = half.to_dialect("onnx")[tensor.name[-1]]
        assert numpy_helper.to_array(tensor).tobytes() == want.tobytes()
        assert tensor.doc_string == "kept"
        tensor.Clear()
    for tensor in made.graph.initializer:
        tensor.Clear()
    assert after == made


def both_ways(path: Path) -> Path:
    arrays = [w.to_dialect("onnx") for w in (OLD, OLD)]
    joined = {f"r.{k}": np.concatenate([a[k] for a in arrays]) for k in "WRB"}
    node = helper.make_node(
        "LSTM", ["x", *joined], ["r.Y"], name="/r", hidden_size=4, direction="bidirectional"
    )
    made = graph()
    del made.graph.node[:], made.graph.initializer[:], made.graph.output[:]
    made.graph.node.append(node)
    made.graph.initializer.extend(numpy_helper.from_array(a, k) for k, a in joined.items())
    path.write_bytes(made.SerializeToString())
    return path


def test_one_direction_of_an_array_of_two_is_changed_alone(tmp_path: Path) -> None:
    model = both_ways(tmp_path / "m.onnx")
    tensors = NEW.to_dialect("torch", prefix="q.", layer=0, reverse=True)
    put(tensors, model, tmp_path / "n.onnx", places={"q[layer 0, reverse]": "r"})
    after = load_checkpoint(tmp_path / "n.onnx").tensors
    there = {site.reverse: site.weights(after, "onnx") for site in find_cells(after, "onnx")}
    assert there[False].same_bits(OLD)
    assert there[True].same_bits(NEW)


@pytest.mark.parametrize("suffix", [".onnx", ".h5"])
def test_both_directions_of_torch_go_to_a_layer_of_both(suffix: str, tmp_path: Path) -> None:
    tensors: Tensors = {}
    for reverse, weights in ((False, NEW), (True, OLD)):
        tensors |= weights.to_dialect("torch", prefix="q.", layer=0, reverse=reverse)
    model = tmp_path / f"m{suffix}"
    if suffix == ".onnx":
        both_ways(model)
    else:
        with h5py.File(model, "w") as file:
            for way in ("forward_layer", "backward_layer"):
                for number, array in enumerate(OLD.to_dialect("keras").values()):
                    file[f"layers/bidirectional/{way}/cell/vars/{number}"] = array
    found = put(tensors, model, tmp_path / f"n{suffix}")
    assert len(found.cells) == 2
    after = load_checkpoint(tmp_path / f"n{suffix}")
    for site in find_cells(after.tensors, after.dialect or ""):
        got = site.weights(after.tensors, after.dialect or "")
        assert got.same_bits(OLD if site.reverse else NEW)


@pytest.mark.parametrize(
    "name", ["layers.b.cell", "layers.b", "my_b"], ids=["cell", "layer", "the user's name"]
)
def test_a_cell_goes_to_where_its_name_is(name: str, tmp_path: Path) -> None:
    (tmp_path / "m.h5").write_bytes(h5(a=OLD, b=OLD))
    tensors = NEW.to_dialect("torch", prefix=f"{name}.")
    found = put(tensors, tmp_path / "m.h5", tmp_path / "n.h5")
    assert [place.name for _, place in found.cells] == ["layers.b.cell"]
    assert all(note.text == "" for note in found.notes)


def test_layers_of_a_stack_go_where_they_are_sent(tmp_path: Path) -> None:
    wide = Weights.random(Spec(4, 4), 5)
    wide = Weights(wide.weight_ih, wide.weight_hh, wide.bias_ih, np.zeros(16, np.float32))
    (tmp_path / "m.h5").write_bytes(h5(a=wide, b=OLD))
    tensors = NEW.to_dialect("torch", prefix="r.", layer=0)
    tensors |= wide.to_dialect("torch", prefix="r.", layer=1)
    places = {"r[layer 0]": "my_b", "r[layer 1]": "layers.a.cell"}
    found = put(tensors, tmp_path / "m.h5", tmp_path / "n.h5", places=places)
    assert [place.name for _, place in found.cells] == ["layers.b.cell", "layers.a.cell"]


def misfit(**arrays: Any) -> Tensors:
    return Weights(**(NEW.arrays() | arrays)).to_dialect("torch", prefix="lstm.")


WIDE = Weights.random(Spec(5, 4), 1).to_dialect("torch")
BARE = Weights(OLD.weight_ih, OLD.weight_hh)


@pytest.mark.parametrize(
    ("cells", "tensors", "places", "says"),
    [
        ({"lstm": OLD}, WIDE, {}, r"`\(root\)` has I = 5 and H = 4, and .* I = 3 and H = 4"),
        ({"lstm": BARE}, NEW.to_dialect("torch"), {}, "has a bias, and .* no place for one"),
        ({"lstm": OLD}, NEW.widened().astype("float64").to_dialect("torch"), {}, None),
        (
            {"lstm": OLD},
            Weights.random(Spec(3, 4, dtype=np.dtype(np.float64)), 1).to_dialect("torch"),
            {},
            "float64, which would be rounded to the float32",
        ),
        (
            {"a": OLD, "b": OLD},
            NEW.to_dialect("torch", prefix="c."),
            {},
            r"no cell of the model is called `c`; .*layers.a.cell \(called my_a\).* --rename 'c=",
        ),
        (
            {"a": OLD, "b": OLD},
            NEW.to_dialect("torch", prefix="my_a.") | NEW.to_dialect("torch", prefix="layers.a."),
            {},
            "would both go to `layers.a.cell`",
        ),
        (
            {"a": OLD},
            NEW.to_dialect("torch", prefix="r.", layer=0)
            | NEW.to_dialect("torch", prefix="r.", layer=0, reverse=True),
            {},
            r"`r\[layer 0, reverse\]` has no place",
        ),
        ({"a": OLD}, NEW.to_dialect("torch"), {"(root)": "d"}, "go to 'd', and the model has no"),
        ({"a": OLD}, {"w": np.ones(3)}, {}, "there is no LSTM cell to be put"),
    ],
    ids=range(9),
)
def test_what_does_not_fit_is_named_and_nothing_written(
    cells: dict[str, Weights],
    tensors: Tensors,
    places: dict[str, str],
    says: str | None,
    tmp_path: Path,
) -> None:
    (tmp_path / "m.h5").write_bytes(h5(**cells))
    if says is None:  # float64 that float32 holds: nothing is lost
        put(tensors, tmp_path / "m.h5", tmp_path / "n.h5", places=places)
        return
    with pytest.raises(ArgumentError, match=says):
        put(tensors, tmp_path / "m.h5", tmp_path / "n.h5", places=places)
    assert [path.name for path in tmp_path.iterdir()] == ["m.h5"]


def test_a_cell_without_bias_gets_zeros_and_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "m.nam").write_bytes(nam())
    found = put(BARE.to_dialect("torch"), tmp_path / "m.nam", tmp_path / "n.nam")
    assert [loss.kind for loss in found.lost] == ["zeros"]
    (tmp_path / "m.h5").write_bytes(h5())
    put(BARE.to_dialect("torch"), tmp_path / "m.h5", tmp_path / "n.h5")
    after = load_checkpoint(tmp_path / "n.h5").tensors
    assert not after["layers.lstm.cell.bias"].any()


def test_tensors_alone_are_no_model_and_a_copy_keeps_its_suffix(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="has tensors alone"):
        check_into(tmp_path / "m.pt", "pt", tmp_path / "n.pt")
    with pytest.raises(ArgumentError, match=r"must be called \*\.keras"):
        check_into(tmp_path / "m.keras", "keras", tmp_path / "n.h5")


def test_what_shares_its_numbers_is_not_changed_unseen(tmp_path: Path) -> None:
    model = tmp_path / "m.onnx"
    used = graph(helper.make_node("Abs", ["rnn.W"], ["z"], name="loud"))
    twice = graph(a=OLD, b=OLD)
    twice.graph.node[1].input[1] = "a.W"
    del twice.graph.initializer[0]
    behind = graph(
        helper.make_node("Identity", ["rnn.R"], ["i"]), helper.make_node("Abs", ["i"], ["z"])
    )
    constant = graph(helper.make_node("Abs", ["k"], ["z"]))
    held = constant.graph.initializer.pop(0)
    assert held.name == "rnn.W"
    held.name = ""
    constant.graph.node.insert(0, helper.make_node("Constant", [], ["k"], value=held))
    constant.graph.node[1].input[1] = "k"
    clipped = graph(a=OLD, b=OLD)
    clipped.graph.node[1].attribute.append(helper.make_attribute("clip", 0.5))
    clipped.graph.node[1].input[2] = "a.R"
    state = graph(a=OLD, b=OLD)
    state.graph.node[1].input.extend(["", "a.R"])
    elsewhere = graph(helper.make_node("LSTM", ["x", "rnn.W"], ["z"], name="far", domain="mine"))
    for made, name, says in (
        (clipped, "a", r"`a\.R` is used by `b` as well"),
        (state, "a", r"`a\.R` is used by `/b` as well"),
        (elsewhere, "rnn", r"`rnn\.W` is used by `far` as well"),
        (used, "rnn", "is used by `loud` as well"),
        (constant, "rnn", "is used by `Abs` as well"),
        (twice, "a", r"`b\.W` .* shares its numbers"),
        (behind, "rnn", "is used by `Abs` as well"),
    ):
        model.write_bytes(made.SerializeToString())
        with pytest.raises(CheckpointError, match=says):
            put(NEW.to_dialect("torch", prefix=f"{name}."), model, tmp_path / "n.onnx")
    content = io.BytesIO(h5())
    with h5py.File(content, "r+") as file:
        file["layers/dense/vars/1"] = file["layers/lstm/cell/vars/2"]
    (tmp_path / "m.h5").write_bytes(content.getvalue())
    with pytest.raises(CheckpointError, match=r"`layers\.dense\.vars\.1` .* shares"):
        put(NEW.to_dialect("torch"), tmp_path / "m.h5", tmp_path / "n.h5")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.h5", "m.onnx"]


def test_data_outside_the_folder_is_not_copied(tmp_path: Path) -> None:
    made = graph(tensors={"big": np.ones(100, np.float32)})
    tensor = next(t for t in made.graph.initializer if t.name == "big")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.data_type = TensorProto.FLOAT4E2M1  # no reader looks at it, and a copy would
    tensor.external_data.add(key="location", value="../secret")
    inside = tmp_path / "in"
    inside.mkdir()
    (tmp_path / "secret").write_bytes(b"0" * 400)
    (inside / "m.onnx").write_bytes(made.SerializeToString())
    with pytest.raises(CheckpointError, match="no path below the folder"):
        put(NEW.to_dialect("torch"), inside / "m.onnx", tmp_path / "n.onnx")
    assert not (tmp_path / "n.onnx").exists()


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_garbled_model_is_copied_well_or_refused(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    suffix = data.draw(st.sampled_from(list(MODELS)))
    content = bytearray(MODELS[suffix]())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    folder = tmp_path_factory.mktemp("garbled")
    model, target = folder / f"m{suffix}", folder / f"n{suffix}"
    model.write_bytes(bytes(content))
    with contextlib.suppress(CheckpointError, ArgumentError):
        put(NEW.to_dialect("torch"), model, target)
        after: Checkpoint = load_checkpoint(target)
        (site,) = find_cells(after.tensors, after.dialect or "")
        assert site.weights(after.tensors, after.dialect or "").same_bits(NEW)
        return
    assert not target.exists()


def openvino(folder: Path, **cells: Weights) -> Path:
    tensors: Tensors = {}
    for name, weights in cells.items():
        tensors |= weights.to_dialect("openvino", prefix=f"{name}.")
    save_checkpoint(folder / "m.xml", tensors)
    return folder / "m.xml"


def test_a_model_of_openvino_gets_a_file_of_numbers_of_its_own(tmp_path: Path) -> None:
    model = openvino(tmp_path, a=OLD, b=Weights.random(Spec(3, 4), 7))
    numbers = (tmp_path / "m.bin").read_bytes()
    put(NEW.to_dialect("torch", prefix="a."), model, tmp_path / "n.xml")
    assert (tmp_path / "n.xml").read_bytes() == model.read_bytes()
    assert (tmp_path / "m.bin").read_bytes() == numbers
    before, after = (load_checkpoint(tmp_path / f"{name}.xml").tensors for name in "mn")
    cells = {site.name: site.weights(after, "openvino") for site in find_cells(after, "openvino")}
    assert cells["a"].same_bits(NEW)
    assert all(after[name].tobytes() == before[name].tobytes() for name in ("b.W", "b.R", "b.B"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.bin", "m.xml", "n.bin", "n.xml"]


def test_numbers_that_openvino_keeps_once_for_two_are_changed_for_one(tmp_path: Path) -> None:
    model = openvino(tmp_path, a=OLD, b=Weights.random(Spec(3, 4), 7))
    places = re.findall(r'offset="(\d+)" size="192"', model.read_text())
    assert len(places) == 2  # kernels of (16, 3)
    text = model.read_text().replace(f'offset="{places[1]}"', f'offset="{places[0]}"')
    model.write_text(text)
    put(NEW.to_dialect("torch", prefix="a."), model, tmp_path / "n.xml")
    before, after = (load_checkpoint(tmp_path / f"{name}.xml").tensors for name in "mn")
    cells = {site.name: site.weights(after, "openvino") for site in find_cells(after, "openvino")}
    assert cells["a"].same_bits(NEW)
    assert all(after[name].tobytes() == before[name].tobytes() for name in ("b.W", "b.R", "b.B"))


def test_numbers_that_openvino_keeps_as_float16_are_not_rounded(tmp_path: Path) -> None:
    half = NEW.astype("float16")
    model = openvino(tmp_path, a=OLD.astype("float16"))
    put(half.to_dialect("torch", prefix="a."), model, tmp_path / "n.xml")
    after = load_checkpoint(tmp_path / "n.xml").tensors
    assert find_cells(after, "openvino")[0].weights(after, "openvino").same_bits(half)
    with pytest.raises(ArgumentError, match="would be rounded"):
        put(NEW.to_dialect("torch", prefix="a."), model, tmp_path / "o.xml")

"""Keras's files, made here as Keras makes them, and hostile ones."""

from __future__ import annotations

import contextlib
import io
import json
import os
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onecell import Spec, Weights
from onecell.checkpoint import convert, find_cells, load_checkpoint, save_checkpoint
from onecell.checkpoint.contents import look_into
from onecell.checkpoint.into import insert, save_into
from onecell.checkpoint.limits import FLOOR
from onecell.errors import ArgumentError, CheckpointError, DtypeError, UnsafeCheckpointError

Tensors = dict[str, np.ndarray]
Write = Callable[[bytes, str], Path]
PeakBelow = Callable[[int], AbstractContextManager[None]]
WEIGHTS = Weights(**{**Weights.random(Spec(3, 4), 1).arrays(), "bias_hh": np.zeros(16, np.float32)})
ARRAYS = list(WEIGHTS.to_dialect("keras").values())


def weights_h5(change: Callable[[Any], None] = lambda file: None, kernel: int = 0) -> bytes:
    """Return a .weights.h5 as Keras 3 writes it: an LSTM called `mine`, a GRU and a Dense layer."""
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for number, array in enumerate(ARRAYS):
            file[f"layers/lstm/cell/vars/{number}"] = array
        file["layers/lstm"].create_group("vars").attrs["name"] = "mine"
        for number, shape in enumerate([(4, 12), (4, 12), (2, 12)]):
            file[f"layers/gru/cell/vars/{number}"] = np.ones(shape, np.float32)
        file["layers/dense/vars/0"] = np.ones((4, 2), np.float32)
        file["layers/dense/vars/1"] = np.ones(2, np.float32)
        change(file)
    return content.getvalue()


def keras(config: object, weights: bytes | None = None) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        text = config if isinstance(config, str) else json.dumps(config)
        archive.writestr("config.json", text)
        archive.writestr("model.weights.h5", weights_h5() if weights is None else weights)
    return content.getvalue()


def lstm(**config: Any) -> dict[str, Any]:
    inner = {"class_name": "LSTM", "config": {"name": "mine", "units": 4} | config}
    return {"class_name": "Sequential", "config": {"layers": [inner]}}


@pytest.mark.parametrize("name", ["a.weights.h5", "a.keras", "a"])
def test_an_lstm_is_found_by_its_shapes_and_the_rest_carried(name: str, write: Write) -> None:
    content = keras(lstm()) if name == "a.keras" else weights_h5()
    read = load_checkpoint(write(content, name))
    assert read.dialect == "keras"
    (site,) = find_cells(read.tensors, "keras")
    assert site.name == "layers.lstm.cell"
    assert site.weights(read.tensors, "keras").same_bits(WEIGHTS)
    assert {"layers.dense.vars.0", "layers.gru.cell.vars.2"} <= read.tensors.keys()
    assert [str(n) for n in look_into(read).notes] == [
        "layers.lstm.cell: is called `mine` by its maker"
    ]


def test_an_older_file_has_the_names_itself(write: Write) -> None:
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        start = "model_weights/mine/mine/lstm_cell"
        for name, array in zip(("kernel:0", "recurrent_kernel:0", "bias:0"), ARRAYS, strict=True):
            file[f"{start}/{name}"] = array
        file.attrs["model_config"] = json.dumps(lstm())
        file["optimizer_weights/adam/iteration"] = np.int64(3)
    read = load_checkpoint(write(content.getvalue(), "a.h5"))
    (site,) = find_cells(read.tensors, "keras")
    assert site.name == "mine.mine.lstm_cell"
    assert site.weights(read.tensors, "keras").same_bits(WEIGHTS)
    assert "optimizer_weights.adam.iteration" in read.tensors


def test_what_keras_numbers_of_an_optimizer_is_left_behind(write: Write) -> None:
    tensors = dict(zip((f"layers.lstm.cell.vars.{n}" for n in range(3)), ARRAYS, strict=True))
    state = {"optimizer.vars.0", "optimizer.inner_optimizer.vars.2"}
    layer = {"layers.optimizer.vars.0", "optimizer.vars.gamma"}
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for name, array in (tensors | dict.fromkeys(state | layer, np.ones(3, np.float32))).items():
            file[name.replace(".", "/")] = array
    read = load_checkpoint(write(content.getvalue(), "a.weights.h5"))
    done = convert(read.tensors, "keras", "torch")
    assert set(done.left) == state
    assert set(done.carried) == layer
    assert state <= convert(read.tensors, "keras", "keras").tensors.keys()


def test_what_is_written_is_numbered_as_keras_does_and_read_again(tmp_path: Path) -> None:
    tensors = convert(
        WEIGHTS.to_dialect("torch", prefix="layers.lstm.cell."), "torch", "keras"
    ).tensors
    tensors["layers.dense.vars.0"] = np.ones((4, 2), np.float32)
    save_checkpoint(tmp_path / "a.weights.h5", tensors, dialect="keras", metadata={"who": "我"})
    with h5py.File(tmp_path / "a.weights.h5") as file:
        for number, array in enumerate(ARRAYS):
            assert file[f"layers/lstm/cell/vars/{number}"][()].tobytes() == array.tobytes()
    again = load_checkpoint(tmp_path / "a.weights.h5").tensors
    assert all(again[name].tobytes() == array.tobytes() for name, array in tensors.items())
    assert again.keys() == tensors.keys()


def test_what_keras_files_cannot_hold_is_refused(tmp_path: Path) -> None:
    tensors = WEIGHTS.astype("bfloat16").to_dialect("keras", prefix="a.")
    with pytest.raises(DtypeError, match="bfloat16"):
        save_checkpoint(tmp_path / "a.h5", tensors, dialect="keras")
    with pytest.raises(DtypeError, match="bfloat16"):
        save_checkpoint(tmp_path / "a.keras", tensors, dialect="keras")
    two = WEIGHTS.to_dialect("keras", prefix="a.") | WEIGHTS.to_dialect("keras", prefix="b.")
    with pytest.raises(ArgumentError, match=r"one LSTM, got a, b; .*--into"):
        save_checkpoint(tmp_path / "a.keras", two, dialect="keras")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"recurrent_activation": "hard_sigmoid"}, "`recurrent_activation` 'hard_sigmoid'"),
        ({"activation": "relu"}, "`activation` 'relu'"),
        ({"activation": {"class_name": "LeakyReLU", "config": {}}}, "'LeakyReLU'"),
    ],
    ids=str,
)
@pytest.mark.parametrize("older", [False, True])
def test_a_layer_with_other_activations_is_named_and_left_out(
    config: dict[str, Any], says: str, older: bool, write: Write
) -> None:
    content = keras(lstm(**config))
    if older:
        file_ = io.BytesIO()
        with h5py.File(file_, "w") as file:
            for name, array in zip(("kernel", "recurrent_kernel", "bias"), ARRAYS, strict=True):
                file[f"model_weights/mine/mine/lstm_cell/{name}"] = array
            file.attrs["model_config"] = json.dumps(lstm(**config))
        content = file_.getvalue()
    read = load_checkpoint(write(content, "a.h5" if older else "a.keras"))
    assert find_cells(read.tensors, "keras") == []
    assert any(says in text and "no LSTM cell" in text for text in read.remarks.values())
    assert len([why for why in read.left_out.values() if says in why]) == 3


LAYOUTS = {
    "first": ("both/both_1/{}_mine", ":0"),
    "later": ("both/both/{}_mine/lstm_cell_3", ":0"),
    "last": ("both/both/{}_mine/lstm_cell", ""),
}
"""Where a Bidirectional had the variables of its two layers: Keras 2.1, TensorFlow's, Keras 3."""


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("odd", [False, True])
def test_a_bidirectional_layer_with_other_activations_is_left_out_both_ways(
    layout: str, odd: bool, write: Write
) -> None:
    inner = lstm(recurrent_activation="hard_sigmoid" if odd else "sigmoid")["config"]["layers"][0]
    config = {"name": "both", "layer": inner}
    model = {"config": {"layers": [{"class_name": "Bidirectional", "config": config}]}}
    place, end = LAYOUTS[layout]
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for way in ("backward", "forward"):
            for name, array in zip(("kernel", "recurrent_kernel", "bias"), ARRAYS, strict=True):
                file[f"model_weights/{place.format(way)}/{name}{end}"] = array
        file["model_weights/head/head/kernel"] = np.ones((8, 2), np.float32)
        file.attrs["model_config"] = json.dumps(model)
    read = load_checkpoint(write(content.getvalue(), "a.h5"))
    assert len(find_cells(read.tensors, "keras")) == (0 if odd else 2)
    assert len(read.left_out) == (6 if odd else 0)
    assert len(read.remarks) == (2 if odd else 0)
    assert "head.head.kernel" in read.tensors


def test_what_an_optimizer_keeps_of_a_cell_is_no_cell(write: Write) -> None:
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for start in ("model_weights/mine/mine", "optimizer_weights/Adam/m/mine"):
            for name, array in zip(("kernel", "recurrent_kernel", "bias"), ARRAYS, strict=True):
                file[f"{start}/lstm_cell/{name}:0"] = array
        file["optimizer_weights/Adam/iteration:0"] = np.int64(3)
    seen = look_into(load_checkpoint(write(content.getvalue(), "a.h5")))
    assert [each.site.name for each in seen.cells] == ["mine.mine.lstm_cell"]
    assert len(seen.optimizer) == 4


def test_what_changes_nothing_in_the_cell_is_said(write: Write) -> None:
    policy = {"class_name": "DTypePolicy", "config": {"name": "mixed_float16"}}
    read = load_checkpoint(write(keras(lstm(go_backwards=True, dtype=policy)), "a.keras"))
    assert len(find_cells(read.tensors, "keras")) == 1
    said = "runs backward over its sequence; the cell is the same; computes in 16 bits in Keras"
    assert read.remarks == {"layers.lstm": f"{said} (mixed_float16)"}
    plain = load_checkpoint(write(keras(lstm(dtype="float32", go_backwards=False)), "b.keras"))
    assert plain.remarks == {}


def test_a_layer_of_cudnn_is_named_and_left_out(write: Write) -> None:
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        arrays = (*ARRAYS[:2], np.ones(32, np.float32))  # two biases in one
        for name, array in zip(("kernel:0", "recurrent_kernel:0", "bias:0"), arrays, strict=True):
            file[f"model_weights/mine/mine/{name}"] = array
        config = {"class_name": "CuDNNLSTM", "config": {"name": "mine", "units": 4}}
        file.attrs["model_config"] = json.dumps({"config": {"layers": [config]}})
    read = load_checkpoint(write(content.getvalue(), "a.h5"))
    assert (find_cells(read.tensors, "keras"), read.tensors) == ([], {})
    assert all("a CuDNNLSTM" in why for why in read.left_out.values())


def test_metadata_of_an_hdf5_is_read_back(tmp_path: Path) -> None:
    tensors = WEIGHTS.to_dialect("keras", prefix="layers.lstm.cell.")
    for name in ("a.h5", "b.h5"):
        save_checkpoint(tmp_path / name, tensors, dialect="keras", metadata={"who": "我"})
        read = load_checkpoint(tmp_path / name)
        assert read.metadata == {"who": "我"}
    with pytest.raises(ArgumentError, match="longer than HDF5 has place for"):
        save_checkpoint(tmp_path / "c.h5", tensors, metadata={"long": "x" * 70_000})


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
def test_a_model_made_here_has_the_layers_and_their_weights(
    layers: int, both: bool, tmp_path: Path
) -> None:
    tensors: Tensors = {}
    for layer in range(layers):
        for reverse in (False, True)[: 1 + both]:
            width = 3 if layer == 0 else 4 * (1 + both)
            one = Weights.random(Spec(width, 4), 2 * layer + reverse)
            tensors |= one.to_dialect("torch", prefix="rnn.", layer=layer, reverse=reverse)
    made = convert(tensors, "torch", "keras").tensors
    save_checkpoint(tmp_path / "a.keras", made, dialect="keras")
    with zipfile.ZipFile(tmp_path / "a.keras") as archive:
        config = json.loads(archive.read("config.json"))
    first, *rest = config["config"]["layers"]
    assert first["config"]["batch_shape"] == [None, None, 3]
    assert [each["class_name"] for each in rest] == ["Bidirectional" if both else "LSTM"] * layers
    read = load_checkpoint(tmp_path / "a.keras")
    arrays = sorted(array.tobytes() for array in made.values())
    assert sorted(array.tobytes() for array in read.tensors.values()) == arrays
    back = convert(made, "keras", "torch").tensors
    assert back.keys() == tensors.keys()
    sites = find_cells(read.tensors, "keras")
    assert sum(site.reverse for site in sites) == layers * both


def test_both_directions_of_an_older_file_are_one_layer(write: Write) -> None:
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for way, cell in (("forward_mine", "lstm_cell_1"), ("backward_mine", "lstm_cell_2")):
            for name, array in zip(
                ("kernel:0", "recurrent_kernel:0", "bias:0"), ARRAYS, strict=True
            ):
                file[f"model_weights/two/two/{way}/{cell}/{name}"] = array
    read = load_checkpoint(write(content.getvalue(), "a.h5"))
    assert sorted(site.name for site in find_cells(read.tensors, "keras")) == [
        "two.two",
        "two.two[reverse]",
    ]
    assert "two.two.weight_ih_l0_reverse" in convert(read.tensors, "keras", "torch").tensors
    assert read.aliases == {"two.two": "two"}


def external(file: Any) -> None:
    file.create_dataset("t", (4,), "<f4", external=[("/etc/hostname", 0, 16)])


def virtual(file: Any) -> None:
    layout = h5py.VirtualLayout((4,), "<f4")
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "x", (4,))  # noqa: S108 - it is refused
    file.create_virtual_dataset("t", layout)


def large(file: Any) -> None:
    file.create_dataset("t", (2**16, 2**16), "<f8")


def large_in_chunks(file: Any) -> None:
    file.create_dataset("t", (2**40,), "<f8", chunks=(2**10,))


def twice(file: Any) -> None:
    file["layers/lstm/cell/vars/2:0"] = np.ones(3)


def many(file: Any) -> None:
    file["t0"] = np.zeros(2**18, np.float32)
    for number in range(1, 400):
        file[f"t{number}"] = file["t0"]


def deep(file: Any) -> None:
    file["/".join(["g"] * 40) + "/t"] = np.zeros(3)


def linked_state(file: Any) -> None:
    file.create_group("model_weights")
    file["optimizer_weights"] = h5py.ExternalLink("/etc/x.h5", "/t")


def long_path(file: Any) -> None:
    group, empty = file.create_group("n" * 20_000), file.create_group("g")
    for number in range(2000):
        group[f"{number}"] = empty


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (external, UnsafeCheckpointError, "kept in another file"),
        (virtual, UnsafeCheckpointError, "kept in another file"),
        (
            lambda file: file.__setitem__("t", h5py.ExternalLink("/etc/x.h5", "/t")),
            UnsafeCheckpointError,
            "a link that leads elsewhere",
        ),
        (lambda file: file.__setitem__("t", h5py.SoftLink("/layers")), CheckpointError, "a link"),
        (lambda file: file.__setitem__("layers/t", file["layers"]), CheckpointError, "without end"),
        (deep, CheckpointError, "without end"),
        (
            lambda file: file.create_dataset("t", (2**14, 2**14), "<f4", compression="gzip"),
            CheckpointError,
            "compressed",
        ),
        (large, UnsafeCheckpointError, "needs"),
        (large_in_chunks, UnsafeCheckpointError, "needs"),
        (many, UnsafeCheckpointError, "needs"),
        (twice, CheckpointError, "twice"),
        (linked_state, UnsafeCheckpointError, "a link that leads elsewhere"),
        (long_path, UnsafeCheckpointError, "needs"),
    ],
    ids=range(13),
)
def test_a_file_that_leads_elsewhere_or_lies_is_refused_within_its_budget(
    change: Callable[[Any], None],
    error: type[Exception],
    says: str,
    write: Write,
    peak_below: PeakBelow,
) -> None:
    path = write(weights_h5(change), "a.h5")
    with peak_below(FLOOR + 20 * 2**20), pytest.raises(error, match=says):
        load_checkpoint(path)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ("[" * 200 + "]" * 200, "nested deeper"),
        ('{"a": 1, "a": 2}', "`a` twice"),
        ("{", "no JSON"),
        ("1" * 5000, "digits"),
        ('{"class_name": "__main__.Evil", "config": {"module": "os"}}', ""),
    ],
    ids=range(5),
)
def test_a_configuration_is_data(config: str, says: str, write: Write) -> None:
    path = write(keras(config), "a.keras")
    if says:
        with pytest.raises(CheckpointError, match=says):
            load_checkpoint(path)
    else:
        assert len(find_cells(load_checkpoint(path).tensors, "keras")) == 1


def test_one_array_where_groups_are_expected_is_an_array(write: Write) -> None:
    def change(file: Any) -> None:
        file["model_weights"] = np.ones(3, np.float32)

    assert load_checkpoint(write(weights_h5(change), "a.h5")).tensors["model_weights"].size == 3


def test_a_list_of_texts_is_no_configuration(write: Write) -> None:
    def change(file: Any) -> None:
        file.attrs["model_config"] = ["{"] * 9
        file["layers/lstm/vars"].attrs["name"] = ["mine"] * 9

    assert find_cells(load_checkpoint(write(weights_h5(change), "a.h5")).tensors, "keras")


@pytest.mark.parametrize(
    ("tensors", "metadata", "says"),
    [
        ({"a/b": np.ones(1)}, {}, "no such name as 'a/b'"),
        ({"": np.ones(1)}, {}, "no such name as ''"),
        ({"a": np.ones(1)}, {"": "b"}, "no such name as ''"),
        ({"a": np.ones(1), "a.b": np.ones(1)}, {}, "below"),
        ({"a.b": np.ones(1), "a": np.ones(1)}, {}, "below"),
        (
            {"kernel": np.ones(1), "recurrent_kernel": np.ones(1), "vars.0": np.ones(1)},
            {},
            r"two tensors would be called `vars\.0`",
        ),
    ],
    ids=range(6),
)
def test_names_that_hdf5_does_not_have_are_refused(
    tensors: Tensors, metadata: dict[str, str], says: str, tmp_path: Path
) -> None:
    with pytest.raises(ArgumentError, match=says):
        save_checkpoint(tmp_path / "a.h5", tensors, metadata=metadata)
    assert list(tmp_path.iterdir()) == []


def test_other_types_are_left_out_by_name(write: Write) -> None:
    def change(file: Any) -> None:
        file["words"] = np.array([b"a", b"b"])
        file["big"] = np.arange(3, dtype=">f4")
        file["nothing"] = h5py.Empty("f4")

    read = load_checkpoint(write(weights_h5(change), "a.h5"))
    assert {"words", "nothing"} <= read.left_out.keys()
    assert read.tensors["big"].tolist() == [0, 1, 2]


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_garbled_file_loads_or_is_refused(data: st.DataObject, write: Write) -> None:
    content = bytearray(weights_h5())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    with contextlib.suppress(CheckpointError):
        load_checkpoint(write(bytes(content), "a.h5"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")
def test_keras_reads_what_is_written_here_and_the_other_way(tmp_path: Path) -> None:
    os.environ.setdefault("KERAS_BACKEND", "jax")
    theirs = pytest.importorskip("keras")
    made = [theirs.layers.LSTM(4, return_sequences=True, name="mine"), theirs.layers.Dense(2)]
    model = theirs.Sequential([theirs.Input((5, 3)), *made])
    for name in ("m.keras", "m.h5", "m.weights.h5"):
        save = model.save_weights if "weights" in name else model.save
        save(tmp_path / name)
        read = load_checkpoint(tmp_path / name).tensors
        (site,) = find_cells(read, "keras")
        got = site.weights(read, "keras").to_dialect("keras")
        for array, want in zip(got.values(), made[0].get_weights(), strict=True):
            assert array.tobytes() == want.tobytes()
    tensors = load_checkpoint(tmp_path / "m.weights.h5").tensors
    tensors["layers.lstm.cell.kernel"] = tensors["layers.lstm.cell.kernel"] + 1
    save_checkpoint(tmp_path / "n.weights.h5", tensors, dialect="keras")
    model.load_weights(tmp_path / "n.weights.h5")
    assert made[0].get_weights()[0].tobytes() == tensors["layers.lstm.cell.kernel"].tobytes()
    save_checkpoint(tmp_path / "o.keras", WEIGHTS.to_dialect("keras", prefix="rnn."))
    opened = theirs.models.load_model(tmp_path / "o.keras")
    for array, want in zip(opened.layers[0].get_weights(), ARRAYS, strict=True):
        assert array.tobytes() == want.tobytes()
    found = insert(WEIGHTS.to_dialect("torch"), "torch", load_checkpoint(tmp_path / "m.keras"))
    save_into(tmp_path / "p.keras", tmp_path / "m.keras", "keras", found.tensors)
    opened = theirs.models.load_model(tmp_path / "p.keras")
    assert opened.layers[-1].get_weights()[0].tobytes() == made[1].get_weights()[0].tobytes()
    for array, want in zip(opened.layers[0].get_weights(), ARRAYS, strict=True):
        assert array.tobytes() == want.tobytes()

"""OpenVINO: its models are read, what is written runs in it, and hostile files are refused."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onecell import Spec, Weights, reference
from onecell.checkpoint import convert, find_cells, load_checkpoint, save_checkpoint
from onecell.checkpoint.contents import look_into
from onecell.checkpoint.into import insert, save_into
from onecell.checkpoint.limits import FLOOR
from onecell.errors import (
    ArgumentError,
    CheckpointError,
    DtypeError,
    OutputExistsError,
    UnsafeCheckpointError,
)

Tensors = dict[str, np.ndarray]
PeakBelow = Callable[[int], AbstractContextManager[None]]
CLOSE = 1e-6
ACTIVATIONS = "sigmoid, tanh, tanh"
RNG = np.random.default_rng(3)


def cell(number: int = 1) -> Weights:
    """Return a cell of I = 3, H = 4 with one bias."""
    drawn = Weights.random(Spec(3, 4), number).arrays()
    return Weights(**{**drawn, "bias_hh": np.zeros(16, np.float32)})


def model(
    operator: str = "LSTMCell",
    *,
    half: bool = False,
    data: str = f'hidden_size="4" activations="{ACTIVATIONS}" clip="0"',
    inputs: str = "WRB",
    version: str = "11",
) -> tuple[str, bytes]:
    """Return the two files of a model of one operator, as OpenVINO 2026.4 writes it."""
    pieces = dict(zip("WRB", cell().to_dialect("openvino").values(), strict=True))
    first = 3 if operator == "LSTMCell" else 4
    layers, edges, content = [], [], b""
    for number, key in enumerate(inputs):
        array = pieces.get(key, np.ones((1, 12), "f4"))
        array = (array if first == 4 else array[0]).astype("f2" if half else "f4")
        kind = "f16" if half else "f32"
        shape = ", ".join(map(str, array.shape))
        layers.append(
            f'<layer id="{number}" name="{key}_compressed" type="Const" version="opset1">'
            f'<data element_type="{kind}" shape="{shape}" offset="{len(content)}" '
            f'size="{array.nbytes}"/><output><port id="0" precision="FP32"/></output></layer>'
        )
        content += array.tobytes()
        if half:
            layers.append(
                f'<layer id="{number + 20}" name="{key}" type="Convert" version="opset1">'
                f'<data destination_type="f32"/><input><port id="0"/></input>'
                f'<output><port id="1"/></output></layer>'
            )
            edges.append((number, 0, number + 20, 0))
        edges.append((number + 20 if half else number, int(half), 9, first + number))
    ports = "".join(f'<port id="{n}"/>' for n in range(first + len(inputs)))
    layers.append(
        f'<layer id="9" name="enc/cell" type="{operator}" version="opset5"><data {data}/>'
        f"<input>{ports}</input></layer>"
    )
    lines = "".join(
        f'<edge from-layer="{a}" from-port="{b}" to-layer="{c}" to-port="{d}"/>'
        for a, b, c, d in edges
    )
    return net("".join(layers), lines, version), content


def net(layers: str, edges: str = "", version: str = "11") -> str:
    return (
        f'<?xml version="1.0"?><net name="m" version="{version}"><layers>{layers}</layers>'
        f"<edges>{edges}</edges><rt_info/></net>"
    )


def saved(folder: Path, xml: str | bytes, content: bytes | None = b"") -> Path:
    path = folder / "m.xml"
    path.write_bytes(xml.encode() if isinstance(xml, str) else xml)
    if content is not None:
        path.with_suffix(".bin").write_bytes(content)
    return path


@pytest.mark.parametrize("operator", ["LSTMCell", "LSTMSequence"])
@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("version", ["10", "11"])
def test_an_operator_is_read_with_its_weights(
    operator: str, half: bool, version: str, tmp_path: Path
) -> None:
    read = load_checkpoint(saved(tmp_path, *model(operator, half=half, version=version)))
    assert (read.format, read.dialect, read.left_out, read.remarks) == ("openvino",) * 2 + ({}, {})
    (site,) = find_cells(read.tensors, "openvino")
    assert site.name == "enc.cell"
    want = cell().astype("float16").astype("float32") if half else cell()
    assert site.weights(read.tensors, "openvino").same_bits(want)


def test_weights_reach_an_operator_in_a_loop_from_outside_of_it(tmp_path: Path) -> None:
    xml, content = model()
    start, middle = xml.index('<layer id="9"'), xml.index("</layers>")
    inner = net(
        '<layer id="0" name="x" type="Parameter"/><layer id="3" name="w" type="Parameter"/>'
        + xml[start:middle],
        "".join(
            f'<edge from-layer="{n}" from-port="0" to-layer="9" to-port="{n}"/>' for n in (3, 4, 5)
        ),
    ).partition("?>")[2]
    body = inner.replace('<net name="m" version="11">', "<body>").replace("</net>", "</body>")
    consts = xml[xml.index("<layers>") + 8 : start]
    inside = body.replace('<layer id="9"', consts.replace('id="1"', 'id="4"', 1)
                          .replace('id="2"', 'id="5"', 1)
                          .partition("</layer>")[2] + '<layer id="9"')  # fmt: skip
    loop = (
        '<layer id="7" name="loop" type="TensorIterator"><port_map>'
        '<input axis="1" external_port_id="0" internal_layer_id="0"/>'
        '<input external_port_id="1" internal_layer_id="3"/></port_map>' + inside + "</layer>"
    )
    first = consts[: consts.index("</layer>") + 8]
    edge = '<edge from-layer="0" from-port="0" to-layer="7" to-port="1"/>'
    read = load_checkpoint(saved(tmp_path, net(first + loop, edge), content))
    (site,) = find_cells(read.tensors, "openvino")
    assert site.name == "loop.body.enc.cell"
    assert site.weights(read.tensors, "openvino").same_bits(cell())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"data": f'activations="{ACTIVATIONS}" clip="0.5"'}, "`clip`, no LSTM cell"),
        ({"data": f'activations="{ACTIVATIONS}" clip="x"'}, "`clip`, no LSTM cell"),
        ({"data": 'activations="relu, tanh, tanh"'}, r"other activations \(relu, tanh, tanh\)"),
        ({"data": 'input_forget="true"'}, "`input_forget`"),
        ({"data": 'weights_format="ifco"'}, "its gates in the order ifco"),
        ({"inputs": "WRBP"}, r"peepholes \(P\)"),
        ({"inputs": "W"}, "perhaps, with R missing"),
    ],
    ids=range(7),
)  # fmt: skip
def test_what_is_no_plain_lstm_is_named(change: Any, says: str, tmp_path: Path) -> None:
    read = load_checkpoint(saved(tmp_path, *model(**change)))
    assert find_cells(read.tensors, "openvino") == []
    (note,) = [n for n in look_into(read).notes if n.name == "enc.cell"]
    assert note.kind in {"other", "unsure"}
    assert re.search(says, note.text)
    assert read.tensors.keys().isdisjoint({"enc.cell.W", "W"})
    assert read.left_out


def test_weights_that_are_computed_are_said_to_be(tmp_path: Path) -> None:
    xml, content = model(half=True)
    read = load_checkpoint(saved(tmp_path, xml.replace('"Convert"', '"Multiply"'), content))
    assert read.remarks == {"enc.cell": "an LSTM perhaps, with B, R, W computed in the graph"}
    assert read.tensors.keys() == {"W_compressed", "R_compressed", "B_compressed"}


def test_an_operator_without_a_bias_gets_one_of_zeros(tmp_path: Path) -> None:
    read = load_checkpoint(saved(tmp_path, *model(inputs="WR")))
    (site,) = find_cells(read.tensors, "openvino")
    found = site.weights(read.tensors, "openvino")
    assert found.bias_ih is not None
    assert not found.bias_ih.any()


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("both", [False, True])
def test_a_layer_keeps_its_bits_through_a_model(layers: int, both: bool, tmp_path: Path) -> None:
    tensors = torch_layer(layers, both)[1]
    save_checkpoint(
        tmp_path / "a.xml", convert(tensors, "torch", "openvino").tensors, dialect="openvino"
    )
    back = convert(load_checkpoint(tmp_path / "a.xml").tensors, "openvino", "torch").tensors
    assert back.keys() == tensors.keys()
    for name, array in tensors.items():
        assert back[name].tobytes() == array.tobytes()


def torch_layer(layers: int, both: bool) -> tuple[torch.nn.LSTM, Tensors]:
    """Return a layer of torch's whose second bias is zero, and its tensors."""
    theirs = torch.nn.LSTM(3, 4, layers, bidirectional=both)
    for name, parameter in theirs.named_parameters():
        if "bias_hh" in name:
            torch.nn.init.zeros_(parameter)
    return theirs, {f"rnn.{n}": a.detach().numpy() for n, a in theirs.state_dict().items()}


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float64"])
def test_other_floats_keep_their_bits(kind: str, tmp_path: Path) -> None:
    tensors = cell().astype(kind).to_dialect("openvino", prefix="c.")
    save_checkpoint(tmp_path / "a.xml", tensors, dialect="openvino")
    again = load_checkpoint(tmp_path / "a.xml").tensors
    assert all(again[name].tobytes() == array.tobytes() for name, array in tensors.items())


def test_names_are_escaped_and_those_that_xml_has_not_are_refused(tmp_path: Path) -> None:
    tensors = cell().to_dialect("openvino", prefix='a<"&,\n>.')
    save_checkpoint(tmp_path / "a.xml", tensors, dialect="openvino")
    assert load_checkpoint(tmp_path / "a.xml").tensors.keys() >= tensors.keys()
    for bad in ("\x01", "\ufffe"):
        with pytest.raises(ArgumentError, match="XML has no such name"):
            save_checkpoint(tmp_path / "b.xml", cell().to_dialect("openvino", prefix=f"{bad}."))
    assert {path.name for path in tmp_path.iterdir()} == {"a.xml", "a.bin"}


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"head.weight": np.ones((2, 4), "f4")}, ArgumentError, "only LSTM cells"),
        (cell().to_dialect("openvino", prefix="r.", layer=1), ArgumentError, "layers"),
        (cell().astype("float64").to_dialect("openvino", prefix="d."), DtypeError, "one element"),
    ],
    ids=range(3),
)  # fmt: skip
def test_what_is_no_model_is_refused_and_neither_file_written(
    change: Tensors, error: type[Exception], says: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=says):
        save_checkpoint(tmp_path / "a.xml", cell().to_dialect("openvino", prefix="c.") | change)
    assert list(tmp_path.iterdir()) == []


def test_either_file_that_is_there_is_kept_unless_told_otherwise(tmp_path: Path) -> None:
    tensors = cell().to_dialect("openvino", prefix="c.")
    for name in ("a.xml", "a.bin"):
        (tmp_path / name).write_text("mine")
        with pytest.raises(OutputExistsError):
            save_checkpoint(tmp_path / "a.xml", tensors)
        assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "mine")]
        (tmp_path / name).unlink()
    (tmp_path / "a.bin").write_text("mine")
    save_checkpoint(tmp_path / "a.xml", tensors, force=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.bin", "a.xml"]
    assert load_checkpoint(tmp_path / "a.xml").tensors.keys() >= tensors.keys()


@pytest.mark.parametrize("act", range(1, 5))
def test_where_a_name_cannot_be_given_both_old_files_are_put_back(
    act: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.xml", "a.bin"):
        (tmp_path / name).write_text(f"mine {name}")
    count, replace = itertools.count(1), Path.replace

    def fails(self: Path, target: Path) -> Path:
        if next(count) == act:
            raise OSError("full")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(OSError, match="full"):
        save_checkpoint(tmp_path / "a.xml", cell().to_dialect("openvino"), force=True)
    found = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert found == {name: f"mine {name}" for name in ("a.xml", "a.bin")}


def const(**changes: str) -> str:
    said = {"element_type": "f32", "shape": "2", "offset": "0", "size": "8"} | changes
    data = " ".join(f'{key}="{text}"' for key, text in said.items())
    return f'<layer id="0" name="k" type="Const" version="opset1"><data {data}/></layer>'


BOMB = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
DEEP = '<layer id="0" type="If"><then_body><layers>' * 40


@pytest.mark.parametrize(
    ("xml", "says"),
    [
        (f'<!DOCTYPE net [<!ENTITY a0 "x">{BOMB}]><net version="11">&a11;</net>', "document type"),
        ('<!DOCTYPE net SYSTEM "file:///etc/passwd"><net version="11"/>', "document type"),
        ('<net version="11"><layers>' + DEEP, "nested deeper"),
        ("<a>" * 200, "version"),
        ('<net version="6"/>', "version 6"),
        ("<model/>", "version none"),
        ('<net version="11"><layers>', "no XML"),
        ("<", "no XML"),
        ('<?xml version="1.0" encoding="utf-99"?><net/>', "no XML"),
        (net(const(size="4")), "is 8 bytes, and 4 are there"),
        (net(const(shape="2,x")), "impossible shape"),
        (net(const(shape="-2")), "impossible shape"),
        (net(const(shape=",".join(["1"] * 40))), "40 dimensions"),
        (net(const(shape="4000000000000,4000000000000", size="1")), "address"),
        (net(const(offset="4")), "bytes 4 to 12 of m.bin, which has 8"),
        (net(const(offset="-4")), "no number"),
        (net(const(size="9" * 30)), "no number"),
        (net(const() + const()), "layer 0 twice"),
        (net(const() + const().replace('"0"', '"1"', 1)), "`k` twice"),
        (net(const().replace('name="k"', f'name="{"k" * 5000}"')), "name of 5000"),
        (net("", '<edge to-layer="1" to-port="1"/>' * 2), "two edges"),
        (net("<layer/>" * 2), ""),
    ],
    ids=range(22),
)  # fmt: skip
def test_hostile_xml_is_refused(xml: str, says: str, tmp_path: Path, peak_below: PeakBelow) -> None:
    path = saved(tmp_path, xml, bytes(8))
    if not says:
        assert load_checkpoint(path).tensors == {}
        return
    with peak_below(FLOOR + 20 * 2**20), pytest.raises(CheckpointError, match=says):
        load_checkpoint(path)


def test_constants_that_name_the_same_bytes_again_and_again_are_refused(
    tmp_path: Path, peak_below: PeakBelow
) -> None:
    same = "".join(
        const(size="800000", shape="200000").replace('id="0" name="k"', f'id="{n}" name="{n}"')
        for n in range(999)
    )
    path = saved(tmp_path, net(same), bytes(800_000))
    with peak_below(FLOOR + 40 * 2**20), pytest.raises(UnsafeCheckpointError, match="needs"):
        load_checkpoint(path)


@pytest.mark.parametrize("way", ["missing", "link", "pipe", "folder"])
def test_only_the_file_beside_is_opened(way: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    path = saved(folder, net(const()), None)
    beside = path.with_suffix(".bin")
    if way == "link":
        (tmp_path / "secret").write_bytes(bytes(8))
        beside.symlink_to(tmp_path / "secret")
    elif way == "pipe":
        os.mkfifo(beside)
    elif way == "folder":
        beside.mkdir()
    error = UnsafeCheckpointError if way == "link" else CheckpointError
    with pytest.raises(error, match="out of the folder" if way == "link" else "no such file"):
        load_checkpoint(path)


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_garbled_model_loads_or_is_refused(data: st.DataObject, tmp_path: Path) -> None:
    xml, weights = model("LSTMSequence", half=True)
    content = bytearray(xml.encode())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        if data.draw(st.booleans()):
            content[place] = data.draw(st.integers(0, 255))
        else:
            del content[place : place + data.draw(st.integers(1, 40))]
    with contextlib.suppress(CheckpointError):
        load_checkpoint(saved(tmp_path, bytes(content), weights))


def put(weights: Weights, model: Path, target: Path) -> None:
    """Put a cell into a copy of a model."""
    read = load_checkpoint(model)
    made = insert(weights.to_dialect("torch", prefix="mine."), "torch", read)
    save_into(target, model, "openvino", made.tensors)


@pytest.mark.parametrize("operator", ["LSTMCell", "LSTMSequence"])
@pytest.mark.parametrize("half", [False, True])
def test_a_cell_is_put_into_a_model_and_all_else_stays(
    operator: str, half: bool, tmp_path: Path
) -> None:
    xml, content = model(operator, half=half)
    other = const(offset=str(len(content))).replace('id="0" name="k"', 'id="50" name="head"')
    xml = xml.replace("</layers>", other + "</layers>")
    path = saved(tmp_path, xml, content + np.array([1, 2], "f4").tobytes())
    put(cell(2), path, tmp_path / "n.xml")
    read = load_checkpoint(tmp_path / "n.xml").tensors
    (site,) = find_cells(read, "openvino")
    assert site.weights(read, "openvino").same_bits(cell(2))
    assert read["head"].tolist() == [1, 2]
    assert path.read_text() == xml
    assert path.with_suffix(".bin").read_bytes()[: len(content)] == content
    if not half:  # as many bytes of the same type, where the old ones were
        assert (tmp_path / "n.xml").read_text() == xml
        assert (tmp_path / "n.bin").stat().st_size == len(content) + 8
    rounded = cell(3).astype("float16").astype("float32")
    put(rounded, path, tmp_path / "r.xml")
    assert (tmp_path / "r.bin").stat().st_size == len(content) + 8
    read = load_checkpoint(tmp_path / "r.xml").tensors
    assert site.weights(read, "openvino").same_bits(rounded)


def test_what_other_constants_share_is_not_written_over(tmp_path: Path) -> None:
    xml, content = model()
    shared = const(offset=str(len(content) - 8)).replace('id="0" name="k"', 'id="50" name="head"')
    path = saved(tmp_path, xml.replace("</layers>", shared + "</layers>"), content)
    before = load_checkpoint(path).tensors["head"]
    put(cell(2), path, tmp_path / "n.xml")
    read = load_checkpoint(tmp_path / "n.xml").tensors
    assert read["head"].tobytes() == before.tobytes()
    (site,) = find_cells(read, "openvino")
    assert site.weights(read, "openvino").same_bits(cell(2))


def test_what_something_else_uses_or_has_no_place_is_refused(tmp_path: Path) -> None:
    xml, content = model()
    edge = '<edge from-layer="0" from-port="0" to-layer="77" to-port="0"/></edges>'
    path = saved(tmp_path, xml.replace("</edges>", edge), content)
    with pytest.raises(CheckpointError, match="used by something else"):
        put(cell(2), path, tmp_path / "n.xml")
    path = saved(tmp_path, *model(inputs="WR"))
    with pytest.raises(CheckpointError, match="has no place"):
        put(cell(2), path, tmp_path / "n.xml")
    zeros = {name: np.zeros(16, np.float32) for name in ("bias_ih", "bias_hh")}
    put(Weights(**(cell(2).arrays() | zeros)), path, tmp_path / "n.xml")
    read = load_checkpoint(tmp_path / "n.xml").tensors
    assert read["enc.cell.W"].tobytes() == cell(2).to_dialect("openvino")["W"].tobytes()
    odd, content = model(half=True)
    odd = odd.replace('element_type="f16"', "").replace('precision="FP32"', 'precision="FP16"')
    path = saved(tmp_path, odd, content)
    with pytest.raises(CheckpointError, match="would be rounded"):
        put(cell(2), path, tmp_path / "o.xml")
    assert not (tmp_path / "o.xml").exists()
    assert not (tmp_path / "o.bin").exists()


@pytest.mark.slow
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("both", [False, True])
def test_openvino_runs_a_layer_that_is_written_here(
    layers: int, both: bool, tmp_path: Path
) -> None:
    openvino = pytest.importorskip("openvino")
    theirs, tensors = torch_layer(layers, both)
    converted = convert(tensors, "torch", "openvino").tensors
    save_checkpoint(tmp_path / "a.xml", converted, dialect="openvino")
    x = torch.from_numpy(RNG.standard_normal((5, 2, 3)).astype("f4"))
    h, c = torch.from_numpy(RNG.standard_normal((2, layers * (1 + both), 2, 4)).astype("f4"))
    output, (h_n, c_n) = theirs(x, (h, c))
    compiled = openvino.Core().compile_model(
        str(tmp_path / "a.xml"), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    got = compiled({"rnn/input": x.numpy(), "rnn/h_0": h.numpy(), "rnn/c_0": c.numpy()})
    for name, want in (("output", output), ("h_n", h_n), ("c_n", c_n)):
        np.testing.assert_allclose(got[f"rnn/{name}"], want.detach().numpy(), atol=CLOSE)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["step", "sequence"])
@pytest.mark.parametrize("prefix", ["", "decoder.cell."])
def test_openvino_runs_a_cell_that_is_written_here(form: Any, prefix: str, tmp_path: Path) -> None:
    openvino = pytest.importorskip("openvino")
    tensors = cell().to_dialect("openvino", prefix=prefix)
    save_checkpoint(tmp_path / "a.xml", tensors, dialect="openvino", form=form)
    compiled = openvino.Core().compile_model(
        str(tmp_path / "a.xml"), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    x, h, c = (RNG.standard_normal((2, k)).astype("f4") for k in (3, 4, 4))
    start = "decoder.cell/" if prefix else ""
    over_time = form == "sequence"
    given_by_name = {"input": x, "h_0": h, "c_0": c}
    got = compiled({f"{start}{n}": a[None] if over_time else a for n, a in given_by_name.items()})
    names = ("h_n", "c_n") if over_time else ("h_1", "c_1")
    for name, want in zip(names, reference.step(cell(), x, h, c), strict=True):
        array = got[f"{start}{name}"]
        np.testing.assert_allclose(array[0] if over_time else array, want, atol=CLOSE)

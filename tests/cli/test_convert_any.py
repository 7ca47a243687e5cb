"""`onecell convert` between frameworks whose layouts differ: what is said, asked, renamed, left."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

from onecell import Spec, Weights
from onecell.checkpoint import load_checkpoint, save_checkpoint
from onecell.cli.exits import Status
from onecell.dialect import with_forget_bias
from onecell.verify import compare, compare_files
from onecell.verify.comparing.cells_of_file import read_cells

from .conftest import Run

CELL = Weights.random(Spec(3, 4), 1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    tensors = CELL.to_dialect("torch", prefix="net.cell.")
    tensors |= CELL.to_dialect("torch", prefix="net.rnn.", layer=0)
    tensors["net.head.weight"] = np.ones((2, 4), np.float32)
    save_checkpoint(tmp_path / "m.pt", tensors, dialect="torch")
    return tmp_path / "m.pt"


def test_two_biases_become_one_only_where_that_was_asked_for(run: Run, file: Path) -> None:
    out = file.with_name("k.safetensors")
    ran = run("convert", file, out, "--to", "keras")
    assert (ran.status, ran.out) == (2, "")
    assert "net.cell: two biases become one" in ran.err
    assert "--merge-biases" in ran.err
    assert not out.exists()
    ran = run("convert", file, out, "--to", "keras", "--merge-biases")
    assert ran.status == 0
    first, *_, last = ran.out.splitlines()
    assert first.startswith("not kept as it is, net.cell: two biases become one")
    assert "2 LSTM cells in keras's form, 1 other tensors copied" in last
    assert "keras may have their matrices turned" in ran.out
    ran = run("convert", file, out, "--to", "haiku", "--merge-biases", "--force", "--json")
    lost = json.loads(ran.out)["lost"]
    assert [loss["kind"] for loss in lost] == ["merged", "folded", "merged", "folded"]


def test_both_directions_where_there_is_one_are_refused(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "both.pt"
    torch.save(torch.nn.LSTM(3, 4, bidirectional=True).state_dict(), file)
    ran = run("convert", file, tmp_path / "a.nam", "--merge-biases")
    assert ran.status == Status.USAGE
    assert "(root)[layer 0, reverse]: nam has no backward direction" in ran.err
    one = run("convert", file, tmp_path / "a.nam", "--merge-biases", "--drop", "*reverse*")
    assert one.status == 0


def test_a_cell_becomes_a_graph_and_what_has_no_place_is_named(run: Run, file: Path) -> None:
    out = file.with_name("c.onnx")
    ran = run("convert", file, out, "--only", "net", "--strip-prefix", "net")
    assert (ran.status, ran.err) == (0, "")
    assert "left behind, no cell's, and .onnx holds nothing else: head.weight" in ran.out
    assert run("convert", out, file.with_name("b.pt")).status == 0
    back = load_checkpoint(file.with_name("b.pt")).tensors
    want = load_checkpoint(file).tensors
    del want["net.head.weight"]
    assert {f"net.{name}": array.tobytes() for name, array in back.items()} == {
        name: array.tobytes() for name, array in want.items()
    }
    compared = run("verify", file, out, "--cell", "net.cell=cell")
    assert (compared.status, compared.err) == (0, "")
    assert "\nb rests on onnxruntime " in compared.out
    shown = run("info", out).out
    assert "ONNX (.onnx), written by onnx" in shown
    assert "rnn[layer 0]" in shown


def test_the_form_of_a_graph_is_the_users(run: Run, file: Path) -> None:
    out = file.with_name("c.onnx")
    ran = run("convert", file, out, "--only", "net.cell", "--form", "sideways")
    assert ran.status == 2
    assert "one of auto, step, sequence" in ran.err
    ran = run("convert", file, out, "--only", "net.rnn", "--form", "step")
    assert ran.status == 0
    assert run("convert", file, out, "--only", "net.cell", "--force").status == 0


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--strip-prefix", "net"], ("cell", "rnn", "head")),
        (["--strip-prefix", "net."], ("cell", "rnn", "head")),
        (["--rename", "net.cell=a.b"], ("a.b", "net.rnn", "net.head")),
        (["--rename", "net=x", "--rename", "x.rnn=y"], ("x.cell", "y", "x.head")),
        (["--rename", "net.head=", "--only", "net.head"], ("",)),
    ],
    ids=str,
)
def test_names_are_changed_by_whole_parts(
    options: list[str], names: tuple[str, ...], run: Run, file: Path
) -> None:
    out = file.with_name("out.safetensors")
    assert run("convert", file, out, *options).status == 0
    assert {name.rpartition(".")[0] for name in load_checkpoint(out).tensors} == set(names)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--strip-prefix", "ne"], "nothing is called 'ne'"),
        (["--rename", "net.cell"], "must be old=new"),
        (["--rename", "=x"], "must be old=new"),
        (["--rename", "gone=x"], "nothing is called 'gone'"),
        (["--rename", "net.head.weight=net.cell.weight_ih"], "one name"),
    ],
    ids=str,
)
def test_names_that_cannot_be_changed_are_a_usage_error(
    options: list[str], says: str, run: Run, file: Path
) -> None:
    out = file.with_name("out.safetensors")
    ran = run("convert", file, out, *options)
    assert ran.status == 2
    assert says in ran.err
    assert not out.exists()


def test_a_checkpoint_that_goes_by_its_prefix_is_converted_and_not_replaced(
    run: Run, tmp_path: Path
) -> None:
    tensors = Weights.random(Spec(3, 4), 1).to_dialect("tensorflow", prefix="rnn.lstm_cell.")
    save_checkpoint(tmp_path / "m.index", tensors)
    assert run("convert", tmp_path / "m", tmp_path / "m.pt").status == 0
    assert run("convert", tmp_path / "m", tmp_path / "m.pt", "--force").status == 0
    before = (tmp_path / "m.index").read_bytes()
    ran = run("convert", tmp_path / "m", tmp_path / "m.index", "--force")
    assert (ran.status, "would replace the file" in ran.err) == (2, True)
    assert (tmp_path / "m.index").read_bytes() == before


@pytest.mark.parametrize("suffix", [".safetensors", ".npz"])
@pytest.mark.parametrize("dialect", ["keras", "flax-nnx-optimized", "haiku", "mlx", "numpy"])
def test_a_file_written_for_a_framework_tells_it(
    suffix: str, dialect: str, run: Run, file: Path
) -> None:
    out, back = file.with_name(f"o{suffix}"), file.with_name("b.pt")
    assert run("convert", file, out, "--to", dialect, "--merge-biases").status == 0
    assert load_checkpoint(out).dialect == dialect
    assert '"framework": "' + dialect in run("info", out, "--json").out
    assert run("convert", out, back, "--only", "net.cell").status == 0
    cell = "net.cell.lstm" if dialect == "haiku" else "net.cell"
    assert run("verify", out, back, "--cell", cell, "--sides", "arrays", "-q").status == 0
    if suffix == ".npz":
        assert np.load(out).files == list(load_checkpoint(out).tensors)


def test_what_torch_and_mindspore_read_says_what_it_said(run: Run, file: Path) -> None:
    for dialect, said in (("torch", "pt"), ("mindspore", "ms")):
        out = file.with_name(f"{said}.safetensors")
        run("convert", file, out, "--to", dialect, "--only", "net.cell")
        with safe_open(out, "numpy") as opened:
            assert opened.metadata() == {"format": said}


def test_another_forget_bias_is_taken_off_and_put_back(run: Run, file: Path) -> None:
    dialect = "tensorflow"
    out, back = file.with_name("t.npz"), file.with_name("b.pt")
    words = ("--to", dialect, "--only", "net.cell", "--merge-biases", "--forget-bias", "0.5")
    ran = run("convert", file, out, *words)
    assert ran.status == 0
    assert f"is kept 0.5 less, which {dialect} adds when it runs" in ran.out
    (bias,) = (a for n, a in load_checkpoint(out).tensors.items() if n.endswith(("bias", ".b")))
    assert CELL.bias_ih is not None
    assert CELL.bias_hh is not None
    merged = CELL.bias_ih.astype(np.float64) + CELL.bias_hh
    want = (merged.astype(np.float32)[4:8].astype(np.float64) - 0.5).astype(np.float32)
    assert bias[8:12].tobytes() == want.tobytes()
    assert (
        "is kept 0.5 more" in run("convert", out, back, "--to", "torch", "--forget-bias", ".5").out
    )
    got = load_checkpoint(back).tensors
    (name,) = (name for name in got if name.endswith("bias_ih"))
    assert np.abs(got[name] - merged).max() < 1e-6
    near = ("verify", out, back, "--cell", f"{name[:-8]}={name[:-8]}", "--sides", "arrays", "-q")
    assert run(*near, "--forget-bias", "0.5").status == 0
    assert run(*near).status == 1


def test_no_forget_bias_is_nothing_lost(run: Run, file: Path) -> None:
    plain = file.with_name("p.pt")
    arrays = CELL.arrays() | {"bias_hh": np.zeros(16, np.float32)}
    save_checkpoint(plain, Weights(**arrays).to_dialect("torch"), dialect="torch")
    out = file.with_name("t.npz")
    ran = run("convert", plain, out, "--to", "tensorflow", "--forget-bias", "0")
    assert ran.status == 0
    assert "not kept" not in ran.out
    # Haiku's call adds 1 whatever anybody says: a file without that would be another cell.
    ran = run("convert", out, file.with_name("h.npz"), "--to", "haiku", "--forget-bias", "0")
    assert ran.status == 0
    assert "is kept 1 less, which haiku adds when it runs" in ran.out
    for dialect in ("keras", "haiku"):
        other = file.with_name(f"{dialect}.npz")
        ran = run("convert", plain, other, "--to", dialect, "--forget-bias", "0")
        assert ran.status == 2
        assert f"no cell of torch or {dialect} can be told" in ran.err


def test_a_cell_that_adds_nothing_is_not_told_what_it_adds(run: Run, tmp_path: Path) -> None:
    cell = CELL.to_dialect("tensorflow", prefix="rnn.cudnn_compatible_lstm_cell.")
    save_checkpoint(tmp_path / "m.index", cell)
    for words in (("convert", "m.pt"), ("verify", "m.index")):
        paths = (tmp_path / "m.index", tmp_path / words[1])
        ran = run(words[0], *paths, "--forget-bias", "0")
        assert ran.status == 2
        assert "adds nothing to its forget gate, and is read so" in ran.err


def test_the_command_that_repeats_a_comparison_says_how_files_were_read(
    tmp_path: Path,
) -> None:
    row = with_forget_bias("tensorflow", 0.5)
    weights = Weights(**CELL.arrays() | {"bias_hh": np.zeros(16, np.float32)})
    save_checkpoint(tmp_path / "k.npz", weights.to_dialect(row))
    save_checkpoint(tmp_path / "m.pt", weights.to_dialect("torch"))
    told = read_cells(tmp_path / "k.npz", "tensorflow", forget_bias=0.5)
    for found in (
        compare(tmp_path / "m.pt", told, sides=()),
        compare_files(tmp_path / "m.pt", told, sides=()),
    ):
        assert found.holds
        words = shlex.split(found.command)
        assert words[:4] == ["onecell", "verify", str(tmp_path / "m.pt"), str(tmp_path / "k.npz")]
        assert words[words.index("--from") + 1] == ",tensorflow"
        assert "--forget-bias=0.5" in words
        assert "--cell" not in words


def test_verify_is_told_whose_names_files_have(run: Run, file: Path) -> None:
    plain = file.with_name("p.pt")
    arrays = CELL.arrays() | {"bias_hh": np.zeros(16, np.float32)}
    save_checkpoint(plain, Weights(**arrays).to_dialect("torch"), dialect="torch")
    bare = file.with_name("k.npz")
    save_checkpoint(bare, Weights(**arrays).to_dialect("keras"))
    assert run("verify", plain, bare, "--sides", "arrays", "-q").status not in (0, 1)
    for words in ("keras", ",keras", "torch,keras"):
        assert run("verify", plain, bare, "--from", words, "--sides", "arrays", "-q").status == 0
    ran = run("verify", plain, bare, "--from", "keras,keras", "--sides", "arrays")
    assert ran.status == 2
    assert "says that it is torch's" in ran.err
    assert run("verify", plain, bare, "--from", "cake").status == 2


def test_a_checkpoint_of_several_files_is_compared_with_all_of_them(
    run: Run, tmp_path: Path
) -> None:
    tensors = Weights.random(Spec(3, 4), 1).to_dialect("tensorflow", prefix="rnn.lstm_cell.")
    save_checkpoint(tmp_path / "m.index", tensors)
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "m"')
    assert run("convert", tmp_path, tmp_path / "c.xml").status == 0
    ran = run("verify", tmp_path, tmp_path / "c.xml", "--sides", "arrays", "--json")
    assert (ran.status, ran.err) == (0, "")
    told = json.loads(ran.out)
    sizes = [told[side]["file"]["bytes"] for side in "ab"]
    assert sizes == [
        sum((tmp_path / name).stat().st_size for name in names)
        for names in (("m.index", "m.data-00000-of-00001"), ("c.xml", "c.bin"))
    ]

"""`onecell verify`: what it prints, writes and says to the shell."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console
from threadpoolctl import threadpool_info

from onecell import Weights
from onecell.checkpoint import save_checkpoint
from onecell.cli import verify as verb
from onecell.cli.exits import Status
from onecell.cli.verify_table import print_comparison
from onecell.verify import compare, compare_files
from onecell.verify.mutation import swap_gates

from .conftest import Run

KERNEL = ("--sides", "arrays", "--steps", "20")


@pytest.fixture
def weights(model: Path) -> Weights:
    """The weights of the cell in `model`."""
    state = torch.load(model, weights_only=True)
    arrays = {name: tensor.numpy() for name, tensor in state.items()}
    return Weights.from_dialect(arrays, "torch", prefix="cell.")


@pytest.fixture
def ported(weights: Weights, tmp_path: Path) -> Path:
    """The same cell in a MindSpore checkpoint."""
    return _save(tmp_path / "ported.ckpt", weights)


@pytest.fixture
def swapped(weights: Weights, tmp_path: Path) -> Path:
    """The cell with gates f and o swapped, under another name."""
    return _save(tmp_path / "swapped.ckpt", swap_gates(weights, "f", "o"), "rnn.")


def _save(path: Path, weights: Weights, prefix: str = "cell.") -> Path:
    tensors = weights.to_dialect("mindspore", prefix=prefix)
    save_checkpoint(path, tensors, dialect="mindspore")
    return path


def test_the_same_cell_holds(run: Run, model: Path, ported: Path) -> None:
    ran = run("verify", model, ported, *KERNEL)
    assert ran.status == Status.HOLDS
    assert ran.err == ""
    for words in (
        "torch file, cell cell, I = 5, H = 4",
        "mindspore file",
        "a: arrays",
        "b: arrays",
        "limit",
    ):
        assert words in ran.out, words
    assert ran.out.count("holds\n") == 29
    assert "SAME: the weights have the same bits" in ran.out


def test_both_frameworks_compute(run: Run, model: Path, ported: Path) -> None:
    ran = run("verify", model, ported, "--steps", "5")
    assert ran.status == Status.HOLDS
    assert "a: torch" in ran.out
    assert "b: mindspore" in ran.out
    assert "* its own tanh is coarse" in ran.out


def test_a_wrong_port_is_named(run: Run, model: Path, swapped: Path) -> None:
    ran = run("verify", model, swapped, *KERNEL)
    assert ran.status == Status.FAILS
    assert "DIFFERENT: gates f and o are swapped" in ran.out
    assert "Where: first in forward.h" in ran.out
    assert "FAILS" in ran.out


def test_summed_biases_are_the_same_where_training_does_not_count(
    run: Run, weights: Weights, model: Path, tmp_path: Path
) -> None:
    one = tmp_path / "one.safetensors"
    save_checkpoint(one, weights.to_dialect("mlx", prefix="cell."), dialect="mlx")
    ran = run("verify", model, one, *KERNEL)
    assert ran.status == Status.FAILS
    assert "say --inference" in ran.out
    ran = run("verify", model, one, *KERNEL, "--inference")
    assert ran.status == Status.HOLDS
    assert "SAME: every quantity holds; training was not compared" in ran.out
    assert json.loads(run("verify", model, one, *KERNEL, "--inference", "--json").out)["inference"]


@pytest.mark.parametrize("columns", [80, 120])
def test_no_line_is_wider_than_the_terminal(
    columns: int,
    run: Run,
    model: Path,
    swapped: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.chdir(tmp_path)
    ran = run("verify", model.name, swapped.name, *KERNEL, "--self-test")
    assert max(map(len, ran.out.splitlines())) <= columns


def test_the_self_test_names_every_wrong_port(run: Run, model: Path, ported: Path) -> None:
    ran = run("verify", model, ported, *KERNEL, "--self-test")
    assert ran.status == Status.HOLDS
    assert re.search(r"^(\d+) of \1 wrong ports are seen and named\.$", ran.out, re.MULTILINE)


def test_json_is_one_document(run: Run, model: Path, swapped: Path) -> None:
    ran = run("verify", model, swapped, *KERNEL, "--json")
    found = json.loads(ran.out)
    assert ran.status == Status.FAILS
    assert found["schema"] == "onecell.comparison/2"
    assert found["diagnosis"]["text"] == "gates f and o are swapped"


def test_a_report_is_written(run: Run, model: Path, swapped: Path, tmp_path: Path) -> None:
    page = tmp_path / "verify.html"
    ran = run("verify", model, swapped, *KERNEL, "--report", page)
    assert ran.status == Status.FAILS
    assert "gates f and o are swapped" in page.read_text(encoding="utf-8")
    again = run("verify", model, swapped, *KERNEL, "--report", page)
    assert again.status == Status.OUTPUT
    assert "already there" in again.err


@pytest.mark.parametrize(("framework", "shown"), [("mlx", True), ("rtneural", False)])
def test_a_report_has_the_differences_of_its_own_two(
    run: Run, model: Path, tmp_path: Path, framework: str, shown: bool
) -> None:
    one, page = tmp_path / "one.npz", tmp_path / "verify.html"
    assert run("convert", model, one, "--to", framework, "--merge-biases").status == 0
    words = ("--from", f",{framework}", *KERNEL, "--inference", "--report", page)
    assert run("verify", model, one, *words).status == Status.HOLDS
    text = page.read_text(encoding="utf-8")
    assert (f"onecell diff torch {framework} asks" in text) is shown
    assert "onecell diff torch mindspore" not in text


def test_a_report_without_its_extra_is_said_before_anything_runs(
    run: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verb, "is_installed", lambda name: name != "jinja2")
    ran = run("verify", model, model, *KERNEL, "--report", tmp_path / "page.html")
    assert ran.status == Status.MISSING
    assert "onecell[report]" in ran.err


def test_a_live_object_is_imported_from_the_working_folder(
    run: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "users_model.py").write_text(
        "import torch\n"
        "cell = torch.nn.LSTMCell(5, 4)\n"
        f"state = torch.load({str(model)!r}, weights_only=True)\n"
        "cell.load_state_dict({n[5:]: t for n, t in state.items() if n.startswith('cell.')})\n"
    )
    monkeypatch.chdir(tmp_path)
    ran = run("verify", model, "users_model:cell", *KERNEL)
    assert ran.status == Status.HOLDS, ran.err


def test_a_name_for_each_side(run: Run, deep: Path) -> None:
    names = "(root)[layer 0]=(root)[layer 0, reverse]"
    ran = run("verify", deep, deep, "--cell", names, *KERNEL)
    assert ran.status == Status.FAILS


def _nan(folder: Path) -> Path:
    path = folder / "nan.pt"
    cell = torch.nn.LSTMCell(5, 4)
    with torch.no_grad():
        cell.weight_ih[2, 1] = np.nan
    torch.save(cell.state_dict(), path)
    return path


def _linear(folder: Path) -> Path:
    path = folder / "linear.pt"
    torch.save(torch.nn.Linear(5, 4).state_dict(), path)
    return path


def _larger(folder: Path) -> Path:
    path = folder / "larger.pt"
    torch.save(torch.nn.LSTMCell(5, 6).state_dict(), path)
    return path


BAD = {
    "no cell": (_linear, Status.INPUT, "no LSTM cell, only weight, bias"),
    "no file": (lambda folder: folder / "none.pt", Status.INPUT, "cannot be read"),
    "NaN": (_nan, Status.NOT_FINITE, "`weight_ih` holds 1 of 80 numbers that are not finite"),
    "sizes": (_larger, Status.UNLIKE, "different sizes"),
    "no module": (lambda _: "no_such_module:cell", Status.IMPORT, "No module named"),
    "no attribute": (lambda _: "json:cell", Status.IMPORT, "`json` has no `cell`"),
    "not a cell": (lambda _: "json:dumps", Status.NOT_A_CELL, "is no cell"),
    "a class": (lambda _: "onecell:LSTMCell", Status.NOT_A_CELL, "is a class"),
}


@pytest.mark.parametrize("bad", BAD)
def test_bad_input_is_one_line_and_a_status(
    bad: str, run: Run, model: Path, tmp_path: Path
) -> None:
    make, status, words = BAD[bad]
    ran = run("verify", model, make(tmp_path), *KERNEL)
    assert ran.status == status
    assert ran.err.count("\n") == 1
    assert ran.err.startswith("onecell: ")
    assert words in ran.err


def test_a_copy_in_float16_is_said_to_be_one(run: Run, model: Path, tmp_path: Path) -> None:
    state = torch.load(model, weights_only=True)
    torch.save({name: tensor.half() for name, tensor in state.items()}, tmp_path / "half.pt")
    ran = run("verify", model, tmp_path / "half.pt", *KERNEL)
    assert ran.status == Status.FAILS
    assert "DIFFERENT: the numbers were rounded to float16" in ran.out


def test_files_without_a_name_in_common_are_asked_about(run: Run, model: Path, deep: Path) -> None:
    ran = run("verify", deep, model, *KERNEL)
    assert ran.status == Status.WHICH
    assert "no cell has the same name in both" in ran.err
    assert "--cell" in ran.err
    assert ran.err.count("\n") == 1


ONES = torch.ones(16)


def _deep(folder: Path, name: str, change: dict[str, torch.Tensor] | None = None) -> Path:
    torch.manual_seed(0)
    state = torch.nn.LSTM(5, 4, num_layers=2, bidirectional=True).state_dict()
    torch.save(state | (change or {}), folder / name)
    return folder / name


def test_the_layers_of_one_module_are_paired_whatever_it_is_called(
    run: Run, tmp_path: Path
) -> None:
    model = _deep(tmp_path, "deep.pt")
    out = tmp_path / "deep.keras"
    assert run("convert", model, out, "--merge-biases").status == 0
    ran = run("verify", model, out, *KERNEL, "--inference")
    assert ran.status == Status.HOLDS
    assert "SAME: 4 cells in both" in ran.out


def test_a_side_that_would_compute_neither_file_is_refused(run: Run, model: Path) -> None:
    ran = run("verify", model, model, "--sides", "arrays,paddle")
    assert ran.status == Status.USAGE
    assert "`sides`: paddle computes files of paddle alone, and what is given is of" in ran.err


def test_two_cells_chosen_are_not_one(run: Run, model: Path) -> None:
    ran = run("verify", model, model, *KERNEL, "--cell", "cell", "--cell", "other=cell")
    assert ran.status == Status.USAGE
    assert "`--cell` chooses one cell, got 2: cell, other=cell." in ran.err


def test_a_file_is_said_to_have_the_biases_of_its_framework(
    run: Run, model: Path, tmp_path: Path
) -> None:
    one = tmp_path / "one.npz"
    assert run("convert", model, one, "--to", "mlx", "--merge-biases").status == 0
    ran = run("verify", model, one, "--from", ",mlx", *KERNEL, "--inference")
    assert re.search(r"torch file, .*, two biases", ran.out)
    assert re.search(r"mlx file, .*, one bias\n", ran.out)


def test_all_cells_of_equal_name_are_compared(run: Run, tmp_path: Path) -> None:
    one = _deep(tmp_path, "one.pt")
    ran = run("verify", one, _deep(tmp_path, "other.pt"), *KERNEL)
    assert ran.status == Status.HOLDS, ran.err
    assert ran.out.count("same bits\n") == 4
    assert "SAME: 4 cells in both, all with the same bits" in ran.out
    ran = run("verify", one, tmp_path / "other.pt", *KERNEL, "--json")
    found = json.loads(ran.out)
    assert found["schema"] == "onecell.comparisons/2"
    assert [cell["a"]["cell"] for cell in found["cells"]] == [
        f"(root)[layer {layer}{way}]" for layer in (0, 1) for way in ("", ", reverse")
    ]
    assert {cell["verdict"] for cell in found["cells"]} == {"same bits"}


def test_one_of_several_cells_that_differs_is_named_and_chosen(run: Run, tmp_path: Path) -> None:
    one = _deep(tmp_path, "one.pt")
    wrong = _deep(tmp_path, "wrong.pt", {"bias_hh_l1": torch.zeros(16)})
    page = tmp_path / "page.html"
    ran = run("verify", one, wrong, *KERNEL, "--report", page)
    assert ran.status == Status.FAILS
    assert "(root)[layer 1]: bias_hh was dropped" in ran.out
    assert "DIFFERENT: 3 of 4 cells in both are the same" in ran.out
    text = page.read_text(encoding="utf-8")
    assert "bias_hh was dropped" in text
    assert text.count('class="parity"') == 4
    for cell, status in (("(root)[layer 0]", Status.HOLDS), ("(root)[layer 1]", Status.FAILS)):
        assert run("verify", one, wrong, *KERNEL, "--cell", cell).status == status


def test_cells_that_differ_alike_are_shown_once(run: Run, tmp_path: Path) -> None:
    one = _deep(tmp_path, "one.pt")
    biases = {n: t for n, t in torch.load(one).items() if n.startswith("bias_hh")}
    wrong = _deep(tmp_path, "wrong.pt", {name: torch.zeros(16) for name in biases})
    names = [f"(root)[layer {layer}{way}]" for layer in (0, 1) for way in ("", ", reverse")]
    ran = run("verify", one, wrong, *KERNEL)
    assert ran.status == Status.FAILS
    assert ran.out.count("Where: ") == 1
    assert f"The same is wrong with {', '.join(names[1:])}; -v prints these too." in ran.out
    assert f"\n{', '.join(names)}: bias_hh was dropped.\n" in ran.out
    assert run("verify", one, wrong, *KERNEL, "-v").out.count("Where: ") == 4
    _deep(tmp_path, "wrong.pt", biases | {"bias_hh_l1": torch.zeros(16), "bias_hh_l0": -99 * ONES})
    assert run("verify", one, wrong, *KERNEL).out.count("Where: ") == 2


def test_what_nothing_explains_is_not_said_to_compute_the_same(weights: Weights) -> None:
    found = compare(weights, Weights.random(weights.spec, 9), sides=("arrays",))
    unexplained = replace(found, diagnosis=replace(found.diagnosis, findings=()))
    printed = StringIO()
    print_comparison(unexplained, Console(file=printed))
    assert "DIFFERENT" in printed.getvalue()
    assert "--inference" not in printed.getvalue()


def test_a_cell_that_only_one_file_has_is_not_the_same(run: Run, tmp_path: Path) -> None:
    torch.manual_seed(0)
    short = torch.nn.LSTM(5, 4, bidirectional=True).state_dict()
    torch.save(short, tmp_path / "short.pt")
    _deep(tmp_path, "deep.pt", short)
    for names, where in (("deep.pt short.pt", "a"), ("short.pt deep.pt", "b")):
        ran = run("verify", *(tmp_path / name for name in names.split()), *KERNEL)
        assert ran.status == Status.FAILS
        assert ran.out.count(f"only in {where}\n") == 2
        assert f"DIFFERENT: 2 of 2 cells in both are the same, 2 only in {where}" in ran.out


def test_a_cell_of_another_size_does_not_hide_the_others(run: Run, tmp_path: Path) -> None:
    larger = torch.nn.LSTM(9, 4, bidirectional=True).state_dict()
    one = _deep(tmp_path, "one.pt")
    other = _deep(tmp_path, "other.pt", {n: t for n, t in larger.items() if "reverse" not in n})
    ran = run("verify", one, other, *KERNEL)
    assert ran.status == Status.FAILS
    assert "(root)[layer 0]: different sizes: `a` has I = 5, H = 4, `b` I = 9, H = 4" in ran.out
    assert "3 of 3 cells in both are the same, 1 cannot be compared" in ran.out


def test_debug_shows_where(run: Run, model: Path, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="no LSTM cell"):
        run("verify", model, _linear(tmp_path), "--debug", *KERNEL)


def test_the_help_has_examples_and_statuses(run: Run) -> None:
    ran = run("verify", "--help")
    assert "onecell verify model.pt ported/model.ckpt" in ran.out
    assert "Exit status" in ran.out


def test_what_a_module_prints_is_not_in_the_answer(
    run: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "talking_module.py").write_text(
        "import torch\nprint('hello')\ncell = torch.nn.LSTMCell(5, 4)\n"
        "cell.register_forward_hook(lambda *_: print('called'))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    ran = run("verify", model, "talking_module:cell", "--json", *KERNEL)
    assert json.loads(ran.out)["verdict"] == "different"
    assert {"hello", "called"} <= set(ran.err.split())


def test_a_module_that_ends_the_process_does_not_end_it_well(
    run: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "leaving_module.py").write_text("raise SystemExit(0)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    ran = run("verify", model, "leaving_module:cell")
    assert ran.status == Status.IMPORT
    assert ran.err.count("\n") == 1


def test_blas_gets_one_thread_while_it_computes(
    run: Run, model: Path, ported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []

    def spy(*given: object, **options: Any) -> object:
        threads.extend(p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas")
        return compare_files(*given, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(verb, "compare_files", spy)
    assert run("verify", model, ported, *KERNEL).status == Status.HOLDS
    assert set(threads) == {1}


def _file(path: Path, state: dict[str, torch.Tensor]) -> Path:
    torch.save(state, path)
    return path


def _cell(prefix: str, gain: float = 1) -> dict[str, torch.Tensor]:
    torch.manual_seed(4)
    state = torch.nn.LSTMCell(5, 4).state_dict()
    return {prefix + name: gain * array for name, array in state.items()}


GRU = {"g.weight_ih": torch.ones(9, 2), "g.weight_hh": torch.ones(9, 3)}
HALF = {"half.weight_ih": torch.ones(8, 3)}
TWO_TYPES = {n: t.double() if "bias" in n else t for n, t in _cell("two.").items()}
DOUBTS: dict[str, tuple[dict[str, torch.Tensor], Status, str]] = {
    "nothing": ({}, Status.HOLDS, ""),
    "a GRU": (GRU, Status.HOLDS, "with a cell's names, and by its shapes none: g"),
    "a neighbour": (
        {"enc.peephole_i": torch.ones(4)},
        Status.HOLDS,
        "with something else beside it: enc",
    ),
    "half a cell": (HALF, Status.UNPROVED, "not proved: half: its names are a cell's"),
    "two types": (TWO_TYPES, Status.UNPROVED, "not proved: two: its names are a cell's"),
    "shut gates": (
        _cell("dec.", 1e6),
        Status.UNPROVED,
        "not proved: dec: its gradient of the parameters cannot fail here",
    ),
}


@pytest.mark.parametrize("doubt", DOUBTS)
@pytest.mark.parametrize("cells", [1, 2])
def test_a_verdict_says_what_it_does_not_prove(
    run: Run, tmp_path: Path, doubt: str, cells: int
) -> None:
    more, status, said = DOUBTS[doubt]
    state = _cell("enc.") | more | (_cell("other.") if cells == 2 else {})
    a, b, page = (_file(tmp_path / name, state) for name in ("a.pt", "b.pt", "page.html"))
    ran = run("verify", a, b, *KERNEL, "--report", page, "--force")
    assert (ran.status, ran.err) == (status, "")
    (last,) = [line for line in ran.out.splitlines() if line.startswith(("SAME", "UNPROVED"))]
    assert last.startswith("SAME" if status == Status.HOLDS else "UNPROVED")
    assert said in last
    assert ("prove nothing" in last) == (doubt == "shut gates")
    ran = run("verify", a, b, *KERNEL, "--json")
    found = json.loads(ran.out)
    assert (ran.status, found["holds"]) == (status, status == Status.HOLDS)
    assert bool(found["unproved"]) == (found["verdict"] == "unproved") == (not found["holds"])
    assert bool(found["proves_nothing"]) == (doubt == "shut gates")
    assert len({note["name"] for note in found["notes"]}) == int(
        doubt not in {"nothing", "shut gates"}
    )
    text = page.read_text(encoding="utf-8")
    assert said.replace("'", "&#39;")[1:] in text
    for word in ("Not proved", "未证明"):
        assert (word in text) == (status == Status.UNPROVED)
    # What was not asked for is not in the verdict.
    assert run("verify", a, b, *KERNEL, "--cell", "enc").status == Status.HOLDS


def test_what_only_one_of_the_two_has_beside_is_said_to_be_there(run: Run, tmp_path: Path) -> None:
    a = _file(tmp_path / "a.pt", _cell("enc."))
    b = _file(tmp_path / "b.pt", _cell("enc.") | HALF | GRU)
    ran = run("verify", a, b, *KERNEL)
    assert ran.status == Status.UNPROVED
    assert "not proved: half (in b): its names are a cell's; " in ran.out
    assert "by its shapes none: g (in b)" in ran.out


def test_a_stored_zero_is_a_number_like_others(run: Run, tmp_path: Path) -> None:
    """Nothing is smaller than a limit beside it, and any other number would show."""
    state = _cell("")
    state["weight_ih"][0, 0] = 0
    state["bias_ih"][:] = 0
    a = _file(tmp_path / "a.pt", state)
    found = json.loads(run("verify", a, a, *KERNEL, "--json").out)
    assert found["proves_nothing"] == 0
    state["weight_ih"][0, 0] = 1e-30
    ran = run("verify", a, _file(tmp_path / "b.pt", state), *KERNEL)
    assert ran.status == Status.FAILS

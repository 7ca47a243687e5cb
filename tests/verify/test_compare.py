"""`compare`: what may be compared, what it says, what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
import pytest
import torch

import onecell.mindspore
import onecell.torch
from onecell import LSTMCell, Weights
from onecell.checkpoint import save_checkpoint
from onecell.errors import (
    ArgumentError,
    CheckpointError,
    MissingExtraError,
    NotACellError,
    NotFiniteError,
    ObjectImportError,
    UnlikeCellsError,
    WhichCellError,
)
from onecell.verify import WRONG_PORTS, compare, self_test, sides
from onecell.verify.comparing.comparison import heat_map
from onecell.verify.comparing.comparison_record import comparison_to_json
from onecell.verify.comparing.wrong_ports import WrongPort

from .wrong import as_function, changed, off_by, reordered, right, with_forget_bias

STEPS = 10
KERNEL = ("arrays",)


def torch_cell(weights: Weights) -> torch.nn.LSTMCell:
    cell = torch.nn.LSTMCell(weights.input_size, weights.hidden_size, weights.bias)
    cell.load_state_dict({n: torch.from_numpy(a.copy()) for n, a in weights.arrays().items()})
    return cell


def mindspore_cell(weights: Weights, kind: type = onecell.mindspore.LSTMCell) -> ms.nn.Cell:
    cell = kind(weights.input_size, weights.hidden_size)
    for name, array in weights.arrays().items():
        getattr(cell, name).set_data(ms.Tensor(array.copy()))
    return cell


def saved(folder: Path, weights: Weights, name: str = "cell.pt", dialect: str = "torch") -> Path:
    path = folder / name
    save_checkpoint(path, weights.to_dialect(dialect, prefix="cell."), dialect=dialect)
    return path


class Turned(torch.nn.Module):
    """A module with the right parameters that returns c where h belongs."""

    def __init__(self, cell: torch.nn.LSTMCell) -> None:
        super().__init__()
        self.cell = cell

    def forward(
        self, x: torch.Tensor, state: tuple[torch.Tensor, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        h, c = self.cell(x, state)
        return c, h


def test_all_that_holds_the_same_weights_is_the_same(tmp_path: Path) -> None:
    weights = right()
    things = [
        weights,
        LSTMCell.from_weights(weights),
        torch_cell(weights),
        onecell.torch.LSTMCell.from_torch(torch_cell(weights)),
        mindspore_cell(weights),
        mindspore_cell(weights, ms.nn.LSTMCell),
        saved(tmp_path, weights),
        str(saved(tmp_path, weights, "cell.ckpt", "mindspore")),
    ]
    for thing in things:
        found = compare(weights, thing, steps=STEPS, sides=KERNEL)
        assert found.verdict == "same bits", thing
        assert len(found.quantities) == 29


def test_a_function_is_the_same_by_what_it_computes() -> None:
    found = compare(right(), as_function(right()), steps=STEPS)
    assert found.verdict == "same"
    assert found.same_bits is None
    names = [quantity.name for quantity in found.quantities]
    assert names == [
        f"{kind}.{part}" for kind in ("forward", "extreme", "rollout") for part in "hc"
    ]
    assert found.left_out["gradient.x"] == "a function of arrays shows no gradients"


def test_a_function_of_tensors_is_understood() -> None:
    cell = torch_cell(right())

    def step(x: torch.Tensor, state: tuple[torch.Tensor, torch.Tensor]) -> object:
        assert isinstance(x, torch.Tensor)
        return cell(x, state)

    assert compare(right(), step, steps=STEPS).verdict == "same"


def test_the_framework_of_a_file_computes_too(tmp_path: Path) -> None:
    found = compare(saved(tmp_path, right()), right(), steps=STEPS)
    assert {r.side for r in found.quantities[0].of("a")} == {"arrays", "torch"}


def test_a_difference_says_where_and_why() -> None:
    found = compare(right(), reordered(right(), (0, 3, 2, 1)), steps=STEPS)
    assert found.verdict == "different"
    assert found.diagnosis.text() == "gates f and o are swapped"
    assert found.first is not None
    assert (found.first.quantity, found.first.step, found.first.gate) == ("forward.h", 1, "f")
    assert found.first.parameter == "weight_ih"


def test_one_number_is_seen_and_placed() -> None:
    found = compare(right(), off_by(right(), "bias_hh", (9,), 1e-3), steps=STEPS)
    assert not found.holds
    assert found.first is not None
    assert (found.first.parameter, found.first.index, found.first.gate) == ("bias_hh", (9,), "g")
    assert found.first.difference == pytest.approx(1e-3, rel=1e-3)


def test_the_last_places_are_the_same_cell() -> None:
    near = {n: np.nextafter(a, np.float32(2)) for n, a in right().arrays().items()}
    found = compare(right(), Weights(**near), steps=STEPS)
    assert found.verdict == "same"
    assert found.same_bits is False


def test_right_parameters_do_not_excuse_a_wrong_module() -> None:
    found = compare(right(), Turned(torch_cell(right())), steps=STEPS)
    assert found.verdict == "different"
    assert found.b.weights is None
    assert found.diagnosis.text() == "h and c are swapped on the way out"


def test_a_wrong_mindspore_cell_is_named() -> None:
    wrong = mindspore_cell(with_forget_bias(right(), 1), ms.nn.LSTMCell)
    found = compare(torch_cell(right()), wrong, steps=STEPS)
    assert found.diagnosis.text() == "a forget bias of 1 was added"


def test_a_module_is_left_as_it_was() -> None:
    cell = torch_cell(right())
    before = {n: p.detach().clone() for n, p in cell.named_parameters()}
    compare(right(), cell, steps=STEPS)
    for name, parameter in cell.named_parameters():
        assert torch.equal(parameter, before[name]), name
        assert parameter.grad is None


def test_a_frozen_parameter_is_left_to_the_kernel() -> None:
    cell = torch_cell(right())
    cell.bias_hh.requires_grad_(False)
    found = compare(right(), cell, steps=STEPS)
    (quantity,) = (each for each in found.quantities if each.name == "gradient.bias_hh")
    assert found.holds
    assert [reading.side for reading in quantity.of("b")] == ["arrays"]


def test_every_reading_has_what_a_report_draws() -> None:
    found = compare(right(), right(), steps=STEPS)
    for quantity in found.quantities:
        for reading in quantity.readings:
            assert 0 < len(reading.samples) <= 2048
            assert np.max(np.abs(reading.samples)) <= reading.error
            assert "float32 eps 1.2e-07" in reading.threshold.reason
            if quantity.name.startswith("rollout"):
                assert reading.by_step is not None
                assert reading.by_step.shape == (STEPS,)


def test_two_runs_find_the_same() -> None:
    wrong = with_forget_bias(right(), 1)
    first, second = (compare(right(), wrong, steps=STEPS, seed=3) for _ in range(2))
    errors = [[r.error for q in c.quantities for r in q.readings] for c in (first, second)]
    assert errors[0] == errors[1]


def test_json_is_standard_and_complete() -> None:
    found = compare(right(), changed(right(), bias_ih=2 * right().arrays()["bias_ih"]), steps=STEPS)
    text = json.dumps(comparison_to_json(found), allow_nan=False)
    read = json.loads(text)
    assert read["verdict"] == "different"
    assert read["diagnosis"]["findings"][0]["kind"] == "bias doubled"
    assert len(read["quantities"]) == 29


def test_a_command_repeats_a_comparison_of_files(tmp_path: Path) -> None:
    path = saved(tmp_path, right())
    found = compare(path, path, steps=STEPS, sides=KERNEL)
    assert found.command == f"onecell verify {path} {path} --steps 10 --seed 1997"


def test_a_heat_map_keeps_what_stands_out() -> None:
    array = np.zeros((512, 300))
    array[301, 7] = -3.0
    small = heat_map(array, 32)
    assert small.shape == (32, 32)
    assert small.min() == -3.0


def test_progress_goes_from_nothing_to_all() -> None:
    said: list[tuple[str, int, int]] = []
    compare(right(), right(), steps=STEPS, progress=lambda *each: said.append(each))
    assert said[0][0] == "reference"
    assert said[-1][1] == said[-1][2]


@pytest.mark.parametrize(
    "weights",
    [None, right(3, 1), right(bias=False), right().astype("bfloat16"), right().astype("float64")],
    ids=["example", "H = 1", "no bias", "bfloat16", "float64"],
)
def test_every_wrong_port_is_seen_and_named(weights: Weights | None) -> None:
    caught = self_test(weights)
    assert [each.mutant for each in caught if not each.holds] == []
    if weights is None:
        assert len(caught) == len(WRONG_PORTS) == 16


@pytest.mark.slow
def test_every_wrong_port_is_seen_and_named_at_512() -> None:
    assert all(each.holds for each in self_test(right(512, 512)))


def test_a_self_test_that_misses_a_mutant_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    harmless = WrongPort("harmless", as_function, WRONG_PORTS[0].says)
    monkeypatch.setattr(
        "onecell.verify.comparing.wrong_ports.WRONG_PORTS", (*WRONG_PORTS, harmless)
    )
    found = compare(right(), right(), steps=STEPS, self_test=True)
    assert found.verdict == "self-test failed"
    assert not found.holds
    assert [each.mutant for each in found.self_test if not each.holds] == ["harmless"]


def test_different_sizes_are_refused() -> None:
    with pytest.raises(UnlikeCellsError, match="`a` has I = 5, H = 4, `b` I = 5, H = 6"):
        compare(right(), right(5, 6))


@pytest.mark.parametrize(
    ("a", "b"), [("float32", "float16"), ("float32", "bfloat16"), ("float64", "float32")]
)
def test_a_copy_in_a_narrower_type_is_compared_and_named(a: str, b: str) -> None:
    weights = right().astype("float64")
    thirds = Weights(**{n: array / 3 for n, array in weights.arrays().items()}).astype(a)
    found = compare(thirds, thirds.astype(b), steps=STEPS)
    assert (found.verdict, found.same_bits) == ("different", False)
    assert found.diagnosis.explained
    assert found.diagnosis.text() == f"the numbers were rounded to {b}"


def test_the_same_numbers_in_a_wider_type_are_not_the_same_cell() -> None:
    narrow = right().astype("float16")
    found = compare(narrow, narrow.astype("float32"), steps=STEPS)
    assert found.verdict == "different"
    assert found.diagnosis.text() == "the numbers are stored as float32, not as float16"
    assert all(quantity.holds for quantity in found.quantities)


FROZEN = {
    "bfloat16": "weight_ih and weight_hh were rounded to bfloat16, the rest was not",
    "bfloat16_bfloat16": "weight_ih and weight_hh were rounded to bfloat16, the rest was not",
    "float16": "weight_ih and weight_hh were rounded to float16, the rest was not",
    "int8": "weight_ih and weight_hh were rounded to int8 by rows, off by up to 3.",
    "int8_int8": "weight_ih and weight_hh were rounded to int8 by rows, off by up to 3.",
}


@pytest.mark.parametrize("framework", ["arrays", "torch", "a function"])
@pytest.mark.parametrize("kind", FROZEN)
def test_a_frozen_cell_is_looked_at_and_its_rounding_named(kind: Any, framework: str) -> None:
    weights = right(9, 12)
    frozen: object = LSTMCell.from_weights(weights).freeze(kind)
    if framework == "torch":
        frozen = onecell.torch.LSTMCell.from_torch(torch_cell(weights)).freeze(kind)
    elif framework == "a function":
        frozen = LSTMCell.from_weights(weights).freeze(kind).__call__
    found = compare(weights, frozen, steps=STEPS)
    assert found.verdict == "different"
    assert found.diagnosis.explained
    assert found.diagnosis.text().startswith(FROZEN[kind])
    if framework != "a function":
        assert {r.side for r in found.quantities[0].of("b")} == {"arrays", f"frozen ({kind})"}
        assert "a frozen cell has no gradients" in found.left_out.values()


@pytest.mark.parametrize("framework", ["arrays", "torch"])
def test_a_frozen_cell_of_float32_is_the_same(framework: str) -> None:
    weights = right()
    frozen: object = LSTMCell.from_weights(weights).freeze()
    if framework == "torch":
        frozen = onecell.torch.LSTMCell.from_torch(torch_cell(weights)).freeze()
    found = compare(weights, frozen, steps=STEPS)
    assert found.verdict == "same bits"


def test_a_function_that_answers_in_another_type_is_refused() -> None:
    cell = as_function(right())

    def wide(x: np.ndarray, state: tuple[np.ndarray, np.ndarray]) -> object:
        return tuple(part.astype(np.float64) for part in cell(x, state))

    with pytest.raises(NotACellError, match="for float32 it returns float64"):
        compare(right(), wide)


@pytest.mark.parametrize("layer", [torch.nn.LSTM(5, 4), ms.nn.LSTM(5, 4)], ids=["torch", "ms"])
def test_a_live_layer_is_pointed_to_a_file(layer: object) -> None:
    with pytest.raises(NotACellError, match="save its state to a file"):
        compare(right(), layer)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(value: float) -> None:
    with pytest.raises(NotFiniteError, match=r"`weight_hh` holds 1 of 64 .* first at \[3, 2\]"):
        compare(right(), off_by(right(), "weight_hh", (3, 2), value))


def test_a_module_that_is_no_cell_is_refused() -> None:
    with pytest.raises(NotACellError, match="it raises TypeError"):
        compare(right(), torch.nn.Linear(5, 4))


def test_a_model_around_a_cell_says_what_it_holds() -> None:
    model = torch.nn.ModuleDict({"decoder": torch_cell(right())})
    with pytest.raises(NotACellError, match="It holds cells: `decoder`; choose one"):
        compare(right(), model)
    assert compare(right(), model, cell="decoder", steps=STEPS).holds


@pytest.mark.parametrize("answer", [None, 3, (np.zeros((2, 4)),), (1, 2)], ids=str)
def test_an_answer_that_is_no_state_is_refused(answer: object) -> None:
    with pytest.raises(NotACellError, match="`b`"):
        compare(right(), lambda _x, _state: answer)


@pytest.mark.parametrize("thing", [3, None, torch.nn.LSTMCell], ids=str)
def test_what_cannot_be_called_is_refused(thing: object) -> None:
    with pytest.raises(NotACellError):
        compare(right(), thing)


def test_two_functions_have_to_say_their_sizes() -> None:
    with pytest.raises(ArgumentError, match=r"sizes=\(I, H\)"):
        compare(as_function(right()), as_function(right()))


def test_a_file_without_a_cell_says_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "linear.pt"
    torch.save(torch.nn.Linear(2, 3).state_dict(), path)
    with pytest.raises(CheckpointError, match="no LSTM cell, only weight, bias"):
        compare(path, right())


def test_several_cells_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "deep.pt"
    torch.save(torch.nn.LSTM(5, 4, num_layers=2).state_dict(), path)
    with pytest.raises(WhichCellError, match=r"2 cells: `\(root\)\[layer 0\]`, .*layer 1"):
        compare(path, path)
    assert compare(path, path, cell="(root)[layer 1]", steps=STEPS, sides=KERNEL).holds


def test_a_name_for_each(tmp_path: Path) -> None:
    path = tmp_path / "deep.pt"
    torch.save(torch.nn.LSTM(4, 4, num_layers=2).state_dict(), path)
    names = ("(root)[layer 0]", "(root)[layer 1]")
    assert not compare(path, path, cell=names, steps=STEPS, sides=KERNEL).holds


def test_matrices_stored_the_other_way_round_are_named(tmp_path: Path) -> None:
    turned = {n: np.ascontiguousarray(a.T) for n, a in right().arrays().items()}
    path = tmp_path / "turned.npz"
    np.savez(path, allow_pickle=False, **turned)
    found = compare(right(), path, steps=STEPS, sides=KERNEL)
    assert found.diagnosis.text() == "weight_ih and weight_hh stored transposed"


def test_a_module_that_does_not_import() -> None:
    with pytest.raises(ObjectImportError, match="No module named 'no_such_module'"):
        compare(right(), "no_such_module:cell")
    with pytest.raises(ObjectImportError, match=r"`json` has no `cell`; it has .*dumps"):
        compare(right(), "json:cell")


def test_a_module_without_its_framework_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "raise ModuleNotFoundError('no torch', name='torch')"
    (tmp_path / "needs_torch.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingExtraError, match=r"onecell\[torch\]"):
        compare(right(), "needs_torch:cell")


def test_a_framework_that_is_asked_for_must_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path, right())
    monkeypatch.setattr(sides, "is_installed", lambda _: False)
    assert "a: torch" in compare(path, path, steps=STEPS).left_out
    with pytest.raises(MissingExtraError, match=r"onecell\[torch\]"):
        compare(path, path, sides=["torch"], steps=STEPS)

"""Cells inside checkpoints: found at any nesting, converted bit for bit, told from all else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from onecell.checkpoint import CellSite, convert, find_cells, survey
from onecell.dialect import CANONICAL, FRONT_ENDS, Dialect, Layout
from onecell.dtypes import BFLOAT16, narrow
from onecell.errors import CheckpointError
from onecell.spec import Spec
from onecell.weights import Weights

Tensors = dict[str, np.ndarray]


def arrays(module: torch.nn.Module) -> Tensors:
    return {name: tensor.detach().numpy() for name, tensor in module.state_dict().items()}


def cell(prefix: str, *, bias: bool = True, seed: int = 1) -> Tensors:
    return Weights.random(Spec(3, 5, bias), rng=seed).to_dialect("torch", prefix=prefix)


@pytest.mark.parametrize("dialect", FRONT_ENDS)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("prefix", ["", "cell.", "a.b.0.cell.", "Ü x.", "weight_ih."])
def test_a_cell_is_found_at_any_nesting(dialect: str, bias: bool, prefix: str) -> None:
    assert find_cells(cell(prefix, bias=bias), dialect) == [CellSite(prefix)]


def test_every_layer_and_direction_of_an_lstm_is_a_cell() -> None:
    tensors = arrays(torch.nn.ModuleDict({"rnn": torch.nn.LSTM(3, 5, 2, bidirectional=True)}))
    assert [site.name for site in find_cells(tensors, "torch")] == [
        "rnn[layer 0]",
        "rnn[layer 0, reverse]",
        "rnn[layer 1]",
        "rnn[layer 1, reverse]",
    ]


def test_the_weights_of_a_site_are_the_modules() -> None:
    lstm = torch.nn.LSTM(3, 5, 2, bidirectional=True)
    weights = CellSite("", 1, reverse=True).weights(arrays(lstm), "torch")
    np.testing.assert_array_equal(weights.weight_hh, arrays(lstm)["weight_hh_l1_reverse"])


@pytest.mark.parametrize(
    ("site", "name"),
    [
        (CellSite(""), "(root)"),
        (CellSite("decoder.cell."), "decoder.cell"),
        (CellSite("rnn.", 0, reverse=True), "rnn[layer 0, reverse]"),
        (CellSite("", 2), "(root)[layer 2]"),
    ],
)
def test_a_site_has_a_readable_name(site: CellSite, name: str) -> None:
    assert site.name == name


def test_cells_come_in_file_order() -> None:
    tensors = cell("z.") | {"head": np.ones(2)} | cell("a.")
    assert [site.prefix for site in find_cells(tensors, "torch")] == ["z.", "a."]


@pytest.mark.parametrize(
    "module",
    [
        torch.nn.GRUCell(3, 5),
        torch.nn.RNNCell(3, 5),
        torch.nn.GRU(3, 5, bidirectional=True),
        torch.nn.LSTM(3, 5, proj_size=2),
    ],
    ids=lambda module: type(module).__name__,
)
def test_other_recurrent_layers_are_carried_over(module: torch.nn.Module) -> None:
    tensors = arrays(module)
    conversion = convert(tensors, "torch", "mindspore")
    assert conversion.cells == []
    assert conversion.carried == list(tensors)


def test_a_module_called_like_a_slot_is_a_cell_where_it_has_no_twin() -> None:
    assert find_cells(cell("moment1.cell."), "mindspore") == [CellSite("moment1.cell.")]


def test_a_moving_average_of_a_cell_is_a_cell() -> None:
    assert len(find_cells(cell("cell.") | cell("ema.cell."), "torch")) == 2


def notes(tensors: Tensors, dialect: str = "torch") -> list[str]:
    return [str(note) for note in survey(tensors, dialect).notes]


@pytest.mark.parametrize("name", ["weight_ih", "weight_hh", "bias_ih", "bias_hh"])
def test_half_a_cell_is_carried_over_and_the_note_names_what_is_missing(name: str) -> None:
    half = cell("a.cell.")
    del half[f"a.cell.{name}"]
    done = convert(half | cell("good."), "torch", "mindspore")
    assert done.cells == [CellSite("good.")]
    assert done.carried == list(half)
    (note,) = done.notes
    assert note.name == "a.cell"
    assert note.text.startswith(f"half a cell: `a.cell.{name}` is missing, and there is a.cell.")


def test_one_of_the_four_alone_is_carried_over() -> None:
    tensors = cell("good.") | {"bag.weight_ih": np.ones((20, 3), np.float32)}
    done = convert(tensors, "torch", "mindspore")
    assert done.cells == [CellSite("good.")]
    assert [str(note) for note in done.notes] == [
        "bag: half a cell: `bag.weight_hh` is missing, and there is bag.weight_ih"
    ]


def replaced(name: str, array: np.ndarray) -> Tensors:
    return cell("c.") | {f"c.{name}": array}


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        (replaced("weight_ih", np.ones((3, 20), np.float32)), r"c: no LSTM cell: `weight_ih`"),
        (replaced("weight_hh", np.ones((20, 6), np.float32)), r"no LSTM cell: .*`weight_hh`"),
        (replaced("weight_hh", np.ones((25, 5), np.float32)), r"no LSTM cell: .*\(25, 5\)"),
        (replaced("weight_hh", np.ones((10, 5), np.float32)), r"no LSTM cell: .*\(10, 5\)"),
        (replaced("weight_hh", np.ones(5, np.float32)), r"`weight_hh` must have 2 dimensions"),
        (replaced("weight_hh", np.ones((15, 5), np.float32)), r"c: a GRU by its shapes"),
        (replaced("weight_hh", np.ones((5, 5), np.float32)), r"c: a plain RNN by its shapes"),
        (replaced("weight_hr", np.ones((2, 5), np.float32)), r"c: an LSTM with projections"),
        (replaced("bias_hh", np.ones((20, 1), np.float32)), r"`bias_hh` must have shape"),
        (replaced("bias_ih", np.ones(4, np.float32)), r"`bias_ih` must have shape"),
        (replaced("weight_hh", np.ones((), np.float32)), r"`weight_hh` must have 2 dimensions"),
        (replaced("weight_ih", np.ones((20, 3), np.complex64)), r"`weight_ih` holds complex64"),
        (replaced("bias_ih", np.ones(20, np.int64)), r"`bias_ih` holds int64"),
        (replaced("bias_ih", np.ones(20, np.float16)), r"`bias_ih` holds float16 but"),
        (replaced("weight_hh", np.ones((20, 5), np.int8)), r"`weight_hh` holds int8"),
        (replaced("weight_hh", np.ones((20, 5), bool)), r"`weight_hh` holds bool"),
    ],
    ids=range(16),
)
def test_what_has_the_names_of_a_cell_and_is_none_is_carried_over_with_a_note(
    tensors: Tensors, message: str
) -> None:
    done = convert(cell("good.") | tensors, "torch", "mindspore")
    assert done.cells == [CellSite("good.")]
    assert done.carried == list(tensors)
    assert all(done.tensors[name] is array for name, array in tensors.items())
    (note,) = done.notes
    assert re.search(message, str(note))


@pytest.mark.parametrize(
    "beside",
    [
        ["cell.ln_i.weight", "cell.ln_i.bias"],
        ["cell.weight_ci", "cell.weight_cf"],
        ["cell.weight_ch"],
        ["cell.weight_ih_alpha"],
    ],
)
def test_what_stands_beside_a_cell_is_noted(beside: list[str]) -> None:
    tensors = cell("cell.") | {name: np.ones(5, np.float32) for name in beside}
    tensors |= cell("other.") | {"cells.weight": np.ones(2), "cell": np.ones(2)}
    (note,) = notes(tensors)
    there = ", ".join(sorted(beside))
    assert note.startswith(f"cell: something else stands there, {there}: this may not be a plain")


def test_what_stands_beside_a_layer_is_noted_once_and_counted() -> None:
    tensors = arrays(torch.nn.LSTM(3, 5, 2))
    tensors |= {f"gate{number}": np.ones(2) for number in range(9)}
    (note,) = notes(tensors)
    assert note.startswith("(root): something else stands there, gate0, gate1")
    assert note.endswith("gate5 and 3 more: this may not be a plain LSTM layer")


def test_nothing_is_noted_of_a_plain_model(model: Tensors) -> None:
    assert notes(model) == []
    assert notes(arrays(torch.nn.LSTM(3, 5, 2, bidirectional=True, bias=False))) == []


def test_a_cell_inside_the_module_of_another_is_not_something_else() -> None:
    assert notes(cell("") | cell("inner.")) == []


def test_nan_and_inf_are_weights() -> None:
    tensors = cell("c.")
    tensors["c.bias_ih"][:] = [np.nan, np.inf, -np.inf, -0.0] * 5
    assert convert(tensors, "torch", "mindspore").cells == [CellSite("c.")]


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float32", "float64"])
def test_conversion_there_and_back_keeps_every_bit(kind: str) -> None:
    wide = np.random.default_rng(3).normal(size=(20, 3))
    tensors = {
        "c.weight_ih": narrow(wide, kind),
        "c.weight_hh": narrow(wide @ np.ones((3, 5)), kind),
        "other": np.ones(3, BFLOAT16),
    }
    there = convert(tensors, "torch", "mindspore").tensors
    back = convert(there, "mindspore", "torch").tensors
    assert list(back) == list(tensors)
    for name, array in tensors.items():
        assert back[name].dtype == array.dtype
        assert back[name].tobytes() == array.tobytes()


def test_every_other_tensor_is_carried_over_as_it_is_and_listed(model: Tensors) -> None:
    conversion = convert(model, "torch", "mindspore")
    assert conversion.carried == ["embed.weight", "head.weight", "steps"]
    assert all(conversion.tensors[name] is model[name] for name in conversion.carried)
    assert list(conversion.tensors) == list(model)


def test_conversion_writes_to_nothing(model: Tensors) -> None:
    before = {name: array.tobytes() for name, array in model.items()}
    convert(model, "torch", "keras")
    assert {name: array.tobytes() for name, array in model.items()} == before


def other_dialect(**changes: Any) -> Dialect:
    row = FRONT_ENDS["torch"]
    fields = {name: getattr(row, name) for name in Dialect.__dataclass_fields__}
    return Dialect(**(fields | changes))


CANONICAL_NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def test_names_and_layout_of_a_dialect_are_data(model: Tensors) -> None:
    dialect = other_dialect(
        parameters={name: name.upper() for name in CANONICAL_NAMES},
        layout=Layout(gates="ogif", gates_first=False, biases=2),
    )
    there = convert(model, "torch", dialect)
    assert list(there.tensors)[1] == "decoder.cell.WEIGHT_IH"
    assert there.tensors["decoder.cell.WEIGHT_IH"].shape == (3, 20)
    back = convert(there.tensors, dialect, "torch").tensors
    assert all(back[name].tobytes() == array.tobytes() for name, array in model.items())


def test_a_new_name_that_is_taken_is_an_error() -> None:
    dialect = other_dialect(parameters={n: n.upper() for n in CANONICAL_NAMES}, layout=CANONICAL)
    tensors = cell("c.") | {"c.WEIGHT_HH": np.ones(2)}
    with pytest.raises(CheckpointError, match=r"would be called `c.WEIGHT_HH`"):
        convert(tensors, "torch", dialect)


class Counted(dict[str, np.ndarray]):
    """Tensors that count how often one of them is looked at."""

    looks = 0

    def __iter__(self) -> Iterator[str]:
        for name in super().__iter__():
            self.looks += 1
            yield name

    def items(self) -> Any:
        return ((name, self[name]) for name in self)

    def __getitem__(self, name: str) -> np.ndarray:
        self.looks += 1
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.looks += 1
        return super().__contains__(name)


@pytest.mark.parametrize("dialect", FRONT_ENDS)
def test_the_work_grows_with_the_number_of_cells_and_no_faster(dialect: str) -> None:
    looks = []
    for count in (50, 200):
        tensors = Counted()
        for number in range(count):
            tensors.update(cell(f"c.{number}.") | {f"c.{number}.x": np.ones(1)})
        assert len(convert(tensors, "torch", dialect).cells) == count
        looks.append(tensors.looks)
    assert looks[1] <= 4 * looks[0]


def test_cells_inside_each_other_are_no_dearer() -> None:
    looks = []
    for depth in (50, 200):
        tensors = Counted()
        for number in range(depth):
            tensors.update(cell("a." * number) | {"a." * number + "x": np.ones(1)})
        assert len(survey(tensors, "torch").notes) == depth
        looks.append(tensors.looks)
    assert looks[1] <= 4 * looks[0]


def test_what_belongs_to_no_cell_can_be_renamed() -> None:
    tensors = cell("c.") | {"table.weight": np.ones((2, 3))}
    done = convert(tensors, "torch", "mindspore", {"table.weight": "table.embedding_table"})
    assert done.tensors["table.embedding_table"] is tensors["table.weight"]
    assert done.renamed == {"table.weight": "table.embedding_table"}
    assert done.carried == ["table.weight"]
    assert list(done.tensors)[-1] == "table.embedding_table"


def test_a_parameter_of_a_cell_is_not_renamed() -> None:
    done = convert(cell("c."), "torch", "mindspore", {"c.weight_ih": "other"})
    assert set(done.tensors) == {f"c.{name}" for name in CANONICAL_NAMES}


def test_a_rename_to_a_name_that_is_taken_is_an_error() -> None:
    tensors = cell("c.") | {"a.weight": np.ones(2), "a.gamma": np.ones(2)}
    with pytest.raises(CheckpointError, match=r"two tensors would be called `a.gamma`"):
        convert(tensors, "torch", "mindspore", {"a.weight": "a.gamma"})


@pytest.mark.parametrize("row", ["onnx", "openvino"])
@pytest.mark.parametrize("piece", range(3))
@pytest.mark.parametrize("directions", [1, 3])
def test_arrays_of_other_directions_than_the_rest_are_no_cell(
    row: str, piece: int, directions: int
) -> None:
    one = Weights.random(Spec(3, 5), rng=1).to_dialect(row, prefix="a.")
    both = {name: np.concatenate([array, array]) for name, array in one.items()}
    assert len(find_cells(both, row)) == 2
    name = list(both)[piece]
    both[name] = np.concatenate([one[name]] * directions)
    found = survey(both, row)
    assert found.cells == []
    assert "direction" in found.notes[0].text
    assert convert(both, row, "torch").tensors.keys() == both.keys()

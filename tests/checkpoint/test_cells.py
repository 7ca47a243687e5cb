"""Cells inside checkpoints: found at any nesting, converted bit for bit, told from all else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from onecell.checkpoint import CellSite, convert, find_cells
from onecell.dialect import CANONICAL, DIALECTS, Dialect, Layout
from onecell.dtypes import BFLOAT16, narrow
from onecell.errors import CheckpointError
from onecell.spec import Spec
from onecell.weights import Weights

Tensors = dict[str, np.ndarray]


def arrays(module: torch.nn.Module) -> Tensors:
    return {name: tensor.detach().numpy() for name, tensor in module.state_dict().items()}


def cell(prefix: str, *, bias: bool = True, seed: int = 1) -> Tensors:
    return Weights.random(Spec(3, 5, bias), rng=seed).to_dialect("torch", prefix=prefix)


@pytest.mark.parametrize("dialect", DIALECTS)
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


@pytest.mark.parametrize("slot", ["moment1", "adam_m", "moments", "accum"])
def test_optimizer_state_beside_its_cell_is_carried_over(slot: str) -> None:
    tensors = cell("net.cell.") | cell(f"{slot}.net.cell.", seed=2)
    conversion = convert(tensors, "mindspore", "torch")
    assert conversion.cells == [CellSite("net.cell.")]
    assert conversion.carried == list(cell(f"{slot}.net.cell."))


def test_a_module_called_like_a_slot_is_a_cell_where_it_has_no_twin() -> None:
    assert find_cells(cell("moment1.cell."), "mindspore") == [CellSite("moment1.cell.")]


def test_a_moving_average_of_a_cell_is_a_cell() -> None:
    assert len(find_cells(cell("cell.") | cell("ema.cell."), "torch")) == 2


@pytest.mark.parametrize("name", ["weight_ih", "weight_hh", "bias_ih", "bias_hh"])
def test_half_a_cell_is_an_error_that_names_what_is_missing(name: str) -> None:
    tensors = cell("a.cell.")
    del tensors[f"a.cell.{name}"]
    with pytest.raises(CheckpointError, match=f"half a cell: `a.cell.{name}` is missing"):
        find_cells(tensors, "torch")


def test_a_reparametrized_cell_is_an_error() -> None:
    module = torch.nn.utils.parametrizations.weight_norm(torch.nn.LSTMCell(3, 5), "weight_hh")
    with pytest.raises(CheckpointError, match=r"`weight_hh` is missing.*weight_norm"):
        find_cells(arrays(module), "torch")


def replaced(name: str, array: np.ndarray) -> Tensors:
    return cell("c.") | {f"c.{name}": array}


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        (replaced("weight_ih", np.ones((3, 20), np.float32)), r"no cell at `c`: `weight_ih`"),
        (replaced("weight_hh", np.ones((20, 6), np.float32)), r"no cell at `c`: .*`c.weight_hh`"),
        (replaced("bias_hh", np.ones((20, 1), np.float32)), r"`bias_hh` must have shape"),
        (replaced("bias_ih", np.ones(4, np.float32)), r"`bias_ih` must have shape"),
        (replaced("weight_hh", np.ones((), np.float32)), r"`weight_hh` must have 2 dimensions"),
        (replaced("weight_ih", np.ones((20, 3), np.complex64)), r"`c.weight_ih` holds complex64"),
        (replaced("bias_ih", np.ones(20, np.int64)), r"`c.bias_ih` holds int64"),
        (replaced("bias_ih", np.ones(20, np.float16)), r"`bias_ih` holds float16 but"),
        (replaced("weight_hh", np.ones((20, 5), bool)), r"`c.weight_hh` holds bool"),
    ],
    ids=range(9),
)
def test_what_looks_like_a_cell_and_is_none_is_an_error(tensors: Tensors, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        find_cells(tensors, "torch")


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
    convert(model, "torch", other_dialect(layout=Layout("ogif", gates_first=False, biases=1)))
    assert {name: array.tobytes() for name, array in model.items()} == before


def other_dialect(**changes: Any) -> Dialect:
    row = DIALECTS["torch"]
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

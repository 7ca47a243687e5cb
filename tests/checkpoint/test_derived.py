"""Reparametrized cells: what torch computes from the parts in a file, computed without torch."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize, prune

from onecell.checkpoint import CellSite, convert, find_cells, survey
from onecell.checkpoint.derived import derive
from onecell.dtypes import dtype_name, narrow, widen

Tensors = dict[str, np.ndarray]
Wrap = Callable[[nn.Module, str], object]


def arrays(module: nn.Module) -> Tensors:
    return {name: tensor.detach().numpy() for name, tensor in module.state_dict().items()}


def old_weight_norm(dim: int | None) -> Wrap:
    def wrap(module: nn.Module, name: str) -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            return nn.utils.weight_norm(module, name, dim=dim)  # type: ignore[arg-type]

    return wrap


def both(module: nn.Module, name: str) -> object:
    parametrizations.weight_norm(module, name)
    return parametrizations.spectral_norm(module, name)


def pruned_direction(module: nn.Module, name: str) -> object:
    old_weight_norm(0)(module, name)
    return prune.l1_unstructured(module, f"{name}_v", amount=0.5)


WRAPS: dict[str, Wrap] = {
    "weight_norm": old_weight_norm(0),
    "weight_norm by column": old_weight_norm(1),
    "weight_norm whole": old_weight_norm(None),
    "weight_norm, pruned": pruned_direction,
    "parametrized weight_norm": parametrizations.weight_norm,
    "parametrized weight_norm by column": lambda m, n: parametrizations.weight_norm(m, n, dim=1),
    "parametrized weight_norm whole": lambda m, n: parametrizations.weight_norm(m, n, dim=None),  # type: ignore[arg-type]
    "prune": lambda m, n: prune.l1_unstructured(m, n, amount=0.5),
    "spectral_norm": nn.utils.spectral_norm,
    "parametrized spectral_norm": parametrizations.spectral_norm,
    "weight_norm, then spectral_norm": both,
}


def wrapped(wrap: Wrap, names: list[str], module: nn.Module) -> nn.Module:
    """Wrap parameters and change the parts, so that they are not what they began as."""
    torch.manual_seed(3)
    for name in names:
        wrap(module, name)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    module.eval()
    return module


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS)
@pytest.mark.parametrize("name", ["weight_hh", "weight_ih"])
def test_a_wrapped_parameter_is_the_one_that_torch_computes(wrap: Wrap, name: str) -> None:
    module = wrapped(wrap, [name], nn.LSTMCell(3, 5))
    for _ in range(2):  # the old wrappers compute it before a call, an outer one before an inner
        module(torch.ones(2, 3))
    want = getattr(module, name).detach().numpy()
    tensors = arrays(module)
    assert name not in tensors
    (site,) = find_cells(tensors, "torch")
    got = getattr(site.weights(tensors, "torch"), name)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, want, rtol=1e-6, atol=0)
    assert np.array_equal(got == 0, want == 0)


def test_a_pruned_bias_and_a_layer_of_an_lstm_are_computed_too() -> None:
    lstm = nn.LSTM(3, 5, bidirectional=True)
    prune.random_unstructured(lstm, "bias_hh_l0_reverse", amount=0.5)
    parametrizations.weight_norm(lstm, "weight_hh_l0")
    tensors = arrays(nn.ModuleDict({"rnn": lstm}))
    sites = find_cells(tensors, "torch")
    assert [site.name for site in sites] == ["rnn[layer 0]", "rnn[layer 0, reverse]"]
    bias = sites[1].weights(tensors, "torch").bias_hh
    assert bias is not None
    want: torch.Tensor = lstm.get_buffer("bias_hh_l0_reverse_mask") * lstm.get_parameter(
        "bias_hh_l0_reverse_orig"
    )
    np.testing.assert_array_equal(bias, want.detach().numpy())


def test_the_other_framework_gets_the_product_and_the_note_says_of_what() -> None:
    module = wrapped(parametrizations.weight_norm, ["weight_hh"], nn.LSTMCell(3, 5))
    tensors = arrays(nn.ModuleDict({"cell": module, "head": nn.Linear(5, 2)}))
    done = convert(tensors, "torch", "mindspore")
    assert set(done.tensors) == {
        *(f"cell.{name}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")),
        *("head.weight", "head.bias"),
    }
    assert done.carried == ["head.weight", "head.bias"]
    assert [str(note) for note in done.notes] == [
        (
            "cell: `weight_hh` is computed from cell.parametrizations.weight_hh.original0, "
            "cell.parametrizations.weight_hh.original1 (weight_norm)"
        )
    ]
    assert find_cells(done.tensors, "mindspore") == [CellSite("cell.")]


def test_the_same_framework_keeps_the_parts() -> None:
    tensors = arrays(wrapped(WRAPS["prune"], ["weight_hh", "bias_ih"], nn.LSTMCell(3, 5)))
    done = convert(tensors, "torch", "torch")
    assert done.cells == [CellSite("")]
    assert done.tensors.keys() == tensors.keys()
    assert all(done.tensors[name] is array for name, array in tensors.items())


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float64"])
def test_a_product_is_rounded_once_to_the_type_of_its_parts(kind: str) -> None:
    rng = np.random.default_rng(4)
    g, v = narrow(rng.normal(size=(20, 1)), kind), narrow(rng.normal(size=(20, 5)), kind)
    made = derive({"_g": g, "_v": v})
    assert made is not None
    assert dtype_name(made[0].dtype) == kind
    wide = widen(v).astype(np.float64)
    exact = widen(g) * wide / np.linalg.norm(wide, axis=1, keepdims=True)
    half = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float64": 2.0**-50}[kind]
    np.testing.assert_allclose(widen(made[0]), exact, rtol=half)


class Twice(nn.Module):
    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        return 2 * weight


def orthogonal(module: nn.Module, name: str) -> object:
    return parametrizations.orthogonal(module, name)


def own(module: nn.Module, name: str) -> object:
    return parametrize.register_parametrization(module, name, Twice())


@pytest.mark.parametrize("wrap", [orthogonal, own])
def test_what_the_file_does_not_tell_is_carried_over_and_named(wrap: Wrap) -> None:
    tensors = arrays(wrapped(wrap, ["weight_hh"], nn.LSTMCell(3, 5)))
    done = convert(tensors, "torch", "mindspore")
    assert done.cells == []
    assert done.carried == list(tensors)
    (note,) = done.notes
    assert note.text.startswith("an LSTM cell perhaps, but `weight_hh` cannot be computed from ")
    assert "parametrizations.weight_hh.original" in note.text


@pytest.mark.parametrize(
    "parts",
    [
        {"_g": (20, 1)},
        {"_g": (20, 5), "_v": (20, 5)},
        {"_g": (19, 1), "_v": (20, 5)},
        {"_g": (20,), "_v": (20, 5)},
        {"_orig": (20, 5)},
        {"_orig": (20, 5), "_mask": (20, 1)},
        {"_orig": (20, 5), "_u": (20,), "_v": (4,)},
        {"_orig": (20, 5), "_mask": (20, 5), "_u": (20,), "_v": (5,)},
        {"_orig": (), "_u": (), "_v": ()},
        {".original0": (20, 2), ".original1": (2, 5)},
        {".original": (20, 5), ".1._u": (20,), ".1._v": (5,)},
    ],
    ids=str,
)
def test_parts_that_do_not_fit_give_nothing(parts: dict[str, tuple[int, ...]]) -> None:
    assert derive({ending: np.ones(shape, np.float32) for ending, shape in parts.items()}) is None


def test_parts_that_are_no_numbers_give_nothing() -> None:
    assert derive({"_g": np.ones((20, 1), np.int8), "_v": np.ones((20, 5), np.int8)}) is None
    assert derive({"_orig": np.ones(3, np.complex64), "_mask": np.ones(3, bool)}) is None


def test_a_parameter_that_is_there_wins_over_parts_and_these_are_noted() -> None:
    tensors = arrays(nn.LSTMCell(3, 5)) | {"weight_hh_g": np.ones((20, 1), np.float32)}
    done = convert(tensors, "torch", "mindspore")
    assert done.carried == ["weight_hh_g"]
    assert "something else stands there, weight_hh_g" in str(done.notes[0])


def test_a_weight_normed_gru_is_none_of_our_cells() -> None:
    tensors = arrays(wrapped(parametrizations.weight_norm, ["weight_hh_l0"], nn.GRU(3, 5)))
    found = survey(tensors, "torch")
    assert found.cells == []
    assert "a GRU by its shapes" in str(found.notes[0])


def test_zero_rows_of_a_direction_are_nan_as_torch_has_them() -> None:
    g, v = np.ones((2, 1), np.float32), np.zeros((2, 3), np.float32)
    made = derive({"_g": g, "_v": v})
    assert made is not None
    want = torch._weight_norm(torch.from_numpy(v), torch.from_numpy(g), 0)
    np.testing.assert_array_equal(made[0], want.numpy())

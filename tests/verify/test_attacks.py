"""Cells that once passed for another one, were called different, or ended in a traceback."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from onecell import Weights
from onecell.errors import NotACellError, NotFiniteError, ObjectImportError
from onecell.verify import Comparison, compare
from onecell.verify.quantities.stored import rounding

from .wrong import changed, right

STEPS = 10
State = tuple[torch.Tensor, torch.Tensor]
Forward = Callable[["Wrapped", torch.Tensor, State], Any]
CELL = torch.nn.LSTMCell(5, 4)


class Wrapped(torch.nn.Module):
    """A module around a cell, with any forward."""

    def __init__(self, forward: Forward) -> None:
        super().__init__()
        self.cell = copy.deepcopy(CELL)
        self.does = forward
        self.calls = 0
        self.input_size, self.hidden_size = 5, 4

    def forward(self, x: torch.Tensor, state: State) -> Any:
        self.calls += 1
        return self.does(self, x, state)


def against(forward: Forward) -> Comparison:
    return compare(CELL, Wrapped(forward), steps=STEPS)


def said(found: Comparison) -> list[str]:
    return [finding.kind for finding in found.diagnosis.findings]


def clipped(most: float) -> Forward:
    def forward(module: Wrapped, x: torch.Tensor, state: State) -> State:
        h, c = module.cell(x, state)
        return h, c.clamp(-most, most)

    return forward


def drifting(module: Wrapped, x: torch.Tensor, state: State) -> State:
    h, c = module.cell(x, state)
    return h + 0.1 * module.calls, c


def noisy(module: Wrapped, x: torch.Tensor, state: State) -> State:
    h, c = module.cell(x, state)
    return h + 0.1 * torch.randn_like(h), c


def detached(module: Wrapped, x: torch.Tensor, state: State) -> State:
    h, c = module.cell(x, state)
    return h.detach(), c.detach()


def half_detached(module: Wrapped, x: torch.Tensor, state: State) -> State:
    h, c = module.cell(x, (state[0].detach(), state[1]))
    return h, c


def scribbling(module: Wrapped, x: torch.Tensor, state: State) -> State:
    answer: State = module.cell(x, state)
    with torch.no_grad():
        state[1].copy_(answer[1])
    return answer


def widening(module: Wrapped, x: torch.Tensor, state: State) -> State:
    h, c = module.cell(x, state)
    return h.double(), c.double()


def failing_later(module: Wrapped, x: torch.Tensor, state: State) -> State:
    if module.calls > 4:
        raise ValueError("no\nmore")
    answer: State = module.cell(x, state)
    return answer


def not_for_training(module: Wrapped, x: torch.Tensor, state: State) -> State:
    if torch.is_grad_enabled():
        raise RuntimeError("inference only")
    answer: State = module.cell(x, state)
    return answer


def leaving(module: Wrapped, x: torch.Tensor, state: State) -> State:
    raise SystemExit(0)


@pytest.mark.parametrize("most", [3.0, 10.0, 50.0, 300.0])
def test_a_clip_of_c_shows(most: float) -> None:
    found = against(clipped(most))
    assert found.verdict == "different"
    assert said(found) == ["far inputs differ"]


@pytest.mark.parametrize("forward", [drifting, noisy])
def test_what_answers_differently_each_time_is_said_to(forward: Forward) -> None:
    found = against(forward)
    assert (found.verdict, said(found)) == ("different", ["not repeatable"])


@pytest.mark.parametrize("forward", [detached, half_detached])
def test_right_outputs_without_their_gradient_are_not_the_same(forward: Forward) -> None:
    found = against(forward)
    assert (found.verdict, said(found)) == ("different", ["gradients differ"])


@pytest.mark.parametrize(
    ("forward", "why"),
    [
        (scribbling, "writes into its argument `c`"),
        (widening, "for float32 it returns float64"),
        (failing_later, "raises ValueError.*: no more"),
        (not_for_training, "RuntimeError where gradients are taken: inference only"),
        (leaving, "raises SystemExit"),
    ],
)
def test_what_is_not_called_as_a_cell_is_refused(forward: Forward, why: str) -> None:
    with pytest.raises(NotACellError, match=why):
        against(forward)


def test_the_wrapped_cell_itself_is_the_same() -> None:
    assert against(lambda module, x, state: module.cell(x, state)).verdict == "same bits"


def test_a_cell_that_answers_in_the_same_memory_again_has_its_step_read_right() -> None:
    kept: dict[int, State] = {}

    def forward(module: Wrapped, x: torch.Tensor, state: State) -> State:
        answer: State = module.cell(x, state)
        if torch.is_grad_enabled():
            return answer
        buffers = kept.setdefault(len(x), tuple(map(torch.empty_like, answer)))  # type: ignore[arg-type]
        for buffer, part in zip(buffers, answer, strict=True):
            buffer.copy_(part)
        return buffers

    failing = {q.name for q in against(forward).quantities if not q.holds}
    assert failing == {"rollout.h", "rollout.c"}


def test_a_module_that_ends_the_process_does_not_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ends_the_process.py").write_text("import sys\nsys.exit(0)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ObjectImportError, match="SystemExit"):
        compare(CELL, "ends_the_process:cell")


def test_parameters_without_numbers_are_refused() -> None:
    with pytest.raises(NotACellError, match="hold no numbers yet"):
        compare(CELL, torch.nn.LSTMCell(5, 4, device="meta"))


def test_answers_that_are_no_numbers_are_refused_where_nothing_else_is_known() -> None:
    def nothing(x: np.ndarray, state: tuple[np.ndarray, np.ndarray]) -> Any:
        return state[0] * np.nan, state[1]

    with pytest.raises(NotFiniteError, match=r"forward\.h"):
        compare(nothing, nothing, sizes=(5, 4), steps=STEPS)


def test_weights_whose_sums_overflow_are_refused() -> None:
    huge = {name: array * np.float32(3e38) for name, array in right().arrays().items()}
    with pytest.raises(NotFiniteError, match="too large"):
        compare(Weights(**huge), Weights(**huge))


def test_a_column_beside_huge_ones_is_not_lost() -> None:
    weight = right().arrays()["weight_ih"].copy()
    weight[:, 0] = 1e6
    without = weight.copy()
    without[:, 1] = 0
    a, b = (changed(right(), weight_ih=each) for each in (weight, without))
    found = compare(a, b, steps=STEPS)
    assert found.first is not None
    assert (found.verdict, found.first.quantity) == ("different", "weights.weight_ih")


@pytest.mark.parametrize("relative", [1e-4, 1e-5, 3e-6])
def test_weights_of_a_large_cell_that_are_nearly_right_are_not(relative: float) -> None:
    weights = right(256, 256)
    noise = 1 + relative * np.random.default_rng(0).standard_normal(weights.weight_hh.shape)
    near = changed(weights, weight_hh=(weights.weight_hh * noise).astype(np.float32))
    found = compare(weights, near, steps=STEPS, sides=())
    assert (found.verdict, said(found)) == ("different", ["close"])


def test_one_rounding_of_the_weights_is_the_same() -> None:
    arrays = right().arrays()
    near = {name: np.nextafter(array, np.float32(9)) for name, array in arrays.items()}
    found = compare(right(), Weights(**near), steps=STEPS)
    assert (found.verdict, said(found)) == ("same", ["noise"])


def test_a_forget_bias_added_and_taken_away_is_the_same() -> None:
    bias = right().arrays()["bias_ih"] * np.float32(1e-3)
    again = (bias + np.float32(1)) - np.float32(1)
    assert (again != bias).any()
    a, b = (changed(right(), bias_ih=each) for each in (bias, again))
    assert compare(a, b, steps=STEPS).verdict == "same"


def test_the_allowance_of_a_number_is_its_own() -> None:
    allowed = rounding("weight_ih", np.array([1.0, 1e-6, 0.0]), np.dtype("float32"))
    assert allowed == pytest.approx([9.5367e-7, 9.5367e-13, 1.1755e-38], rel=1e-4)


@pytest.mark.parametrize("added", [True, False])
def test_biases_of_zero_are_not_none(added: bool) -> None:
    bare = right(bias=False)
    zeros = np.zeros(16, np.float32)
    full = Weights(bare.weight_ih, bare.weight_hh, zeros, zeros.copy())
    found = compare(*((bare, full) if added else (full, bare)), steps=STEPS)
    kind = "zero biases added" if added else "zero biases dropped"
    assert (found.verdict, said(found)) == ("different", [kind])
    failing = {q.name.split(".")[0] for q in found.quantities if not q.holds}
    assert failing <= {"gradient", "sgd", "adam", "weights"}


@pytest.mark.parametrize("value", [0.5, -1.0, 1.0001])
def test_a_factor_is_named(value: float) -> None:
    scaled = {name: array * np.float32(value) for name, array in right().arrays().items()}
    found = compare(right(), Weights(**scaled), steps=STEPS)
    assert said(found) == ["scaled"]
    assert found.diagnosis.findings[0].facts["value"] == pytest.approx(value, rel=1e-6)


def test_a_float64_cell_kept_in_float32_is_said_to_be() -> None:
    weights = Weights.random(right().spec, 3).astype("float64")
    arrays = {name: array / 3 for name, array in weights.arrays().items()}
    a = Weights(**arrays)
    found = compare(a, a.astype("float32").astype("float64"), steps=STEPS)
    assert found.diagnosis.text() == "the numbers were rounded to float32"


def test_gates_of_the_biases_alone_are_found() -> None:
    moved = {}
    for name in ("bias_ih", "bias_hh"):
        i, f, g, o = np.split(right().arrays()[name], 4)
        moved[name] = np.concatenate([i, f, o, g])
    found = compare(right(), changed(right(), **moved), steps=STEPS)
    assert found.diagnosis.explained
    assert "bias_ih and bias_hh" in found.diagnosis.text()


def test_a_hook_on_h_is_seen_in_its_gate() -> None:
    cell = copy.deepcopy(CELL)
    cell.register_forward_hook(lambda _module, _given, answer: (answer[0] * 1.1, answer[1]))
    found = compare(CELL, cell, steps=STEPS)
    assert found.verdict == "different"
    assert found.diagnosis.findings[0].facts["where"].endswith("gate o")

"""What torch.nn.LSTMCell is as a module, ours is too."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.utils import parameters_to_vector, parametrize, prune, vector_to_parameters
from torch.nn.utils.parametrizations import weight_norm

import onecell.torch
from onecell.torch import LSTMCell
from problems import problem
from torch_cells import of_torch, ours, step_inputs

P = problem()
X, STATE = step_inputs(P)
KINDS: tuple[Callable[..., torch.nn.LSTMCell], ...] = (LSTMCell, torch.nn.LSTMCell)


def equal(a: Any, b: Any) -> bool:
    return all(torch.equal(p, q) for p, q in zip(a, b, strict=True))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
def test_fresh_parameters_are_the_numbers_that_torch_draws(bias: bool, dtype: torch.dtype) -> None:
    made = []
    for kind in KINDS:
        torch.manual_seed(7)
        made.append(dict(kind(10, 16, bias, dtype=dtype).named_parameters()))
    assert list(made[0]) == list(made[1])
    assert equal(made[0].values(), made[1].values())


def test_reset_parameters_draws_what_torch_draws() -> None:
    made = [kind(10, 16) for kind in KINDS]
    for cell in made:
        torch.manual_seed(8)
        cell.reset_parameters()
    assert equal(made[0].parameters(), made[1].parameters())


@pytest.mark.parametrize(
    "arguments",
    [((3, 4), {}), ((3, 4, False), {}), ((3, 4), {"bias": False}), ((3, 4), {"bias": 0})],
)
def test_repr_is_that_of_torch(arguments: Any) -> None:
    args, named = arguments
    assert repr(LSTMCell(*args, **named)) == repr(torch.nn.LSTMCell(*args, **named))


def test_constructor_takes_torch_s_arguments_in_torch_s_order() -> None:
    cell = LSTMCell(3, 4, True, "meta", torch.float64)
    assert cell.weight_ih.device.type == "meta"
    assert cell.weight_ih.dtype == torch.float64


def test_sizes_may_be_numpy_s_integers() -> None:
    sizes: Any = np.int64(3), np.int64(4)
    assert LSTMCell(*sizes).weight_ih.shape == (16, 3)


def test_missing_biases_are_none_and_registered() -> None:
    cell = LSTMCell(3, 4, bias=False)
    assert [cell.bias_ih, cell.bias_hh] == [None, None]
    assert list(cell._parameters) == ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]


def test_it_is_a_torch_cell() -> None:
    assert isinstance(LSTMCell(3, 4), torch.nn.LSTMCell)


@pytest.mark.parametrize("bias", [True, False])
def test_state_dicts_load_both_ways(bias: bool) -> None:
    mine, theirs = LSTMCell(10, 16, bias), torch.nn.LSTMCell(10, 16, bias)
    mine.load_state_dict(theirs.state_dict())
    assert equal(mine.state_dict().values(), theirs.state_dict().values())
    theirs.load_state_dict(LSTMCell(10, 16, bias).state_dict())


@pytest.mark.parametrize("wrong", ["missing", "extra", "shape"])
def test_a_wrong_state_dict_is_refused(wrong: str) -> None:
    state = LSTMCell(10, 16).state_dict()
    if wrong == "missing":
        del state["bias_hh"]
    elif wrong == "extra":
        state["weight_hr"] = torch.ones(1)
    else:
        state["weight_ih"] = state["weight_ih"].T
    with pytest.raises(RuntimeError, match="Error"):
        LSTMCell(10, 16).load_state_dict(state)


def through_save(cell: LSTMCell) -> Any:
    file = io.BytesIO()
    torch.save(cell, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


@pytest.mark.parametrize(
    "again", [copy.deepcopy, copy.copy, lambda m: pickle.loads(pickle.dumps(m)), through_save]
)
def test_copies_compute_the_same(again: Any) -> None:
    cell = ours(P)
    other = again(cell)
    assert type(other) is LSTMCell
    assert equal(other(X, STATE), cell(X, STATE))


def test_pickles_name_the_public_module() -> None:
    assert LSTMCell.__module__ == "onecell.torch"
    assert onecell.torch.LSTMCell is LSTMCell


def test_from_torch_shares_the_parameters() -> None:
    theirs = of_torch(P).eval()
    mine = LSTMCell.from_torch(theirs)
    assert all(a is b for a, b in zip(mine.parameters(), theirs.parameters(), strict=True))
    assert not mine.training
    assert repr(mine) == repr(theirs)
    assert LSTMCell.from_torch(torch.nn.LSTMCell(3, 4, bias=False)).bias_hh is None


def test_from_torch_draws_no_random_numbers() -> None:
    theirs = of_torch(P)
    before = torch.get_rng_state()
    LSTMCell.from_torch(theirs)
    assert torch.equal(torch.get_rng_state(), before)


def test_from_torch_refuses_what_it_cannot_share() -> None:
    with pytest.raises(TypeError, match=r"must be a torch\.nn\.LSTMCell"):
        LSTMCell.from_torch(torch.nn.GRUCell(3, 4))  # type: ignore[arg-type]
    cell = of_torch(P)
    weight_norm(cell, "weight_hh")
    with pytest.raises(TypeError, match="`weight_hh`"):
        LSTMCell.from_torch(cell)


def test_subclasses_may_extend_forward() -> None:
    class Twice(LSTMCell):
        def forward(self, input: Any, hx: Any = None, c_0: Any = None) -> Any:  # noqa: A002
            return super().forward(input, super().forward(input, hx, c_0))

    cell = Twice.from_torch(of_torch(P))
    assert isinstance(cell, Twice)
    once = ours(P)
    assert equal(cell(X, STATE), once(X, once(X, STATE)))


def test_hooks_run_around_the_call() -> None:
    cell, seen = ours(P), []
    want = cell(X, STATE)
    cell.register_forward_pre_hook(lambda _, args: seen.append("before"))
    cell.register_forward_hook(lambda _, args, out: (out[0] * 2, out[1]))
    cell.register_full_backward_hook(lambda *_: seen.append("backward"))
    h, _ = cell(X.clone().requires_grad_(), STATE)
    h.sum().backward()
    assert seen == ["before", "backward"]
    assert torch.equal(h, want[0] * 2)


# Ways to write into weight_hh: what the next call sees is what was written.


def write_data(cell: LSTMCell, new: Tensor) -> None:
    cell.weight_hh.data = new


def write_data_copy(cell: LSTMCell, new: Tensor) -> None:
    cell.weight_hh.data.copy_(new)


def write_no_grad(cell: LSTMCell, new: Tensor) -> None:
    with torch.no_grad():
        cell.weight_hh.copy_(new)


def write_parameter(cell: LSTMCell, new: Tensor) -> None:
    cell.weight_hh = torch.nn.Parameter(new)


def write_state_dict(cell: LSTMCell, new: Tensor) -> None:
    cell.load_state_dict(cell.state_dict() | {"weight_hh": new})


def write_assigned(cell: LSTMCell, new: Tensor) -> None:
    cell.load_state_dict(cell.state_dict() | {"weight_hh": new}, assign=True)


def write_set(cell: LSTMCell, new: Tensor) -> None:
    with torch.no_grad():
        cell.weight_hh.set_(new.untyped_storage(), 0, new.shape, new.stride())


def write_swap(cell: LSTMCell, new: Tensor) -> None:
    torch.utils.swap_tensors(cell.weight_hh, torch.nn.Parameter(new))


def write_vector(cell: LSTMCell, new: Tensor) -> None:
    named = {n: p.detach() for n, p in cell.named_parameters()} | {"weight_hh": new}
    vector_to_parameters(parameters_to_vector(named.values()), cell.parameters())


def write_numpy(cell: LSTMCell, new: Tensor) -> None:
    cell.weight_hh.detach().numpy()[...] = new.numpy()


def write_optimizer(cell: LSTMCell, new: Tensor) -> None:
    cell.weight_hh.grad = cell.weight_hh.detach() - new
    torch.optim.SGD([cell.weight_hh], lr=1.0).step()


WRITES = [f for name, f in list(globals().items()) if name.startswith("write_")]


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("recording", [True, False])
def test_weights_are_never_stale(write: Any, recording: bool) -> None:
    cell = ours(P)
    with torch.set_grad_enabled(recording):
        before = cell(X, STATE)[0].detach()  # No graph may hold what swap_tensors swaps.
        new = torch.from_numpy(problem(seed=1).weights.weight_hh.copy())
        write(cell, new)
        after = cell(X, STATE)[0]
        fresh = LSTMCell(10, 16)
        fresh.load_state_dict(cell.state_dict())
        want = fresh(X, STATE)[0]
    assert not torch.equal(after, before)
    assert torch.equal(after, want)
    torch.testing.assert_close(cell.weight_hh.detach(), new, rtol=0, atol=1e-6)


# Computed parameters.


def softplus(cell: torch.nn.LSTMCell) -> None:
    parametrize.register_parametrization(cell, "weight_hh", torch.nn.Softplus())


def normed(cell: torch.nn.LSTMCell) -> None:
    weight_norm(cell, "weight_ih")


def normed_as_before(cell: torch.nn.LSTMCell) -> None:
    torch.nn.utils.weight_norm(cell, "weight_hh")


def pruned(cell: torch.nn.LSTMCell) -> None:
    prune.l1_unstructured(cell, "weight_ih", 0.5)


@pytest.mark.parametrize("change", [softplus, normed, normed_as_before, pruned])
@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated:FutureWarning")
def test_computed_parameters_run_and_train_as_in_torch(change: Any, kernel: Any) -> None:
    found = []
    for cell in (ours(P), of_torch(P)):
        change(cell)
        h, c = cell(X, STATE)
        grads = torch.autograd.grad(h.sum() + c.sum(), list(cell.parameters()))
        found.append((h, c, *grads))
    torch.testing.assert_close(found[0], found[1], rtol=1e-5, atol=1e-5)
    assert kernel.calls == 2


def test_other_dtypes_run_by_torch_s_operator(no_kernel: Any) -> None:
    for dtype in (torch.float16, torch.bfloat16):
        mine, theirs = ours(P).to(dtype), of_torch(P).to(dtype)
        x, state = X.to(dtype), (STATE[0].to(dtype), STATE[1].to(dtype))
        assert equal(mine(x, state), theirs(x, state))
        assert equal(mine.unroll(x[None], state)[1], theirs(x, state))


def test_meta_device_gives_shapes_and_to_empty_gives_memory(no_kernel: Any) -> None:
    cell = LSTMCell(10, 16, device="meta")
    h, c = cell(X.to("meta"))
    assert h.device.type == "meta"
    assert h.shape == c.shape == (3, 16)
    cell.to_empty(device="cpu").load_state_dict(of_torch(P).state_dict())
    no_kernel.forbidden = False
    assert equal(cell(X, STATE), ours(P)(X, STATE))


def test_double_and_back_runs_on_the_kernel_each_time(kernel: Any) -> None:
    cell = ours(P).double()
    h, _ = cell(X.double(), (STATE[0].double(), STATE[1].double()))
    assert h.dtype == torch.float64
    assert equal(cell.float()(X, STATE), ours(P)(X, STATE))
    assert kernel.calls == 3


@pytest.mark.parametrize("sizes", [(0, 4), (3, 0)])
@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors:UserWarning")
def test_sizes_of_zero_compute_as_in_torch(sizes: tuple[int, int], no_kernel: Any) -> None:
    theirs = torch.nn.LSTMCell(*sizes)
    x = torch.ones(2, sizes[0])
    assert equal(LSTMCell.from_torch(theirs)(x), theirs(x))


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.AdamW])
def test_training_follows_torch_s_cell(optimizer: Any) -> None:
    p = problem(steps=6)
    losses: list[list[float]] = []
    for cell in (ours(p), of_torch(p)):
        steps = optimizer(cell.parameters(), lr=0.05)
        target = torch.from_numpy(p.grad_h_last).tanh()
        losses.append([])
        for _ in range(20):
            state = torch.from_numpy(p.h.copy()), torch.from_numpy(p.c.copy())
            for row in torch.from_numpy(p.x):
                state = cell(row, state)
            loss = (state[0] - target).square().mean()
            steps.zero_grad()
            loss.backward()
            steps.step()
            losses[-1].append(loss.item())
    assert losses[0][-1] < losses[0][0]
    # By AdamW torch's own losses are 1.8e-5 from those in float64, ours 0.8e-5.
    np.testing.assert_allclose(losses[0], losses[1], rtol=4e-5)


class Doubling(LSTMCell):
    """A subclass with a step of its own."""

    def forward(
        self,
        input: Tensor,  # noqa: A002 - torch's name
        hx: tuple[Tensor, Tensor] | None = None,
        c_0: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        return super().forward(input * 2, hx, c_0)


def test_unroll_is_a_loop_over_a_subclass_own_step() -> None:
    cell, x = Doubling(3, 2), torch.randn(4, 5, 3)
    state = (torch.zeros(5, 2), torch.zeros(5, 2))
    every = []
    for row in x:
        state = cell(row, state)
        every.append(state[0])
    h_all, last = cell.unroll(x)
    assert torch.equal(h_all, torch.stack(every))
    assert torch.equal(last[1], state[1])

"""The results of an everyday step are tensors like any other, though their memory is ours."""

from __future__ import annotations

import copy
import gc
import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import onecell.torch
from problems import problem
from torch_cells import of_torch, ours, step_inputs

P = problem()
X, STATE = step_inputs(P)
MANY = 4096
"""Rows of which the results are torch's memory."""


def saved(tensor: Tensor) -> Tensor:
    file = io.BytesIO()
    torch.save(tensor, file)
    file.seek(0)
    read: Tensor = torch.load(file, weights_only=True)
    return read


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("rows", [1, MANY])
def test_results_are_what_torch_would_give(mode: Callable[[], Any], rows: int) -> None:
    x, h, c = (t[:1].repeat(rows, 1) for t in (X, *STATE))
    with mode():
        ours_, theirs = ours(P)(x, (h, c)), of_torch(P)(x, (h, c))
    for mine, its in zip(ours_, theirs, strict=True):
        assert type(mine) is Tensor
        assert (mine.dtype, mine.shape, mine.stride(), mine.device, mine.layout) == (
            *(its.dtype, its.shape, its.stride(), its.device, its.layout),
        )
        for name in ("requires_grad", "is_leaf", "grad_fn"):
            assert getattr(mine, name) == getattr(its, name)
        assert mine.is_inference() == its.is_inference()
        assert mine.untyped_storage().nbytes() == its.untyped_storage().nbytes()
        assert mine.storage_offset() == 0
        assert mine.data_ptr() % 64 == 0


@pytest.mark.parametrize(
    "through", [copy.deepcopy, Tensor.clone, saved, lambda t: pickle.loads(pickle.dumps(t))]
)
def test_results_may_be_copied_and_stored(through: Callable[[Tensor], Tensor]) -> None:
    with torch.no_grad():
        h, _ = ours(P)(X, STATE)
    assert torch.equal(through(h), h)


def test_results_may_be_written_and_seen_as_arrays() -> None:
    with torch.no_grad():
        h, c = ours(P)(X, STATE)
    array = h.numpy()
    h.add_(1)
    assert np.array_equal(array, h.numpy())
    h.requires_grad_().square().sum().backward()
    assert h.grad is not None
    assert c.share_memory_().is_shared()


def test_resizing_a_small_result_is_refused() -> None:
    with torch.no_grad():
        h, _ = ours(P)(X, STATE)
    with pytest.raises(RuntimeError, match="resize"):
        h.resize_(h.numel() + 1)


def test_what_is_recorded_may_be_freed_early() -> None:
    x, state = step_inputs(P)
    h, c = ours(P)(x, state)
    grads = torch.ones_like(h)
    h.untyped_storage().resize_(0)
    torch.autograd.backward(h, grads)
    assert c.requires_grad


def test_results_outlive_all_else() -> None:
    cell = ours(P)
    x, state = step_inputs(P)
    with torch.no_grad():
        wanted = [t.clone() for t in of_torch(P)(x, state)]
        h, c = cell(x, state)
    view = h[:, 1:]
    del cell, x, state, h
    gc.collect()
    assert torch.allclose(view, wanted[0][:, 1:], atol=1e-6)
    assert torch.allclose(c, wanted[1], atol=1e-6)


def test_memory_of_results_is_given_back() -> None:
    def resident() -> int:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * 4096

    cell = onecell.torch.LSTMCell(8, 256)
    x, state = torch.zeros(64, 8), (torch.zeros(64, 256), torch.zeros(64, 256))
    with torch.no_grad():
        for _ in range(50):
            state = cell(x, state)
        before = resident()
        for _ in range(1000):  # 128 MB of results
            state = cell(x, state)
    assert resident() - before < 16e6
